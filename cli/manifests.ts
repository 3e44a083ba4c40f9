import { Document, visit } from "yaml";
import type { Plan, PlannedResource } from "./planner/plan";
import { valueAt } from "./planner/plan";
import { PlanError } from "./planner/planError";
import { isPlainRecord, revealed, unknownPaths, type PlannedRecord } from "./planner/values";

/** A Kubernetes object of a plan, ready to be applied. */
export interface Manifest {
  /** Names sort in the order in which the objects have to be applied: `03-secret-orders-users.yaml`. */
  fileName: string;
  /** YAML, with the contents of Secrets in clear. */
  content: string;
}

/** Kinds that belong to no namespace, of the API groups that come with Kubernetes. */
const clusterScopedKinds: ReadonlySet<string> = new Set([
  "APIService",
  "ClusterRole",
  "ClusterRoleBinding",
  "CSIDriver",
  "CustomResourceDefinition",
  "IngressClass",
  "MutatingWebhookConfiguration",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PriorityClass",
  "RuntimeClass",
  "StorageClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "VolumeAttributesClass",
  "VolumeSnapshotClass",
]);

/**
 * The Kubernetes objects of a plan as YAML, in the order of their registration, which is one in which they can be created.
 * @throws PlanError that names every object that cannot be written before the update, and why: half a deployment is not to be applied
 */
export function manifestsOf(plan: Plan): Manifest[] {
  const objects = plan.resources.filter(({ custom, type }) => custom && type.startsWith("kubernetes:"));
  if (objects.length === 0) throw new PlanError(`The stack ${plan.stack} has no Kubernetes objects.`);
  const problems = objects.flatMap(object =>
    obstacles(object).map(problem => `  ${object.name} (${object.type}): ${problem}`),
  );
  if (problems.length > 0) {
    throw new PlanError(`These objects can only be made by "pulumi up", so none was written:\n${problems.join("\n")}`);
  }
  const digits = String(objects.length).length;
  return objects.map((object, index) => {
    const number = String(index + 1).padStart(digits, "0");
    return { fileName: `${number}-${fileNameOf(object)}.yaml`, content: yamlOf(object, plan) };
  });
}

/** The indentation of a block would swallow the blanks of such a line. */
const lineOfBlanks = /^[ \t]+$/m;

function obstacles(object: PlannedResource): string[] {
  const { kind, apiVersion } = object.inputs;
  if (typeof kind !== "string" || typeof apiVersion !== "string") return ["it is not a plain object"];
  const unknown = unknownPaths(object.inputs).map(path => `${path} is not known yet`);
  const isNamed = ["name", "generateName"].some(key => valueAt(object.inputs, "metadata", key) !== undefined);
  return isNamed ? unknown : [...unknown, "it has no metadata.name, so Pulumi makes one up"];
}

function yamlOf(object: PlannedResource, plan: Plan): string {
  const inputs = revealed(object.inputs) as PlannedRecord;
  const namespace = namespaceOf(object, plan);
  const metadata = isPlainRecord(inputs.metadata) ? inputs.metadata : {};
  const placed = namespace === undefined ? metadata : { ...metadata, namespace };
  const { apiVersion, kind, ...rest } = inputs;
  // Kubernetes reads YAML 1.1, where a plain `yes` is true and `012` is ten.
  const document = new Document(
    { apiVersion, kind, ...rest, metadata: placed },
    { version: "1.1", aliasDuplicateObjects: false },
  );
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === "string" && lineOfBlanks.test(scalar.value)) scalar.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** An object without a namespace goes where its provider says, as in an update. */
function namespaceOf(object: PlannedResource, plan: Plan): string | undefined {
  if (valueAt(object.inputs, "metadata", "namespace") !== undefined) return undefined;
  const { kind } = object.inputs;
  if (typeof kind === "string" && clusterScopedKinds.has(kind)) return undefined;
  const provider = plan.resources.find(({ urn }) => urn === object.provider);
  const namespace = provider?.inputs.namespace;
  return typeof namespace === "string" ? namespace : undefined;
}

function fileNameOf({ inputs }: PlannedResource): string {
  const name = valueAt(inputs, "metadata", "name") ?? valueAt(inputs, "metadata", "generateName");
  const words = [inputs.kind, name].filter(word => typeof word === "string");
  return words.map(word => word.toLowerCase().replace(/[^a-z0-9.-]+/g, "-")).join("-");
}
