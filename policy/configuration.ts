import { type Check, type Configuration, type ConfigurationSchema, Level } from "./check";
import { type Exemption } from "./exemption";

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
  return Object.entries(configuration).flatMap(([id, setting]) => {
    const check = checks.find(candidate => candidate.id === id);
    if (!check && id !== "all") return [`${id}: there is no such policy`];
    const { enforcementLevel, exemptions, ...properties } =
      typeof setting === "string" ? { enforcementLevel: setting } : (setting ?? {});
    const faults: string[] = [];
    if (enforcementLevel !== undefined && !Object.values(Level).includes(enforcementLevel)) {
      faults.push(`${id}: enforcementLevel is one of ${Object.values(Level).join(", ")}`);
    }
    if (exemptions !== undefined && !Array.isArray(exemptions)) faults.push(`${id}.exemptions: is a list`);
    const schema: ConfigurationSchema = check?.configuration ?? {};
    for (const [property, value] of Object.entries(properties)) {
      const expected = Object.hasOwn(schema, property) ? schema[property] : undefined;
      if (!expected) faults.push(`${id}.${property}: there is no such property`);
      else if (!hasType(value, expected.type)) faults.push(`${id}.${property}: is of type ${String(expected.type)}`);
      else if (typeof value === "number" && expected.minimum !== undefined && value < expected.minimum) {
        faults.push(`${id}.${property}: is at least ${expected.minimum}`);
      }
    }
    return faults;
  });
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
