import { ReadOnlyReplica } from "./errors";
import { rotate } from "./flush";
import type { EngineState } from "./state";
import { encodeWalRecord, FamilyWrite } from "../formats/writeAheadLog";

/** A commit that loses the processor between its sequence and its block. Milliseconds. */
const overtakenMilliseconds = 5;

/**
 * One transaction. It is durable on this node's disk when this resolves. With `walSyncOnCommit` the whole active WAL has been sent to the bucket too: or has not,
 * three times, in which case the commit succeeds all the same.
 * @throws ReadOnlyReplica
 */
export async function commit(state: EngineState, writes: FamilyWrite[]): Promise<void> {
  if (state.replicaMode) throw new ReadOnlyReplica();
  if (writes.length === 0) return;
  const sequence = state.nextSequence++;
  const memtable = state.active;
  memtable.writers++;
  try {
    if (state.random() < state.settings.overtakenCommitProbability) await state.clock.sleep(overtakenMilliseconds);
    if (memtable.wal !== undefined) state.disk.append(memtable.wal, encodeWalRecord({ sequence, writes }));
    if (state.settings.walSyncOnCommit && memtable.wal !== undefined) await sendActiveWal(state, memtable.wal);
    for (const [family, key, value] of writes) memtable.put(family, key, { sequence, value });
  } finally {
    memtable.leave();
  }
  if (memtable !== state.active || memtable.bytes < state.settings.writeBufferBytes) return;
  const flush = rotate(state);
  if (flush) state.inBackground(flush);
}

/** The reaper's look at the active WAL, ten times a second: it goes to the upload queue when it has grown enough, whether this node is a replica or not. */
export function sendGrownWal(state: EngineState): void {
  const { walSyncThresholdBytes } = state.settings;
  const { wal } = state.active;
  if (walSyncThresholdBytes === 0 || wal === undefined) return;
  const bytes = state.disk.size(wal) ?? 0;
  if (bytes < state.lastWalSyncBytes + walSyncThresholdBytes) return;
  state.uploader.enqueue({ file: wal, generation: 0, epoch: state.primaryEpoch, bytes });
  state.lastWalSyncBytes = bytes;
}

/** Commits are sent one at a time, whatever the number of clients. */
async function sendActiveWal(state: EngineState, wal: string): Promise<void> {
  await state.committing.run(async () => {
    const bytes = state.disk.size(wal) ?? 0;
    await state.uploader.send({ file: wal, generation: 0, epoch: state.primaryEpoch, bytes });
  });
}
