import { type Finding, Level, stackCheck } from "../check";
import { ordinaryContext } from "../iam/bucketRequests";
import { coversAction, Decision, decide, type Request } from "../iam/evaluate";
import { accessKeysOf, attachedPolicies, documentsIn, givesRights, policiesOf } from "../iam/identity";
import { exampleOf, hasWildcard, matchesPattern } from "../iam/pattern";
import { knownPatterns, patternsOf, type Statement, statementsOf } from "../iam/statement";
import { ofAwsKind } from "../model/aws";
import { arnOf, databaseBuckets, policyStatementsOf } from "../model/bucket";
import { anyOf, type Field, forEach } from "../model/field";
import { type Stack } from "../model/stack";

/** Actions on a bucket that a database never needs and anyone who stole its key would like. */
const dangerousActions = [
  "s3:DeleteObjectVersion",
  "s3:DeleteBucket",
  "s3:DeleteBucketPolicy",
  "s3:PutBucketPolicy",
  "s3:PutBucketAcl",
  "s3:PutObjectAcl",
  "s3:PutBucketVersioning",
  "s3:PutLifecycleConfiguration",
  "s3:PutBucketPublicAccessBlock",
  "s3:PutEncryptionConfiguration",
  "s3:PutReplicationConfiguration",
  "s3:BypassGovernanceRetention",
];

/** What a database does with its objects. */
const objectActions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];

/** Services whose actions give an identity more rights than it has. */
const servicesOfRights = /^(?:iam|organizations|sso|account):/i;

/** A bucket and an object of somebody else. A pattern that covers them holds for every bucket. */
const foreignResources = ["arn:aws:s3:::bucket-of-somebody-else", "arn:aws:s3:::bucket-of-somebody-else/object"];

/** Managed policies that give more than any one program needs. */
const fullAccessPolicy =
  /\/(?:AmazonS3FullAccess|AmazonEC2ContainerRegistryFullAccess|AdministratorAccess|PowerUserAccess|IAMFullAccess)$/;

/** What a statement allows beyond what a database does with its bucket. */
function* excessOf(statement: Statement): Generator<Finding> {
  if (!statement.allows) return;
  const { field, action, resource } = statement;
  const path = field.path;
  const patterns = action.isInverted ? [] : patternsOf(action).map(pattern => pattern.text ?? "");
  const concernsS3 = patterns.some(pattern => matchesPattern(pattern.split(":")[0]!.toLowerCase(), "s3"));
  const wide = patterns.find(pattern => isWide(pattern));
  const dangerous = dangerousActions.find(candidate => coversAction(action, candidate));
  const rights = patterns.find(pattern => servicesOfRights.test(pattern));
  if (action.isInverted || resource.isInverted)
    yield { path, message: "The statement allows everything but what it names." };
  else if (wide !== undefined) yield { path, message: `The statement allows ${wide}.` };
  else if (dangerous) yield { path, message: `The statement allows ${dangerous}.` };
  else if (rights !== undefined) yield { path, message: `The statement allows ${rights}, and with it any right.` };
  const isEvery = !resource.isInverted && isForEveryBucket(statement);
  const several = concernsS3 ? bucketPattern(statement) : undefined;
  if (isEvery && concernsS3) yield { path, message: "The statement holds for every bucket." };
  else if (several !== undefined) yield { path, message: `The statement holds for every bucket of ${several}.` };
  else if (isEvery && patterns.some(pattern => /^(?:sts:AssumeRole|kms:|secretsmanager:|ssm:)/i.test(pattern)))
    yield { path, message: "The statement holds for every role, key or secret." };
}

/** A wildcard over a whole service, or over actions of S3 that end with it. */
function isWide(pattern: string): boolean {
  const [service = "", name = ""] = pattern.toLowerCase().split(":");
  return pattern === "*" || hasWildcard(service) || name === "*" || (service === "s3" && name.endsWith("*"));
}

function isForEveryBucket({ resource }: Statement): boolean {
  return anyOf(patternsOf(resource), ({ text = "" }) =>
    foreignResources.some(foreign => matchesPattern(text, foreign)),
  );
}

/** A pattern of buckets, of which the database's is one: `arn:aws:s3:::t*\/*`. */
function bucketPattern({ resource }: Statement): string | undefined {
  return knownPatterns(resource).find(text => /^arn:[^:]*:s3:::[^/]*[*?]/.test(text));
}

/** What a statement allows that no program's identity should be allowed. */
function* everythingIn({ field, allows, action, resource, condition }: Statement): Generator<Finding> {
  if (!allows || resource.isInverted) return;
  const isEverywhere = anyOf(patternsOf(resource), ({ text }) => text !== undefined && /^(?:\*|arn:\*.*)$/.test(text));
  const wide = (action.isInverted ? [] : patternsOf(action)).find(
    ({ text }) => text !== undefined && /^(?:\*|\*:\*|s3:\*|iam:\*)$/i.test(text),
  );
  if (!isEverywhere) return;
  const wayOut = "the actions that it needs, and the ARNs on which it needs them";
  if (action.isInverted && !condition.isPresent)
    yield { path: field.path, message: "The statement allows everything but what it names.", wayOut };
  if (!wide) return;
  yield { path: field.path, message: `The statement allows ${wide.text} on everything.`, wayOut };
}

/** Whether a statement speaks of a database's bucket: its ARN, or an object in it. */
function concernsDatabase(statement: Statement, arns: readonly string[]): boolean {
  return knownPatterns(statement.resource).some(pattern =>
    arns.some(arn => pattern !== "*" && (pattern.startsWith(`${arn}/`) || matchesPattern(pattern, arn))),
  );
}

/** The ARNs of the databases' buckets, as far as they are known. */
function databaseArns(stack: Stack): string[] {
  return [...stack.once(databaseBuckets)]
    .filter(bucket => !bucket.at("bucket").firstUnknown)
    .flatMap(bucket => {
      return bucket.at("bucket").isPresent ? [arnOf(bucket)] : [];
    });
}

/** Requests for objects of a database's bucket that stand for those which a user's policies allow, from outside the VPC. */
function* objectRequests(
  user: Field,
  statements: readonly Statement[],
  stack: Stack,
): Generator<Request & { bucket: Field }> {
  const name = user.at("name");
  const caller = { arn: `arn:aws:iam::111111111111:user/${name.firstUnknown ? "user" : (name.text ?? "user")}` };
  const patterns = statements.filter(({ allows }) => allows).flatMap(({ resource }) => knownPatterns(resource));
  for (const bucket of stack.once(databaseBuckets)) {
    const arn = arnOf(bucket);
    const objects = [`${arn}/object`, ...patterns.filter(pattern => pattern.startsWith(`${arn}/`)).map(exampleOf)];
    for (const resource of objects)
      for (const action of objectActions) yield { bucket, caller, action, resource, context: ordinaryContext };
  }
}

/** Who may do what with the bucket, and from where. */
export const accessChecks = [
  stackCheck({
    id: "bucket-least-privilege",
    description:
      "A database's identities may do with its bucket only what a database does; no identity of any program may do everything, whether to all of AWS, to every bucket or to every image repository.",
    why: "A stolen key can do what its identity may, and an engine that has the bucket's key shows it to every user.",
    fix: "s3:ListBucket, s3:GetBucketLocation and s3:ListBucketMultipartUploads on the bucket; s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on <bucket>/<prefix>*",
    level: Level.mandatory,
    applies: givesRights,
    *evaluateInStack(resource, _given, stack) {
      for (const attached of attachedPolicies(resource)) {
        if (attached.firstUnknown || !fullAccessPolicy.test(attached.text ?? "")) continue;
        const policy = attached.text!.split("/").pop();
        const wayOut = "a policy of its own, for one bucket and the actions that a database needs";
        yield { path: attached.path, message: `${policy} is attached.`, wayOut };
      }
      const arns = databaseArns(stack);
      for (const document of documentsIn(resource)) {
        if (arns.length === 0 && document.firstUnknown) continue;
        const statements = statementsOf(document);
        const isOfDatabase = statements.some(statement => concernsDatabase(statement, arns));
        yield* forEach(statements, isOfDatabase ? excessOf : everythingIn);
      }
    },
  }),

  stackCheck({
    id: "bucket-list",
    description: "Anyone who may read objects of a database's bucket may list it.",
    why: "Without s3:ListBucket a missing object answers 403, which the engine takes for an error where it should see that there is none.",
    fix: "Allow s3:ListBucket on the bucket",
    level: Level.mandatory,
    applies: ofAwsKind("iam:User"),
    *evaluateInStack(user, _given, stack) {
      if (stack.once(databaseBuckets).size === 0) return;
      const statements = policiesOf(user, stack).flatMap(statementsOf);
      const inside = statements.filter(({ allows }) => allows);
      const isUnlisted = (request: Request & { bucket: Field }) =>
        request.action === "s3:GetObject" &&
        decide(inside, request) === Decision.allowed &&
        decide(inside, { ...request, action: "s3:ListBucket", resource: arnOf(request.bucket) }) !== Decision.allowed;
      if (!anyOf(objectRequests(user, statements, stack), isUnlisted)) return;
      yield { path: "", message: "The user may read objects, but not list the bucket." };
    },
  }),

  stackCheck({
    id: "bucket-vpc-endpoint",
    description: "A user with an access key reaches a database's bucket through the VPC endpoint only.",
    why: "The engine needs a static key, which its own users can read: outside the VPC it must be worth nothing.",
    fix: `a Deny of s3:* in the user's policy with Condition { StringNotEquals: { "aws:SourceVpce": [<endpoint id>] } }`,
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: ofAwsKind("iam:User"),
    *evaluateInStack(user, _given, stack) {
      if (stack.once(databaseBuckets).size === 0 || accessKeysOf(user, stack).length === 0) return;
      const statements = policiesOf(user, stack).flatMap(statementsOf);
      const worksOutside = (request: Request & { bucket: Field }) =>
        decide([...statements, ...policyStatementsOf(request.bucket, stack)], request) === Decision.allowed;
      if (!anyOf(objectRequests(user, statements, stack), worksOutside)) return;
      yield { path: "", message: "The user's access key works from anywhere." };
    },
  }),
];
