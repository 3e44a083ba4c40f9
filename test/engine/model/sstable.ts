import { decodeSstable } from "../formats/sstable";
import { Version } from "./memtable";

/** A sorted, immutable file of rows, in memory. */
export interface Sstable {
  level: number;
  id: number;
  /** Part of the name of what a merge by the tree's shape has written. */
  partition?: number;
  rows: Map<string, Version>;
  /** Its keys are there and its values are not: the vlog was missing when it was loaded. */
  lacksValues: boolean;
  bytes: number;
}

/** An empty klog is an SSTable without rows: what the engine makes of a file that was nowhere when it looked for it. */
export function readSstable(
  at: { level: number; id: number; partition?: number },
  klog: Uint8Array,
  vlog: Uint8Array,
): Sstable {
  const rows = decodeSstable(klog, vlog);
  return { ...at, rows, lacksValues: rows.size > 0 && vlog.length === 0, bytes: klog.length + vlog.length };
}

/** The highest sequence in it; 0 when it is empty. */
export function maxSequence(sstable: Sstable): number {
  let max = 0;
  for (const { sequence } of sstable.rows.values()) max = Math.max(max, sequence);
  return max;
}

/** Smallest and largest key in it; undefined when it is empty. */
export function keyRange(sstable: Sstable): [string, string] | undefined {
  let range: [string, string] | undefined;
  for (const key of sstable.rows.keys()) {
    if (!range) range = [key, key];
    else if (key < range[0]) range[0] = key;
    else if (key > range[1]) range[1] = key;
  }
  return range;
}
