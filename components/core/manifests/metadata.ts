import { labels } from "../podLayout";

/** Labels by which an application's objects are found; a Service, a policy or a budget selects its pods by them. */
export function selectorLabels(name: string): Record<string, string> {
  return { "app.kubernetes.io/name": labels.applicationName, "app.kubernetes.io/instance": name };
}

/** Labels of every object of a database. */
export function objectLabels(name: string): Record<string, string> {
  return { ...selectorLabels(name), "app.kubernetes.io/managed-by": "pulumi" };
}

/** Metadata of a namespaced object. Its name is set here, never made by Pulumi: the manager and the manifests refer to one another by name. */
export function objectMetadata<Text>(objectName: string, names: { database: string; namespace: Text }) {
  return { name: objectName, namespace: names.namespace, labels: objectLabels(names.database) };
}
