import { Moment, momentForms, parseMoment } from "../../../core/moment";
import { Bucket, RestorableBucket, StoreClock } from "../bucket/bucket";
import { writeCheckpoint } from "./checkpoint";
import { folderOf, ownerKey, restoreKey } from "./keys";
import { keysBelow, sizePages } from "./listing";
import { namedAmong, NamedObject, objectCount, objectsOf } from "./namedObjects";
import { ForeignPrefix, layoutVersion, LogOwner, readOwner, writeOwner } from "./owner";
import { NotKept, openPast } from "./past";
import { RetiredObjects } from "./retired";
import { DatabaseState } from "./state";

/** Milliseconds that a small request may take. */
const timeout = 5000;
/** Objects that are copied at a time. */
const copies = 8;
/** Who restores says so this often, and one who has not said so for the second time is replaced. Milliseconds. */
const beatEvery = 5000;
const silentAfter = 60_000;

/** A database that begins as another one was. */
export interface RestoreOptions {
  /** The new database's folder. */
  target: RestorableBucket;
  /** The other one's, which is only read. */
  source: Bucket;
  /** Copies an object of the source to the same key of the target. @returns false when the source does not have it */
  copy: (key: string, size: number) => Promise<boolean>;
  clock: StoreClock;
  /** A file that checkpoints go through; gone afterwards. */
  scratch: string;
  /** Of the new database. */
  databaseId: string;
  /** This node. */
  author: string;
  /** Where the source is: `s3://bucket/prefix/`. */
  place: string;
  /** As the user wrote it: a position, a time, `latest`. */
  at: string;
  log: (message: string, fields?: Record<string, unknown>) => void;
}

/** What stands in the prefix while it is being filled. Whoever replaces it on its present content goes on. */
export interface RestoreMark {
  layout: number;
  databaseId: string;
  place: string;
  at: string;
  /** What `at` was when the restore began: it stays, while the source goes on. */
  position: number;
  author: string;
  copied: number;
  objects: number;
}

/**
 * Fills an empty prefix with another database as it was, and makes it a database: all objects are copied first, then the checkpoint that names them is written, and the owner's record last. Without that
 * record nobody takes the prefix for a database. Of several nodes that try, one does it and the others wait; a restore that was broken off is gone on with, by whoever comes.
 *
 * Objects are copied and not shared: the source deletes by its own history, and knows of no other reader.
 * @returns when the owner's record is there
 * @throws ForeignPrefix when the prefix is in use or the source is of another layout; NotKept when the source does not have that moment; UnreadableEntry
 */
export async function restoreDatabase(options: RestoreOptions): Promise<void> {
  const { target, clock, databaseId, place, at, author, log } = options;
  let seen = { etag: "", at: clock.now() };
  for (;;) {
    if (await target.get(ownerKey, timeout)) return;
    const present = await target.get(restoreKey, timeout);
    const mark = present && (JSON.parse(present.content.toString()) as RestoreMark);
    if (!present || !mark) {
      await assertEmpty(target);
      const { position } = await openSource(options, wanted(at));
      const first: RestoreMark = {
        layout: layoutVersion,
        databaseId,
        place,
        at,
        position,
        author,
        copied: 0,
        objects: 0,
      };
      await target.create(restoreKey, text(first), timeout);
      continue;
    }
    if (mark.databaseId !== databaseId)
      throw new ForeignPrefix(
        `database ${mark.databaseId} is being restored into this prefix, this one is ${databaseId}: choose another prefix`,
      );
    if (present.etag !== seen.etag) seen = { etag: present.etag, at: clock.now() };
    const isOurs = mark.author === author;
    const isAsWanted = mark.place === place && mark.at === at;
    if (!isOurs && isAsWanted && clock.now() - seen.at < silentAfter) {
      await clock.sleep(beatEvery);
      continue;
    }
    // Another moment is wanted than what was begun: what is there of it already is used where it can be.
    const position = isAsWanted ? mark.position : (await openSource(options, wanted(at))).position;
    const next: RestoreMark = { ...mark, place, at, position, author };
    const etag = await target.replace(restoreKey, text(next), present.etag, timeout);
    if (etag === undefined) continue;
    log("restores another database", { from: place, at, position });
    await fill(options, next, etag);
    return;
  }
}

/** The mark of a restore that has been begun and not ended. */
export async function readRestoreMark(target: Bucket): Promise<RestoreMark | undefined> {
  const present = await target.get(restoreKey, timeout);
  return present && (JSON.parse(present.content.toString()) as RestoreMark);
}

/** Whether anything is under the prefix that is not this database's. */
async function assertEmpty(target: Bucket): Promise<void> {
  for (const folder of ["data/", "log/", "checkpoint/"])
    if ((await target.list(folder, "", 1, timeout)).length > 0)
      throw new ForeignPrefix(
        `the prefix has ${folder} and is not empty: a database is restored into an empty one. Choose another prefix`,
      );
}

async function openSource(
  { source, scratch, clock, databaseId, place }: RestoreOptions,
  moment: Moment,
): Promise<DatabaseState> {
  try {
    const { owner, state } = await openPast(source, moment, scratch, clock.wall());
    if (owner.databaseId === databaseId)
      throw new ForeignPrefix(
        `has the identity ${databaseId}, which is this database's own: leave databaseId out, and a new one is made`,
      );
    return state;
  } catch (error) {
    if (error instanceof ForeignPrefix || error instanceof NotKept)
      error.message = `${place}, to restore from: ${error.message}`;
    throw error;
  }
}

async function fill(options: RestoreOptions, mark: RestoreMark, etag: string): Promise<void> {
  const { target, scratch, databaseId, place, at, clock, log } = options;
  const { position } = mark;
  const state = await openSource(options, { position });
  const objects = objectCount(state);
  let current = { mark: { ...mark, objects }, etag };
  let beatAt = -Infinity;
  /** Says that this node is at it, and finds out whether another has taken it over. */
  let beating = false;
  const beat = async (copied: number, isLast = false) => {
    if (!isLast && (beating || clock.now() - beatAt < beatEvery)) return;
    beating = true;
    beatAt = clock.now();
    const next = { ...current.mark, copied };
    const replaced = await target.replace(restoreKey, text(next), current.etag, timeout);
    if (replaced === undefined) throw new Error("another node goes on with the restore");
    current = { mark: next, etag: replaced };
    beating = false;
    log("restores", { copied, objects });
  };
  let copied = 0;
  const queue = objectsWithPresence(target, state);
  await Promise.all(
    Array.from({ length: copies }, async () => {
      for (let next = await queue.next(); !next.done; next = await queue.next()) {
        const { key, size, isThere } = next.value;
        if (!isThere && !(await options.copy(key, size)))
          throw new NotKept(
            `${place}, to restore from: ${key} is gone, which position ${position} needs: it has left the history meanwhile. Restore a later moment into another prefix`,
          );
        copied++;
        await beat(copied);
      }
    }),
  );
  const unnamed = await compare(target, state);
  const pointer = await writeCheckpoint(target, startingState(state, unnamed), scratch);
  const begun = state.seals.at(-1)!;
  const owner: LogOwner = {
    layout: layoutVersion,
    databaseId,
    epoch: state.epoch,
    sealedAt: begun.position,
    checkpoints: [pointer],
    history: [],
    horizon: position,
    restored: { place, databaseId: (await readOwner(options.source, timeout))?.owner.databaseId ?? "", position, at },
  };
  // Only who still holds the mark makes it a database.
  await beat(copied, true);
  await writeOwner(target, owner, undefined, timeout);
  await target.delete(restoreKey, timeout);
  log("has restored", { from: place, position, objects });
}

/** Everything that the state names, and whether a restore that was broken off has copied it; one folder's keys in memory at a time. */
async function* objectsWithPresence(
  target: Bucket,
  state: DatabaseState,
): AsyncGenerator<NamedObject & { isThere: boolean }> {
  let folder = "";
  let there = new Set<string>();
  for (const { key, size } of objectsOf(state)) {
    if (folder === "" || !key.startsWith(folder)) {
      folder = folderOf(key);
      there = new Set();
      for await (const present of keysBelow(target, folder)) there.add(present);
    }
    yield { key, size, isThere: there.has(key) };
  }
}

/** The bucket has what is named, as large as it should be. @returns what it has besides, of a restore that was given up */
async function compare(target: RestorableBucket, state: DatabaseState): Promise<string[]> {
  const unnamed: string[] = [];
  let missing = objectCount(state);
  for await (const page of sizePages(target, "data/", timeout)) {
    const named = namedAmong(
      state,
      page.map(({ key }) => key),
    );
    for (const { key, size } of page) {
      const expected = named.get(key);
      if (expected === undefined) unnamed.push(key);
      else if (expected !== size) throw new Error(`${key} has ${size} bytes after it was copied, not ${expected}`);
      else missing--;
    }
  }
  if (missing > 0) throw new Error(`${missing} objects are not there after they were copied`);
  return unnamed;
}

/** The same database with a past of its own: no entry before it, nothing to be deleted but what was copied in vain. */
function startingState(state: DatabaseState, unnamed: string[]): DatabaseState {
  const start = state.snapshot();
  const { position } = state;
  start.seals.length = 0;
  start.sweptUntil = position;
  start.retired = RetiredObjects.of(unnamed.map(key => ({ position, key, since: position })));
  return start;
}

function wanted(at: string): Moment {
  const moment = parseMoment(at);
  if (!moment) throw new NotKept(`"${at}" is no moment: write ${momentForms}`);
  return moment;
}

function text(mark: RestoreMark): Buffer {
  return Buffer.from(`${JSON.stringify(mark, null, 2)}\n`);
}
