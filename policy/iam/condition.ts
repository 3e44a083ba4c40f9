import { BlockList, isIPv4, isIPv6 } from "node:net";
import { allOf, anyOf, type Field } from "../model/field";
import { matchesPattern } from "./pattern";

/** What AWS knows of a request beside its principal, action and resource: condition keys in lower case, each with its values. */
export type RequestContext = Readonly<Record<string, readonly string[]>>;

type Comparison = (actual: string, wanted: string) => boolean;

const numeric =
  (compare: (actual: number, wanted: number) => boolean): Comparison =>
  (actual, wanted) => {
    const [one, other] = [actual, wanted].map(text => (text.trim() === "" ? NaN : Number(text)));
    return !Number.isNaN(one) && !Number.isNaN(other) && compare(one!, other!);
  };

/** Dates are written as ISO 8601 or as seconds since 1970. */
const dated =
  (compare: (actual: number, wanted: number) => boolean): Comparison =>
  (actual, wanted) => {
    const [one, other] = [actual, wanted].map(text => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text)));
    return !Number.isNaN(one) && !Number.isNaN(other) && compare(one!, other!);
  };

const orders: Record<string, (actual: number, wanted: number) => boolean> = {
  equals: (actual, wanted) => actual === wanted,
  lessthan: (actual, wanted) => actual < wanted,
  lessthanequals: (actual, wanted) => actual <= wanted,
  greaterthan: (actual, wanted) => actual > wanted,
  greaterthanequals: (actual, wanted) => actual >= wanted,
};

/** The operators that compare a value of the request with one of the policy, in lower case; `not...` is the denial of each. */
const comparisons: Record<string, Comparison> = {
  stringequals: (actual, wanted) => actual === wanted,
  stringequalsignorecase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  stringlike: (actual, wanted) => matchesPattern(wanted, actual),
  bool: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  binaryequals: (actual, wanted) => actual === wanted,
  ipaddress: isInRange,
  arnequals: arnMatches,
  arnlike: arnMatches,
  ...Object.fromEntries(Object.entries(orders).map(([name, order]) => [`numeric${name}`, numeric(order)])),
  ...Object.fromEntries(Object.entries(orders).map(([name, order]) => [`date${name}`, dated(order)])),
};

/** Operators that hold when the comparison does not, with the comparison. */
const denials: Record<string, Comparison> = {
  stringnotequals: comparisons.stringequals!,
  stringnotequalsignorecase: comparisons.stringequalsignorecase!,
  stringnotlike: comparisons.stringlike!,
  numericnotequals: comparisons.numericequals!,
  datenotequals: comparisons.dateequals!,
  notipaddress: isInRange,
  arnnotequals: arnMatches,
  arnnotlike: arnMatches,
};

/**
 * Whether a statement's `Condition` holds for a request: every operator and every key must, any value is enough (for a `...Not...` operator: none may be equal). Names
 * of operators and keys are case-insensitive. An operator that IAM does not have never holds.
 * @throws NotYetKnown when a value decides it that a preview cannot know.
 */
export function conditionHolds(condition: Field, context: RequestContext): boolean {
  if (condition.isUnknown) void condition.value;
  return allOf(condition.entries, ([operator, keys]) =>
    allOf(keys.entries, ([key, wanted]) => holds(operator.toLowerCase(), context[key.toLowerCase()], wanted)),
  );
}

function holds(written: string, actual: readonly string[] | undefined, wanted: Field): boolean {
  const [, quantifier, operator, ifExists] = /^(?:(forallvalues|foranyvalue):)?(\w+?)(ifexists)?$/.exec(written) ?? [];
  if (operator === undefined) return false;
  const isAbsent = actual === undefined || actual.length === 0;
  if (operator === "null") return anyOf(valuesOf(wanted), value => (value.text === "true") === isAbsent);
  const compare = comparisons[operator];
  const deny = denials[operator];
  if (!compare && !deny) return false;
  if (isAbsent) return quantifier === "forallvalues" || ifExists !== undefined || (!!deny && quantifier === undefined);
  const satisfies = (value: string): boolean =>
    compare
      ? anyOf(valuesOf(wanted), ({ text }) => text !== undefined && compare(value, text))
      : allOf(valuesOf(wanted), ({ text }) => text !== undefined && !deny!(value, text));
  if (quantifier === "forallvalues" || (deny && quantifier === undefined)) return allOf(actual, satisfies);
  return anyOf(actual, satisfies);
}

/** One value or a list of them. */
function valuesOf(field: Field): Field[] {
  return Array.isArray(field.value) ? field.items : [field];
}

/** ARNs are compared part by part: a wildcard does not reach over a colon, but for the last part. */
function arnMatches(actual: string, wanted: string): boolean {
  const [given, pattern] = [actual, wanted].map(arn => {
    const parts = arn.split(":");
    return [...parts.slice(0, 5), parts.slice(5).join(":")];
  }) as [string[], string[]];
  return given.every((part, index) => matchesPattern(pattern[index] ?? "", part));
}

function isInRange(address: string, range: string): boolean {
  const [base = "", length] = range.split("/");
  const family = isIPv4(base) ? "ipv4" : isIPv6(base) ? "ipv6" : undefined;
  const own = isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
  const prefix = length === undefined ? (family === "ipv4" ? 32 : 128) : Number(length);
  if (!family || family !== own || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === "ipv4" ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(base, prefix, family);
  return list.check(address, family);
}
