import { decodeFile, encodeFile } from "./frames";

/** An SSTable as a manifest names it: without the partition that may be in its files' names. */
export interface ManifestEntry {
  level: number;
  id: number;
  /** Rows and tombstones in it. */
  entries: number;
  /** Of both files. */
  bytes: number;
}

/** What a manifest says. */
export interface ManifestContent {
  entries: ManifestEntry[];
  /** The next SSTable's number. */
  sequence: number;
}

/** The first byte of each batch of records. */
const batchFormat = 1;
const [add, remove, next] = [1, 2, 3];
/** Of each kind of record, with the byte that says which it is. */
const recordBytes = [0, 29, 13, 9];

/** A manifest of one batch. The engine appends a batch for each change and rewrites the file now and then, which says the same. */
export function encodeManifest({ entries, sequence }: ManifestContent): Buffer {
  const data = Buffer.allocUnsafe(1 + entries.length * recordBytes[add]! + recordBytes[next]!);
  data[0] = batchFormat;
  let at = 1;
  for (const entry of entries) {
    data[at] = add!;
    data.writeInt32BE(entry.level, at + 1);
    putNumber(data, at + 5, entry.id);
    putNumber(data, at + 13, entry.entries);
    putNumber(data, at + 21, entry.bytes);
    at += recordBytes[add]!;
  }
  data[at] = next!;
  putNumber(data, at + 1, sequence);
  return encodeFile(data);
}

/** All batches, one after the other. @throws when a record is of no known kind */
export function decodeManifest(file: Uint8Array): ManifestContent {
  const entries = new Map<string, ManifestEntry>();
  let sequence = 0;
  for (const data of decodeFile(file)) {
    for (let at = 1; at < data.length; at += recordBytes[data[at]!]!) {
      const kind = data[at]!;
      if (kind === next) {
        sequence = number(data, at + 1);
        continue;
      }
      if (kind !== add && kind !== remove) throw new Error(`a manifest has a record of kind ${kind}`);
      const level = data.readInt32BE(at + 1);
      const id = number(data, at + 5);
      if (kind === remove) entries.delete(`${level} ${id}`);
      else entries.set(`${level} ${id}`, { level, id, entries: number(data, at + 13), bytes: number(data, at + 21) });
    }
  }
  return { entries: [...entries.values()], sequence };
}

function putNumber(data: Buffer, at: number, value: number): void {
  data.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  data.writeUInt32BE(value % 2 ** 32, at + 4);
}

function number(data: Buffer, at: number): number {
  return data.readUInt32BE(at) * 2 ** 32 + data.readUInt32BE(at + 4);
}
