import { decodeFile, encodeFile, fileHeader } from "./frames";

/** A row in an SSTable; a value of null: a tombstone. */
export interface SstableRow {
  sequence: number;
  value: string | null;
}

/** The last block of a klog. */
const metadataMagic = 0x5353544d;
const metadataHeadBytes = 84;
/** Behind the smallest and the largest key: tombstones, distinct keys, checksum. */
const metadataTailBytes = 24;
/** Says that the numbers of tombstones and of distinct keys are there. */
const metadataFlags = 0x02 | 0x08;

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

/**
 * The two files of an SSTable: keys and their sequences in a block of the klog, with the metadata behind it as the engine writes them; values in a block of the vlog, if there are any. What is in those two
 * blocks is the model's own: nobody but the engine reads it.
 */
export function encodeSstable(rows: ReadonlyMap<string, SstableRow>): { klog: Buffer; vlog: Buffer } {
  const keys: [string, number][] = [];
  const values: (string | null)[] = [];
  let [maxSequence, tombstones] = [0, 0];
  let smallest: string | undefined;
  let largest = "";
  for (const [key, { sequence, value }] of rows) {
    keys.push([key, sequence]);
    values.push(value);
    if (sequence > maxSequence) maxSequence = sequence;
    if (value === null) tombstones++;
    if (smallest === undefined || key < smallest) smallest = key;
    if (key > largest) largest = key;
  }
  const hasValues = tombstones < values.length;
  const data = Buffer.from(JSON.stringify(keys));
  const vlog = hasValues ? encodeFile(Buffer.from(JSON.stringify(values))) : fileHeader;
  const [smallestBytes, largestBytes] = [Buffer.from(smallest ?? ""), Buffer.from(largest)];
  const metadata = Buffer.alloc(metadataHeadBytes + smallestBytes.length + largestBytes.length + metadataTailBytes);
  metadata.writeUInt32LE(metadataMagic, 0);
  const dataEnd = fileHeader.length + 16 + data.length;
  const numbers = [
    keys.length,
    1,
    hasValues ? 1 : 0,
    dataEnd,
    dataEnd + 16 + metadata.length,
    vlog.length,
    smallestBytes.length,
    largestBytes.length,
    maxSequence,
  ];
  numbers.forEach((value, index) => putNumber(metadata, 4 + 8 * index, value));
  metadata.writeUInt32LE(metadataFlags, metadataHeadBytes - 4);
  smallestBytes.copy(metadata, metadataHeadBytes);
  largestBytes.copy(metadata, metadataHeadBytes + smallestBytes.length);
  // The checksum of the metadata, XXH64, stays zero: only the engine looks at it, and its model does not.
  const tail = metadata.length - metadataTailBytes;
  putNumber(metadata, tail, tombstones);
  putNumber(metadata, tail + 8, keys.length);
  return { klog: encodeFile(data, metadata), vlog };
}

/** An empty klog is an SSTable without rows; where the vlog has nothing every row is a tombstone. */
export function decodeSstable(klog: Uint8Array, vlog: Uint8Array): Map<string, SstableRow> {
  const rows = new Map<string, SstableRow>();
  const keys = firstBlock(klog) as [string, number][];
  const values = firstBlock(vlog) as (string | null)[];
  keys.forEach(([key, sequence], i) => rows.set(key, { sequence, value: values[i] ?? null }));
  return rows;
}

function firstBlock(file: Uint8Array): unknown[] {
  if (file.length <= fileHeader.length) return [];
  for (const data of decodeFile(file)) return JSON.parse(data.toString()) as unknown[];
  throw new Error("an SSTable's file has no whole block");
}

function putNumber(data: Buffer, at: number, value: number): void {
  data.writeUInt32LE(value % 2 ** 32, at);
  data.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}
