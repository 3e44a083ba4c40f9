import { DatabaseNames } from "../names";
import { objectMetadata } from "./metadata";

/**
 * The pods' identity. No token is mounted unless a pod asks for it.
 * @param annotations by which others give the identity rights, as AWS does
 */
export function serviceAccountManifest<Text>(names: DatabaseNames<Text>, annotations: Record<string, Text> = {}) {
  return {
    apiVersion: "v1" as const,
    kind: "ServiceAccount" as const,
    metadata: {
      ...objectMetadata(names.serviceAccount, names),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    automountServiceAccountToken: false,
  };
}

/**
 * What a manager may do: keep this database's Lease, see the namespace's pods, label this database's pods and have them replaced in a rolling update, write events. It may read no Secret.
 */
export function roleManifest<Text>(names: DatabaseNames<Text>) {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1" as const,
    kind: "Role" as const,
    metadata: objectMetadata(names.role, names),
    rules: [
      {
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        resourceNames: [names.lease],
        verbs: ["get", "update", "patch"],
      },
      // Kubernetes cannot restrict a creation or a listing to names.
      { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] },
      { apiGroups: [""], resources: ["pods"], resourceNames: names.pods, verbs: ["patch", "delete"] },
      { apiGroups: ["apps"], resources: ["statefulsets"], resourceNames: [names.database], verbs: ["get"] },
      { apiGroups: [""], resources: ["events"], verbs: ["create"] },
    ],
  };
}

/** Gives the pods' identity its role. */
export function roleBindingManifest<Text>(names: DatabaseNames<Text>) {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1" as const,
    kind: "RoleBinding" as const,
    metadata: objectMetadata(names.roleBinding, names),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: names.role },
    subjects: [{ kind: "ServiceAccount", name: names.serviceAccount, namespace: names.namespace }],
  };
}
