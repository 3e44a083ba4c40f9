/** The pods of the guide. */
const primary = "tidesql-primary";
const replica = "tidesql-replica";
const controller = "tidesql-failover-controller";
const databases = [primary, replica];
const pods = [...databases, controller];
const options = ["tidesdb-primary-config", "tidesdb-replica-config"];
const bucket = ["tidesdb-production"];
const cluster = ["tidesql-cluster"];

/** One fault of the guide's deployment: what is wrong, the policy that says so, and the resources it says it of. */
export type Fault = [fault: string, policy: string, resources: readonly string[]];

/** Every fault of the deployment as the guide's steps 1 to 7 leave it. */
export const faults: readonly Fault[] = [
  [
    "One primary pod, and one failover controller: each is a single point of failure",
    "replicas-minimum",
    [primary, controller],
  ],
  ["A drain may take the primary and both replicas at once", "replicas-disruption-budget", databases],
  ["Nothing keeps the pods in different zones", "replicas-spread-over-zones", databases],
  ["Nothing keeps the pods on different nodes", "replicas-spread-over-nodes", databases],

  ["The server takes connections without TLS", "tls-clients", databases],
  ["No certificate that a client could verify", "tls-certificates", databases],
  ["The bucket answers plain HTTP and TLS 1.0", "tls-bucket-policy", bucket],

  ["The S3 keys are in ConfigMaps", "secrets-in-config-map", options],
  ["The monitor user's password is an environment variable", "secrets-in-environment", [controller]],
  [
    "Passwords of users are in command lines",
    "secrets-in-arguments",
    ["monitor-user", "application-user", "monitor-user-on-replicas"],
  ],
  [
    "Example passwords and placeholders that everyone can read in the guide",
    "secrets-example-values",
    [...options, controller, "monitor-user", "application-user", "monitor-user-on-replicas"],
  ],
  [
    "The monitor user may do everything, from everywhere",
    "secrets-account-privileges",
    ["monitor-user", "monitor-user-on-replicas"],
  ],

  ["The primary comes back as a second writer after a failover", "correctness-second-writer", [primary]],
  [
    "A script promotes a replica without knowing that the primary is dead, once, and exits",
    "correctness-failover-script",
    ["tidesdb-failover-script"],
  ],
  ["After a failover the Service for writes has no pod behind it", "correctness-primary-service", [primary]],
  ["Replicas answer writes with error 1207", "correctness-replica-read-only", [replica]],
  ["The entrypoint is a shell that keeps SIGTERM from the server", "correctness-orderly-stop", databases],
  ["The WAL is shipped by the megabyte: rows stay on one disk for hours", "correctness-wal-shipping", databases],
  ["A write buffer of 128 MiB is uploaded at each shipment", "correctness-write-buffer", databases],
  ["The cache evicts files that a restart then does not find", "correctness-cache-eviction", databases],
  ["Compaction writes files that a later replica reads as empty", "correctness-compaction", databases],
  ["The global S3 endpoint, and the whole bucket in place of a prefix", "correctness-object-store-address", databases],
  ["The volume is mounted where the image keeps no data", "correctness-data-directory", databases],
  ["The engine's image is `latest`", "correctness-engine-image", databases],
  ["The image is built from whatever MariaDB and TidesDB are the newest", "correctness-image-build", ["tidesql"]],
  ["Tables are InnoDB tables on one node unless they say otherwise", "correctness-default-engine", databases],
  ["Scans over more than 256 SSTables fail", "correctness-open-sstables", databases],

  ["Encryption of the bucket is left to the account's defaults", "bucket-encryption", bucket],
  ["Nothing blocks public access to the bucket", "bucket-public-access-block", bucket],
  ["Objects may have owners and ACLs of their own", "bucket-ownership", bucket],
  ["What is overwritten or deleted is gone", "bucket-versioning", bucket],
  ["Broken uploads are kept, and paid for, for ever", "bucket-lifecycle", bucket],
  [
    "The engine's user may do everything with every bucket and registry",
    "bucket-least-privilege",
    ["AmazonS3FullAccess", "AmazonEC2ContainerRegistryFullAccess"],
  ],
  ["The engine's key works from anywhere in the world", "bucket-vpc-endpoint", ["tidesql"]],

  ["Whatever version of Kubernetes is the default that day", "cluster-version", cluster],
  ["Secrets in etcd are not encrypted with a key of the account", "cluster-secrets-encryption", cluster],
  ["The API server is open to the world", "cluster-endpoint", cluster],
  ["No audit log", "cluster-logs", cluster],
  ["Access by the aws-auth ConfigMap", "cluster-authentication", cluster],
  ["Nodes wherever the default network has subnets", "cluster-zones", cluster],
  ["Disks are not encrypted", "cluster-encrypted-volumes", [...cluster, "gp3"]],
  ["One call deletes the cluster", "cluster-deletion-protection", cluster],
  ["NetworkPolicies would be ignored", "cluster-network-policies-enforced", cluster],
  ["Tags can be pushed again, and images are not scanned", "cluster-image-repository", ["tidesdb"]],

  ["Containers run as root with all privileges of one", "workloads-pod-security", pods],
  ["Containers may write to their image's file system", "workloads-read-only-root", pods],
  ["No requests and no limits (step 11 names them as an option)", "workloads-resources", pods],
  ["The engine sizes itself by the machine's memory", "workloads-engine-memory", databases],
  ["Images by the tag `latest`", "workloads-image-tag", pods],
  ["Probes are missing, or succeed when access is denied", "workloads-probes", pods],
  ["Every pod of the cluster may connect", "workloads-network-policy", pods],
  ["The database is evicted as soon as any other pod", "workloads-priority", databases],
  ["Pods carry a token that they do not need", "workloads-service-account", pods],
  ["The namespace admits privileged pods", "workloads-namespace", ["tidesql"]],

  ["The cluster goes into extended support, at six times the price", "cost-extended-support", cluster],
];
