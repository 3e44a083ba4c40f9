import { type Database, databaseOf } from "../../policy/model/database";
import type { EngineSettings } from "../../policy/model/engineSettings";
import type { Field } from "../../policy/model/field";
import { NotYetKnown } from "../../policy/model/field";
import {
  isReplicated,
  isWorkload,
  kindOf,
  maySelect,
  nameOf,
  podSpec,
  podTemplate,
} from "../../policy/model/kubernetes";
import { filesOf, sourcesOf } from "../../policy/model/mounts";
import { Stack } from "../../policy/model/stack";
import { Refused } from "../live/surroundings";
import { accountsIn, type SqlAccounts } from "./sqlAccounts";
import type { ManifestObject } from "./yamlFiles";

/** A hand-made deployment, its parts told apart. */
export interface HandMade {
  stack: Stack;
  /** The workload that writes. Where there is none, the first of the replicas stands for it. */
  primary: Database;
  /** What the server of the primary is told. */
  settings: EngineSettings;
  replicas: Database[];
  /** Workloads and ConfigMaps that promote a replica. */
  controllers: Field[];
  /** Services in front of the database's pods. */
  services: Field[];
  /** ConfigMaps and Secrets that the database's pods or the controllers mount. */
  configuration: Field[];
  accounts: SqlAccounts;
  /** Every object that has a place in the list above, or that the program makes anew. */
  recognised: ReadonlySet<Field>;
}

const promotion = /\btidesdb_promote_primary\b/i;
/** What the component makes of its own for a database: an object of these kinds has nothing to add. */
const madeAnew = [
  "Namespace",
  "PodDisruptionBudget",
  "NetworkPolicy",
  "ServiceAccount",
  "PriorityClass",
  "StorageClass",
];

/**
 * Finds the database among the objects.
 * @throws Refused when there is none, or more than one
 */
export function handMadeOf(objects: readonly ManifestObject[]): HandMade {
  const stack = new Stack(objects.map(({ resource }) => resource));
  const databases = stack.where(isReplicated).flatMap(workload => found(() => databaseOf(workload, stack)) ?? []);
  const writers = databases.filter(({ settings }) => !isReplica(settings));
  const [primary = databases[0], ...others] = writers;
  if (primary === undefined) throw new Refused("No workload in these files runs TideSQL: there is nothing to import.");
  if (primary.runsManager) {
    throw new Refused(
      "These objects were made by this package already: the program that made them is the one to keep.",
    );
  }
  if (others.length > 0) {
    const names = writers.map(({ workload }) => nameOf(workload) ?? "without a name").join(", ");
    throw new Refused(`Several workloads write (${names}). Put the files of each database into a folder of its own.`);
  }
  const replicas = databases.filter(database => database !== primary);
  const controllers = controllersIn(stack, databases);
  const configuration = [...databases.map(({ workload }) => workload), ...controllers].flatMap(workload =>
    sourcesBehind(workload, stack),
  );
  const services = stack
    .where(type => kindOf(type) === "Service")
    .filter(service => databases.some(({ workload }) => isInFrontOf(service, workload)));
  const anew = stack.where(type => madeAnew.includes(kindOf(type) ?? ""));
  const scripts = stack.resources.filter(object => accountsIn(textsOf(object)).users.length > 0);
  return {
    stack,
    primary,
    settings: primary.settings,
    replicas,
    controllers,
    services,
    configuration,
    accounts: accountsIn(stack.resources.flatMap(object => [...textsOf(object)])),
    recognised: new Set([
      ...databases.map(({ workload }) => workload),
      ...controllers,
      ...configuration,
      ...services,
      ...anew,
      ...scripts,
    ]),
  };
}

/** What a setting says, also where a part of the configuration is not among the files. */
export function settingOf(settings: EngineSettings, name: string): string | undefined {
  return found(() => settings.text(name));
}

/** A value, or nothing where it is in an object that is not among the files. */
function found<T>(look: () => T | undefined): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof NotYetKnown) return undefined;
    throw error;
  }
}

function isReplica(settings: EngineSettings): boolean {
  return found(() => settings.isOn("tidesdb_replica_mode", false)) ?? false;
}

/** Scripts that promote, and the workloads that run them. */
function controllersIn(stack: Stack, databases: readonly Database[]): Field[] {
  const promotes = (object: Field) => [...textsOf(object)].some(text => promotion.test(text));
  const workloads = stack
    .where(isWorkload)
    .filter(workload => !databases.some(database => database.workload === workload))
    .filter(workload => promotes(workload) || sourcesBehind(workload, stack).some(promotes));
  return workloads;
}

function sourcesBehind(workload: Field, stack: Stack): Field[] {
  const volumes = podSpec(workload).at("volumes").items;
  return volumes.flatMap(volume => sourcesOf(workload, volume, stack).flatMap(({ object }) => object ?? []));
}

function isInFrontOf(service: Field, workload: Field): boolean {
  return maySelect(service.at("spec", "selector"), podTemplate(workload).at("metadata", "labels"));
}

/** Every text in an object, those of Secrets decoded. */
function* textsOf(object: Field): Generator<string> {
  const kind = kindOf(object.resource.type);
  if (kind === "Secret" || kind === "ConfigMap") {
    for (const { text } of filesOf(object)) yield text;
    return;
  }
  for (const { text } of object.texts()) if (text !== undefined) yield text;
}
