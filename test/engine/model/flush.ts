import { ColumnFamily } from "./columnFamily";
import { compactIfDue } from "./compaction";
import { Memtable } from "./memtable";
import { writeSstable } from "./sstableFiles";
import type { EngineState } from "./state";
import { emptyWal, walName } from "../formats/writeAheadLog";

/**
 * Starts a new memtable with a new WAL, one generation beyond the newest that this node knows of, and has the old one flushed. An empty memtable is not rotated.
 * On a node that followed a primary this takes the WAL past the primary's generation, and so out of reach of a primary that is not quite dead.
 * @returns the flush that it started, if any
 */
export function rotate(state: EngineState): Promise<void> | undefined {
  const old = state.active;
  if (old.isEmpty) return undefined;
  const generation = ++state.walGeneration;
  const wal = walName(generation);
  state.disk.write(wal, emptyWal);
  state.immutables.push(old);
  state.active = new Memtable(generation, wal);
  state.lastWalSyncBytes = 0;
  return flushMemtable(state, old);
}

/**
 * Writes one SSTable for each column family that has rows in it. Its WAL goes to the bucket after that, and its file is deleted when it is there: but not the file of
 * generation 0, which the uploader takes for a part of the active WAL.
 */
export async function flushMemtable(state: EngineState, memtable: Memtable): Promise<void> {
  await memtable.untilIdle();
  const flushed: ColumnFamily[] = [];
  const written = [...memtable.families].map(async ([index, rows]) => {
    const family = state.family(index);
    // Rows of a column family that this node has never heard of are dropped.
    if (!family) return;
    await writeSstable(state, family, { level: 1 }, new Map(rows));
    flushed.push(family);
  });
  await Promise.all(written);
  closeWal(state, memtable);
  memtable.markFlushed();
  state.immutables = state.immutables.filter(other => other !== memtable);
  for (const family of flushed) await compactIfDue(state, family);
}

function closeWal(state: EngineState, memtable: Memtable): void {
  const { wal, generation } = memtable;
  if (wal === undefined) return;
  memtable.wal = undefined;
  state.disk.trim(wal);
  state.uploader.enqueue({ file: wal, generation, epoch: state.primaryEpoch, bytes: 0 });
}
