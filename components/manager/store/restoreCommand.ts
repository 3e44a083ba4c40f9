import { randomUUID } from "node:crypto";
import { momentForms, parseMoment } from "../../core/moment";
import { Bucket, RestorableBucket, StoreClock } from "./bucket/bucket";
import { ownerKey } from "./log/keys";
import { ForeignPrefix, LogOwner } from "./log/owner";
import { NotKept, openPast } from "./log/past";
import { objectsOf } from "./log/namedObjects";
import { readRestoreMark, restoreDatabase } from "./log/restore";

/** Milliseconds that a small request may take. */
const timeout = 10_000;
/** One name for all commands: who calls again after an end takes over at once. Of two at a time one is told that another goes on. */
const author = "tidesql restore";

/** What a new database takes from another one, and how far its folder is. */
export interface RestorePlan {
  /** The moment's position in the source, and the time of that entry, ISO 8601. Absent once the copy is complete: the source may not have the moment any more. */
  position: number;
  time?: string;
  /** To be copied. Absent once the copy is complete. */
  objects?: number;
  bytes?: number;
  /** Of the new database's folder: nothing is there; a copy of this moment was begun; it is complete; or it may not be looked at with these credentials. */
  folder: "empty" | "begun" | "complete" | "unknown";
  /** The identity that the copy has. Absent where none was begun. */
  databaseId?: string;
}

/** What `tidesql restore` works with. */
export interface RestoreCommandOptions {
  /** The database that is restored; only read. */
  source: Bucket;
  /** The new one's folder, in the same bucket. */
  target: RestorableBucket;
  /** The bucket's name. */
  bucket: string;
  sourcePrefix: string;
  targetPrefix: string;
  /** As the user wrote it: a position, a time, `latest`. */
  at: string;
  /** A file that checkpoints go through; gone afterwards. */
  scratch: string;
  clock: StoreClock;
}

/**
 * Finds out what a restore would do. It only reads.
 * @throws ForeignPrefix when the folder is in use, or is the source's; NotKept when the source does not have the moment
 */
export async function planRestore(options: RestoreCommandOptions): Promise<RestorePlan> {
  const { source, sourcePrefix, targetPrefix, at, scratch, clock } = options;
  if (sourcePrefix.startsWith(targetPrefix) || targetPrefix.startsWith(sourcePrefix))
    throw new ForeignPrefix(
      `the folder ${targetPrefix} of the new database is that of the old one, ${sourcePrefix}, or around or within it: choose another one`,
    );
  const moment = parseMoment(at);
  if (!moment) throw new NotKept(`"${at}" is no moment: write ${momentForms}`);
  const there = await lookAt(options);
  if (there.folder === "complete") return there;
  const begun = there.folder === "begun" ? { position: there.position } : moment;
  const { state } = await openPast(source, begun, scratch, clock.wall());
  let objects = 0;
  let bytes = 0;
  for (const { size } of objectsOf(state)) {
    objects++;
    bytes += size;
  }
  return { ...there, position: state.position, time: new Date(state.time).toISOString(), objects, bytes };
}

type Target = { folder: "empty" | "unknown" } | { folder: "begun" | "complete"; position: number; databaseId: string };

async function lookAt({ target, bucket, sourcePrefix, targetPrefix, at }: RestoreCommandOptions): Promise<Target> {
  const place = `s3://${bucket}/${sourcePrefix}`;
  const own = `s3://${bucket}/${targetPrefix}`;
  let first: string | undefined;
  try {
    [first] = await target.list("", "", 1, timeout);
  } catch (error) {
    // A role opens its own database's folder, and no other.
    if (/answered 403/.test((error as Error).message)) return { folder: "unknown" };
    throw error;
  }
  if (first === undefined) return { folder: "empty" };
  const object = await target.get(ownerKey, timeout);
  const owner = object && (JSON.parse(object.content.toString()) as LogOwner);
  if (owner?.restored?.place === place && owner.restored.at === at)
    return { folder: "complete", position: owner.restored.position, databaseId: owner.databaseId };
  if (owner) throw new ForeignPrefix(`${own} is not empty: it has database ${owner.databaseId}. Choose another folder`);
  const mark = await readRestoreMark(target);
  if (mark?.place === place && mark.at === at)
    return { folder: "begun", position: mark.position, databaseId: mark.databaseId };
  if (mark)
    throw new ForeignPrefix(
      `${own} is not empty: a restore of ${mark.place} at "${mark.at}" was begun there. Go on with that moment, delete what is there, or choose another folder`,
    );
  throw new ForeignPrefix(`${own} is not empty: it has ${first}. Choose another folder`);
}

/**
 * Fills the new database's folder, by copies within the object store. One that was broken off is gone on with.
 * @returns the plan with the folder complete, and the identity of the new database
 * @throws ForeignPrefix, NotKept as {@link planRestore}; ForeignPrefix, too, when the store does not copy
 */
export async function fillRestore(
  options: RestoreCommandOptions & { log: (message: string, fields?: Record<string, unknown>) => void },
): Promise<RestorePlan> {
  const { source, target, bucket, sourcePrefix, at, scratch, clock, log } = options;
  const plan = await planRestore(options);
  if (plan.folder === "complete") return plan;
  if (plan.folder === "unknown")
    throw new ForeignPrefix(
      `these credentials do not open ${options.targetPrefix}: fill it with a key of the bucket (--bucket), or leave --fill out and have the new database's own managers do it`,
    );
  await assertCopies(options);
  const databaseId = plan.databaseId ?? randomUUID();
  await restoreDatabase({
    target,
    source,
    copy: (key, size) => target.copyFrom({ bucket, prefix: sourcePrefix }, key, size),
    clock,
    scratch,
    databaseId,
    author,
    place: `s3://${bucket}/${sourcePrefix}`,
    at,
    log,
  });
  return { ...plan, folder: "complete", databaseId };
}

/** A store that takes a copy for an upload makes empty objects: one look before anything is begun. */
async function assertCopies({ target, bucket, targetPrefix }: RestoreCommandOptions): Promise<void> {
  const name = `restore-probe-${randomUUID()}`;
  const folder = "restore-probe/";
  const content = Buffer.from("copied");
  await target.create(folder + name, content, timeout);
  try {
    const isThere = await target.copyFrom({ bucket, prefix: targetPrefix + folder }, name, content.length);
    const copy = isThere ? await target.get(name, timeout) : undefined;
    if (!copy?.content.equals(content)) throw new Error("the copy is not what was copied");
  } catch (error) {
    throw new ForeignPrefix(
      `the object store does not copy objects within itself (${(error as Error).message}), which a restore needs: dump the database and load it into a new one`,
    );
  } finally {
    for (const key of [folder + name, name]) await target.delete(key, timeout).catch(() => undefined);
  }
}
