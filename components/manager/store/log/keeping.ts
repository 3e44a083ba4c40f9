import { Bucket, StoreClock } from "../bucket/bucket";
import { checkpointKey, entryKey } from "./keys";
import { LogOwner } from "./owner";
import { writeCheckpoint } from "./checkpoint";
import { changeOwner } from "./seal";
import { HistoryRules, keptHistory } from "./history";
import { keysBelow } from "./listing";
import { SweptChange } from "./changes";
import { DatabaseState, Seal } from "./state";

/** A checkpoint is due after so many entries, so many bytes of them, or so many milliseconds with at least one entry. */
export const checkpointAfter = { entries: 1000, bytes: 64 * 1024 * 1024, milliseconds: 600_000 };

/** Milliseconds between two deletions: garbage is never in a hurry. */
const deletionPause = 20;
const timeout = 5000;

/** Whether it is time for a checkpoint. */
export function checkpointDue(since: { entries: number; bytes: number; milliseconds: number }): boolean {
  return (
    since.entries > 0 &&
    (since.entries >= checkpointAfter.entries ||
      since.bytes >= checkpointAfter.bytes ||
      since.milliseconds >= checkpointAfter.milliseconds)
  );
}

/** Writes a checkpoint of a snapshot and points to it. Those before the last two become history. */
export async function checkpoint(bucket: Bucket, snapshot: DatabaseState, scratch: string): Promise<void> {
  const pointer = await writeCheckpoint(bucket, snapshot, scratch);
  await changeOwner(bucket, ({ owner }) => {
    const [newest, older, ...rest] = owner.checkpoints;
    if (!newest) return { ...owner, checkpoints: [pointer] };
    if (newest.position >= pointer.position) return undefined;
    const history = [...(older ? [older] : []), ...rest, ...owner.history];
    return { ...owner, checkpoints: [pointer, newest], history };
  });
}

/**
 * The positions of entries that are never deleted: seals, and their neighbours. A number must stay taken as long as anybody may still want to write to it: the writer of a sealed epoch stands at the seal or
 * just before it.
 */
export function keptForEver(seals: readonly Seal[]): Set<number> {
  return new Set(seals.flatMap(({ position }) => [position - 1, position, position + 1]));
}

/** An entry that may be deleted. */
export interface DeadEntry {
  epoch: number;
  position: number;
}

/** The entries from `from` on that come before `horizon` and are not {@link keptForEver}. Pure. */
export function* deadEntries(seals: readonly Seal[], from: number, horizon: number): Generator<DeadEntry> {
  const kept = keptForEver(seals);
  for (let position = from; position < horizon; position++) {
    if (kept.has(position)) continue;
    // The first seal whose position is not passed yet ends the epoch that the entry is of.
    const epoch = seals.find(seal => seal.position >= position)?.epoch ?? (seals.at(-1)?.epoch ?? -1) + 1;
    yield { epoch, position };
  }
}

/** What one run of garbage collection has to know. */
export interface GarbageOptions {
  /** The log's state, up to what this writer has appended. */
  state: DatabaseState;
  /** Wall clock, or the log's time where that is behind. Milliseconds since 1970. */
  now: number;
  rules: HistoryRules;
  /** The horizon goes no further: who reads an older state has some time to come to its end. */
  latest: number;
  /** Checkpoints of the last so many milliseconds are all kept, for the same reason. */
  youngMilliseconds: number;
  stillWriter: () => boolean;
}

/** What a run has done. */
export interface Collected {
  deleted: number;
  /** To be written into the log. Absent: nothing of the log or of the data went. */
  swept?: SweptChange;
}

/**
 * Deletes what no kept position needs. What is kept stands in the owner's record before the first object goes: the horizon, never beyond the older of the last two checkpoints, and the checkpoints before it.
 * Who finds an entry missing reads the horizon there, and begins at a checkpoint.
 * Data go when no kept position names them; the log says which those are, no listing does. A checkpoint's object goes when the record has given it up; those are listed, since a process that died leaves some.
 */
export async function collectGarbage(
  bucket: Bucket,
  clock: StoreClock,
  { state, now, rules, latest, youngMilliseconds, stillWriter }: GarbageOptions,
): Promise<Collected> {
  let planned: LogOwner | undefined;
  const stands = await changeOwner(bucket, ({ owner }) => {
    const { horizon, history } = keptHistory(owner, { now, rules, latest, youngMilliseconds });
    const changed = horizon !== owner.horizon || history.length !== owner.history.length;
    planned = { ...owner, horizon, history };
    return changed ? planned : undefined;
  });
  const result: Collected = { deleted: 0 };
  if (!stands || !planned) return result;
  const { horizon, history, checkpoints } = planned;
  const kept = history.map(({ position }) => position).filter(position => position < horizon);
  const remove = async (key: string) => {
    await bucket.delete(key, timeout);
    result.deleted++;
    await clock.sleep(deletionPause);
  };
  for (const { epoch, position } of deadEntries(state.seals, state.sweptUntil, horizon)) {
    if (!stillWriter()) return result;
    await remove(entryKey(epoch, position));
  }
  for (const { key } of state.retired.unneeded(horizon, kept)) {
    if (!stillWriter()) return result;
    await remove(key);
  }
  if (result.deleted > 0) result.swept = { type: "swept", until: horizon, ...(kept.length > 0 && { kept }) };
  const [, older] = checkpoints;
  if (!older) return result;
  const named = new Set(history.map(({ position }) => checkpointKey(position)));
  for await (const key of keysBelow(bucket, "checkpoint/")) {
    if (key >= checkpointKey(older.position)) break;
    if (named.has(key)) continue;
    if (!stillWriter()) return result;
    await remove(key);
  }
  return result;
}
