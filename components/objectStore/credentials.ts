/** What opens the bucket for a database's pods. A role's credentials change every few hours and are in no Secret and no state; a key stays until somebody changes it. */
export const StoreCredentials = {
  /** A role, handed to the pods by EKS Pod Identity's agent on their node. For EKS clusters with the add-on `eks-pod-identity-agent`, which Cluster makes. */
  PodIdentity: "podIdentity",
  /** A role, for which the pods' service account proves itself to STS (IAM roles for service accounts). For clusters with an OIDC provider in IAM. */
  Irsa: "irsa",
  /** An access key, in a Secret that the pods mount. For stores outside AWS, and clusters that can give no role. */
  Key: "key",
} as const;
export type StoreCredentials = (typeof StoreCredentials)[keyof typeof StoreCredentials];
