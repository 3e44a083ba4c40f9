import * as k8s from "@pulumi/kubernetes";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { Transform } from "../transform";

/** One optional transform for each child of a Database. */
export interface DatabaseTransforms {
  /** Holds everything else. */
  namespace?: Transform<k8s.core.v1.NamespaceArgs>;
  /** Puts the pods above applications. */
  priorityClass?: Transform<k8s.scheduling.v1.PriorityClassArgs>;
  /** What the engine and the manager are told. */
  configuration?: Transform<k8s.core.v1.ConfigMapArgs>;
  /** The manager's scripts. */
  manager?: Transform<k8s.core.v1.ConfigMapArgs>;
  /** The store's key. */
  objectStoreSecret?: Transform<k8s.core.v1.SecretArgs>;
  /** The users' passwords. */
  usersSecret?: Transform<k8s.core.v1.SecretArgs>;
  /** Each user's connection, in each namespace that has it. */
  connectionSecret?: Transform<k8s.core.v1.SecretArgs>;
  /** The server's certificate. */
  tlsSecret?: Transform<k8s.core.v1.SecretArgs>;
  /** The data's identity, where it is not given. */
  databaseId?: Transform<random.RandomUuidArgs>;
  /** Each password that is made. */
  password?: Transform<random.RandomPasswordArgs>;
  /** Key of the fingerprint by which a change of a secret rolls out. */
  fingerprintKey?: Transform<random.RandomBytesArgs>;
  /** The authority's private key. */
  certificateAuthorityKey?: Transform<tls.PrivateKeyArgs>;
  /** Signs the server's certificate. */
  certificateAuthority?: Transform<tls.SelfSignedCertArgs>;
  /** The server's private key. */
  certificateKey?: Transform<tls.PrivateKeyArgs>;
  /** What the authority is to sign. */
  certificateRequest?: Transform<tls.CertRequestArgs>;
  /** The server's, and the managers' for one another. */
  certificate?: Transform<tls.LocallySignedCertArgs>;
  /** The pods'. */
  serviceAccount?: Transform<k8s.core.v1.ServiceAccountArgs>;
  /** What a manager may do in the namespace. */
  role?: Transform<k8s.rbac.v1.RoleArgs>;
  /** Gives the role to the pods. */
  roleBinding?: Transform<k8s.rbac.v1.RoleBindingArgs>;
  /** For writes. */
  primaryService?: Transform<k8s.core.v1.ServiceArgs>;
  /** For reads. */
  replicaService?: Transform<k8s.core.v1.ServiceArgs>;
  /** Gives each pod a name. */
  headlessService?: Transform<k8s.core.v1.ServiceArgs>;
  /** Says who reaches the pods, and whom they reach. */
  networkPolicy?: Transform<k8s.networking.v1.NetworkPolicyArgs>;
  /** Has the pods scraped. */
  podMonitor?: Transform<k8s.apiextensions.CustomResourceArgs>;
  /** The alerts. */
  prometheusRules?: Transform<k8s.apiextensions.CustomResourceArgs>;
  /** The dashboard. */
  grafanaDashboard?: Transform<k8s.core.v1.ConfigMapArgs>;
  /** Keeps drains from taking more than one pod. */
  disruptionBudget?: Transform<k8s.policy.v1.PodDisruptionBudgetArgs>;
  /** Each pod's volume. */
  dataClaim?: Transform<k8s.core.v1.PersistentVolumeClaimPatchArgs>;
  /** The pods. */
  statefulSet?: Transform<k8s.apps.v1.StatefulSetArgs>;
}
