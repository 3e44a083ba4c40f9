/**
 * What the Database component tells the manager, in the ConfigMap `<name>-config`: as JSON under the key `manager.json`, the identity and the number of nodes under keys of their own.
 * It holds no secret: those are files in mounted Secrets (see podLayout).
 */
export interface ManagerConfiguration {
  /** The deployment's name: of the StatefulSet, of the Lease, and of its folder in the bucket. */
  name: string;
  namespace: string;
  /**
   * Identity of the data: a UUID that the Database component makes once and keeps in its state. The first manager writes it into `<prefix>owner.json`; a
   * database of another identity is refused on that prefix.
   */
  databaseId: string;
  /** The headless service; a pod's stable address is `<pod>.<headlessService>.<namespace>.svc`. */
  headlessService: string;
  /** A pod that was told to go is killed after this. Seconds. Default 120. */
  terminationGracePeriodSeconds: number;
  /** Number of pods of the StatefulSet: one primary and the replicas. Pods are named `<name>-0` and so on. It may change while the manager runs: read it again each time. */
  nodes: number;
  /** How long a primary may go on after its last renewal, less the margin. Seconds. Default 4. */
  leaseDurationSeconds: number;
  /** Taken off for the holder, added for a candidate. Seconds. Default 0.5. */
  leaseMarginSeconds: number;
  durability: Durability;
  /** For how long positions of the past are kept. */
  history: HistoryConfiguration;
  /** What an empty prefix is filled with before the database begins. Absent: it begins empty. */
  restore?: RestoreConfiguration;
  /** `durability`: a follower lets the last primary's volume come back first, for `resumeWithinSeconds`. */
  failoverPreference: "availability" | "durability";
  resumeWithinSeconds: number;
  /** What is not in the bucket yet may be so old, in `interval` mode. Seconds. Default 5. */
  maxDataLossSeconds: number;
  /** What a primary does when that is exceeded, or, in `commit` mode, as soon as the bucket does not answer. */
  onObjectStoreOutage: "stopWrites" | "continue";
  objectStore: ObjectStoreLocation;
  /** Where the manager has its credentials for the bucket from. Default: a key, in the mounted Secret. */
  credentials?: CredentialKind;
  /** Where MariaDB is installed in the image. Default /usr/local/mariadb. */
  mariadbPrefix: string;
  /** Created on every node at every start. */
  databases: string[];
  /** Created on every node at every start; the password is the file of the user's name in podLayout.usersSecretDirectory. */
  users: UserDeclaration[];
  /** False only where the user chose plain connections. */
  requireTls: boolean;
}

/** What is lost when a node and its disk die at once: see docs/engine.md. */
export type Durability = "commit" | "interval";

/** A key in a Secret, or a role's credentials: by EKS Pod Identity's agent, or from STS for the service account's token (IRSA). */
export type CredentialKind = "key" | "podIdentity" | "irsa";

export interface HistoryConfiguration {
  /** Every position of the last so many hours is kept. Default 24. */
  everyPositionHours: number;
  /** Before that, a checkpoint of each day, for so many days. Default 7. */
  dailyCheckpointDays: number;
}

/** Another database's folder in the same object store, and the moment that is restored. */
export interface RestoreConfiguration {
  bucket: string;
  /** Ends with `/`. */
  prefix: string;
  /** A time with its zone, a position, or `latest`. */
  at: string;
}

export interface ObjectStoreLocation {
  /** Host, and port when it is not the scheme's default: `s3.us-east-1.amazonaws.com`, `10.88.0.1:9000`. No scheme, no path. */
  endpoint: string;
  bucket: string;
  region: string;
  /** The deployment's folder in the bucket, ends with `/`. The engine's objects are under `<prefix>data/`, the owner's record is `<prefix>owner.json`. */
  prefix: string;
  useTls: boolean;
  pathStyle: boolean;
}

export interface UserDeclaration {
  name: string;
  /** MariaDB host pattern. Default `%`. */
  host: string;
  grants: GrantDeclaration[];
}

export interface GrantDeclaration {
  /** A database's name, or `*` for all. */
  database: string;
  /** SQL privileges, upper case: `SELECT`, `CREATE`, ... */
  privileges: string[];
}
