import { ColumnFamily } from "./columnFamily";
import { CorruptTable, EngineCrashed, TooManySstables } from "./errors";
import { Version } from "./memtable";
import { Sstable } from "./sstable";
import type { EngineState } from "./state";

/**
 * A point read: the first place that has the key answers, in the order memtable, memtables that are being flushed, SSTables from the top level down. A memtable may
 * hold an older version than an SSTable. With `snapshot`, as in a transaction of REPEATABLE READ or SERIALIZABLE, what was replayed and not flushed is not seen.
 */
export function readRow(state: EngineState, family: ColumnFamily, key: string, snapshot = false): string | undefined {
  const immutables = state.immutables.filter(({ flushed }) => !flushed).reverse();
  for (const memtable of [state.active, ...immutables]) {
    const version = memtable.families.get(family.index)?.get(key);
    if (version && !(snapshot && version.replayed)) return version.value ?? undefined;
  }
  const found = family.find(key);
  if (found) checkValues(state, family, found.sstable);
  return found?.version.value ?? undefined;
}

/** A scan: of all versions of a key everywhere, the one with the highest sequence. With `snapshot` it reads as {@link readRow} does. */
export function scanRows(state: EngineState, family: ColumnFamily, snapshot = false): Map<string, string> {
  const open = [...state.families.values()].reduce((sum, { sstables }) => sum + sstables.length, 0);
  if (open > state.settings.maxOpenSstables) throw new TooManySstables(family.name);
  const newest = new Map<string, Version>();
  const merge = (rows: ReadonlyMap<string, Version>) => {
    for (const [key, version] of rows) {
      if (snapshot && version.replayed) continue;
      const present = newest.get(key);
      if (!present || present.sequence < version.sequence) newest.set(key, version);
    }
  };
  for (const sstable of family.sstables) {
    checkValues(state, family, sstable);
    merge(sstable.rows);
  }
  for (const memtable of [...state.immutables, state.active]) {
    const rows = memtable.families.get(family.index);
    if (rows && !memtable.flushed) merge(rows);
  }
  const result = new Map<string, string>();
  for (const [key, { value }] of newest) if (value !== null) result.set(key, value);
  return result;
}

function checkValues(state: EngineState, family: ColumnFamily, sstable: Sstable): void {
  if (!sstable.lacksValues) return;
  if (state.replicaMode) throw new CorruptTable(family.name);
  throw new EngineCrashed(`SSTable ${sstable.level}/${sstable.id} of ${family.name} has no values`);
}
