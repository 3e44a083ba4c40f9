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
  const entries = new Map<number | string, ManifestEntry>();
  let nextId = 0;
  for (let offset = fileHeader.length; offset < bytes.length;) {
    const frame = readFrame(bytes, offset);
    if (typeof frame === "string") break;
    offset = frame.end;
    const { data } = frame;
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    if (data[0] !== batchFormat) throw new Error(`the engine's MANIFEST has a batch of format ${data[0]}`);
    for (let at = 1; at < data.length; at += recordBytes[data[at]!]!) {
      const kind = data[at]!;
      const size = recordBytes[kind];
      if (size === undefined || at + size > data.length)
        throw new Error(`the engine's MANIFEST has a record of kind ${kind}`);
      if (kind === next) {
        nextId = Math.max(nextId, number(view, at + 1));
        continue;
      }
      const level = view.getInt32(at + 1);
      const id = number(view, at + 5);
      if (kind === remove) entries.delete(nameKey(level, id));
      else entries.set(nameKey(level, id), { level, id, entries: number(view, at + 13), bytes: number(view, at + 21) });
    }
  }
  return { entries: [...entries.values()], nextId };
}

/** A MANIFEST of one frame. */
export function writeManifest({ entries, nextId }: ManifestContent): Buffer {
  const data = Buffer.alloc(1 + entries.length * 29 + 9);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  data[0] = batchFormat;
  let at = 1;
  for (const { level, id, entries: count, bytes } of entries) {
    view.setUint8(at, add);
    view.setInt32(at + 1, level);
    writeNumber(view, at + 5, id);
    writeNumber(view, at + 13, count);
    writeNumber(view, at + 21, bytes);
    at += 29;
  }
  view.setUint8(at, next);
  writeNumber(view, at + 1, nextId);
  return Buffer.concat([fileHeader, writeFrame(data)]);
}

const wordSize = 2 ** 32;

function number(view: DataView, at: number): number {
  return view.getUint32(at) * wordSize + view.getUint32(at + 4);
}

function writeNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / wordSize));
  view.setUint32(at + 4, value % wordSize);
}

/** A name in one piece, and without text for the numbers that engines give: thousands of names come with each manifest. */
function nameKey(level: number, id: number): number | string {
  return id < 2 ** 46 && level >= 0 && level < 64 ? level * 2 ** 46 + id : `${level}/${id}`;
}
