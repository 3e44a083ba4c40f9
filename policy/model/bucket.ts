import { ofAwsKind } from "./aws";
import { type Field, NotYetKnown } from "./field";
import { type Statement, statementsOf } from "./iamPolicy";
import { type Stack } from "./stack";

/** A condition on types: S3 buckets. */
export const isBucket = ofAwsKind("s3:Bucket");

/**
 * The resource that sets one aspect of a bucket (`BucketVersioning`, ...), if the program has one.
 * @throws NotYetKnown when it has one whose bucket cannot be told yet, and no other.
 */
export function aspectOf(bucket: Field, kind: string, stack: Stack): Field | undefined {
  const buckets = stack.where(isBucket);
  let unknown: NotYetKnown | undefined;
  for (const aspect of stack.where(ofAwsKind(`s3:${kind}`))) {
    try {
      if (stack.refersTo(aspect.at("bucket"), bucket, buckets, candidate => candidate.at("bucket"))) return aspect;
    } catch (error) {
      if (!(error instanceof NotYetKnown)) throw error;
      unknown ??= error;
    }
  }
  if (unknown) throw unknown;
  return undefined;
}

/** The statements of a bucket's policy, however it was given. */
export function policyStatementsOf(bucket: Field, stack: Stack): Statement[] {
  const aspect = aspectOf(bucket, "BucketPolicy", stack);
  return statementsOf(aspect ? aspect.at("policy") : bucket.at("policy"));
}
