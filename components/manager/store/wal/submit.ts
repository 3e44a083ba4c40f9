import { randomBytes } from "node:crypto";
import { Bucket, StoreClock } from "../bucket/bucket";
import { Submission } from "../log/append";
import { BlockRecord } from "../log/changes";
import { blockKey } from "../log/keys";
import { definitionChanges, definitionWrites } from "./definitionWrites";
import { FoundDefinition } from "./definitionWatch";
import { FoundBlock } from "./scanner";

/** Data of a block from this size on get an object of their own, bytes. */
const largeBlockBytes = 2 * 1024 * 1024;
/** Bytes of blocks that are submitted together at most. */
const portionBytes = 4 * 1024 * 1024;
const uploadTimeout = 60_000;
const uploadPause = 200;

export interface SubmitOptions {
  bucket: Bucket;
  clock: StoreClock;
  epoch: number;
  submit(submission: Submission): Promise<number>;
  /** Told of blocks before they are submitted. */
  found?: (generation: number, blocks: BlockRecord[]) => void;
  /** Number of the engine's table of definitions. Absent: there is none yet. */
  definitionsNumber?: number;
  /** Definitions that the engine does not store. */
  defined?: readonly FoundDefinition[];
}

/**
 * Hands blocks to the log: in order of sequence, in portions that fit into entries. Resolves when all were handed over, so that the next ones can follow them; the log puts those together that wait at the same time.
 * @returns `durable`, which resolves when all are in the log, and rejects with Sealed
 */
export async function submitBlocks(found: FoundBlock[], options: SubmitOptions): Promise<{ durable: Promise<void> }> {
  found.sort((a, b) => a.sequence - b.sequence);
  const records = found.map(({ sequence, hash, tables, data }): BlockRecord => {
    return { sequence, size: data.length, hash, tables };
  });
  for (const generation of new Set(found.map(block => block.generation))) {
    const ofIt = records.filter((_, index) => found[index]!.generation === generation);
    options.found?.(generation, ofIt);
  }
  const appends: Promise<number>[] = [];
  const sequences = new Set(found.map(({ sequence }) => sequence));
  /** Before the first block: rows that follow have been written under them. */
  const early = (options.defined ?? []).filter(({ sequence }) => !sequences.has(sequence));
  let portion: Submission = { changes: early.map(({ change }) => change), payload: [] };
  let bytes = 0;
  const send = () => {
    if (portion.changes.length > 0) {
      const append = options.submit(portion);
      // It is waited for below; meanwhile it may fail.
      append.catch(() => undefined);
      appends.push(append);
    }
    portion = { changes: [], payload: [] };
    bytes = 0;
  };
  for (const [index, record] of records.entries()) {
    const { data, generation } = found[index]!;
    if (bytes > 0 && bytes + data.length > portionBytes) send();
    if (data.length >= largeBlockBytes) record.key = await uploadBlock(data, options);
    else {
      portion.payload.push(data);
      bytes += data.length;
    }
    const last = portion.changes.at(-1);
    if (last?.type === "blocks" && last.generation === generation) last.blocks.push(record);
    else portion.changes.push({ type: "blocks", generation, blocks: [record] });
    const { definitionsNumber: number } = options;
    if (number === undefined || !record.tables.includes(number)) continue;
    portion.changes.push(...definitionChanges(definitionWrites(data, number)));
    for (const { sequence, change } of options.defined ?? [])
      if (sequence === record.sequence) portion.changes.push(change);
  }
  send();
  const durable = Promise.all(appends).then(() => undefined);
  durable.catch(() => undefined);
  return { durable };
}

/** Under a name of its own, for as long as it takes. */
async function uploadBlock(data: Buffer, { bucket, clock, epoch }: SubmitOptions): Promise<string> {
  const key = blockKey(epoch, randomBytes(12).toString("hex"));
  for (;;) {
    try {
      // Nobody else writes under this key: what is taken was put by an attempt of which the answer was lost.
      await bucket.create(key, data, uploadTimeout);
      return key;
    } catch {
      await clock.sleep(uploadPause);
    }
  }
}
