import { allOf, anyOf, type Field } from "../model/field";
import { conditionHolds, type RequestContext } from "./condition";
import { matchesPattern } from "./pattern";
import { type Element, patternsOf, type Statement } from "./statement";

/** Who sends a request. Without an ARN and a service: anybody, without signing it. */
export interface Caller {
  /** `arn:aws:iam::123456789012:user/engine`. */
  arn?: string;
  /** `cloudfront.amazonaws.com`. */
  service?: string;
}

/** One request to AWS. */
export interface Request {
  caller: Caller;
  /** `s3:GetObject`. */
  action: string;
  /** ARN. */
  resource: string;
  context: RequestContext;
}

/** What policies make of a request. */
export const Decision = { allowed: "allowed", explicitlyDenied: "explicitlyDenied", notAllowed: "notAllowed" } as const;
export type Decision = (typeof Decision)[keyof typeof Decision];

/**
 * What statements say to a request, as AWS evaluates them (IAM User Guide, "Policy evaluation logic"): one Deny that covers it decides, then one Allow; nothing is
 * allowed by itself.
 * @throws NotYetKnown when a value decides it that a preview cannot know.
 */
export function decide(statements: readonly Statement[], request: Request): Decision {
  if (isDenied(statements, request)) return Decision.explicitlyDenied;
  const isAllowed = anyOf(statements, statement => statement.allows && covers(statement, request));
  return isAllowed ? Decision.allowed : Decision.notAllowed;
}

/** Whether a Deny covers the request. */
export function isDenied(statements: readonly Statement[], request: Request): boolean {
  return anyOf(statements, statement => !statement.allows && covers(statement, request));
}

/** Whether a statement speaks of a request: its principal, action, resource and condition all do. */
export function covers(statement: Statement, request: Request): boolean {
  const { principal, action, resource, condition } = statement;
  const parts = [
    () => coversAction(action, request.action),
    () => coversResource(resource, request),
    () => principal === undefined || coversCaller(principal, request.caller),
    () => conditionHolds(condition, request.context),
  ];
  return allOf(parts, part => part());
}

/** Whether `Action` or `NotAction` covers an action. Case does not count, as IAM has it. */
export function coversAction(element: Element, action: string): boolean {
  return covered(element, pattern => matchesPattern(pattern.toLowerCase(), action.toLowerCase()));
}

function coversResource(element: Element, { resource, context }: Request): boolean {
  return covered(element, pattern => {
    const filled = filledIn(pattern, context);
    return filled !== undefined && matchesPattern(filled, resource);
  });
}

function covered(element: Element, matches: (pattern: string) => boolean): boolean {
  if (!element.field.isUnknown && !element.field.isPresent) return false;
  const isListed = anyOf(patternsOf(element), ({ text }) => text !== undefined && matches(text));
  return isListed !== element.isInverted;
}

/** A pattern with its policy variables replaced; undefined when the request has no value for one, since it then matches nothing. */
function filledIn(pattern: string, context: RequestContext): string | undefined {
  if (!pattern.includes("${")) return pattern;
  let isComplete = true;
  const filled = pattern.replaceAll(/\$\{([^}]*)\}/g, (_all, name: string) => {
    const [key = "", fallback] = name.split(/,\s*/);
    const value = context[key.toLowerCase()]?.[0] ?? fallback?.replaceAll("'", "");
    if (value === undefined) isComplete = false;
    return value ?? "";
  });
  return isComplete ? filled : undefined;
}

/** Whether `Principal` or `NotPrincipal` covers a caller. */
export function coversCaller({ isInverted, field }: Element, caller: Caller): boolean {
  return isListed(field, caller) !== isInverted;
}

function isListed(principal: Field, caller: Caller): boolean {
  if (principal.entries.length === 0) return principal.text === "*";
  return anyOf(principal.entries, ([kind, names]) =>
    anyOf(Array.isArray(names.value) ? names.items : [names], ({ text = "" }) => isMeant(kind, text, caller)),
  );
}

function isMeant(kind: string, name: string, caller: Caller): boolean {
  if (kind === "Service") return name === caller.service;
  if (kind !== "AWS") return false;
  if (name === "*") return caller.service === undefined;
  const [, account] = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(name) ?? [];
  return account === undefined ? name === caller.arn : accountOf(caller) === account;
}

/** The account of a caller, twelve digits. */
export function accountOf({ arn }: Caller): string | undefined {
  return arn?.split(":")[4];
}
