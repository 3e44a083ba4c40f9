import { Monotonic } from "./view";

/** A table that can be compacted on demand: its primary key has one column. */
export interface CompactableTable {
  database: string;
  table: string;
  keyColumn: string;
}

/** Two compactions are so far apart, and so many times as far as the last one of the same table took: each rewrites a whole table. Milliseconds. */
const leastPause = 60_000;
const pausePerDuration = 10;

/** When a table may be compacted again after a compaction that took so long. */
export function nextCompactionAt(endedAt: Monotonic, durationMilliseconds: number): Monotonic {
  return endedAt + Math.max(leastPause, pausePerDuration * durationMilliseconds);
}

/** Its folder on the volume. */
export function familyOf({ database, table }: CompactableTable): string {
  return `${database}__${table}`;
}

/**
 * The table that most needs to be compacted; undefined when none does. Only those that are not compacted by themselves grow so far: the engine's own trigger is an SSTable with a
 * deleted row in it, so a table that only grows is never merged, and scans of it get slower with each flush.
 * @param sstables number of SSTables by the table's folder
 * @param threshold so many are too many
 * @param notBefore by the table's folder
 * @param lastAt when any table was compacted last
 */
export function tableToCompact(
  sstables: ReadonlyMap<string, number>,
  tables: CompactableTable[],
  threshold: number,
  notBefore: ReadonlyMap<string, Monotonic>,
  lastAt: Monotonic,
  now: Monotonic,
): CompactableTable | undefined {
  if (now - lastAt < leastPause) return undefined;
  const count = (table: CompactableTable) => sstables.get(familyOf(table)) ?? 0;
  return tables
    .filter(table => count(table) >= threshold)
    .filter(table => now >= (notBefore.get(familyOf(table)) ?? -Infinity))
    .sort((a, b) => count(b) - count(a))[0];
}
