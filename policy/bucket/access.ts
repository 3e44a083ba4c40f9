import { type Finding, Level, resourceCheck, stackCheck } from "../check";
import { anyType, ofAwsKind } from "../model/aws";
import { isBucket, policyStatementsOf } from "../model/bucket";
import { anyOf, forEach } from "../model/field";
import {
  comparedWith,
  coversAction,
  isIdentityPolicy,
  policiesOf,
  type Statement,
  statementsOf,
} from "../model/iamPolicy";

/** Actions that a database never needs and whoever stole its key would like. */
const dangerousActions = [
  "s3:deleteobjectversion",
  "s3:deletebucket",
  "s3:deletebucketpolicy",
  "s3:putbucketpolicy",
  "s3:putbucketacl",
  "s3:putobjectacl",
  "s3:putbucketversioning",
  "s3:putlifecycleconfiguration",
  "s3:putbucketpublicaccessblock",
  "s3:putencryptionconfiguration",
  "s3:putreplicationconfiguration",
  "s3:bypassgovernanceretention",
];

function* excessOf(statement: Statement): Generator<Finding> {
  const { field, allows, actions, resources, isInverted } = statement;
  if (!allows) return;
  const wide = actions.find(action => action === "*" || /^s3:.*\*$/.test(action));
  const dangerous = dangerousActions.find(action => coversAction(statement, action));
  const concernsS3 = actions.some(action => action === "*" || action.startsWith("s3:"));
  if (isInverted) yield { path: field.path, message: "The statement allows everything but what it names." };
  else if (wide) yield { path: field.path, message: `The statement allows ${wide}.` };
  else if (dangerous) yield { path: field.path, message: `The statement allows ${dangerous}.` };
  if (concernsS3 && resources.some(resource => /^(\*|arn:[\w-]+:s3:::\*)/.test(resource))) {
    yield { path: field.path, message: "The statement holds for every bucket." };
  }
}

/** Managed policies that give more than a deployment's own identities need. */
const fullAccessPolicy =
  /\/(AmazonS3FullAccess|AmazonEC2ContainerRegistryFullAccess|AdministratorAccess|PowerUserAccess)$/;

/** Who may do what with the bucket, and from where. */
export const accessChecks = [
  resourceCheck({
    id: "bucket-least-privilege",
    description: "Identities may do with a bucket what a database does, on its own bucket, and no more.",
    why: "The engine's key can be read by any of its users; what the key may not do, a thief cannot do.",
    fix: "s3:ListBucket, s3:GetBucketLocation and s3:ListBucketMultipartUploads on the bucket; s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on <bucket>/<prefix>*",
    level: Level.mandatory,
    applies: anyType(
      isIdentityPolicy,
      ofAwsKind(
        "iam:UserPolicyAttachment",
        "iam:RolePolicyAttachment",
        "iam:GroupPolicyAttachment",
        "iam:PolicyAttachment",
      ),
    ),
    *evaluate(resource) {
      const attached = resource.at("policyArn");
      if (!isIdentityPolicy(resource.resource.type)) {
        const [, policy] = fullAccessPolicy.exec(attached.text ?? "") ?? [];
        if (policy)
          yield {
            path: "policyArn",
            message: `${policy} is attached.`,
            wayOut: "a policy of its own, for one bucket and the actions that a database needs",
          };
        return;
      }
      yield* forEach(statementsOf(resource.at("policy")), excessOf);
    },
  }),

  stackCheck({
    id: "bucket-list",
    description: "Whoever may read objects of the bucket may list it.",
    why: "Without s3:ListBucket a missing object answers 403, which the engine takes for an error where it should see that there is none.",
    fix: "Allow s3:ListBucket on the bucket",
    level: Level.mandatory,
    applies: ofAwsKind("iam:User"),
    *evaluateInStack(user, _given, stack) {
      const statements = policiesOf(user, stack)
        .flatMap(statementsOf)
        .filter(({ allows }) => allows);
      const may = (action: string) => anyOf(statements, statement => coversAction(statement, action));
      if (!may("s3:getobject") || may("s3:listbucket")) return;
      yield {
        path: "",
        message: "The user may read objects, but not list the bucket.",
      };
    },
  }),

  stackCheck({
    id: "bucket-vpc-endpoint",
    description: "A user with an access key reaches the bucket through the VPC endpoint only.",
    why: "The engine needs a static key, which its own users can read: outside the VPC it must be worth nothing.",
    fix: `a Deny of s3:* in the user's policy with Condition { StringNotEquals: { "aws:SourceVpce": [<endpoint id>] } }`,
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: ofAwsKind("iam:User"),
    *evaluateInStack(user, _given, stack) {
      const users = stack.where(ofAwsKind("iam:User"));
      const keys = stack.where(ofAwsKind("iam:AccessKey"));
      const hasKey = anyOf(keys, key => stack.refersTo(key.at("user"), user, users, candidate => candidate.at("name")));
      if (!hasKey) return;
      const own = policiesOf(user, stack).flatMap(statementsOf);
      const ofBuckets = stack.where(isBucket).flatMap(subject => policyStatementsOf(subject, stack));
      const bound = (statement: Statement) =>
        !statement.allows &&
        comparedWith(statement, ["stringnotequals", "stringnotequalsifexists"], "aws:SourceVpce").length > 0;
      if (anyOf([...own, ...ofBuckets], bound)) return;
      yield {
        path: "",
        message: "The user's access key works from anywhere.",
      };
    },
  }),
];
