import { type Finding, Group, group, Level, resourceCheck, stackCheck } from "./check";
import { anyType, ofAwsKind } from "./model/aws";
import { aspectOf, isBucket, policyStatementsOf } from "./model/bucket";
import { anyOf, type Field, forEach } from "./model/field";
import {
  comparedWith,
  coversAction,
  isIdentityPolicy,
  policiesOf,
  type Statement,
  statementsOf,
} from "./model/iamPolicy";

/** The four switches of a public access block. */
const publicAccessSwitches = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

const isPublicAccessBlock = ofAwsKind("s3:BucketPublicAccessBlock");
const isLifecycle = ofAwsKind("s3:BucketLifecycleConfiguration");

/** Rules of a lifecycle, as a resource of its own or as an argument of the bucket. */
function lifecycleRules(resource: Field): Field[] {
  return isBucket(resource.resource.type) ? resource.at("lifecycleRules").items : resource.at("rules").items;
}

function isEnabled(rule: Field): boolean {
  return rule.at("status").isPresent ? rule.at("status").text === "Enabled" : rule.at("enabled").flag !== false;
}

/** A rule's expiry of current objects; removing markers of deleted ones is not that. */
function currentExpiry(rule: Field): Field | undefined {
  const expirations = rule.at("expiration").items;
  return expirations
    .flatMap(expiration => [expiration.at("days"), expiration.at("date")])
    .find(field => field.isPresent);
}

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
  const wayOut =
    "Action: s3:ListBucket, s3:GetBucketLocation and s3:ListBucketMultipartUploads on the bucket; " +
    "s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on <bucket>/<prefix>*";
  const wide = actions.find(action => action === "*" || /^s3:.*\*$/.test(action));
  const dangerous = dangerousActions.find(action => coversAction(statement, action));
  const concernsS3 = actions.some(action => action === "*" || action.startsWith("s3:"));
  if (isInverted) yield { path: field.path, message: "The statement allows everything but what it names.", wayOut };
  else if (wide) yield { path: field.path, message: `The statement allows ${wide}.`, wayOut };
  else if (dangerous) yield { path: field.path, message: `The statement allows ${dangerous}.`, wayOut };
  if (concernsS3 && resources.some(resource => /^(\*|arn:[\w-]+:s3:::\*)/.test(resource))) {
    yield { path: field.path, message: "The statement holds for every bucket.", wayOut };
  }
}

/** Managed policies that give more than a deployment's own identities need. */
const fullAccessPolicy =
  /\/(AmazonS3FullAccess|AmazonEC2ContainerRegistryFullAccess|AdministratorAccess|PowerUserAccess)$/;

/** The bucket holds the only durable copy of the data. */
export const bucket = group(Group.bucket, [
  stackCheck({
    id: "bucket-encryption",
    description: "The bucket states how its objects are encrypted.",
    why: "What is stated can be audited, and does not change with the account's defaults.",
    level: Level.mandatory,
    applies: isBucket,
    *evaluateInStack(subject, _given, stack) {
      const aspect = aspectOf(subject, "BucketServerSideEncryptionConfiguration", stack);
      const rules = aspect ? aspect.at("rules").items : subject.at("serverSideEncryptionConfiguration", "rule").items;
      const algorithm = anyOf(rules, rule => rule.at("applyServerSideEncryptionByDefault", "sseAlgorithm").isPresent);
      if (algorithm) return;
      yield {
        path: "",
        message: "No encryption is configured.",
        wayOut: 'aws.s3.BucketServerSideEncryptionConfiguration with sseAlgorithm: "AES256"',
      };
    },
  }),

  stackCheck({
    id: "bucket-public-access-block",
    description: "The bucket has a public access block.",
    why: "It holds even when somebody later adds a public policy or ACL by mistake.",
    level: Level.mandatory,
    applies: isBucket,
    *evaluateInStack(subject, _given, stack) {
      if (aspectOf(subject, "BucketPublicAccessBlock", stack)) return;
      yield {
        path: "",
        message: "Nothing blocks public access.",
        wayOut: "aws.s3.BucketPublicAccessBlock with all four switches true",
      };
    },
  }),

  resourceCheck({
    id: "bucket-public-access-switches",
    description: "A public access block has all of its four switches on.",
    why: "Each of them alone leaves a way to make objects public.",
    level: Level.mandatory,
    applies: isPublicAccessBlock,
    *evaluate(block) {
      yield* forEach(publicAccessSwitches, function* (name) {
        if (block.at(name).flag === true) return;
        yield { path: name, message: `${name} is not on.`, wayOut: `${name}: true` };
      });
    },
    repair: block =>
      publicAccessSwitches
        .filter(name => !block.at(name).firstUnknown && block.at(name).flag !== true)
        .map(name => ({ path: [name], value: true })),
  }),

  stackCheck({
    id: "bucket-ownership",
    description: "The bucket's owner owns every object, and ACLs are off.",
    why: "With ACLs on, a single request can make an object public or give it to another account.",
    level: Level.mandatory,
    applies: isBucket,
    *evaluateInStack(subject, _given, stack) {
      const rule = aspectOf(subject, "BucketOwnershipControls", stack)?.at("rule", "objectOwnership");
      if (rule?.text === "BucketOwnerEnforced") return;
      yield {
        path: "",
        message: "Object ownership is not enforced.",
        wayOut: 'aws.s3.BucketOwnershipControls with rule: { objectOwnership: "BucketOwnerEnforced" }',
      };
    },
  }),

  stackCheck({
    id: "bucket-versioning",
    description: "The bucket keeps earlier versions of its objects.",
    why: "A second writer, or a person, that overwrites or deletes a file of the database can then be undone.",
    level: Level.mandatory,
    development: { level: Level.advisory },
    applies: isBucket,
    *evaluateInStack(subject, _given, stack) {
      const aspect = aspectOf(subject, "BucketVersioning", stack);
      const isOn = aspect
        ? aspect.at("versioningConfiguration", "status").text === "Enabled"
        : subject.at("versioning", "enabled").flag === true;
      if (isOn) return;
      yield {
        path: "",
        message: "Versioning is not enabled.",
        wayOut: 'aws.s3.BucketVersioning with versioningConfiguration: { status: "Enabled" }',
      };
    },
  }),

  resourceCheck({
    id: "bucket-no-expiry",
    description: "No lifecycle rule deletes or archives current objects.",
    why: "A table that nobody changed for a while consists of old objects: such a rule deletes it, file by file.",
    level: Level.mandatory,
    applies: anyType(isLifecycle, isBucket),
    *evaluate(resource) {
      yield* forEach(lifecycleRules(resource), function* (rule) {
        if (!isEnabled(rule)) return;
        const expiry = currentExpiry(rule);
        if (expiry) {
          yield {
            path: expiry.path,
            message: `Current objects are deleted (${expiry.key}: ${expiry.text}).`,
            wayOut: "expiration: { expiredObjectDeleteMarker: true }, and noncurrentVersionExpiration for old versions",
          };
        }
        const transitions = [...rule.at("transitions").items, ...rule.at("transition").items];
        const archive = transitions.find(transition =>
          /GLACIER|DEEP_ARCHIVE/.test(transition.at("storageClass").text ?? ""),
        );
        if (archive) {
          yield {
            path: archive.path,
            message: "Current objects are archived, where the engine cannot read them.",
            wayOut: "no transition to an archive class",
          };
        }
      });
    },
  }),

  stackCheck({
    id: "bucket-lifecycle",
    description: "A lifecycle removes old versions and broken uploads.",
    why: "Compaction rewrites every file again and again; without a lifecycle each former version is paid for, for ever.",
    level: Level.advisory,
    applies: isBucket,
    *evaluateInStack(subject, _given, stack) {
      const rules = lifecycleRules(aspectOf(subject, "BucketLifecycleConfiguration", stack) ?? subject).filter(
        isEnabled,
      );
      for (const [name, what, wayOut] of [
        ["noncurrentVersionExpiration", "Old versions", "noncurrentVersionExpiration: { noncurrentDays: 7 }"],
        [
          "abortIncompleteMultipartUpload",
          "Parts of broken uploads",
          "abortIncompleteMultipartUpload: { daysAfterInitiation: 1 }",
        ],
      ] as const) {
        const isThere = (rule: Field) => rule.at(name).isPresent || rule.at(`${name}Days`).isPresent;
        if (!anyOf(rules, isThere)) yield { path: "", message: `${what} are kept for ever.`, wayOut };
      }
    },
  }),

  resourceCheck({
    id: "bucket-force-destroy",
    description: "The bucket cannot be deleted with its objects in it.",
    why: "With forceDestroy one `pulumi destroy` in the wrong stack deletes the only durable copy.",
    level: Level.mandatory,
    development: { level: Level.disabled },
    applies: isBucket,
    *evaluate(subject) {
      if (subject.at("forceDestroy").flag !== true) return;
      yield { path: "forceDestroy", message: "forceDestroy is on.", wayOut: "forceDestroy: false" };
    },
    repair: subject => (subject.at("forceDestroy").flag === true ? [{ path: ["forceDestroy"], value: false }] : []),
  }),

  resourceCheck({
    id: "bucket-least-privilege",
    description: "Identities may do with a bucket what a database does, on its own bucket, and no more.",
    why: "The engine's key can be read by any of its users; what the key may not do, a thief cannot do.",
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
            wayOut: "a policy of its own, for one bucket and the actions needed",
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
        wayOut: "Allow s3:ListBucket on the bucket",
      };
    },
  }),

  stackCheck({
    id: "bucket-vpc-endpoint",
    description: "A user with an access key reaches the bucket through the VPC endpoint only.",
    why: "The engine needs a static key, which its own users can read: outside the VPC it must be worth nothing.",
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
        wayOut:
          'a Deny of s3:* in the user\'s policy with Condition { StringNotEquals: { "aws:SourceVpce": [<endpoint id>] } }',
      };
    },
  }),
]);
