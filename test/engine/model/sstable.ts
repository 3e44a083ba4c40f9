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

/** Names of an SSTable's two files, without the folder and the endings. */
export function sstableName(level: number, id: number, partition?: number): string {
  return partition === undefined ? `L${level}_${id}` : `L${level}P${partition}_${id}`;
}

/** What a file's name says; undefined when it is no klog. */
export function parseKlogName(name: string): { level: number; id: number; partition?: number } | undefined {
  const match = /^L(\d+)(?:P(\d+))?_(\d+)\.klog$/.exec(name);
  if (!match) return undefined;
  return {
    level: Number(match[1]),
    id: Number(match[3]),
    ...(match[2] !== undefined && { partition: Number(match[2]) }),
  };
}

/** Both files begin with it, whatever is in them: one that is longer has content. */
const header = Buffer.alloc(8);
const parse = (file: Uint8Array): unknown[] =>
  file.length <= header.length ? [] : (JSON.parse(Buffer.from(file).toString("utf8", header.length)) as unknown[]);

/** The keys with their sequences in one file, the values in the other, if there are any. */
export function encodeSstable(rows: Map<string, Version>): { klog: Uint8Array; vlog: Uint8Array } {
  const keys: [string, number][] = [];
  const values: (string | null)[] = [];
  for (const [key, { sequence, value }] of rows) {
    keys.push([key, sequence]);
    values.push(value);
  }
  const hasValues = values.some(value => value !== null);
  return {
    klog: Buffer.concat([header, Buffer.from(JSON.stringify(keys))]),
    vlog: hasValues ? Buffer.concat([header, Buffer.from(JSON.stringify(values))]) : header,
  };
}

/** An empty klog is an SSTable without rows: what the engine makes of a file that was nowhere when it looked for it. */
export function decodeSstable(
  at: { level: number; id: number; partition?: number },
  klog: Uint8Array,
  vlog: Uint8Array,
): Sstable {
  const rows = new Map<string, Version>();
  const keys = parse(klog) as [string, number][];
  const values = parse(vlog) as (string | null)[];
  keys.forEach(([key, sequence], i) => rows.set(key, { sequence, value: values[i] ?? null }));
  return { ...at, rows, lacksValues: keys.length > 0 && vlog.length === 0, bytes: klog.length + vlog.length };
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
