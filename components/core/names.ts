import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/**
 * Names of everything that belongs to one database. All derive from the deployment's name, so that two databases in one namespace never meet.
 * @typeParam Text a string, or what becomes one when the plan is carried out
 */
export interface DatabaseNames<Text = string> {
  /** Also the StatefulSet's, the Lease's and the headless Service's name. */
  database: string;
  namespace: Text;
  /** Pods are `<name>-0` and so on. */
  pods: string[];
  headlessService: string;
  primaryService: string;
  replicaService: string;
  /** ConfigMap with `engine.cnf`, `manager.json`, `databaseId` and `nodes`. */
  configuration: string;
  /** ConfigMap with the manager's two scripts. */
  manager: string;
  objectStoreSecret: string;
  usersSecret: string;
  tlsSecret: string;
  serviceAccount: string;
  role: string;
  roleBinding: string;
  lease: string;
  disruptionBudget: string;
  networkPolicy: string;
  /** Cluster-scoped, so it carries the namespace. A namespace holds no dot: the name is no other database's. */
  priorityClass: Text;
}

/**
 * A StatefulSet's pods carry the label `controller-revision-hash: <name>-<hash of up to 10 characters>`, and a label's value has at most 63 characters.
 * Every other derived name is shorter.
 */
export const longestDatabaseName = 52;

/** IAM takes 64 characters; Pulumi appends "-" and seven of its own to a name that is made from a resource's. */
export const longestInIam = 64 - 8;

/** A DNS label: what Kubernetes wants of a namespace. */
const longestNamespace = 63;

/** Suffixes that would make a database's own name one of another database's Services. */
const takenSuffixes = ["-primary", "-replica"];

/**
 * Names of a database's objects.
 * @param nodes number of pods: one primary and the replicas
 */
export function databaseNames(name: string, namespace: string, nodes: number): DatabaseNames {
  return {
    database: name,
    namespace,
    pods: Array.from({ length: nodes }, (_, ordinal) => `${name}-${ordinal}`),
    headlessService: name,
    primaryService: `${name}-primary`,
    replicaService: `${name}-replica`,
    configuration: `${name}-config`,
    manager: `${name}-manager`,
    objectStoreSecret: `${name}-object-store`,
    usersSecret: `${name}-users`,
    tlsSecret: `${name}-tls`,
    serviceAccount: name,
    role: name,
    roleBinding: name,
    lease: name,
    disruptionBudget: name,
    networkPolicy: name,
    priorityClass: `tidesql.${namespace}.${name}`,
  };
}

/** What is wrong with a deployment's name: it becomes a Service (a DNS label that starts with a letter), a label's value and a folder in the bucket. */
export function validateDatabaseName(name: string): InputProblem[] {
  const reason = dnsLabelProblem(name, longestDatabaseName) ?? takenSuffixProblem(name);
  return reason === undefined ? [] : [{ propertyPath: "name", reason }];
}

/**
 * What is wrong with the length of a component's name, from which names in AWS are made.
 * @param what is named so: "IAM roles"
 */
export function validateResourceName(name: string, longest: number, what: string): InputProblem[] {
  if (typeof name === "string" && name.length <= longest) return [];
  const reason =
    typeof name === "string"
      ? `"${printable(name)}" has ${name.length} characters, and names of ${what} that begin with it leave room for ${longest}: shorten it by ${name.length - longest}`
      : "is not a text: name the component";
  return [{ propertyPath: "name", reason }];
}

/**
 * What is wrong with a namespace's name.
 * @param created whether the component makes the namespace: one that every cluster has already cannot be made
 */
export function validateNamespaceName(namespace: string, created: boolean): InputProblem[] {
  const reason = dnsLabelProblem(namespace, longestNamespace) ?? (created ? builtInProblem(namespace) : undefined);
  return reason === undefined ? [] : [{ propertyPath: "namespace", reason }];
}

/** What is wrong with the name of an object that exists already: of a Secret, a StorageClass, a PriorityClass. */
export function validateObjectName(propertyPath: string, name: string): InputProblem[] {
  if (name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) return [];
  return [
    {
      propertyPath,
      reason: `"${printable(name)}" cannot name a Kubernetes object: write lower-case letters, digits, "-" and "." (at most 253)`,
    },
  ];
}

/** Whether a text is a DNS name, which may begin with `*.` as in certificates. */
export function isDnsName(text: string): boolean {
  const label = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
  return text.length <= 253 && new RegExp(`^(\\*\\.)?(${label}\\.)*${label}$`, "i").test(text);
}

function dnsLabelProblem(name: string, longest: number): string | undefined {
  if (typeof name !== "string") return "is not a text: name the component";
  if (name.length > longest) return `has ${name.length} characters: Kubernetes leaves room for ${longest}, shorten it`;
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    return `"${printable(name)}" is not a valid Kubernetes name: start with a lower-case letter, go on with lower-case letters, digits and "-", end with a letter or digit`;
  }
  return undefined;
}

function takenSuffixProblem(name: string): string | undefined {
  const suffix = takenSuffixes.find(taken => name.endsWith(taken));
  if (suffix === undefined) return undefined;
  return `"${name}" is the name of a Service of the database "${name.slice(0, -suffix.length)}": choose one that does not end with "${suffix}"`;
}

function builtInProblem(namespace: string): string | undefined {
  if (namespace !== "default" && !namespace.startsWith("kube-")) return undefined;
  return `"${printable(namespace)}" exists in every cluster: choose another, or set createNamespace to false`;
}
