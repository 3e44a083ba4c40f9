import { validateDatabaseName, validateNamespaceName } from "../../components/core/names";
import { printable } from "../../components/core/printable";
import type { DatabaseArgs } from "../../components/database/arguments";
import { validateDatabaseArgs } from "../../components/database/validation";
import type { Field } from "../../policy/model/field";
import { kindOf, nameOf } from "../../policy/model/kubernetes";
import { UsageError } from "../live/surroundings";
import { declareAccounts, passwordKey } from "./accountParts";
import { Code, withStandIns, type Written } from "./code";
import { chooseDurability, offerServices, placePods, sizePods, storeData } from "./databaseParts";
import { type ConfigurationKey, Draft } from "./draft";
import type { HandMade } from "./handMade";
import { keepOptions } from "./optionParts";
import { nameObjectStore, pinImage, replaceController } from "./storeParts";
import type { ManifestObject } from "./yamlFiles";

/** The arguments that make the same database, and what is to be said about them. */
export interface Equivalent {
  name: string;
  /** Arguments of a `Database`. */
  args: Record<string, Written>;
  configuration: ConfigurationKey[];
  changes: string[];
  /** Objects that have no place in the program. */
  notTakenOver: string[];
}

/** What a person may choose. */
export interface Choices {
  /** Default: from the primary's name. */
  name?: string;
  /** Default: `<name>-managed`, so that both deployments can run while the data moves. */
  namespace?: string;
}

/** More problems than this are no misunderstanding any more. */
const mostRepairs = 200;

/**
 * The program's arguments for a hand-made deployment.
 * @throws UsageError when a name that was chosen cannot be used
 */
export function equivalentOf(made: HandMade, objects: readonly ManifestObject[], choices: Choices = {}): Equivalent {
  const draft = new Draft(choices.name ?? ownName(made));
  const namespace = choices.namespace ?? `${draft.name}-managed`;
  const problems = [...validateDatabaseName(draft.name), ...validateNamespaceName(namespace, true)];
  const [problem] = problems;
  if (problem) throw new UsageError(`--${problem.propertyPath}: ${problem.reason}.`);

  pinImage(draft, made);
  draft.args.namespace = namespace;
  placePods(draft, made);
  nameObjectStore(draft, made);
  chooseDurability(draft, made.settings);
  sizePods(draft, made);
  storeData(draft, made);
  keepOptions(draft, made);
  declareAccounts(draft, made);
  offerServices(draft, made, made.primary.workload.at("metadata", "namespace").text);
  replaceController(draft, made);
  repair(draft);
  return {
    name: draft.name,
    args: draft.args,
    configuration: draft.configuration,
    changes: draft.changes,
    notTakenOver: leftOver(made, objects),
  };
}

/** `tidesql-primary` is the primary of `tidesql`. */
function ownName({ primary }: HandMade): string {
  const name = (nameOf(primary.workload) ?? "").replace(/-(primary|master|writer|db|\d+)$/, "");
  return validateDatabaseName(name).length === 0 ? name : "tidesql";
}

/** Leaves out what the component would refuse, and says why: a program that is refused helps nobody. */
function repair(draft: Draft): void {
  for (let repairs = 0; repairs < mostRepairs; repairs++) {
    const [problem] = validateDatabaseArgs(draft.name, withStandIns(draft.args) as DatabaseArgs);
    if (problem === undefined) return;
    const { propertyPath, reason } = problem;
    draft.change(`${removed(draft, propertyPath)} is not taken over: ${reason}`);
  }
  throw new Error(`the arguments of ${draft.name} cannot be mended`);
}

/** Takes the part of the arguments away that a problem is about, and names it. */
function removed(draft: Draft, propertyPath: string): string {
  const { args } = draft;
  const required = /^objectStore\.(endpoint|bucket|region)$/.exec(propertyPath)?.[1];
  if (required !== undefined) {
    const standIns: Record<string, string> = { endpoint: "s3.us-east-1.amazonaws.com", region: "us-east-1" };
    const store = args.objectStore as Record<string, Written>;
    store[required] = draft.fromConfiguration(
      required,
      standIns[required] ?? "a-bucket-of-its-own",
      "of the object store",
    );
    return required;
  }
  const user = /^users\[(\d+)\](?:\.grants\[(\d+)\](?:\.privileges\[(\d+)\])?)?/.exec(propertyPath);
  if (user) return removedAccount(draft, user);
  const [, first = propertyPath, index, key] = /^([A-Za-z]+)(?:\[(\d+)\]|\.([^[]+))?/.exec(propertyPath) ?? [];
  const part = args[first];
  if (index !== undefined && Array.isArray(part)) {
    part.splice(Number(index), 1);
    if (part.length === 0) delete args[first];
    return `${first}[${index}]`;
  }
  if (key !== undefined && isParts(part) && key in part) {
    delete part[key];
    return `${first}.${printable(key)}`;
  }
  if (!(first in args) || first === "objectStore") throw new Error(`nothing to leave out for ${propertyPath}`);
  delete args[first];
  return first;
}

function removedAccount({ args, configuration }: Draft, [, user, grant, privilege]: RegExpExecArray): string {
  const users = args.users as Record<string, Written>[];
  const declared = users[Number(user)];
  const name = printable(typeof declared?.name === "string" ? declared.name : "");
  const grants = (declared?.grants ?? []) as { privileges: string[] }[];
  if (privilege !== undefined) grants[Number(grant)]?.privileges.splice(Number(privilege), 1);
  const hasPrivileges = (grants[Number(grant)]?.privileges.length ?? 0) > 0;
  if (grant !== undefined && !(privilege !== undefined && hasPrivileges)) grants.splice(Number(grant), 1);
  if (grant !== undefined && grants.length > 0) return `a grant of the user ${name}`;
  users.splice(Number(user), 1);
  if (users.length === 0) delete args.users;
  const key = configuration.findIndex(entry => entry.key === passwordKey(name));
  if (key >= 0) configuration.splice(key, 1);
  return `the user ${name}`;
}

function isParts(value: Written): value is Record<string, Written> {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Code);
}

function leftOver({ recognised }: HandMade, objects: readonly ManifestObject[]): string[] {
  const urns = new Set([...recognised].map((field: Field) => field.resource.urn));
  return objects
    .filter(({ resource }) => !urns.has(resource.urn))
    .map(({ title, place, resource }) => `${printable(title)} (${place}): ${whyLeft(resource.type)}`);
}

function whyLeft(type: string): string {
  const reasons: Record<string, string> = {
    HorizontalPodAutoscaler: "the managers have to know one another; change replicas instead",
    PersistentVolumeClaim: "each pod claims a volume of its own",
    Role: "the component makes the manager's own",
    RoleBinding: "the component makes the manager's own",
    Unknown: "it is no Kubernetes object",
  };
  return reasons[kindOf(type) ?? "Unknown"] ?? "nothing in it belongs to the database";
}
