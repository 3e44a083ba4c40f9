import { objectLabels } from "./metadata";

/** A namespace in which only pods of the Pod Security level "restricted" start. */
export function namespaceManifest<Text>(name: Text, database: string) {
  const level = "restricted";
  return {
    apiVersion: "v1" as const,
    kind: "Namespace" as const,
    metadata: {
      name,
      labels: {
        ...objectLabels(database),
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/audit": level,
        "pod-security.kubernetes.io/warn": level,
      },
    },
  };
}
