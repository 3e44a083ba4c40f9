import * as pulumi from "@pulumi/pulumi";
import { ManagerBundle } from "../managerBundle";
import { StoreCredentials } from "../objectStore/credentials";
import { DatabaseEgressArgs, DatabasePodsArgs, SecretKeyArgs } from "./podArguments";
import { DatabaseServicesArgs } from "./serviceArguments";
import { DatabaseTransforms } from "./transforms";

export * from "./podArguments";
export * from "./serviceArguments";

/** When a commit is acknowledged, seen from the bucket. Every mode syncs the node's own disk at each commit. */
export const Durability = {
  /** Acknowledged once the log in the bucket has it. Losing a node and its disk loses nothing. All commits that wait share one append, of which there is one at a time: each waits for one or two round trips to the bucket. */
  Commit: "commit",
  /** Acknowledged by the node's own disk. The log has it 0.2 s later at most under steady writes, and at once after a pause; the other nodes have it within 25 ms, before that. Losing a node and its disk loses what was on its way (measured: docs/store.md). */
  Interval: "interval",
} as const;
export type Durability = (typeof Durability)[keyof typeof Durability];

/** Who becomes primary when the last one is lost. */
export const FailoverPreference = {
  /** A follower takes over as soon as the Lease expires: writes return in seconds, without what the durability mode had not yet uploaded. */
  Availability: "availability",
  /** The last primary's volume, which has every write, gets `resumeWithinSeconds` to return. */
  Durability: "durability",
} as const;
export type FailoverPreference = (typeof FailoverPreference)[keyof typeof FailoverPreference];

/** What a primary does whose writes do not reach the bucket in time. */
export const OnObjectStoreOutage = {
  /** Stops writes until everything is in the bucket, so that the loss stays bounded. Reads continue. */
  StopWrites: "stopWrites",
  /** Continues to take writes and raises an alarm: losing the node and its disk would lose them. */
  Continue: "continue",
} as const;
export type OnObjectStoreOutage = (typeof OnObjectStoreOutage)[keyof typeof OnObjectStoreOutage];

/** Where a pod's data is. */
export const StorageKind = {
  /** A volume of the StorageClass: it outlives the pod and its node. */
  Volume: "volume",
  /** The node's own NVMe drives, as an emptyDir: faster, and gone with the pod. The nodes must keep emptyDir volumes on these drives (Cluster sets that up, by instance type). */
  Nvme: "nvme",
} as const;
export type StorageKind = (typeof StorageKind)[keyof typeof StorageKind];

/** How strictly the pods are kept apart. */
export const Spread = {
  /** A pod that cannot be placed apart stays pending. */
  Required: "required",
  /** A pod that cannot be placed apart starts beside another. */
  Preferred: "preferred",
} as const;
export type Spread = (typeof Spread)[keyof typeof Spread];

/** When a node fetches an image. */
export const ImagePullPolicy = {
  /** Pulls it unless the node has it. */
  IfNotPresent: "IfNotPresent",
  /** Pulls it at each start, which needs the registry. */
  Always: "Always",
  /** Never pulls it: it must be on the node. */
  Never: "Never",
} as const;
export type ImagePullPolicy = (typeof ImagePullPolicy)[keyof typeof ImagePullPolicy];

/** Arguments of {@link Database}. */
export interface DatabaseArgs extends DatabaseSettingsArgs {
  /**
   * The TideSQL image, by digest (`repository@sha256:...`) or by a tag that never changes. Plugin 4.5.7 with TidesDB 9.3 is required: earlier ones lose tables that are created after a
   * failover. `latest`, or no tag, is refused.
   */
  image: pulumi.Input<string>;
  /** Where the data is kept, and the key for it. */
  objectStore: DatabaseObjectStoreArgs;
}

/** When the SSTables of a table are merged. */
export interface DatabaseCompactionArgs {
  /** Merges SSTables with deleted or replaced rows as they are flushed: a table with updates keeps 1 to 3. Default true. */
  automatic?: boolean;
}

/** How far back a database can be restored to (docs/restore.md). What is kept is paid for: `tidesql plan` has a line for it. */
export interface DatabaseHistoryArgs {
  /** Every position of the last so many hours is kept: the database can be restored to any moment of them. A whole number, 1 to 168. Default 24. */
  everyPositionHours?: number;
  /** Before that, a checkpoint of each day (in UTC), for so many days. A whole number, 0 to 365; 0 is none. Default 7. */
  dailyCheckpointDays?: number;
}

/** A database that is begun as a copy of another one (docs/restore.md). The other one is only read: it may be running, or be all that is left of a cluster. */
export interface DatabaseRestoreArgs {
  /** The folder of the database to restore, in the same object store; ends with `/`. Not this database's own. */
  prefix: pulumi.Input<string>;
  /** The bucket that it is in. The key or role of `objectStore` must be allowed to read it. Default: this database's own bucket. */
  bucket?: pulumi.Input<string>;
  /**
   * The moment: a time with its zone, a position of its log, or `latest`. `tidesql history` lists what there is. Default `latest`.
   * @example "2026-11-29T14:03:00Z"
   */
  at?: pulumi.Input<string>;
}

/** What can be said of a database wherever its image and its bucket come from. All of it can be left out. */
export interface DatabaseSettingsArgs {
  /** Replicas besides the primary, which is the number of nodes that may be lost at once. A whole number, 0 to 100. Default 2. Change it here, not with `kubectl scale`: the managers must know each other. */
  replicas?: number;
  /** Default: the component's name. */
  namespace?: pulumi.Input<string>;
  /** Creates the namespace, with Pod Security "restricted". Default true; set it to false for an existing namespace. */
  createNamespace?: boolean;
  /** Default `interval`. */
  durability?: Durability;
  /**
   * Begins the database as a copy of another one, at a moment of its history. It acts on an empty prefix alone; once the database is there it is ignored and can be left out.
   * Default: the database begins empty.
   */
  restore?: DatabaseRestoreArgs;
  /** How much of the past is kept. Default: every position of the last day, and a checkpoint of each day for a week. */
  history?: DatabaseHistoryArgs;
  /** Whether a follower takes over at once, or waits for the last primary's volume first. Default `availability`. */
  failoverPreference?: FailoverPreference;
  /** With failoverPreference `durability`: how long to wait for the last primary's volume. Seconds, 5 to 3600. Default 60. */
  resumeWithinSeconds?: number;
  /** Age of the oldest write that is not in the bucket, beyond which `onObjectStoreOutage` applies. Seconds, 2 to 3600. Default 5. With durability `commit` there is no such write. */
  maxDataLossSeconds?: number;
  /** When SSTables are merged, so that scans stay fast. Default: at each flush of deleted or replaced rows. */
  compaction?: DatabaseCompactionArgs;
  /** What a primary does when its writes do not reach the bucket in time. Default `stopWrites`. */
  onObjectStoreOutage?: OnObjectStoreOutage;
  /** Databases, created on every node at every start. Letters, digits and _; at most 64. */
  databases?: pulumi.Input<pulumi.Input<string>[]>;
  /** Users, created on every node at every start; all others are dropped. Their number and names must be known while planning, since each has a password; the rest may be outputs. */
  users?: DatabaseUserArgs[];
  /** Default: required of every client, with an authority of the component's own. */
  tls?: DatabaseTlsArgs;
  /** Memory and cores of a pod, and how the engine divides them. Default: derived from the instance type, or 4 GiB and 2 cores. */
  sizing?: DatabaseSizingArgs;
  /** Where a pod keeps its data. Default: a volume of 100 GiB. */
  storage?: DatabaseStorageArgs;
  /** How pods are spread over nodes and zones. Default: never two on a node, zones in balance. */
  spread?: DatabaseSpreadArgs;
  /** Labels of the nodes that pods may run on. Default: any node. */
  nodeSelector?: Record<string, string>;
  /** Taints that the pods tolerate. Default: none. */
  tolerations?: TolerationArgs[];
  /** Name of an existing PriorityClass. Default: one is created, above applications. */
  priorityClassName?: string;
  /** Who reaches the database's port, by NetworkPolicy. Default: pods of the same namespace, and of namespaces with the label `tidesql.io/client: "true"`. `[]` is nobody. */
  clients?: NetworkPeerArgs[];
  /** Access to the metrics, and objects for Prometheus and Grafana. Default: nobody, and none. */
  monitoring?: DatabaseMonitoringArgs;
  /** Where the pods may connect to, by NetworkPolicy. Default: each other, the object store, the API server and DNS. */
  egress?: DatabaseEgressArgs;
  /** Labels, variables, volumes, ids and affinity of the pods, beyond the database's own. Default: none. */
  pods?: DatabasePodsArgs;
  /** How clients reach the database. Default: from inside the cluster. */
  services?: DatabaseServicesArgs;
  /**
   * Server options that no other argument covers, by name. Options that would break failover or lose data are refused (docs/engine.md).
   * @example { max_allowed_packet: "128M", long_query_time: "1" }
   */
  engineSettings?: Record<string, string>;
  /** Image with the Node binary that runs the manager, at /usr/local/bin/node. Default: the official slim image of the version that this package is tested with. */
  nodeImage?: string;
  /** Default `IfNotPresent`. */
  imagePullPolicy?: ImagePullPolicy;
  /** Names of Secrets in the namespace. Default: none. */
  imagePullSecrets?: string[];
  /** How long a primary may write without renewing its Lease; most of the duration of a failover. Seconds, 3 to 60. Default 4. */
  leaseDurationSeconds?: number;
  /** Subtracted from that time for the holder and added for a candidate, to allow for late timers. Seconds, at least 0.2, below half the duration, and 2 less than it. Default 0.5. */
  leaseMarginSeconds?: number;
  /** How long a pod may take to hand over and to upload the rest of its data. Seconds, 30 to 86,400. Default 120. */
  terminationGracePeriodSeconds?: number;
  /** Folder of MariaDB in the image. Default /usr/local/mariadb. */
  mariadbPrefix?: string;
  /** DNS domain of the cluster. Default cluster.local. */
  clusterDomain?: string;
  /**
   * Protects what cannot be created again from deletion: the data's identity and the key of the certificate authority. Default true; set it to false, run `pulumi up`, and only then `pulumi destroy`
   * (docs/takedown.md).
   */
  deletionProtection?: boolean;
  /** Identity (a UUID) of data that is already in the bucket, to take the data over from a deployment whose state is lost. Default: created once. A database with another identity is refused. */
  databaseId?: string;
}

/** An S3-compatible store with conditional writes. */
export interface DatabaseObjectStoreArgs {
  /** Host, and port when it is not the scheme's default; no scheme, no path. On AWS the regional one: the engine follows no redirects. */
  endpoint: pulumi.Input<string>;
  /** Name of the bucket. */
  bucket: pulumi.Input<string>;
  /** Region that requests are signed for. Stores outside AWS mostly take `us-east-1`. */
  region: pulumi.Input<string>;
  /** The deployment's folder; ends with `/`. Default: the component's name. Each database needs its own. */
  prefix?: pulumi.Input<string>;
  /** Default true. */
  useTls?: pulumi.Input<boolean>;
  /** Bucket in the path instead of the host's name, for most stores outside AWS. Default false. */
  pathStyle?: pulumi.Input<boolean>;
  /** What opens the bucket for the pods. Default `key`. */
  credentials?: StoreCredentials;
  /** ARN of the pods' role: ObjectStore's output `roleArn`. Required with `irsa`. With `podIdentity` the association gives the role, and pods are replaced when this changes. */
  roleArn?: pulumi.Input<string | undefined>;
  /** A static key. Required with credentials `key`. */
  accessKeyId?: pulumi.Input<string | undefined>;
  /** Its secret part. */
  secretAccessKey?: pulumi.Input<string | undefined>;
  /** The store's own authority, PEM. Default: the image's public ones. */
  caCertificate?: pulumi.Input<string | undefined>;
}

/** A MariaDB user. */
export interface DatabaseUserArgs {
  /** Letters, digits and _; at most 32. */
  name: string;
  /** Addresses that it may connect from: `%`, an address, `10.0.%` or `10.0.0.0/255.0.0.0`. Names are not resolved. Default `%`. */
  host?: pulumi.Input<string>;
  /** At least 8 characters with both cases, a digit and another character; no quotes, no backslash. Default: one is generated; see the output `passwords`. */
  password?: pulumi.Input<string>;
  /** Instead of `password`: an existing Secret. The same rules apply; the server refuses a password that breaks them. A change reaches the server when the pods next start. */
  passwordSecret?: SecretKeyArgs;
  /** The user's privileges, by database. */
  grants: DatabaseGrantArgs[];
  /**
   * Namespaces that get a Secret with this user's connection: host, password, authority and connection strings, for applications to mount (docs/connect.md). They must exist. Default:
   * the database's own. `[]` is none.
   */
  secretNamespaces?: string[];
}

/** Privileges on one database, or on all. */
export interface DatabaseGrantArgs {
  /** One of `databases`, or `*` for all, with privileges that do not write. */
  database: pulumi.Input<string>;
  /** SQL privileges, like `SELECT` or `ALL PRIVILEGES`. Views, routines, triggers and events exist only on the node that created them. */
  privileges: pulumi.Input<string>[];
}

/** Certificates: of the server for its clients, and of the managers for one another. */
export interface DatabaseTlsArgs {
  /** Refuses connections without TLS. Default true. The server has a certificate in any case. */
  required?: boolean;
  /**
   * A Secret of the namespace with `tls.crt`, `tls.key` and `ca.crt`. The certificate must be valid for `*.<name>.<namespace>.svc`, as a server's and as a client's. Default: an authority
   * and a certificate are generated.
   */
  existingSecretName?: string;
  /** The authority of the existing Secret, PEM, for the output `caCertificate`. */
  caCertificate?: pulumi.Input<string>;
  /** Additional names in the generated certificate, like that of a load balancer. */
  additionalDnsNames?: string[];
  /** Validity of the generated certificate. Hours, 24 to 87,600. Default 17,520 (two years). Its authority is valid for five times as long. */
  validityHours?: number;
  /** A deployment within this time before the expiry renews the certificate and rolls it out. Hours, 1 to 87,600. Default 4,380 (half a year). */
  earlyRenewalHours?: number;
}

/** What a pod gets. Everything is derived from the instance type, or from memory and cores; each derived value can be overridden. */
export interface DatabaseSizingArgs {
  /** EC2 instance type of the nodes, like `m5.large`: a pod then takes three quarters of one. A type that this package does not know needs `memoryBytes` and `cpuCores`. Default: unknown. */
  instanceType?: string;
  /** Request and limit of a pod's memory. Bytes. Default: three quarters of the instance's, or 4 GiB. */
  memoryBytes?: number;
  /** CPU request of a pod. Cores. Default: three quarters of the instance's, or 2. */
  cpuCores?: number;
  /** CPU limit of a pod. Cores. Default: all of the instance's, or twice the request. */
  cpuLimitCores?: number;
  /** Cache of SSTable blocks. Bytes. Default: a quarter of the instance's memory, or of the pod's. */
  blockCacheBytes?: number;
  /** Memory for new writes before they are flushed. Bytes. At least 4 MiB and at most 64 MiB; default 8 MiB. A takeover replays as much at most. */
  writeBufferBytes?: number;
  /** Threads that flush. Default: the cores, 2 to 4. */
  flushThreads?: number;
  /** Threads that compact. Default: the cores, 2 to 4. */
  compactionThreads?: number;
  /** Memory limit of the engine. Bytes. Default: the pod's, less the needs of MariaDB, its connections and the manager. */
  maxMemoryBytes?: number;
  /** Default: one for each 32 MiB of the pod's memory, 32 to 1,000. */
  maxConnections?: number;
  /** Size of /tmp, for temporary tables and sorting. Bytes. Default 4 GiB; with NVMe drives a twentieth of them. */
  temporaryVolumeBytes?: number;
}

/** Where a pod's data is. It has to hold all the data, not a part: nothing is evicted from it. Of a table that is being merged it has the files of before and of after, a replica until it is re-seeded next. */
export interface DatabaseStorageArgs {
  /** Default `volume`. */
  kind?: StorageKind;
  /** StorageClass of new volumes; existing volumes keep theirs. Default: the cluster's default class. */
  storageClassName?: string;
  /**
   * GiB, 1 to 65,536. A higher number grows the volumes in place, where the class allows it; no pod is replaced. A lower number is refused in `pulumi preview`. Default 100; with
   * NVMe drives four fifths of them.
   */
  sizeGiB?: number;
}

/** How the pods are kept apart. */
export interface DatabaseSpreadArgs {
  /** One pod on a node. Default `required`. */
  hosts?: Spread;
  /** Pods balanced over zones. Default `preferred`: when a zone is lost, its pods may start in another. */
  zones?: Spread;
}

/** A taint that the pods tolerate, as in Kubernetes. */
export interface TolerationArgs {
  /** The taint's key. Default: every taint, with operator `Exists`. */
  key?: string;
  /** `Equal` or `Exists`. Default `Equal`. */
  operator?: string;
  /** The taint's value, with operator `Equal`. */
  value?: string;
  /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Default: all. */
  effect?: string;
  /** With effect `NoExecute`: how long a running pod stays. Seconds. Default: forever. */
  tolerationSeconds?: number;
}

/** Who may connect: pods by their labels and their namespaces', or addresses. */
export interface NetworkPeerArgs {
  /** Labels of the namespaces; `{}` is every namespace. Default: the database's own. */
  namespaceLabels?: Record<string, string>;
  /** Labels of the pods; `{}` is every pod. Default: every pod of those namespaces. */
  podLabels?: Record<string, string>;
  /** Instead of labels: addresses outside the cluster, like `10.0.0.0/16`. */
  cidr?: string;
}

/** How a database is watched (docs/operations.md). */
export interface DatabaseMonitoringArgs {
  /** Access to the metrics of the pods, by NetworkPolicy: where Prometheus runs. Default: nobody. */
  allowFrom?: NetworkPeerArgs[];
  /** Makes a PodMonitor, so that the Prometheus operator scrapes the pods. The operator has to be there. Default false. */
  podMonitor?: boolean;
  /** Makes a PrometheusRule with the alerts of docs/alerts.yaml, for this database. The operator has to be there. Default false. */
  prometheusRules?: boolean;
  /** Makes a ConfigMap with a dashboard, and the label `grafana_dashboard: "1"`, by which the sidecar of Grafana's Helm chart finds it. Default false. */
  grafanaDashboard?: boolean;
  /**
   * Labels of these objects, where the operator or the sidecar selects by others. Default: none.
   * @example { release: "kube-prometheus-stack" }
   */
  labels?: Record<string, string>;
}

/** Options of {@link Database}. */
export interface DatabaseOptions extends pulumi.ComponentResourceOptions {
  /** Changes a child before it is registered. */
  transform?: DatabaseTransforms;
  /** A manager that was built elsewhere. Default: the one in this package. */
  managerBundle?: ManagerBundle;
}
