import { Level, resourceCheck, stackCheck } from "../check";
import { anyType, ofAwsKind } from "../model/aws";
import { aspectOf, isBucket } from "../model/bucket";
import { anyOf, type Field, forEach } from "../model/field";

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

/** What keeps objects private, and keeps them at all. */
export const protectionChecks = [
  stackCheck({
    id: "bucket-encryption",
    description: "The bucket states how its objects are encrypted.",
    why: "What is stated can be audited, and does not change with the account's defaults.",
    fix: 'aws.s3.BucketServerSideEncryptionConfiguration with sseAlgorithm: "AES256"',
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
      };
    },
  }),

  stackCheck({
    id: "bucket-public-access-block",
    description: "The bucket has a public access block.",
    why: "It holds even when somebody later adds a public policy or ACL by mistake.",
    fix: "aws.s3.BucketPublicAccessBlock with all four switches true",
    level: Level.mandatory,
    applies: isBucket,
    *evaluateInStack(subject, _given, stack) {
      if (aspectOf(subject, "BucketPublicAccessBlock", stack)) return;
      yield {
        path: "",
        message: "Nothing blocks public access.",
      };
    },
  }),

  resourceCheck({
    id: "bucket-public-access-switches",
    description: "A public access block has all of its four switches on.",
    why: "Each of them alone leaves a way to make objects public.",
    fix: "blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets: true",
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
    fix: 'aws.s3.BucketOwnershipControls with rule: { objectOwnership: "BucketOwnerEnforced" }',
    level: Level.mandatory,
    applies: isBucket,
    *evaluateInStack(subject, _given, stack) {
      const rule = aspectOf(subject, "BucketOwnershipControls", stack)?.at("rule", "objectOwnership");
      if (rule?.text === "BucketOwnerEnforced") return;
      yield {
        path: "",
        message: "Object ownership is not enforced.",
      };
    },
  }),

  stackCheck({
    id: "bucket-versioning",
    description: "The bucket keeps earlier versions of its objects.",
    why: "A second writer, or a person, that overwrites or deletes a file of the database can then be undone.",
    fix: 'aws.s3.BucketVersioning with versioningConfiguration: { status: "Enabled" }',
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
      };
    },
  }),

  resourceCheck({
    id: "bucket-no-expiry",
    description: "No lifecycle rule deletes or archives current objects.",
    why: "A table that nobody changed for a while consists of old objects: such a rule deletes it, file by file.",
    fix: "expiration: { expiredObjectDeleteMarker: true }, and noncurrentVersionExpiration for old versions",
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
    fix: "noncurrentVersionExpiration: { noncurrentDays: 7 }, and abortIncompleteMultipartUpload: { daysAfterInitiation: 1 }",
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
    fix: "forceDestroy: false",
    level: Level.mandatory,
    development: { level: Level.disabled },
    applies: isBucket,
    *evaluate(subject) {
      if (subject.at("forceDestroy").flag !== true) return;
      yield { path: "forceDestroy", message: "forceDestroy is on." };
    },
    repair: subject => (subject.at("forceDestroy").flag === true ? [{ path: ["forceDestroy"], value: false }] : []),
  }),
];
