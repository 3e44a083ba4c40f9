import { ofAwsKind } from "./aws";
import { type Database, databaseOf } from "./database";
import { type Field, NotYetKnown } from "./field";
import { isLongRunning } from "./kubernetes";
import { type Relation, type Stack } from "./stack";
import { type Statement, statementsOf } from "../iam/statement";

/** A condition on types: S3 buckets. */
export const isBucket = ofAwsKind("s3:Bucket");

/**
 * The resource that sets one aspect of a bucket (`BucketVersioning`, ...), if the program has one.
 * @throws NotYetKnown when it has one whose bucket cannot be told yet, and no other.
 */
export function aspectOf(bucket: Field, kind: string, stack: Stack): Field | undefined {
  return aspectsOf(bucket, kind, stack)[0];
}

/** All resources that set an aspect of a bucket which may be set several times. */
export function aspectsOf(bucket: Field, kind: string, stack: Stack): Field[] {
  let relation = aspects.get(kind);
  if (!relation) aspects.set(kind, (relation = aspect(kind)));
  return stack.related(relation, bucket);
}

const aspects = new Map<string, Relation>();

function aspect(kind: string): Relation {
  const bucket = (field: Field) => field.at("bucket");
  return { from: ofAwsKind(`s3:${kind}`), by: bucket, to: isBucket, named: bucket };
}

/** The statements of a bucket's policy, however it was given. */
export function policyStatementsOf(bucket: Field, stack: Stack): Statement[] {
  const aspect = aspectOf(bucket, "BucketPolicy", stack);
  return statementsOf(aspect ? aspect.at("policy") : bucket.at("policy"));
}

/**
 * The ARN of a bucket.
 * @throws NotYetKnown when its name is decided during the update.
 */
export function arnOf(bucket: Field): string {
  const name = bucket.at("bucket").text;
  if (name === undefined) throw new NotYetKnown(bucket.resource.urn, "bucket", "AWS gives the bucket its name");
  return `arn:aws:s3:::${name}`;
}

/** Names that only TideSQL and its engine have. */
const engineName = /tidesql|tidesdb/i;

/** Whether a bucket holds a database's data: a database of this program names it, or its own name says so. Log buckets, web sites and so on are not judged as such. */
export function isDatabaseBucket(bucket: Field, stack: Stack): boolean {
  return stack.once(databaseBuckets).has(bucket);
}

/** The buckets of this program that hold a database's data. */
export function databaseBuckets(stack: Stack): ReadonlySet<Field> {
  const buckets = stack.where(isBucket);
  const databases = stack.where(isLongRunning).flatMap(workload => known(() => databaseOf(workload, stack)) ?? []);
  const names = databases.map(database => known(() => database.settings.text("tidesdb_s3_bucket")));
  const isNamed = (bucket: Field) => {
    const name = known(() => bucket.at("bucket").text);
    return engineName.test(`${bucket.resource.name} ${name ?? ""}`) || (name !== undefined && names.includes(name));
  };
  const found = buckets.filter(bucket => isNamed(bucket) || databases.some(database => isMadeFrom(database, bucket)));
  const isOpen = found.length === 0 && names.includes(undefined) && buckets.length === 1;
  return new Set(isOpen ? buckets : found);
}

/** The prefixes under which the program's databases keep their objects; undefined when one of them is not known. */
export function databasePrefixes(stack: Stack): string[] | undefined {
  const databases = stack.where(isLongRunning).flatMap(workload => known(() => databaseOf(workload, stack)) ?? []);
  const prefixes = databases.map(database => known(() => database.settings.text("tidesdb_s3_prefix")));
  return prefixes.every(prefix => prefix !== undefined) ? prefixes : undefined;
}

/** Whether the manifests of a database were made with outputs of the bucket. */
function isMadeFrom({ workload }: Database, bucket: Field): boolean {
  return workload.resource.dependencies.includes(bucket.resource.urn);
}

function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotYetKnown) return undefined;
    throw error;
  }
}
