import { ofAwsKind } from "./aws";
import { type Field } from "./field";
import { type Stack } from "./stack";

/** One statement of a policy document. */
export interface Statement {
  field: Field;
  allows: boolean;
  /** Lower case. Empty for a statement with NotAction. */
  actions: string[];
  resources: string[];
  /** True for NotAction or NotResource, which mean "everything but". */
  isInverted: boolean;
  conditions: Field;
}

/** The statements of a policy document, given as JSON text or as an object. */
export function statementsOf(document: Field): Statement[] {
  return document.json.at("Statement").items.map(field => ({
    field,
    allows: field.at("Effect").text === "Allow",
    actions: field.at("Action").textList.map(action => action.toLowerCase()),
    resources: field.at("Resource").textList,
    isInverted: field.at("NotAction").isPresent || field.at("NotResource").isPresent,
    conditions: field.at("Condition"),
  }));
}

/** Whether a statement grants or denies this action; wildcards count. `action` is lower case. */
export function coversAction({ actions }: Statement, action: string): boolean {
  return actions.some(
    pattern => pattern === action || (pattern.endsWith("*") && action.startsWith(pattern.slice(0, -1))),
  );
}

/** What a statement's condition compares a key with, under any of the operators. Names of operators and keys are case-insensitive in IAM. */
export function comparedWith({ conditions }: Statement, operators: readonly string[], key: string): Field[] {
  return conditions.entries
    .filter(([operator]) => operators.includes(operator.toLowerCase()))
    .flatMap(([, comparison]) => comparison.entries)
    .filter(([name]) => name.toLowerCase() === key.toLowerCase())
    .map(([, values]) => values);
}

/** A condition on types: policies that say what an identity may do, with the document in `policy`. */
export const isIdentityPolicy = ofAwsKind("iam:Policy", "iam:UserPolicy", "iam:RolePolicy", "iam:GroupPolicy");

/** The documents of the policies that a user has in this program: its own, and those attached to it. */
export function policiesOf(user: Field, stack: Stack): Field[] {
  const users = stack.where(ofAwsKind("iam:User"));
  const belongs = (field: Field) => stack.refersTo(field, user, users, candidate => candidate.at("name"));
  const own = stack.where(ofAwsKind("iam:UserPolicy")).filter(policy => belongs(policy.at("user")));
  const attachments = stack
    .where(ofAwsKind("iam:UserPolicyAttachment"))
    .filter(attachment => belongs(attachment.at("user")));
  const managed = stack.where(ofAwsKind("iam:Policy"));
  const attached = attachments.flatMap(({ resource }) =>
    managed.filter(policy => resource.dependencies.includes(policy.resource.urn)),
  );
  return [...own, ...attached].map(policy => policy.at("policy"));
}
