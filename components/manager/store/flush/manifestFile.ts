import { SstableName } from "../log/changes";
import { fileHeader, readFrame, writeFrame } from "../wal/frame";

/** An SSTable as the engine's manifest names it. */
export interface ManifestEntry extends SstableName {
  entries: number;
  bytes: number;
}

export interface ManifestContent {
  entries: ManifestEntry[];
  /** The engine gives its next SSTable this number at least. */
  nextId: number;
}

const batchFormat = 1;
const add = 1;
const remove = 2;
const next = 3;
const recordBytes: Record<number, number> = { [add]: 29, [remove]: 13, [next]: 9 };

/**
 * Reads the engine's MANIFEST: frames as in a WAL, each a batch of records that add an SSTable, remove one, or say the next number. A last frame that is cut off was being written and does not count.
 * @throws when it is of another format
 */
export function readManifest(bytes: Buffer): ManifestContent {
  if (!bytes.subarray(0, 4).equals(fileHeader.subarray(0, 4)))
    throw new Error("the engine's MANIFEST has a format that this manager does not support");
  const entries = new Map<string, ManifestEntry>();
  let nextId = 0;
  for (let offset = fileHeader.length; offset < bytes.length;) {
    const frame = readFrame(bytes, offset);
    if (typeof frame === "string") break;
    offset = frame.end;
    const { data } = frame;
    if (data[0] !== batchFormat) throw new Error(`the engine's MANIFEST has a batch of format ${data[0]}`);
    for (let at = 1; at < data.length; at += recordBytes[data[at]!]!) {
      const kind = data[at]!;
      const size = recordBytes[kind];
      if (size === undefined || at + size > data.length)
        throw new Error(`the engine's MANIFEST has a record of kind ${kind}`);
      if (kind === next) {
        nextId = Math.max(nextId, number(data, at + 1));
        continue;
      }
      const level = data.readInt32BE(at + 1);
      const id = number(data, at + 5);
      if (kind === remove) entries.delete(`${level}/${id}`);
      else entries.set(`${level}/${id}`, { level, id, entries: number(data, at + 13), bytes: number(data, at + 21) });
    }
  }
  return { entries: [...entries.values()], nextId };
}

/** A MANIFEST of one frame. */
export function writeManifest({ entries, nextId }: ManifestContent): Buffer {
  const data = Buffer.alloc(1 + entries.length * 29 + 9);
  data[0] = batchFormat;
  let at = 1;
  for (const { level, id, entries: count, bytes } of entries) {
    data[at] = add;
    data.writeInt32BE(level, at + 1);
    data.writeBigUInt64BE(BigInt(id), at + 5);
    data.writeBigUInt64BE(BigInt(count), at + 13);
    data.writeBigUInt64BE(BigInt(bytes), at + 21);
    at += 29;
  }
  data[at] = next;
  data.writeBigUInt64BE(BigInt(nextId), at + 1);
  return Buffer.concat([fileHeader, writeFrame(data)]);
}

function number(data: Buffer, at: number): number {
  return data.readUInt32BE(at) * 2 ** 32 + data.readUInt32BE(at + 4);
}
