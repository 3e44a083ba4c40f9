import * as k8s from "@pulumi/kubernetes";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { Transform } from "../transform";

/** One optional transform for each child of a Database. */
export interface DatabaseTransforms {
  namespace?: Transform<k8s.core.v1.NamespaceArgs>;
  priorityClass?: Transform<k8s.scheduling.v1.PriorityClassArgs>;
  configuration?: Transform<k8s.core.v1.ConfigMapArgs>;
  manager?: Transform<k8s.core.v1.ConfigMapArgs>;
  objectStoreSecret?: Transform<k8s.core.v1.SecretArgs>;
  usersSecret?: Transform<k8s.core.v1.SecretArgs>;
  tlsSecret?: Transform<k8s.core.v1.SecretArgs>;
  /** The data's identity, where it is not given. */
  databaseId?: Transform<random.RandomUuidArgs>;
  /** Each password that is made. */
  password?: Transform<random.RandomPasswordArgs>;
  /** Key of the fingerprint by which a change of a secret rolls out. */
  fingerprintKey?: Transform<random.RandomBytesArgs>;
  certificateAuthorityKey?: Transform<tls.PrivateKeyArgs>;
  certificateAuthority?: Transform<tls.SelfSignedCertArgs>;
  certificateKey?: Transform<tls.PrivateKeyArgs>;
  certificateRequest?: Transform<tls.CertRequestArgs>;
  certificate?: Transform<tls.LocallySignedCertArgs>;
  serviceAccount?: Transform<k8s.core.v1.ServiceAccountArgs>;
  role?: Transform<k8s.rbac.v1.RoleArgs>;
  roleBinding?: Transform<k8s.rbac.v1.RoleBindingArgs>;
  primaryService?: Transform<k8s.core.v1.ServiceArgs>;
  replicaService?: Transform<k8s.core.v1.ServiceArgs>;
  headlessService?: Transform<k8s.core.v1.ServiceArgs>;
  networkPolicy?: Transform<k8s.networking.v1.NetworkPolicyArgs>;
  disruptionBudget?: Transform<k8s.policy.v1.PodDisruptionBudgetArgs>;
  statefulSet?: Transform<k8s.apps.v1.StatefulSetArgs>;
}
