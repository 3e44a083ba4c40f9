import { type Finding, type Given, type StackCheck, stackCheck } from "./check";
import { isBucket, isDatabaseBucket } from "./model/bucket";
import { type Field } from "./model/field";
import { type Stack } from "./model/stack";

/** Declares a rule about buckets that hold a database's data; log buckets, web sites and the like satisfy it. */
export function databaseBucketCheck<C extends object = Record<string, never>>(
  check: Omit<StackCheck<C>, "applies" | "evaluateInStack"> & {
    evaluateBucket(this: void, bucket: Field, given: Given<C>, stack: Stack): Iterable<Finding>;
  },
): StackCheck<never> {
  const { evaluateBucket, ...description } = check;
  return stackCheck<C>({
    ...(description as Omit<StackCheck<C>, "applies" | "evaluateInStack">),
    applies: isBucket,
    *evaluateInStack(bucket, given, stack) {
      if (isDatabaseBucket(bucket, stack)) yield* evaluateBucket(bucket, given, stack);
    },
  });
}
