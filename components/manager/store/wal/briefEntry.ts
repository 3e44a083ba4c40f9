import { BlockRecord, Change } from "../log/changes";
import {
  assembled,
  ChangesEntry,
  digestBytes,
  frameOf,
  isOfKind,
  packed,
  unpacked,
  UnreadableEntry,
} from "../log/entry";
import { blockName } from "../log/state";

/*
 * An entry as it is pushed: without the blocks that the other nodes were sent as drafts. It never stands in the bucket.
 */

const magic = Buffer.from("TSQB");

interface Head {
  /** Bytes of the entry's own that stand before its payload. */
  front: number;
  /** Which of the blocks that have no object of their own are here, counted from 0. */
  here: number[];
}

/** Whether bytes are those of a brief entry. */
export function isBrief(bytes: Buffer): boolean {
  return isOfKind(magic, bytes);
}

/**
 * The entry without the blocks that were told. Its bytes: as an entry's, with `TSQB` in front, and for a payload the entry's front, its checksum and the blocks that are here.
 * @param bytes of the entry
 * @param told names of blocks
 * @returns undefined when none of them was
 */
export function encodeBrief(entry: ChangesEntry, bytes: Buffer, told: ReadonlySet<string>): Buffer | undefined {
  const here: number[] = [];
  const parts: Buffer[] = [];
  let offset = 0;
  const blocks = inlineBlocks(entry.changes);
  for (const [index, block] of blocks.entries()) {
    const data = entry.payload.subarray(offset, offset + block.size);
    offset += block.size;
    if (told.has(blockName(block))) continue;
    here.push(index);
    parts.push(data);
  }
  if (here.length === blocks.length) return undefined;
  const { front, digest } = frameOf(bytes);
  const head: Head = { front: front.length, here };
  return packed(magic, head, [front, digest, ...parts]);
}

/**
 * The entry's own bytes.
 * @param found the data of a block that was sent as part of a draft
 * @returns undefined when one is not there, or is not that of the entry
 * @throws UnreadableEntry
 */
export function expandBrief(bytes: Buffer, found: (name: string) => Buffer | undefined): Buffer | undefined {
  const { head, payload } = unpacked(magic, "a brief entry", bytes);
  const { front, here } = head as Head;
  let offset = front + digestBytes;
  if (offset > payload.length) throw new UnreadableEntry("a brief entry", "is cut off");
  const frame = { front: payload.subarray(0, front), digest: payload.subarray(front, offset) };
  const present = new Set(here);
  return assembled(frame, changes => {
    const parts: Buffer[] = [];
    for (const [index, block] of inlineBlocks(changes).entries()) {
      const isHere = present.has(index);
      const data = isHere ? payload.subarray(offset, offset + block.size) : found(blockName(block));
      if (!data) return undefined;
      if (isHere) offset += block.size;
      parts.push(data);
    }
    return parts;
  });
}

/** Those whose data are the entry's payload, in its order. */
function inlineBlocks(changes: readonly Change[]): BlockRecord[] {
  return changes.flatMap(change =>
    change.type === "blocks" ? change.blocks.filter(({ key }) => key === undefined) : [],
  );
}
