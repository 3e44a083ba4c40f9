import { type PolicyConfigJSONSchema } from "@pulumi/policy/schema";
import { type Check, type Configuration, type ConfigurationSchema, Level } from "./check";
import { type Exemption, isDate } from "./exemption";
import { isRecord } from "./model/resource";

/**
 * Configuration of the pack, in the format of `pulumi up --policy-pack-config`: policy id -> level, or level, properties and exemptions. The key `all` sets the level
 * of every policy that does not set its own.
 */
export type PackConfiguration = Record<string, Level | PolicyConfiguration>;

/** Configuration of one policy. The other keys are the properties of its schema. */
export interface PolicyConfiguration {
  enforcementLevel?: Level;
  /** Resources that may break this rule for a time. */
  exemptions?: Omit<Exemption, "policy">[];
  [property: string]: unknown;
}

/** What the pack is asked to do with one check. */
export interface CheckSetting {
  level: Level;
  configuration: Configuration;
  exemptions: Exemption[];
}

/** The schema of `exemptions`, which every policy has. */
export const exemptionsSchema = {
  type: "array",
  description: "Resources that may break this rule for a time.",
  default: [],
  items: {
    type: "object",
    required: ["resource", "reason", "expires"],
    properties: {
      resource: { type: "string", description: "Name or URN of the resource, `*` for any run of characters." },
      reason: { type: "string", minLength: 1 },
      expires: { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}$", description: "Last day on which it holds." },
    },
  },
} as const satisfies ConfigurationSchema[string];

/** The setting of a check under a configuration; what is not configured has its default. */
export function settingOf(check: Check, configuration: PackConfiguration = {}): CheckSetting {
  const own = configuration[check.id];
  const {
    enforcementLevel,
    exemptions = [],
    ...properties
  } = typeof own === "string" ? { enforcementLevel: own } : (own ?? {});
  return {
    level: enforcementLevel ?? levelIn(configuration.all) ?? check.level,
    configuration: { ...defaultsOf(check), ...properties },
    exemptions: exemptions.map(exemption => ({ ...exemption, policy: check.id })),
  };
}

/** A check's configuration properties at their defaults. */
export function defaultsOf(check: Check): Configuration {
  const schema: ConfigurationSchema = check.configuration ?? {};
  return Object.fromEntries(Object.entries(schema).map(([property, { default: value }]) => [property, value]));
}

/** What is wrong with a configuration: one line for each fault, none when it can be used. */
export function configurationFaults(checks: readonly Check[], configuration: PackConfiguration): string[] {
  const ids = [...checks.map(({ id }) => id), allPolicies];
  return Object.entries(configuration).flatMap(([id, setting]) => {
    if (!ids.includes(id)) return [`${id}: there is no such policy${suggestion(id, ids)}`];
    const check = checks.find(candidate => candidate.id === id);
    if (typeof setting !== "string" && !isRecord(setting)) return [`${id}: is a level, or an object`];
    const { enforcementLevel, exemptions, ...properties } =
      typeof setting === "string" ? { enforcementLevel: setting } : setting;
    const levels = Object.values(Level);
    const faults: string[] = [];
    if (enforcementLevel !== undefined && !levels.includes(enforcementLevel)) {
      const meant = suggestion(String(enforcementLevel), levels);
      faults.push(`${id}: enforcementLevel is one of ${levels.join(", ")}${meant}`);
    }
    if (exemptions !== undefined && !check) {
      faults.push(`${id}.exemptions: an exemption belongs to one policy: write it under that policy's id`);
    } else if (exemptions !== undefined) faults.push(...exemptionFaults(`${id}.exemptions`, exemptions));
    const schema: ConfigurationSchema = check?.configuration ?? {};
    const known = [...Object.keys(schema), "enforcementLevel", "exemptions"];
    for (const [property, value] of Object.entries(properties)) {
      const expected = Object.hasOwn(schema, property) ? schema[property] : undefined;
      if (!expected) faults.push(`${id}.${property}: there is no such property${suggestion(property, known)}`);
      else faults.push(...valueFaults(`${id}.${property}`, value, expected));
    }
    return faults;
  });
}

/** The key that sets the level of every policy that does not set its own. */
const allPolicies = "all";

const exemptionKeys = Object.keys(exemptionsSchema.items.properties);

function exemptionFaults(path: string, exemptions: unknown): string[] {
  if (!Array.isArray(exemptions)) return [`${path}: is a list`];
  return exemptions.flatMap((exemption: unknown, index) => {
    const at = `${path}[${index}]`;
    if (!isRecord(exemption)) return [`${at}: is an object with ${exemptionKeys.join(", ")}`];
    const unknownKeys = Object.keys(exemption).filter(key => !exemptionKeys.includes(key));
    const faults = unknownKeys.map(key => `${at}.${key}: there is no such property${suggestion(key, exemptionKeys)}`);
    for (const key of exemptionKeys) {
      const value = exemption[key];
      if (typeof value !== "string" || value.trim() === "") faults.push(`${at}.${key}: is missing, or no text`);
    }
    if (typeof exemption.expires === "string" && !isDate(exemption.expires)) {
      faults.push(`${at}.expires: is no day of the calendar, written as YYYY-MM-DD`);
    }
    return faults;
  });
}

function valueFaults(path: string, value: unknown, expected: PolicyConfigJSONSchema): string[] {
  if (!hasType(value, expected.type)) return [`${path}: is of type ${String(expected.type)}`];
  if (typeof value === "number" && expected.minimum !== undefined && value < expected.minimum) {
    return [`${path}: is at least ${expected.minimum}`];
  }
  const inner = (name: string, schema: unknown, item: unknown) =>
    isRecord(schema) ? valueFaults(name, item, schema) : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => inner(`${path}[${index}]`, expected.items, item));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => inner(`${path}.${key}`, expected.additionalProperties, item));
}

/** `, do you mean "x"?` where a known name is close to the written one. */
function suggestion(written: string, known: readonly string[]): string {
  const [closest] = known
    .map(name => ({ name, distance: editDistance(written.toLowerCase(), name.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  return closest && closest.distance <= Math.max(2, written.length / 3) ? `, do you mean "${closest.name}"?` : "";
}

/** How many characters have to be put in, taken out or changed. Names alone: the texts are short. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= Math.min(one.length, 100); row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const change = previous[column - 1]! + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min(change, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous.at(-1)!;
}

function levelIn(setting: Level | PolicyConfiguration | undefined): Level | undefined {
  return typeof setting === "string" ? setting : setting?.enforcementLevel;
}

function hasType(value: unknown, type: ConfigurationSchema[string]["type"]): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}
