/**
 * Where things are inside a database pod. The manifests mount what the manager and the engine read, so all three take these constants from here.
 */
export const podLayout = {
  /** The database container's name. */
  containerName: "tidesql",
  /** The init container that copies the Node binary; its image is `nodeImage`. */
  initContainerName: "node",

  /** Volume `data`: everything that may survive a restart of the pod. */
  dataDirectory: "/var/lib/tidesql",
  /** MariaDB's data directory. TidesDB keeps its files in `tidesdb_data` beside it. */
  mariadbDirectory: "/var/lib/tidesql/mysql",
  tidesdbDirectory: "/var/lib/tidesql/tidesdb_data",
  /** A freshly initialised MariaDB data directory, copied for each start of a follower (copying takes a tenth of initialising). */
  templateDirectory: "/var/lib/tidesql/template",
  /** The book of the engine's files, whose database the volume is of, and the last epoch in which it was written. */
  storeDirectory: "/var/lib/tidesql/store",

  /** Volume `run` (memory): the socket, the generated my.cnf with the engine's key, the init file with passwords. Never on a disk. */
  runDirectory: "/run/tidesql",
  socket: "/run/tidesql/mariadb.sock",
  serverConfiguration: "/run/tidesql/my.cnf",
  initFile: "/run/tidesql/init.sql",

  /** Volume `tmp` (emptyDir). */
  temporaryDirectory: "/tmp",

  /** Volume `node` (emptyDir), filled by the init container. */
  nodeBinary: "/opt/tidesql/node/node",
  /** ConfigMap `<name>-manager`, keys `manager.js`, `watchdog.js` and `inspect.js`. */
  managerDirectory: "/opt/tidesql/manager",

  /** ConfigMap `<name>-config`, keys `engine.cnf`, `manager.json`, `databaseId` and `nodes`. */
  configurationDirectory: "/etc/tidesql/config",
  engineConfiguration: "/etc/tidesql/config/engine.cnf",
  managerConfiguration: "/etc/tidesql/config/manager.json",
  databaseId: "/etc/tidesql/config/databaseId",
  /** How many pods there are to be: the one file that changes while a pod runs. */
  nodes: "/etc/tidesql/config/nodes",

  /** Secret `<name>-object-store`, keys `accessKeyId`, `secretAccessKey`; and `ca.crt` when the store has an authority of its own. */
  objectStoreSecretDirectory: "/etc/tidesql/object-store",
  /** Secret `<name>-users`, one key per user, named by the user. */
  usersSecretDirectory: "/etc/tidesql/users",
  /** Secret `<name>-tls` (or an existing one), keys `tls.crt`, `tls.key`, `ca.crt`. */
  tlsSecretDirectory: "/etc/tidesql/tls",
  /** The pod's own credentials at the API server, keys `token` and `ca.crt`: mounted by Kubernetes. */
  serviceAccountDirectory: "/var/run/secrets/kubernetes.io/serviceaccount",

  /** TCP port of MariaDB, named `mysql`. */
  mysqlPort: 3306,
  /** Plain HTTP: /healthz, /readyz, /metrics. Named `http`. */
  managerPort: 8080,
  /** Manager to manager, mutual TLS. Named `peers`. */
  peerPort: 8443,

  /** The engine runs as this user and group; the image needs no passwd entry for it. */
  userId: 10001,
  groupId: 10001,
} as const;

/** Labels that the project owns. */
export const labels = {
  /** `primary` or `replica`, maintained by the managers; absent while a pod is neither. The Service for writes selects it. */
  role: "tidesql.io/role",
  /** `true` on a replica that may be read, and for some seconds more on one that has become the primary. The Service for reads selects it. */
  reads: "tidesql.io/reads",
  /** app.kubernetes.io/name is always this. */
  applicationName: "tidesql",
} as const;

/** Annotations of a pod by which a person asks its manager for something; the manager takes them off once it has seen to it. */
export const annotations = {
  /** On the primary: hand over in order. The value is the wanted successor's pod, or {@link anySuccessor}. */
  switchover: "tidesql.io/switchover",
} as const;

/** Value of {@link annotations.switchover} that leaves the choice of the successor to the managers. */
export const anySuccessor = "any";
