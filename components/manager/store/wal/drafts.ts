import { BlockRecord, BlocksChange } from "../log/changes";
import { ChangesEntry, Entry, isOfKind, packed, UnreadableEntry, unpacked } from "../log/entry";
import { blockName, DatabaseState } from "../log/state";
import { FoundBlock } from "./scanner";

/*
 * Drafts: what a writer has read of its WAL and not put into an entry yet, for the other nodes (rule 7 of the log in docs/store.md). A draft never stands in the bucket.
 */

/** Blocks in the order of the WAL, between two numbers of their writer's. */
export interface Draft {
  epoch: number;
  /** Of the writer's entries. */
  nonce: string;
  /** Counts on from 0; one that was not sent has a number too. */
  number: number;
  /** Whatever the writer found before the draft of this number is in entries up to `after`. */
  base: number;
  /** Position of the last entry that was built before. */
  after: number;
  blocks: FoundBlock[];
}

const magic = Buffer.from("TSQD");
/** A draft has at most so many bytes of blocks, as long as none alone is larger: such a block is not sent. */
const portionBytes = 2 * 1024 * 1024;

interface Head extends Omit<Draft, "blocks"> {
  changes: BlocksChange[];
}

/** Whether bytes are those of a draft, and of no entry. */
export function isDraft(bytes: Buffer): boolean {
  return isOfKind(magic, bytes);
}

/** A draft's bytes: as an entry's, with `TSQD` in front. */
export function encodeDraft({ blocks, ...rest }: Draft): Buffer {
  const changes: BlocksChange[] = [];
  for (const { generation, sequence, hash, tables, data } of blocks) {
    const record: BlockRecord = { sequence, size: data.length, hash, tables };
    const last = changes.at(-1);
    if (last?.generation === generation) last.blocks.push(record);
    else changes.push({ type: "blocks", generation, blocks: [record] });
  }
  const head: Head = { ...rest, changes };
  return packed(
    magic,
    head,
    blocks.map(({ data }) => data),
  );
}

/** @throws UnreadableEntry */
export function decodeDraft(bytes: Buffer): Draft {
  const { head, payload } = unpacked(magic, "a draft", bytes);
  const { changes, ...rest } = head as Head;
  let offset = 0;
  const blocks = changes.flatMap(({ generation, blocks: records }) =>
    records.map(({ sequence, size, hash, tables }): FoundBlock => {
      const data = payload.subarray(offset, offset + size);
      offset += size;
      return { generation, sequence, hash, tables, data };
    }),
  );
  if (offset !== payload.length) throw new UnreadableEntry("a draft", "says another length than it has");
  return { ...rest, blocks };
}

/** A writer's side: numbers what it finds, and knows what no entry holds yet. */
export class DraftLine {
  private number = 0;
  /** Those that an entry does not hold wholly, oldest first, by the names of their blocks. */
  private readonly open: { number: number; names: Set<string>; isTold: boolean }[] = [];
  private after: number;

  /** @param after the last position before the writer's first entry */
  constructor(
    private readonly epoch: number,
    private readonly nonce: string,
    after: number,
    private readonly send: (bytes: Buffer) => void,
  ) {
    this.after = after;
  }

  /**
   * Blocks were found, in the order of the WAL.
   * @param isTold false: they are built into an entry at once, which is pushed as a whole
   */
  found(blocks: FoundBlock[], isTold: boolean): void {
    for (const portion of portions(blocks)) {
      const number = this.number++;
      const goes = isTold && portion[0]!.data.length <= portionBytes;
      this.open.push({ number, names: new Set(portion.map(blockName)), isTold: goes });
      if (!goes) continue;
      const { epoch, nonce, after } = this;
      this.send(encodeDraft({ epoch, nonce, number, base: this.open[0]!.number, after, blocks: portion }));
    }
  }

  /** An entry was built: what it holds is pushed with it. @returns names of those of its blocks that drafts had */
  built({ position, changes }: ChangesEntry): Set<string> {
    this.after = position;
    const names = changes.flatMap(change => (change.type === "blocks" ? change.blocks.map(blockName) : []));
    const told = new Set<string>();
    for (const draft of this.open)
      for (const name of names) if (draft.names.delete(name) && draft.isTold) told.add(name);
    while (this.open[0]?.names.size === 0) this.open.shift();
    return told;
  }
}

/** Blocks that stand together, in their order; a large one alone. */
function portions(blocks: FoundBlock[]): FoundBlock[][] {
  const all: FoundBlock[][] = [];
  let bytes = Infinity;
  for (const block of blocks) {
    bytes += block.data.length;
    if (bytes <= portionBytes) all.at(-1)!.push(block);
    else {
      all.push([block]);
      bytes = block.data.length;
    }
  }
  return all;
}

/** What a node was sent of the present writer's drafts. Pure. */
export class DraftBox {
  private readonly drafts = new Map<number, Draft>();
  private epoch = -1;
  private nonce = "";
  private bytes = 0;

  /** @param mostBytes of blocks that are kept: what comes then is not, so that what is kept has no gap */
  constructor(private readonly mostBytes = 16 * 1024 * 1024) {}

  take(draft: Draft): void {
    if (draft.epoch < this.epoch) return;
    if (draft.epoch > this.epoch || draft.nonce !== this.nonce) {
      this.clear();
      this.epoch = draft.epoch;
      this.nonce = draft.nonce;
    }
    const bytes = sizeOf(draft);
    if (this.drafts.has(draft.number) || this.bytes + bytes > this.mostBytes) return;
    this.drafts.set(draft.number, draft);
    this.bytes += bytes;
  }

  /** The data of a block, by its name. */
  finder(): (name: string) => Buffer | undefined {
    const found = new Map<string, Buffer>();
    for (const { blocks } of this.drafts.values()) for (const block of blocks) found.set(blockName(block), block.data);
    return name => found.get(name);
  }

  /** Drops what the log has, for a node that is at this place. */
  prune({ epoch, position }: { epoch: number; position: number }): void {
    if (epoch > this.epoch) return this.clear();
    const base = this.newest(position)?.base ?? 0;
    for (const [number, draft] of this.drafts) {
      if (number >= base) continue;
      this.drafts.delete(number);
      this.bytes -= sizeOf(draft);
    }
  }

  /** How many drafts without a gap stand behind this place. */
  count({ epoch, position }: { epoch: number; position: number }): number {
    return epoch === this.epoch ? this.run(position).length : 0;
  }

  /**
   * What a candidate appends before it seals: all that follows the state without a gap and is in no entry.
   * @param last the last entry of the log. Only the drafts' own writer's, or the seal that made it the writer: behind another's entry something may be missing
   */
  usable(state: DatabaseState, last: Entry | undefined): FoundBlock[] {
    if (state.epoch !== this.epoch || !last || last.position !== state.position) return [];
    if (last.kind !== "seal" && last.nonce !== this.nonce) return [];
    const blocks: FoundBlock[] = [];
    for (const block of this.run(state.position).flatMap(draft => draft.blocks)) {
      // A number that the log does not know may come to mean another table.
      if (block.tables.some(table => !state.tables.has(table))) break;
      // What was released is in files, and its block must never be replayed.
      if (block.generation > state.flushedGeneration && !state.blocks.has(blockName(block))) blocks.push(block);
    }
    return blocks;
  }

  private run(position: number): Draft[] {
    const found: Draft[] = [];
    const newest = this.newest(position);
    if (!newest) return found;
    for (let number = newest.base; ; number++) {
      const draft = this.drafts.get(number);
      if (!draft || draft.after > position) return found;
      found.push(draft);
    }
  }

  /** Of those whose entries before are all in the log. */
  private newest(position: number): Draft | undefined {
    let newest: Draft | undefined;
    for (const draft of this.drafts.values())
      if (draft.after <= position && draft.number > (newest?.number ?? -1)) newest = draft;
    return newest;
  }

  private clear(): void {
    this.drafts.clear();
    this.bytes = 0;
  }
}

function sizeOf({ blocks }: Draft): number {
  return blocks.reduce((sum, { data }) => sum + data.length, 0);
}
