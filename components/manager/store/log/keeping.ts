import { Bucket, StoreClock } from "../bucket/bucket";
import { checkpointKey, entryKey } from "./keys";
import { CheckpointPointer, LogOwner } from "./owner";
import { writeCheckpoint } from "./checkpoint";
import { changeOwner } from "./seal";
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

/**
 * Writes a checkpoint of a snapshot and points to it.
 * @returns keys of the checkpoints that nothing points to any more
 */
export async function checkpoint(bucket: Bucket, snapshot: DatabaseState, scratch: string): Promise<string[]> {
  const pointer = await writeCheckpoint(bucket, snapshot, scratch);
  let superseded: CheckpointPointer[] = [];
  await changeOwner(bucket, ({ owner }) => {
    const newest = owner.checkpoints[0];
    superseded = owner.checkpoints.slice(1);
    return newest && newest.position >= pointer.position
      ? undefined
      : { ...owner, checkpoints: [pointer, ...owner.checkpoints].slice(0, 2) };
  });
  return superseded.map(({ position }) => checkpointKey(position));
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

/**
 * Deletes what no position from `horizon` on needs. The horizon is in the owner's record before the first entry goes, and it never goes beyond the older of the last two checkpoints: who finds an entry
 * missing reads it there, and begins at a checkpoint.
 * Data go when nothing has named them since before the horizon; the log says which those are, no listing does. What the caller writes afterwards is `swept` with the horizon.
 * @returns how many objects were deleted; 0 when the horizon could not be raised
 */
export async function collectGarbage(
  bucket: Bucket,
  clock: StoreClock,
  {
    state,
    from,
    horizon,
    stillWriter,
  }: {
    state: DatabaseState;
    from: number;
    horizon: number;
    stillWriter: () => boolean;
  },
): Promise<number> {
  let raised: LogOwner | undefined;
  await changeOwner(bucket, ({ owner }) => {
    const older = owner.checkpoints.at(-1);
    if (owner.checkpoints.length < 2 || !older || horizon > older.position + 1) return undefined;
    raised = { ...owner, horizon: Math.max(owner.horizon, horizon) };
    return raised;
  });
  if (!raised) return 0;
  let deleted = 0;
  const remove = async (key: string) => {
    await bucket.delete(key, timeout);
    deleted++;
    await clock.sleep(deletionPause);
  };
  for (const { epoch, position } of deadEntries(state.seals, from, horizon)) {
    if (!stillWriter()) return deleted;
    await remove(entryKey(epoch, position));
  }
  for (const { position, key } of state.retired) {
    if (position >= horizon) continue;
    if (!stillWriter()) return deleted;
    await remove(key);
  }
  return deleted;
}
