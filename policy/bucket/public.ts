import { type Finding, Level, resourceCheck } from "../check";
import { databaseBucketCheck } from "../databaseBucketCheck";
import { allowedBy, openToStrangers } from "../iam/strangers";
import { anyType, ofAwsKind } from "../model/aws";
import { aspectOf } from "../model/bucket";
import { type Field, forEach } from "../model/field";

/** Buckets of the provider that is made from CloudFormation's resources. */
const isNativeBucket = (type: string): boolean => type === "aws-native:s3:Bucket";
const isNativePolicy = (type: string): boolean => type === "aws-native:s3:BucketPolicy";

/** Buckets, objects, and what says who may read them. */
const holdsObjects = ofAwsKind(
  "s3:Bucket",
  "s3:BucketPolicy",
  "s3:BucketAcl",
  "s3:BucketObject",
  "s3:BucketObjectv2",
  "s3:ObjectCopy",
);

/** ACLs that let others than the owner in (Amazon S3, "Canned ACL"). */
const publicAcl = /^(?:public-?read(?:-?write)?|authenticated-?read)$/i;
/** Groups of everybody, and of everybody with any account. */
const groupOfStrangers = /\/groups\/global\/(?:AllUsers|AuthenticatedUsers)$/;

/** Where a resource says who may read its objects. */
function aclFindings(resource: Field): Finding[] {
  const canned = ["acl", "accessControl"]
    .map(name => resource.at(name))
    .filter(({ text }) => publicAcl.test(text ?? ""));
  const grants = [...resource.at("accessControlPolicy", "grants").items, ...resource.at("grants").items];
  const toStrangers = grants
    .map(grant => [grant.at("grantee", "uri"), grant.at("uri")].find(({ text }) => groupOfStrangers.test(text ?? "")))
    .filter(uri => uri !== undefined);
  return [...canned, ...toStrangers].map(({ path, text }) => ({
    path,
    message: `The ACL lets strangers in (${text}).`,
  }));
}

/** Who is let in at all. */
export const publicChecks = [
  resourceCheck({
    id: "bucket-not-public",
    description: "No bucket and no object of any program lets strangers in, by its policy or its ACL.",
    why: "What is public is found and copied by machines that look for nothing else.",
    fix: 'acl: "private", and a policy whose Principal names those who need it; a web site is served through CloudFront with an origin access control',
    level: Level.mandatory,
    applies: anyType(holdsObjects, isNativeBucket, isNativePolicy),
    *evaluate(resource) {
      if (!ofAwsKind("s3:BucketPolicy")(resource.resource.type)) yield* aclFindings(resource);
      yield* forEach([resource.at("policy"), resource.at("policyDocument")], function* (document) {
        const open = openToStrangers(document);
        if (!open) return;
        const wayOut = "Principal: { AWS: <the ARNs of those who need it> }, or a Condition that only they meet";
        yield { path: document.path, message: `The policy allows ${allowedBy(open)} to strangers.`, wayOut };
      });
    },
  }),

  databaseBucketCheck({
    id: "bucket-access-logs",
    description: "Requests to the bucket are logged.",
    why: "The log tells afterwards who read or deleted the database's files. It is off by default: the engine sends requests all the time, and each is a line that is paid for.",
    fix: "aws.s3.BucketLogging with targetBucket and targetPrefix",
    level: Level.disabled,
    *evaluateBucket(subject, _given, stack) {
      if (aspectOf(subject, "BucketLogging", stack) || subject.at("loggings").items.length > 0) return;
      yield { path: "", message: "Requests are not logged." };
    },
  }),
];
