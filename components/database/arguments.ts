import * as pulumi from "@pulumi/pulumi";
import { ManagerBundle } from "../managerBundle";
import { DatabaseEgressArgs, DatabasePodsArgs, SecretKeyArgs } from "./podArguments";
import { DatabaseServicesArgs } from "./serviceArguments";
import { DatabaseTransforms } from "./transforms";

export * from "./podArguments";
export * from "./serviceArguments";

/** When a commit is acknowledged, seen from the bucket. Every mode syncs the node's own disk at each commit. */
export const Durability = {
  /** After the bucket has it: nothing is lost with a node and its disk; a round trip to S3 for each commit, one at a time: tens of commits a second. */
  Commit: "commit",
  /** The bucket has it about 0.1 s later: a node that dies with its disk takes the last moment along (measured: 15 to 82 ms of commits). */
  Interval: "interval",
  /** The bucket has it once enough was written. For bulk loads: what is lost with a node and its disk is not bounded in time. */
  Threshold: "threshold",
} as const;
export type Durability = (typeof Durability)[keyof typeof Durability];

/** Who keeps the database in the bucket. Under one prefix it cannot be changed: dump the database and load it into another one. */
export const StoreKind = {
  /** The engine, in its own files. */
  Engine: "engine",
  /** The manager, in one ordered log of things that are written once. New: see docs/store.md for what was seen of it, and what is missing. */
  Log: "log",
} as const;
export type StoreKind = (typeof StoreKind)[keyof typeof StoreKind];

/** Who becomes primary when the last one is lost. */
export const FailoverPreference = {
  /** A follower takes over as soon as the lease has run out: writes are back in seconds, and lack what the durability mode had not sent. */
  Availability: "availability",
  /** The last primary's volume, which lacks nothing, is given `resumeWithinSeconds` to come back. */
  Durability: "durability",
} as const;
export type FailoverPreference = (typeof FailoverPreference)[keyof typeof FailoverPreference];

/** What a primary does whose writes do not reach the bucket in time. */
export const OnObjectStoreOutage = {
  /** Takes no writes until everything is in the bucket: the loss stays bounded. Reads go on. */
  StopWrites: "stopWrites",
  /** Takes writes, and raises an alarm: they would be lost with the node and its disk. */
  Continue: "continue",
} as const;
export type OnObjectStoreOutage = (typeof OnObjectStoreOutage)[keyof typeof OnObjectStoreOutage];

/** What happens when the primary is lost and no replica has followed it. */
export const OnNoCandidate = {
  /** The last primary's volume is waited for; an alarm says so. Nothing acknowledged is lost. */
  Wait: "wait",
  /** A fresh replica is promoted with what the bucket holds. */
  Promote: "promote",
} as const;
export type OnNoCandidate = (typeof OnNoCandidate)[keyof typeof OnNoCandidate];

/** Where a pod's data is. */
export const StorageKind = {
  /** A volume of the StorageClass: it outlives the pod and its node. */
  Volume: "volume",
  /** The node's own NVMe drives, as an emptyDir: faster, and gone with the pod. The nodes have to put emptyDir on them (Cluster does, by instance type). */
  Nvme: "nvme",
} as const;
export type StorageKind = (typeof StorageKind)[keyof typeof StorageKind];

/** How strictly the pods are kept apart. */
export const Spread = {
  /** A pod that finds no place waits. */
  Required: "required",
  /** A pod that finds no place apart starts beside another. */
  Preferred: "preferred",
} as const;
export type Spread = (typeof Spread)[keyof typeof Spread];

/** When a node fetches an image. */
export const ImagePullPolicy = {
  /** Unless the node has it. */
  IfNotPresent: "IfNotPresent",
  /** At each start, so that the registry has to answer. */
  Always: "Always",
  /** It is on the node, or the pod does not start. */
  Never: "Never",
} as const;
export type ImagePullPolicy = (typeof ImagePullPolicy)[keyof typeof ImagePullPolicy];

/** Arguments of {@link Database}. */
export interface DatabaseArgs extends DatabaseSettingsArgs {
  /**
   * The TideSQL image, by digest (`repository@sha256:...`) or by a tag that does not move. Plugin 4.5.7 with TidesDB 9.3 is required: earlier ones lose tables that are made after a
   * failover. `latest`, or no tag, is refused.
   */
  image: pulumi.Input<string>;
  /** Where the data is kept, and the key for it. */
  objectStore: DatabaseObjectStoreArgs;
}

/** When the SSTables of a table are merged. */
export interface DatabaseCompactionArgs {
  /** SSTables with deleted or replaced rows are merged as they are flushed: a table that is updated keeps 1 to 3. Default true. */
  automatic?: boolean;
  /** A table that has so many SSTables is merged by the primary's manager, one table a minute at most, once every follower is up to date. A whole number, 8 to 1,000,000, or 0 for never. Default 64. */
  onDemandAtSstables?: number;
}

/** What can be said of a database wherever its image and its bucket come from. All of it can be left out. */
export interface DatabaseSettingsArgs {
  /** Replicas beside the primary; so many nodes may be lost at once. A whole number, 0 to 100. Default 2. Change it here, not with `kubectl scale`: the managers must know one another. */
  replicas?: number;
  /** Default: the component's name. */
  namespace?: pulumi.Input<string>;
  /** Makes the namespace, with Pod Security "restricted". Default true; false where it exists. */
  createNamespace?: boolean;
  /** Default `interval`. */
  durability?: Durability;
  /** Who keeps the database in the bucket. Default `engine`. */
  store?: StoreKind;
  /** With durability `threshold` only: the WAL is sent when it has grown by so much. Bytes, 16 to 1,073,741,824. Default 1 MiB. */
  walSyncThresholdBytes?: number;
  /**
   * How often a replica looks for new data in the bucket. Milliseconds, 100 to 60,000. Default 100. It is most of the replicas' lag, and of their requests: each look reads the manifests
   * and the WAL.
   */
  replicaSyncIntervalMilliseconds?: number;
  /** What happens when no node that followed the primary is left. Default `wait`. */
  onNoCandidate?: OnNoCandidate;
  /** Whether a follower takes over at once, or lets the last primary's volume come back first. Default `availability`. */
  failoverPreference?: FailoverPreference;
  /** With failoverPreference `durability`: how long the last primary's volume is waited for. Seconds, 5 to 3600. Default 60. */
  resumeWithinSeconds?: number;
  /** How old a write may be that is not in the bucket yet, before `onObjectStoreOutage` says what happens. Seconds, 2 to 3600. Default 5. In durability `commit` nothing may wait at all. */
  maxDataLossSeconds?: number;
  /** How tables are kept from growing slow to scan. Default: by themselves where rows are deleted, and on demand where a table only grows. */
  compaction?: DatabaseCompactionArgs;
  /** What a primary does whose writes do not reach the bucket in time. Default `stopWrites`; with durability `threshold`, which promises nothing in time, `continue`. */
  onObjectStoreOutage?: OnObjectStoreOutage;
  /** Databases that are in place on every node at every start. Names without escapes: letters, digits and _. */
  databases?: pulumi.Input<pulumi.Input<string>[]>;
  /** Users that are in place on every node at every start. Others are dropped. Their number and names have to be known while planning, since each has a password; the rest may be outputs. */
  users?: DatabaseUserArgs[];
  /** Default: required of every client, with an authority of the component's own. */
  tls?: DatabaseTlsArgs;
  /** What a pod gets, and how the engine shares it out. Default: derived from the instance type, or 4 GiB and 2 cores. */
  sizing?: DatabaseSizingArgs;
  /** Where a pod's data is. Default: a volume of 100 GiB. */
  storage?: DatabaseStorageArgs;
  /** How the pods are kept apart. Default: never two on a machine, zones in balance. */
  spread?: DatabaseSpreadArgs;
  /** Labels of the nodes that pods may run on. Default: any node. */
  nodeSelector?: Record<string, string>;
  /** Taints that the pods put up with. Default: none. */
  tolerations?: TolerationArgs[];
  /** An existing PriorityClass. Default: one is made, above applications. */
  priorityClassName?: string;
  /** Who reaches the database's port, by NetworkPolicy. Default: pods of the same namespace, and of namespaces with the label `tidesql.io/client: "true"`. `[]` is nobody. */
  clients?: NetworkPeerArgs[];
  /** Who reads the metrics, and objects for Prometheus and Grafana. Default: nobody, and none. */
  monitoring?: DatabaseMonitoringArgs;
  /** Where the pods may connect to, by NetworkPolicy. Default: one another, the object store, the API server and the DNS. */
  egress?: DatabaseEgressArgs;
  /** What the pods carry and need beyond the database itself: labels, variables, volumes, ids, affinity. Default: nothing. */
  pods?: DatabasePodsArgs;
  /** How clients reach the database. Default: from inside the cluster. */
  services?: DatabaseServicesArgs;
  /**
   * Server options that the other arguments do not cover, by name. What would break the failover or lose data is refused (docs/engine.md).
   * @example { max_allowed_packet: "128M", long_query_time: "1" }
   */
  engineSettings?: Record<string, string>;
  /** Holds the Node binary that runs the manager, at /usr/local/bin/node. Default: the official slim image of the version that this package is tested with. */
  nodeImage?: string;
  /** Default `IfNotPresent`. */
  imagePullPolicy?: ImagePullPolicy;
  /** Names of Secrets in the namespace. Default: none. */
  imagePullSecrets?: string[];
  /** How long a primary may go on that cannot renew its lease, and most of the time that a failover takes. Seconds, 3 to 60. Default 4. */
  leaseDurationSeconds?: number;
  /** Taken off that time for the holder, added to it for a candidate: for timers that come late. Seconds, at least 0.2, below half the duration, and 2 less than it. Default 0.5. */
  leaseMarginSeconds?: number;
  /** How long a pod may take to hand over and to send the rest of its data. Seconds, 30 to 86,400. Default 120. */
  terminationGracePeriodSeconds?: number;
  /** Where the image has MariaDB. Default /usr/local/mariadb. */
  mariadbPrefix?: string;
  /** DNS domain of the cluster. Default cluster.local. */
  clusterDomain?: string;
  /**
   * Refuses to delete what cannot be made again: the data's identity and the key of the certificates' authority. Default true; set it to false, run `pulumi up`, and only then `pulumi destroy`
   * (docs/takedown.md).
   */
  deletionProtection?: boolean;
  /** Identity (a UUID) of data that is in the bucket already, to take it over from a deployment whose state is lost. Default: made once. A database of another identity is refused on the data. */
  databaseId?: string;
}

/** An S3-compatible store with conditional writes. */
export interface DatabaseObjectStoreArgs {
  /** Host, and port when it is not the scheme's default; no scheme, no path. On AWS the regional one: the engine follows no redirects. */
  endpoint: pulumi.Input<string>;
  /** Name of the bucket. */
  bucket: pulumi.Input<string>;
  /** What requests are signed for. Stores outside AWS mostly take `us-east-1`. */
  region: pulumi.Input<string>;
  /** The deployment's folder; ends with `/`. Default: the component's name. Two databases may not share one. */
  prefix?: pulumi.Input<string>;
  /** Default true. */
  useTls?: pulumi.Input<boolean>;
  /** Bucket in the path instead of the host's name, for most stores outside AWS. Default false. */
  pathStyle?: pulumi.Input<boolean>;
  /** A static key: the engine takes no session token. */
  accessKeyId: pulumi.Input<string>;
  /** Its secret part. */
  secretAccessKey: pulumi.Input<string>;
  /** The store's own authority, PEM. Default: the image's public ones. */
  caCertificate?: pulumi.Input<string | undefined>;
}

/** A MariaDB user. */
export interface DatabaseUserArgs {
  /** Letters, digits and _; at most 32. */
  name: string;
  /** Addresses that it may connect from: `%`, an address, `10.0.%` or `10.0.0.0/255.0.0.0`. Names are not resolved. Default `%`. */
  host?: pulumi.Input<string>;
  /** At least 8 characters with both cases, a digit and another character; no quotes, no backslash. Default: one is made; see the output `passwords`. */
  password?: pulumi.Input<string>;
  /** Instead of the password: where it is already. The rules are the same; the server refuses one that breaks them. A change of it reaches the server at the pods' next start. */
  passwordSecret?: SecretKeyArgs;
  /** What it may do, and where. */
  grants: DatabaseGrantArgs[];
  /**
   * Namespaces that get a Secret with this user's connection: host, password, authority and connection strings, for applications to mount (docs/connect.md). They have to exist. Default:
   * the database's own. `[]` is none.
   */
  secretNamespaces?: string[];
}

/** Privileges on one database, or on all. */
export interface DatabaseGrantArgs {
  /** One of `databases`, or `*` for all, with privileges that do not write. */
  database: pulumi.Input<string>;
  /** SQL privileges, like `SELECT` or `ALL PRIVILEGES`. Views, routines, triggers and events exist on the node that made them only. */
  privileges: pulumi.Input<string>[];
}

/** Certificates: of the server for its clients, and of the managers for one another. */
export interface DatabaseTlsArgs {
  /** Refuses connections without TLS. Default true. The certificate is there in any case. */
  required?: boolean;
  /**
   * A Secret of the namespace with `tls.crt`, `tls.key` and `ca.crt`. The certificate has to hold for `*.<name>.<namespace>.svc`, as a server's and as a client's. Default: an authority
   * and a certificate are made.
   */
  existingSecretName?: string;
  /** The authority of the existing Secret, PEM, for the output `caCertificate`. */
  caCertificate?: pulumi.Input<string>;
  /** More names for the certificate that is made, like that of a load balancer. */
  additionalDnsNames?: string[];
  /** Validity of the certificate that is made. Hours, 24 to 87,600. Default 17,520 (two years). Its authority is valid for five times as long. */
  validityHours?: number;
  /** A deployment this long before the end makes a new certificate, and rolls it out. Hours, 1 to 87,600. Default 4,380 (half a year). */
  earlyRenewalHours?: number;
}

/** What a pod gets. Everything is derived from the instance type, or from memory and cores; each derived value can be overridden. */
export interface DatabaseSizingArgs {
  /** EC2 instance type of the nodes, like `m5.large`: a pod then takes three quarters of one. A type whose figures this package does not know needs `memoryBytes` and `cpuCores`. Default: unknown. */
  instanceType?: string;
  /** Request and limit of a pod's memory. Bytes. Default: three quarters of the instance's, or 4 GiB. */
  memoryBytes?: number;
  /** CPU request of a pod. Cores. Default: three quarters of the instance's, or 2. */
  cpuCores?: number;
  /** CPU limit of a pod. Cores. Default: all of the instance's, or twice the request. */
  cpuLimitCores?: number;
  /** Cache of SSTable blocks. Bytes. Default: a quarter of the instance's memory, or of the pod's. */
  blockCacheBytes?: number;
  /** Memory for new writes before they are flushed. Bytes. Default 8 MiB, at most 16 MiB; with durability `threshold` 8 to 64 MiB by memory, and no limit. */
  writeBufferBytes?: number;
  /** Threads that flush. Default: the cores, 2 to 4. */
  flushThreads?: number;
  /** Threads that compact. Default: the cores, 2 to 4. */
  compactionThreads?: number;
  /** The engine's memory. Bytes. Default: the pod's, less what MariaDB, its connections and the manager take. */
  maxMemoryBytes?: number;
  /** Default: one for each 32 MiB of the pod's memory, 32 to 1,000. */
  maxConnections?: number;
  /** Size of /tmp, for temporary tables and sorting. Bytes. Default 4 GiB; with NVMe drives a twentieth of them. */
  temporaryVolumeBytes?: number;
}

/** Where a pod's data is. It has to hold all the data, not a part: nothing is evicted from it. */
export interface DatabaseStorageArgs {
  /** Default `volume`. */
  kind?: StorageKind;
  /** Of volumes that are made from now on: those that exist keep theirs. Default: the cluster's default class. */
  storageClassName?: string;
  /**
   * GiB, 1 to 65,536. A higher number grows the volumes in place, where the class allows it; no pod is replaced. Kubernetes refuses a lower one, in `pulumi preview` already. Default 100; with
   * NVMe drives four fifths of them.
   */
  sizeGiB?: number;
}

/** How the pods are kept apart. */
export interface DatabaseSpreadArgs {
  /** One pod a machine. Default `required`. */
  hosts?: Spread;
  /** Zones in balance. Default `preferred`: when a zone is lost, its pods may start in another. */
  zones?: Spread;
}

/** A taint that the pods put up with, as in Kubernetes. */
export interface TolerationArgs {
  /** The taint's key. Default: every taint, with operator `Exists`. */
  key?: string;
  /** `Equal` or `Exists`. Default `Equal`. */
  operator?: string;
  /** The taint's value, with operator `Equal`. */
  value?: string;
  /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Default: all. */
  effect?: string;
  /** How long a pod stays that runs there already, with effect `NoExecute`. Seconds. Default: for ever. */
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
  /** Who reads the metrics of the pods, by NetworkPolicy: where Prometheus runs. Default: nobody. */
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
