import { ColumnFamily } from "./columnFamily";
import { Version } from "./memtable";
import { keyRange, Sstable } from "./sstable";
import { commitManifest, deleteSstable, writeSstable } from "./sstableFiles";
import type { EngineState } from "./state";

/** Each level holds so many times as much as the one above. */
const levelSizeRatio = 10;

/**
 * What follows each flush of a column family: an SSTable with too many tombstones has its key range merged down, under a plain name; too many files in level 1, or a
 * full level, start a merge by the tree's shape, whose output carries a partition in its name that no manifest tells.
 */
export async function compactIfDue(state: EngineState, family: ColumnFamily): Promise<void> {
  const { tombstoneDensityTrigger, tombstoneDensityMinEntries, l1FileCountTrigger } = family.settings;
  const dense = family.sstables.find(({ rows }) => {
    if (tombstoneDensityTrigger === 0 || rows.size < tombstoneDensityMinEntries) return false;
    const tombstones = [...rows.values()].filter(({ value }) => value === null).length;
    return (10_000 * tombstones) / rows.size > tombstoneDensityTrigger;
  });
  const range = dense && keyRange(dense);
  if (range && family.levels.length > 1) await mergeRange(state, family, range);
  else if (family.level(1).length >= l1FileCountTrigger) await mergeByShape(state, family);
}

/** What OPTIMIZE TABLE does after its flush: a merge only where the tree's shape asks for one. */
export async function mergeByShape(state: EngineState, family: ColumnFamily): Promise<void> {
  const levels = family.levels.length;
  const bytes = family.sstables.reduce((sum, sstable) => sum + sstable.bytes, 0);
  const full = bytes >= family.settings.writeBufferBytes * levelSizeRatio ** (levels - 1);
  const fragmented = levels === 1 && family.level(1).length >= Math.max(2, family.settings.l1FileCountTrigger);
  if (full || fragmented) await merge(state, family, family.sstables, { level: levels, partition: 0 });
}

/** A targeted merge of all SSTables that hold keys of the range, into the lowest level. */
export async function mergeRange(
  state: EngineState,
  family: ColumnFamily,
  [smallest, largest]: [string, string],
): Promise<void> {
  const inputs = family.sstables.filter(sstable => {
    const range = keyRange(sstable);
    return range !== undefined && range[0] <= largest && range[1] >= smallest;
  });
  if (inputs.length > 0) await merge(state, family, inputs, { level: family.levels.length });
}

async function merge(
  state: EngineState,
  family: ColumnFamily,
  inputs: Sstable[],
  output: { level: number; partition?: number },
): Promise<void> {
  if (family.compacting) return;
  family.compacting = true;
  try {
    const dropTombstones = inputs.some(({ level }) => level === 1) && output.level === family.levels.length;
    const rows = mergeRows(inputs, dropTombstones ? oldestUnflushed(state, family) : 0);
    if (rows.size > 0) await writeSstable(state, family, output, rows);
    for (const input of inputs) {
      family.remove(input);
      family.manifest.remove(input.level, input.id);
    }
    await commitManifest(state, family);
    for (const input of inputs) await deleteSstable(state, family, input);
  } finally {
    family.compacting = false;
  }
}

/** The newest version of each key. Tombstones older than `droppedBefore` vanish, and with them the only trace of the deletion. */
function mergeRows(inputs: Sstable[], droppedBefore: number): Map<string, Version> {
  const rows = new Map<string, Version>();
  for (const input of inputs) {
    for (const [key, version] of input.rows) {
      const present = rows.get(key);
      if (!present || present.sequence < version.sequence) rows.set(key, version);
    }
  }
  for (const [key, { sequence, value }] of rows) if (value === null && sequence < droppedBefore) rows.delete(key);
  return rows;
}

/** A tombstone stays while a version in a memtable may be older than it. */
function oldestUnflushed(state: EngineState, family: ColumnFamily): number {
  let oldest = Infinity;
  for (const memtable of [...state.immutables, state.active]) {
    if (memtable.flushed) continue;
    for (const { sequence } of memtable.families.get(family.index)?.values() ?? []) oldest = Math.min(oldest, sequence);
  }
  return oldest;
}
