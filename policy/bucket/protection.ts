import { Level, resourceCheck } from "../check";
import { databaseBucketCheck } from "../databaseBucketCheck";
import { ofAwsKind } from "../model/aws";
import { aspectOf, aspectsOf, databasePrefixes } from "../model/bucket";
import { anyOf, type Field, forEach } from "../model/field";
import { type Stack } from "../model/stack";

/** The four switches of a public access block. */
const publicAccessSwitches = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

const isPublicAccessBlock = ofAwsKind("s3:BucketPublicAccessBlock");

/** Rules of a bucket's lifecycle, from a resource of its own and from arguments of the bucket. */
function lifecycleRules(bucket: Field, stack: Stack): Field[] {
  const aspects = aspectsOf(bucket, "BucketLifecycleConfiguration", stack);
  return [...bucket.at("lifecycleRules").items, ...aspects.flatMap(aspect => aspect.at("rules").items)];
}

/** Whether a rule may be for objects of a database: its prefix may lie beside all of theirs. */
function reachesDatabases(rule: Field, stack: Stack): boolean {
  const places = [rule.at("prefix"), rule.at("filter", "prefix"), rule.at("filter", "and", "prefix")];
  const prefix = places.find(place => place.isPresent)?.text ?? "";
  const prefixes = stack.once(databasePrefixes);
  if (prefixes === undefined || prefixes.length === 0) return true;
  return prefixes.some(own => own.startsWith(prefix) || prefix.startsWith(own));
}

/** Storage classes that objects have to be brought back from before they can be read. */
const archiveClass = /GLACIER(?!_IR)|DEEP_ARCHIVE|ARCHIVE_ACCESS/;

/** The first thing that archives current objects: a transition of a lifecycle's rule, or a tier of Intelligent-Tiering. */
function archiving(rules: readonly Field[], tierings: readonly Field[]): Field | undefined {
  const transitions = rules.flatMap(rule => [...rule.at("transitions").items, ...rule.at("transition").items]);
  return (
    transitions.find(transition => archiveClass.test(transition.at("storageClass").text ?? "")) ??
    tierings
      .filter(tiering => tiering.at("status").text !== "Disabled")
      .flatMap(tiering => tiering.at("tierings").items)
      .find(tier => archiveClass.test(tier.at("accessTier").text ?? ""))
  );
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
  databaseBucketCheck({
    id: "bucket-encryption",
    description: "The bucket states how its objects are encrypted.",
    why: "What is stated can be audited, and does not change with the account's defaults.",
    fix: 'aws.s3.BucketServerSideEncryptionConfiguration with sseAlgorithm: "AES256"',
    level: Level.mandatory,
    *evaluateBucket(subject, _given, stack) {
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

  databaseBucketCheck({
    id: "bucket-public-access-block",
    description: "The bucket has a public access block.",
    why: "It holds even when somebody later adds a public policy or ACL by mistake.",
    fix: "aws.s3.BucketPublicAccessBlock with all four switches true",
    level: Level.mandatory,
    *evaluateBucket(subject, _given, stack) {
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

  databaseBucketCheck({
    id: "bucket-ownership",
    description: "The bucket's owner owns every object, and ACLs are off.",
    why: "With ACLs on, a single request can make an object public or give it to another account.",
    fix: 'aws.s3.BucketOwnershipControls with rule: { objectOwnership: "BucketOwnerEnforced" }',
    level: Level.mandatory,
    *evaluateBucket(subject, _given, stack) {
      const rule = aspectOf(subject, "BucketOwnershipControls", stack)?.at("rule", "objectOwnership");
      if (rule?.text === "BucketOwnerEnforced") return;
      yield {
        path: "",
        message: "Object ownership is not enforced.",
      };
    },
  }),

  databaseBucketCheck({
    id: "bucket-versioning",
    description: "The bucket keeps earlier versions of its objects.",
    why: "A second writer, or a person, that overwrites or deletes a file of the database can then be undone.",
    fix: 'aws.s3.BucketVersioning with versioningConfiguration: { status: "Enabled" }',
    level: Level.mandatory,
    development: { level: Level.advisory },
    *evaluateBucket(subject, _given, stack) {
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

  databaseBucketCheck({
    id: "bucket-no-expiry",
    description: "Nothing deletes or archives current objects.",
    why: "A table that nobody changed for a while consists of old objects: such a rule deletes it, file by file.",
    fix: "expiration: { expiredObjectDeleteMarker: true }, and noncurrentVersionExpiration for old versions",
    level: Level.mandatory,
    *evaluateBucket(subject, _given, stack) {
      const rules = lifecycleRules(subject, stack).filter(rule => isEnabled(rule) && reachesDatabases(rule, stack));
      yield* forEach(rules, function* (rule) {
        const expiry = currentExpiry(rule);
        if (!expiry) return;
        const where = `${rule.resource.name}, ${expiry.path}`;
        yield { path: "", message: `Current objects are deleted (${expiry.key}: ${expiry.text}; ${where}).` };
      });
      const archive = archiving(rules, aspectsOf(subject, "BucketIntelligentTieringConfiguration", stack));
      if (!archive) return;
      yield {
        path: "",
        message: `Current objects are archived, where the engine cannot read them (${archive.resource.name}, ${archive.path}).`,
        wayOut: "no transition to an archive class",
      };
    },
  }),

  databaseBucketCheck<{ minDays: number }>({
    id: "bucket-version-retention",
    description: "Earlier versions of objects are kept long enough to be noticed.",
    why: "Anyone who finds on Monday what was overwritten on Friday needs the versions of Thursday.",
    fix: "noncurrentVersionExpiration: { noncurrentDays: 7 }",
    level: Level.mandatory,
    development: { level: Level.disabled },
    configuration: {
      minDays: { type: "integer", minimum: 1, default: 3, description: "Least noncurrentDays of a lifecycle. Days." },
    },
    *evaluateBucket(subject, { minDays }, stack) {
      const rules = lifecycleRules(subject, stack).filter(rule => isEnabled(rule) && reachesDatabases(rule, stack));
      yield* forEach(rules, function* (rule) {
        const expiry = rule.at("noncurrentVersionExpiration");
        const days = expiry.at("noncurrentDays").isPresent ? expiry.at("noncurrentDays") : expiry.at("days");
        if (days.number === undefined || days.number >= minDays) return;
        const where = `${rule.resource.name}, ${days.path}`;
        yield { path: "", message: `Earlier versions are kept for ${days.number} d only (${where}).` };
      });
    },
  }),

  databaseBucketCheck({
    id: "bucket-lifecycle",
    description: "A lifecycle removes old versions and broken uploads.",
    why: "Compaction rewrites every file again and again; without a lifecycle every former version stays and costs money.",
    fix: "noncurrentVersionExpiration: { noncurrentDays: 7 }, and abortIncompleteMultipartUpload: { daysAfterInitiation: 1 }",
    level: Level.advisory,
    *evaluateBucket(subject, _given, stack) {
      const rules = lifecycleRules(subject, stack).filter(isEnabled);
      for (const [name, what, wayOut] of [
        ["noncurrentVersionExpiration", "Old versions", "noncurrentVersionExpiration: { noncurrentDays: 7 }"],
        [
          "abortIncompleteMultipartUpload",
          "Parts of broken uploads",
          "abortIncompleteMultipartUpload: { daysAfterInitiation: 1 }",
        ],
      ] as const) {
        const isThere = (rule: Field) => rule.at(name).isPresent || rule.at(`${name}Days`).isPresent;
        if (!anyOf(rules, isThere)) yield { path: "", message: `${what} never expire.`, wayOut };
      }
    },
  }),

  databaseBucketCheck({
    id: "bucket-force-destroy",
    description: "The bucket cannot be deleted with its objects in it.",
    why: "With forceDestroy one `pulumi destroy` in the wrong stack deletes the only durable copy.",
    fix: "forceDestroy: false",
    level: Level.mandatory,
    development: { level: Level.disabled },
    *evaluateBucket(subject) {
      if (subject.at("forceDestroy").flag !== true) return;
      yield { path: "forceDestroy", message: "forceDestroy is on." };
    },
    repair: subject => (subject.at("forceDestroy").flag === true ? [{ path: ["forceDestroy"], value: false }] : []),
  }),
];
