import { Bucket } from "../bucket/bucket";
import { ownerKey, restoreKey } from "./keys";

/** The version of the whole layout: which objects there are and what they mean. */
export const layoutVersion = 1;

/** Where a checkpoint is, and what it has to be. */
export interface CheckpointPointer {
  position: number;
  size: number;
  crc32: number;
  /** Of the last entry in it, milliseconds since 1970. 0: an earlier build wrote it, and it counts as old. */
  time: number;
}

/** Where a restored database comes from, for people and for `tidesql check`. */
export interface RestoredFrom {
  /** `s3://bucket/prefix/`. */
  place: string;
  databaseId: string;
  position: number;
  /** As it was asked for. */
  at: string;
}

/** The one object that is replaced. It leads to the log and never ahead of it: what it says of a seal has been in the log before. */
export interface LogOwner {
  layout: number;
  databaseId: string;
  /** Of the newest seal that its writer knew: the epoch that it began, and its position. A hint. */
  epoch: number;
  sealedAt: number;
  /** Newest first, at most two. */
  checkpoints: CheckpointPointer[];
  /**
   * Earlier checkpoints that are kept, newest first. From the horizon on every position is kept, and one of these or of `checkpoints` stands at it; before it these positions alone are. Only what the durable
   * record does not claim any more is deleted, and it never claims again what it has given up.
   */
  history: CheckpointPointer[];
  /** No entry below this position may be relied on: some of them are deleted. Raised before the first of them is. */
  horizon: number;
  /** Absent: it began empty. */
  restored?: RestoredFrom;
}

/** The prefix holds something that this manager must not touch. */
export class ForeignPrefix extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "ForeignPrefix";
  }
}

export interface OwnerObject {
  owner: LogOwner;
  etag: string;
}

/**
 * The owner's record, undefined where no log is.
 * @throws ForeignPrefix when the prefix has the former layout, a newer one, or something else
 */
export async function readOwner(bucket: Bucket, timeoutMilliseconds: number): Promise<OwnerObject | undefined> {
  const object = await bucket.get(ownerKey, timeoutMilliseconds);
  if (!object) {
    if ((await bucket.list("data/", "", 1, timeoutMilliseconds)).length === 0) return undefined;
    if (await bucket.get(restoreKey, timeoutMilliseconds))
      throw new ForeignPrefix(
        `a restore into this prefix has not finished: it goes on in the database that was given \`restore\`. To give it up, delete what is under the prefix`,
      );
    throw new ForeignPrefix(
      `the prefix has data and no ${ownerKey}: another program's, or the record was deleted. Choose another prefix, or restore ${ownerKey}`,
    );
  }
  return { owner: parseOwner(object.content.toString()), etag: object.etag };
}

/** Writes the record where `etag` is the current one. @returns the new ETag, undefined when another manager was faster */
export function writeOwner(
  bucket: Bucket,
  owner: LogOwner,
  etag: string | undefined,
  timeoutMilliseconds: number,
): Promise<string | undefined> {
  return bucket.replace(ownerKey, Buffer.from(`${JSON.stringify(owner, null, 2)}\n`), etag, timeoutMilliseconds);
}

function parseOwner(text: string): LogOwner {
  let record: Partial<LogOwner>;
  try {
    record = JSON.parse(text) as Partial<LogOwner>;
  } catch {
    throw new ForeignPrefix(`${ownerKey} is not JSON: the prefix belongs to another program`);
  }
  if (record.layout === undefined)
    throw new ForeignPrefix(
      `the prefix has the layout of an earlier release, in which the engine spoke to the bucket itself. Dump that database and load it into a new prefix; nothing here was changed`,
    );
  if (record.layout !== layoutVersion)
    throw new ForeignPrefix(
      `the prefix has layout ${record.layout}, this manager knows ${layoutVersion}: use the release that wrote it`,
    );
  const { databaseId, epoch, sealedAt, checkpoints, history, horizon, restored } = record;
  if (typeof databaseId !== "string" || !isCount(epoch) || !isCount(sealedAt) || !isCount(horizon))
    throw new ForeignPrefix(`${ownerKey} is damaged: restore its last version`);
  return {
    layout: layoutVersion,
    databaseId,
    epoch,
    sealedAt,
    checkpoints: (checkpoints ?? []).map(timed),
    history: (history ?? []).map(timed),
    horizon,
    ...(restored && { restored }),
  };
}

function timed(pointer: Omit<CheckpointPointer, "time"> & { time?: number }): CheckpointPointer {
  return { ...pointer, time: pointer.time ?? 0 };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
