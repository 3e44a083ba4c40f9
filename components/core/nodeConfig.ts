/** Separates the parts of the user data; it occurs in none of them. */
const boundary = "tidesql-node-config";

/**
 * Joins all NVMe drives of an AL2023 node into one XFS file system that holds the kubelet's and containerd's directories, so that an emptyDir is on them: no hostPath, no DaemonSet
 * (`nodeadm`, the node's own bootstrap; on a type without drives it does nothing and says nothing).
 */
const nodeConfig = `apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  instance:
    localStorage:
      strategy: RAID0
`;

/** User data, in base64 as a launch template takes it, for nodes whose pods' ephemeral storage is to be on their NVMe drives. EKS adds the cluster's part to it. */
export function instanceStoreUserData(): string {
  const lines = [
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    "Content-Type: application/node.eks.aws",
    "",
    nodeConfig,
    `--${boundary}--`,
    "",
  ];
  return Buffer.from(lines.join("\n")).toString("base64");
}
