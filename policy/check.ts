import { type PolicyConfigJSONSchema } from "@pulumi/policy/schema";
import { type Field } from "./model/field";
import { type Stack } from "./model/stack";

/** What a violation does: `mandatory` refuses the deployment, `remediate` repairs the resource first, `advisory` says so and goes on, `disabled` is silent. */
export const Level = {
  mandatory: "mandatory",
  remediate: "remediate",
  advisory: "advisory",
  disabled: "disabled",
} as const;
export type Level = (typeof Level)[keyof typeof Level];

/** The concerns; each is a module of this folder. */
export const Group = {
  replicaCounts: "replica counts",
  tls: "SSL",
  secrets: "secrets",
  correctness: "correctness",
  bucket: "bucket",
  cluster: "cluster",
  workloads: "workloads",
  cost: "cost",
} as const;
export type Group = (typeof Group)[keyof typeof Group];

/** One thing wrong with one resource. */
export interface Finding {
  /** Where in the resource's inputs: `spec.replicas`. Empty for the resource as a whole. */
  path: string;
  /** What is wrong. Never holds a credential. */
  message: string;
  /** What to write instead. Default: the policy's `fix`. */
  wayOut?: string;
}

/** The JSON schema of one configuration property. `default` is what the check uses when the property is not configured. */
export type ConfigurationSchema = Record<string, PolicyConfigJSONSchema & { description: string; default: unknown }>;

/** Values of a check's configuration properties. */
export type Configuration = Record<string, unknown>;

/** What `evaluate` is given: the configuration, and the day of the judgement as `YYYY-MM-DD`. */
export type Given<C> = C & { today: string };

/** One repair of a resource's inputs. */
export interface Repair {
  /** Keys and array indices from the top of the inputs. Objects on the way are made when they are missing. */
  path: readonly (string | number)[];
  /** The new value; left out to keep the present one. */
  value?: unknown;
  /** True to have Pulumi encrypt the value in its state. */
  secret?: boolean;
}

interface CheckOf<C> {
  /** Unique in the pack, and stable: people configure and exempt checks by it. */
  id: string;
  /** The rule, in one sentence. */
  description: string;
  /** Why it matters, in one sentence. */
  why: string;
  /** The line to write instead, in general. */
  fix: string;
  /** The level for production. */
  level: Level;
  /** What differs in the `development` preset. Default: nothing. */
  development?: { level?: Level; configuration?: Partial<C> };
  /** Default: no configuration. */
  configuration?: { [Property in keyof C]: ConfigurationSchema[string] };
  /** The types of the resources that it judges. */
  applies(this: void, type: string): boolean;
  /**
   * Repairs that cannot do harm, for level `remediate`. Default: none, and the level then means `mandatory`. For a rule about the program, which is not known when
   * Pulumi asks for repairs, they are made wherever they apply.
   */
  repair?(this: void, resource: Field, given: Given<C>): Repair[];
}

/** A rule that one resource alone satisfies or not. Pulumi asks it before it changes the resource. */
export interface ResourceCheck<C = Configuration> extends CheckOf<C> {
  evaluate(this: void, resource: Field, given: Given<C>): Iterable<Finding>;
}

/** A rule about a resource among the others of its program. Pulumi asks it when all of them are known, at the end of a preview and of an update. */
export interface StackCheck<C = Configuration> extends CheckOf<C> {
  evaluateInStack(this: void, resource: Field, given: Given<C>, stack: Stack): Iterable<Finding>;
}

/** A check as it is kept in the pack. */
export type Check = { group: Group } & (ResourceCheck<never> | StackCheck<never>);

/** The checks of one concern. */
export function group(name: Group, checks: (ResourceCheck<never> | StackCheck<never>)[]): Check[] {
  return checks.map(check => ({ ...check, group: name }));
}

/** Declares a rule about single resources, its configuration typed. */
export function resourceCheck<C extends object = Record<string, never>>(check: ResourceCheck<C>): ResourceCheck<never> {
  return check as unknown as ResourceCheck<never>;
}

/** Declares a rule about resources among others, its configuration typed. */
export function stackCheck<C extends object = Record<string, never>>(check: StackCheck<C>): StackCheck<never> {
  return check as unknown as StackCheck<never>;
}

/** Whether this check looks at the whole program. */
export function isStackCheck(check: ResourceCheck<never> | StackCheck<never>): check is StackCheck<never> {
  return "evaluateInStack" in check;
}
