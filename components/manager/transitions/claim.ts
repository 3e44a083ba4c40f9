import { randomUUID } from "node:crypto";
import { Bucket, StoreClock } from "../store/bucket/bucket";
import { UnreadableEntry } from "../store/log/entry";
import { ownerKey } from "../store/log/keys";
import { ForeignPrefix, LogOwner, readOwner } from "../store/log/owner";
import { NotKept } from "../store/log/past";
import { restoreDatabase } from "../store/log/restore";
import { createLog } from "../store/log/seal";
import { Refusal } from "../decide/view";
import { RestorePorts } from "./nodePorts";

const timeout = 4000;
/** No object has it. */
const etagOfNothing = `"${"0".repeat(32)}"`;

/** What this node is told of the bucket it is given. */
export interface ClaimOptions {
  bucket: Bucket;
  clock: StoreClock;
  databaseId: string;
  author: string;
  /** Where that is, for people: `s3://bucket/prefix`. */
  place: string;
  /** Another database, which this one begins as a copy of when the prefix is empty. */
  restore?: RestorePorts & { scratch: string };
  log?: (message: string, fields?: Record<string, unknown>) => void;
}

/**
 * Makes the log of a new database under an empty prefix, once the store has shown that it keeps both conditions; or finds that it is there.
 * @returns why this database must not touch the prefix
 * @throws when the bucket does not answer
 */
export async function claimPrefix({
  bucket,
  clock,
  databaseId,
  author,
  place,
  restore,
  log = () => undefined,
}: ClaimOptions): Promise<Refusal | undefined> {
  try {
    if (restore && !(await bucket.get(ownerKey, timeout))) {
      if (!(await keepsConditions(bucket))) return noConditions(place);
      await restoreDatabase({ ...restore, clock, databaseId, author, log });
    }
    let owner = (await readOwner(bucket, timeout))?.owner;
    if (!owner) {
      if (!(await keepsConditions(bucket))) return noConditions(place);
      await createLog(bucket, databaseId, author, clock);
      owner = (await readOwner(bucket, timeout))?.owner;
    }
    // A record without its first seal: whoever made it was ended in between.
    else if (owner.epoch === 0 && !(await bucket.get("log/0000000000/000000000000000", timeout)))
      await createLog(bucket, owner.databaseId, author, clock);
    if (!owner || owner.databaseId === databaseId) {
      if (restore && owner && !isRestoredFrom(owner, restore))
        log("the prefix has a database, which is not restored again: `restore` is ignored", { place });
      return undefined;
    }
    return {
      reason: "ForeignData",
      message: `${place} belongs to database ${owner.databaseId}, this one is ${databaseId}: give this database another prefix, or set databaseId to attach that data`,
    };
  } catch (error) {
    const refusal = asRefusal(error, place);
    if (refusal) return refusal;
    throw error;
  }
}

/** Whether an error means that the prefix is not to be touched, and no retry heals it. */
export function asRefusal(error: unknown, place: string): Refusal | undefined {
  if (error instanceof NotKept) return { reason: "NotInHistory", message: `${place}: ${error.message}` };
  if (error instanceof ForeignPrefix || error instanceof UnreadableEntry)
    return { reason: "UnknownData", message: `${place}: ${error.message}` };
  return undefined;
}

function isRestoredFrom({ restored }: LogOwner, { place, at }: RestorePorts): boolean {
  return restored?.place === place && restored.at === at;
}

function noConditions(place: string): Refusal {
  return {
    reason: "NoConditionalWrites",
    message: `${place}: the store ignores If-None-Match or If-Match, so two primaries could not be kept apart. Use a store with conditional writes`,
  };
}

async function keepsConditions(bucket: Bucket): Promise<boolean> {
  // Nodes that start together must not meet at one key: the first to delete it would make the others' conditions hold.
  const key = `conditional-write-probe/${randomUUID()}`;
  const content = Buffer.from("{}");
  await bucket.create(key, content, timeout);
  try {
    const second = await bucket.create(key, content, timeout);
    return second === "taken" && (await bucket.replace(key, content, etagOfNothing, timeout)) === undefined;
  } finally {
    await bucket.delete(key, timeout).catch(() => undefined);
  }
}
