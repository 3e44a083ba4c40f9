/** What is needed to reach the API of an EKS cluster. */
export interface ApiAddress {
  clusterName: string;
  region: string;
  /** `https://...` */
  endpoint: string;
  /** The API's authority: PEM in base64, as EKS answers it. */
  certificateAuthority: string;
}

/**
 * A kubeconfig that asks the AWS command line for a token at each use, as the person who uses it: it holds no credential, and does not expire. JSON with sorted keys, which is YAML too, and stays the
 * same text as long as the cluster is the same.
 */
export function kubeconfigText({ clusterName, region, endpoint, certificateAuthority }: ApiAddress): string {
  const login = ["--region", region, "eks", "get-token", "--cluster-name", clusterName, "--output", "json"];
  const kubeconfig = {
    apiVersion: "v1",
    clusters: [
      { cluster: { "certificate-authority-data": certificateAuthority, server: endpoint }, name: clusterName },
    ],
    contexts: [{ context: { cluster: clusterName, user: clusterName }, name: clusterName }],
    "current-context": clusterName,
    kind: "Config",
    users: [
      {
        name: clusterName,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            args: login,
            command: "aws",
            interactiveMode: "Never",
          },
        },
      },
    ],
  };
  return JSON.stringify(kubeconfig);
}
