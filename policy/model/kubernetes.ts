import { allOf, type Field } from "./field";

/** Group and kind of a Kubernetes object's type: `kubernetes:apps/v1:StatefulSet` is a StatefulSet of the group `apps`. */
const objectType = /^kubernetes:([^:/]+)(?:\/[^:]+)?:(\w+)$/;

/** Kinds that a group of somebody else's may have too, with another meaning (Knative has a Service). */
const ownKinds = ["Service", "ConfigMap", "Secret", "Namespace", "Ingress", "Pod", "Job", "CronJob"];

/** `kubernetes:apps/v1:StatefulSet` is a StatefulSet, of whatever group and version; anything else is undefined. */
export function kindOf(type: string): string | undefined {
  const [, group, kind] = objectType.exec(type) ?? [];
  return kind !== undefined && ownKinds.includes(kind) && isCustomGroup(group!) ? undefined : kind;
}

/** A condition on types: Kubernetes objects of these kinds. */
export function ofKind(...kinds: string[]): (type: string) => boolean {
  return type => {
    const kind = kindOf(type);
    return kind !== undefined && kinds.includes(kind);
  };
}

/** Groups of Kubernetes itself have no dot, or end in `k8s.io`; what Helm's group holds is no object of the cluster. */
function isCustomGroup(group: string): boolean {
  return group.includes(".") && !/(^|\.)k8s\.io$/.test(group) && group !== "helm.sh";
}

/** Kinds of operators, which may run pods: whether an object does is seen by its pod template (`runsPods`). */
function isCustom(type: string): boolean {
  const group = objectType.exec(type)?.[1];
  return group !== undefined && isCustomGroup(group);
}

const replicatedKinds = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];
const longRunningKinds = [...replicatedKinds, "DaemonSet", "Pod"];
const workloadKinds = [...longRunningKinds, "Job", "CronJob"];

/** Kinds whose objects keep a number of equal pods running, those of operators included (Argo's Rollout, OpenKruise's CloneSet). */
export const isReplicated = orCustom(ofKind(...replicatedKinds));

/** Kinds whose pods run until they are stopped. */
export const isLongRunning = orCustom(ofKind(...longRunningKinds));

/** Kinds that run pods. */
export const isWorkload = orCustom(ofKind(...workloadKinds));

function orCustom(isOwn: (type: string) => boolean): (type: string) => boolean {
  return type => isOwn(type) || isCustom(type);
}

/** Where operators' kinds keep the template of their pods. */
const customTemplates: readonly (readonly string[])[] = [
  ["spec", "template"],
  ["spec", "podTemplate"],
  ["spec", "jobTemplate", "spec", "template"],
  ...["statefulSet", "advancedStatefulSet", "cloneSet", "deployment"].map(kind => [
    "spec",
    "template",
    `${kind}Template`,
    "spec",
    "template",
  ]),
];

/** The metadata and spec of the pods that a workload runs. */
export function podTemplate(workload: Field): Field {
  const { type } = workload.resource;
  if (isCustom(type)) {
    const places = customTemplates.map(keys => workload.at(...keys));
    return places.find(hasContainers) ?? places[0]!;
  }
  switch (kindOf(type)) {
    case "Pod":
      return workload;
    case "CronJob":
      return workload.at("spec", "jobTemplate", "spec", "template");
    default:
      return workload.at("spec", "template");
  }
}

function hasContainers(template: Field): boolean {
  const containers = template.at("spec", "containers");
  return !containers.isUnknown && containers.items.length > 0;
}

/** Whether an object runs pods: those of operators do when they have a pod template. */
export function runsPods(workload: Field): boolean {
  return !isCustom(workload.resource.type) || hasContainers(podTemplate(workload));
}

/** Whether an object keeps a number of equal pods running. Knative's and others' that say no number decide it themselves. */
export function keepsReplicas(workload: Field): boolean {
  const isKnown = [...replicatedKinds, "Rollout", "CloneSet", "DeploymentConfig"].includes(
    kindOf(workload.resource.type) ?? "",
  );
  return runsPods(workload) && (isKnown || workload.at("spec", "replicas").isPresent);
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
