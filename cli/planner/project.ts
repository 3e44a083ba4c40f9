import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { choices } from "../../components/core/suggestion";
import { PlanError } from "./planError";
import { isPlainRecord, type PlannedRecord, type PlannedValue, Secret, unknown } from "./values";

/** A Pulumi project as its `Pulumi.yaml` describes it. */
export interface Project {
  name: string;
  /** Folder of `Pulumi.yaml`. */
  directory: string;
  /** The program, relative to the folder. Undefined: package.json says, or `index`. */
  main?: string;
  /** Names of the stacks that have a `Pulumi.<stack>.yaml`, sorted. */
  stacks: string[];
  /** Configuration that every stack has unless it says otherwise, with full keys. */
  config: PlannedRecord;
}

/**
 * Reads the project that a folder belongs to: the nearest `Pulumi.yaml` from there upwards, as `pulumi` does.
 * @throws PlanError when there is none, or none for Node.js
 */
export function readProject(directory: string): Project {
  const file = findUpwards(resolve(directory), "Pulumi.yaml") ?? findUpwards(resolve(directory), "Pulumi.yml");
  if (file === undefined) {
    throw new PlanError(
      `There is no Pulumi.yaml in ${resolve(directory)} or above it. Name the project's folder with --directory.`,
    );
  }
  const project = readYaml(file);
  const { name, runtime, main } = project;
  const runtimeName = isRecord(runtime) ? runtime.name : runtime;
  if (typeof name !== "string") throw new PlanError(`${file} has no "name".`);
  if (runtimeName !== "nodejs") throw new PlanError(`${file}: only programs with "runtime: nodejs" can be planned.`);
  const folder = dirname(file);
  const stacks = readdirSync(folder).flatMap(entry => /^Pulumi\.(.+)\.ya?ml$/.exec(entry)?.[1] ?? []);
  const config = isRecord(project.config) ? project.config : {};
  return {
    name,
    directory: folder,
    main: typeof main === "string" ? main : undefined,
    stacks: stacks.sort(),
    config: projectConfig(name, config),
  };
}

/**
 * The configuration of one stack with full keys (`orders:replicas`, `aws:region`), the project's own included. A secret is encrypted in the stack's file, and only
 * `pulumi` can open it: it is there as an unknown secret.
 * @throws PlanError when the stack has no file although others have
 */
export function readConfiguration(project: Project, stack: string): PlannedRecord {
  const file = ["yaml", "yml"].map(end => join(project.directory, `Pulumi.${stack}.${end}`)).find(existsSync);
  if (file === undefined) {
    if (project.stacks.length === 0) return { ...project.config };
    const others = project.stacks.join(", ");
    throw new PlanError(`There is no Pulumi.${stack}.yaml in ${project.directory}. The stacks there: ${others}.`);
  }
  const content = readYaml(file);
  refuseUnknown(file, content);
  const { config, environment } = content;
  if (environment !== undefined) {
    throw new PlanError(
      `${basename(file)} takes configuration from an ESC environment, which a plan cannot open. Give its values with --config and --secret-file, and leave "environment" out.`,
    );
  }
  const own = Object.entries(isRecord(config) ? config : {});
  return {
    ...project.config,
    ...Object.fromEntries(own.map(([key, value]) => [fullKey(project.name, key), stored(value)])),
  };
}

/** What a stack's file may have, by Pulumi's own schema. */
const stackFileKeys = ["config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider"];

/** Pulumi ignores what it does not know: a slip in `config` would leave a stack without its settings. */
function refuseUnknown(file: string, content: Record<string, unknown>): void {
  const unknownKey = Object.keys(content).find(key => !stackFileKeys.includes(key));
  if (unknownKey !== undefined) {
    throw new PlanError(
      `${basename(file)}: "${unknownKey}" is nothing that a stack's file has: ${choices(unknownKey, stackFileKeys)}`,
    );
  }
  const { config } = content;
  if (config !== undefined && config !== null && !isRecord(config)) {
    throw new PlanError(
      `${basename(file)}: "config" is not a mapping of keys to values. Write "config:" and below it lines like "  aws:region: us-east-1".`,
    );
  }
}

/** `replicas` is short for `<project>:replicas`. */
export function fullKey(project: string, key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

/**
 * Sets one value, as `pulumi config set --path` does: a dot after the key leads into a structured value.
 * @throws PlanError when a plain value would take a secret's place: it would be in the shell's history
 */
export function setValue(config: PlannedRecord, key: string, value: string | Secret): void {
  const [first = "", ...rest] = key.split(".");
  const place = placeOf(config, [first, ...rest]);
  if (place.record[place.key] instanceof Secret && !(value instanceof Secret)) {
    throw new PlanError(`${key} is a secret of this stack: give it with --secret-file ${key}=PATH.`);
  }
  place.record[place.key] = value;
}

function placeOf(record: PlannedRecord, path: string[]): { record: PlannedRecord; key: string } {
  const [key = "", ...rest] = path;
  if (rest.length === 0) return { record, key };
  const inner = record[key];
  const next = isPlainRecord(inner) ? { ...inner } : {};
  record[key] = next;
  return placeOf(next, rest);
}

function projectConfig(project: string, config: Record<string, unknown>): PlannedRecord {
  const entries = Object.entries(config).flatMap(([key, declared]): [string, PlannedValue][] => {
    const value = isRecord(declared) ? (declared.value ?? declared.default) : declared;
    return value === undefined || value === null ? [] : [[fullKey(project, key), stored(value)]];
  });
  return Object.fromEntries(entries);
}

/** A value as it stands in a stack's file, where `{secure: ...}` is an encrypted one. */
function stored(value: unknown): PlannedValue {
  if (Array.isArray(value)) return value.map(stored);
  if (!isRecord(value)) return value as PlannedValue;
  if (typeof value.secure === "string" && Object.keys(value).length === 1) return new Secret(unknown);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, stored(inner)]));
}

function findUpwards(directory: string, name: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(join(at, name))) return join(at, name);
    if (at === dirname(at)) return undefined;
  }
}

/** @throws PlanError with the place of the mistake, without the lines around it: they may hold a secret */
function readYaml(file: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(file, "utf8"), { prettyErrors: false });
  } catch (error) {
    throw new PlanError(`${file} is not valid YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (isRecord(content)) return content;
  if (content === undefined || content === null) return {};
  throw new PlanError(`${file} holds no mapping of keys to values.`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
