import { type Field } from "../model/field";

/** One statement of a policy document. What it says is read when it is asked for, and may not be known yet. */
export interface Statement {
  /** Where it stands, for findings. */
  readonly field: Field;
  /** False for a Deny. */
  readonly allows: boolean;
  /** Actions, `service:Name`, with wildcards; what is excepted when `action` is inverted. */
  readonly action: Element;
  readonly resource: Element;
  /** Undefined in a policy of an identity, which is its own principal. */
  readonly principal: Element | undefined;
  readonly condition: Field;
}

/** `Action` or `NotAction`, `Resource` or `NotResource`, `Principal` or `NotPrincipal`. */
export interface Element {
  /** True for the `Not...` form: everything but what is listed. */
  readonly isInverted: boolean;
  readonly field: Field;
}

/** The statements of a policy document, given as JSON text or as an object. A text that is no JSON has none. */
export function statementsOf(document: Field): Statement[] {
  return document.json.at("Statement").items.map(field => ({
    field,
    allows: field.at("Effect").text === "Allow",
    action: elementOf(field, "Action"),
    resource: elementOf(field, "Resource"),
    principal:
      isThere(field.at("Principal")) || isThere(field.at("NotPrincipal")) ? elementOf(field, "Principal") : undefined,
    condition: field.at("Condition"),
  }));
}

function elementOf(statement: Field, name: string): Element {
  const inverted = statement.at(`Not${name}`);
  return isThere(inverted) ? { isInverted: true, field: inverted } : { isInverted: false, field: statement.at(name) };
}

/** Also for a value that is not known yet: the element is there all the same. */
function isThere(field: Field): boolean {
  return field.isUnknown || field.isPresent;
}

/** The patterns of an element, each a field of its own, so that one that is not known yet does not hide the others. */
export function patternsOf({ field }: Element): Field[] {
  return Array.isArray(field.value) ? field.items : [field];
}

/** The texts of an element's patterns; what is not known yet is left out. */
export function knownPatterns(element: Element): string[] {
  return [...element.field.texts()].map(({ text }) => text ?? "");
}
