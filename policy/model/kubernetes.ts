import { allOf, type Field } from "./field";

/** `kubernetes:apps/v1:StatefulSet` is a StatefulSet, of whatever group and version; anything else is undefined. */
export function kindOf(type: string): string | undefined {
  return /^kubernetes:[^:]+:(\w+)$/.exec(type)?.[1];
}

/** A condition on types: Kubernetes objects of these kinds. */
export function ofKind(...kinds: string[]): (type: string) => boolean {
  return type => {
    const kind = kindOf(type);
    return kind !== undefined && kinds.includes(kind);
  };
}

/** Kinds whose objects keep a number of equal pods running. */
export const isReplicated = ofKind("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController");

/** Kinds whose pods run until they are stopped. */
export const isLongRunning = ofKind(
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "ReplicationController",
  "Pod",
);

/** Kinds that run pods. */
export const isWorkload = ofKind(
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "ReplicationController",
  "Pod",
  "Job",
  "CronJob",
);

/** The metadata and spec of the pods that a workload runs. */
export function podTemplate(workload: Field): Field {
  switch (kindOf(workload.resource.type)) {
    case "Pod":
      return workload;
    case "CronJob":
      return workload.at("spec", "jobTemplate", "spec", "template");
    default:
      return workload.at("spec", "template");
  }
}

export function podSpec(workload: Field): Field {
  return podTemplate(workload).at("spec");
}

/** The containers that run until the pod is stopped: sidecars (init containers that restart always) included. */
export function longRunningContainers(workload: Field): Field[] {
  const spec = podSpec(workload);
  const sidecars = spec.at("initContainers").items.filter(container => container.at("restartPolicy").text === "Always");
  return [...spec.at("containers").items, ...sidecars];
}

/** All containers of a workload's pods: also those that initialise them. */
export function allContainers(workload: Field): Field[] {
  const spec = podSpec(workload);
  return [...spec.at("initContainers").items, ...spec.at("containers").items, ...spec.at("ephemeralContainers").items];
}

/** The name of a container for a message. */
export function containerName(container: Field): string {
  return container.at("name").text ?? container.path;
}

/** The name of an object in the cluster. Objects without one get a random one from Pulumi, which nothing can refer to by text. */
export function nameOf(object: Field): string | undefined {
  return object.at("metadata", "name").text;
}

/** The namespace of an object; `default` when it names none. */
export function namespaceOf(object: Field): string {
  return object.at("metadata", "namespace").text ?? "default";
}

/** Whether two objects are in the same namespace. */
export function sameNamespace(one: Field, other: Field): boolean {
  return namespaceOf(one) === namespaceOf(other);
}

/**
 * Whether a label selector (`matchLabels`, `matchExpressions`, or plain labels as in a Service) selects these labels. An absent or empty selector does what
 * `whenEmpty` says, since kinds differ in that.
 */
export function selects(selector: Field, labels: Field, whenEmpty: boolean): boolean {
  if (!selector.isPresent || selector.entries.length === 0) return whenEmpty;
  const isFull = selector.at("matchLabels").isPresent || selector.at("matchExpressions").isPresent;
  const equalities = (isFull ? selector.at("matchLabels") : selector).entries;
  const expressions = isFull ? selector.at("matchExpressions").items : [];
  return (
    allOf(equalities, ([key, wanted]) => labels.at(key).text === wanted.text) &&
    allOf(expressions, expression => satisfies(expression, labels))
  );
}

/**
 * Whether a Service's selector may come to select pods with these labels: those of its labels that the template has are equal, and at least one is. The others may be
 * set while the pod runs, as a manager does with the role.
 */
export function maySelect(selector: Field, labels: Field): boolean {
  const shared = selector.entries.filter(([key]) => labels.at(key).isPresent);
  return shared.length > 0 && allOf(shared, ([key, wanted]) => labels.at(key).text === wanted.text);
}

function satisfies(expression: Field, labels: Field): boolean {
  const value = labels.at(expression.at("key").text ?? "").text;
  const isListed = () => expression.at("values").items.some(item => item.text === value);
  switch (expression.at("operator").text) {
    case "In":
      return value !== undefined && isListed();
    case "NotIn":
      return value === undefined || !isListed();
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}
