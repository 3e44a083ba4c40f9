import { Level, resourceCheck } from "../check";
import { documentsIn, givesRights } from "../iam/identity";
import { matchesPattern } from "../iam/pattern";
import { patternsOf, type Statement, statementsOf } from "../iam/statement";
import { allowedBy, openToStrangers } from "../iam/strangers";
import { ofAwsKind } from "../model/aws";
import { anyOf, type Field, forEach } from "../model/field";

/** Actions with which an identity gets rights that it does not have, when nothing says on whom (AWS, "Privilege escalation"). */
const escalatingActions = [
  "iam:AddUserToGroup",
  "iam:AttachGroupPolicy",
  "iam:AttachRolePolicy",
  "iam:AttachUserPolicy",
  "iam:CreateAccessKey",
  "iam:CreateLoginProfile",
  "iam:CreatePolicyVersion",
  "iam:PassRole",
  "iam:PutGroupPolicy",
  "iam:PutRolePolicy",
  "iam:PutUserPolicy",
  "iam:SetDefaultPolicyVersion",
  "iam:UpdateAssumeRolePolicy",
  "iam:UpdateLoginProfile",
  "sts:AssumeRole",
];

/** Identity providers of many subjects, with the condition that tells one from the other: those that organisations share, and those of clusters, whose subjects are all of their pods. */
const sharedProviders =
  /token\.actions\.githubusercontent\.com|gitlab\.com|app\.terraform\.io|oidc\.circleci\.com|oidc\.eks\.|oidc-eks/;

/** What stands before the subject itself: `repo:`, `system:serviceaccount:`. */
const kindOfSubject = /^(?:repo|project_path|organization|org|system:serviceaccount|repository|project)[:/]/;

/** Whether a pattern of subjects leaves open who it is: `*`, `repo:*`, `system:serviceaccount:*:*`. */
function isAnySubject(pattern: string): boolean {
  return /^[*?:]*$|^[*?]/.test(pattern.replace(kindOfSubject, ""));
}

/** The action with which a statement hands out rights, if it has one and nothing limits it. */
function escalation({ allows, action, resource, condition }: Statement): string | undefined {
  if (!allows || action.isInverted || resource.isInverted || condition.isPresent) return undefined;
  const isEverywhere = anyOf(
    patternsOf(resource),
    ({ text }) => text !== undefined && /^(?:\*|arn:[^:]*:iam::[^:]*:(?:\*|(?:role|user|policy)\/\*))$/.test(text),
  );
  if (!isEverywhere) return undefined;
  // What allows everything is the matter of bucket-least-privilege.
  const patterns = patternsOf(action).flatMap(({ text }) =>
    text === undefined || text === "*" ? [] : [text.toLowerCase()],
  );
  return escalatingActions.find(name => patterns.some(pattern => matchesPattern(pattern, name.toLowerCase())));
}

/** Whether a statement trusts a provider of identities without saying whose: no condition on the subject. */
function trustsAnySubject({ allows, principal, condition }: Statement): boolean {
  if (!allows || !principal) return false;
  const isShared = anyOf(principal.field.at("Federated").texts(), ({ text }) => sharedProviders.test(text ?? ""));
  const compared = condition.entries.flatMap(([, keys]) => keys.entries);
  const namesSubject = compared.some(
    ([key, values]) =>
      /:(?:sub|repository|repository_owner|namespace_path|project_path)$/i.test(key) &&
      (values.isUnknown || !values.textList.some(isAnySubject)),
  );
  return isShared && !namesSubject;
}

const openPolicy = (what: string, document: (resource: Field) => Field) =>
  function* (resource: Field) {
    const open = openToStrangers(document(resource));
    if (!open) return;
    yield { path: document(resource).path, message: `${what} allows ${allowedBy(open)} to strangers.` };
  };

/** Who may become somebody, and who may use what the cluster is built from. */
export const identityChecks = [
  resourceCheck({
    id: "cluster-role-trust",
    description: "No role of any program can be taken by strangers.",
    why: "Anyone who can name the role has its rights.",
    fix: "Principal: { AWS: <the ARNs of those who need it> } or a Service; for an identity provider, a Condition on its :sub",
    level: Level.mandatory,
    applies: ofAwsKind("iam:Role"),
    *evaluate(role) {
      const document = role.at("assumeRolePolicy");
      if (openToStrangers(document)) yield { path: document.path, message: "Anybody may take this role." };
      yield* forEach(statementsOf(document), function* (statement) {
        if (!trustsAnySubject(statement)) return;
        yield {
          path: statement.field.path || document.path,
          message: "Every subject of the identity provider may take this role.",
        };
      });
    },
  }),

  resourceCheck({
    id: "cluster-privilege-escalation",
    description: "No identity of any program may give itself rights that it does not have.",
    why: "With one of these actions on every role or user, an identity is in effect an administrator.",
    fix: "Resource: the ARNs of the roles that it needs, or a Condition such as iam:PassedToService",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: givesRights,
    *evaluate(resource) {
      for (const document of documentsIn(resource)) {
        yield* forEach(statementsOf(document), function* (statement) {
          const action = escalation(statement);
          if (action !== undefined)
            yield { path: statement.field.path, message: `${action} is allowed on everything.` };
        });
      }
    },
  }),

  resourceCheck({
    id: "cluster-key-policy",
    description: "No KMS key of any program can be used by strangers.",
    why: "Anyone who may use the key reads what it protects.",
    fix: "Principal: { AWS: <the ARNs of those who need it> }, or a Condition on kms:CallerAccount",
    level: Level.mandatory,
    applies: ofAwsKind("kms:Key", "kms:KeyPolicy"),
    evaluate: openPolicy("The key's policy", key => key.at("policy")),
  }),

  resourceCheck({
    id: "cluster-image-repository-policy",
    description: "No image repository of any program is open to strangers.",
    why: "A stranger who can push an image runs code in the cluster; one who can pull it has the program.",
    fix: "Principal: { AWS: <the ARNs of those who need it> }",
    level: Level.mandatory,
    applies: ofAwsKind("ecr:RepositoryPolicy"),
    evaluate: openPolicy("The repository's policy", repository => repository.at("policy")),
  }),

  resourceCheck({
    id: "cluster-key-deletion",
    description: "A KMS key waits 30 days before it is deleted.",
    why: "What it protects is gone with it; until then the deletion can be taken back.",
    fix: "deletionWindowInDays: 30",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: ofAwsKind("kms:Key"),
    *evaluate(key) {
      const days = key.at("deletionWindowInDays");
      if (days.number === undefined || days.number >= 30) return;
      yield { path: days.path, message: `The key is deleted after ${days.number} days.` };
    },
    repair: key => {
      const days = key.at("deletionWindowInDays");
      return !days.firstUnknown && (days.number ?? 30) < 30 ? [{ path: days.keys, value: 30 }] : [];
    },
  }),

  resourceCheck({
    id: "cluster-log-retention",
    description: "Log groups of any program expire.",
    why: "Logs that never expire cost more every month, and keep personal data that has to be deleted one day.",
    fix: "retentionInDays: 90",
    level: Level.advisory,
    development: { level: Level.disabled },
    applies: ofAwsKind("cloudwatch:LogGroup"),
    *evaluate(group) {
      const days = group.at("retentionInDays");
      if ((days.number ?? 0) > 0) return;
      yield { path: days.path, message: "The logs never expire." };
    },
  }),
];
