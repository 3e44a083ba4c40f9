import assert from "node:assert/strict";
import { BlockRecord } from "../../../../components/manager/store/log/changes";
import {
  ChangesEntry,
  decodeEntry,
  encodeEntry,
  UnreadableEntry,
} from "../../../../components/manager/store/log/entry";
import { encodeBrief, expandBrief, isBrief } from "../../../../components/manager/store/wal/briefEntry";
import { decodeDraft, DraftBox, DraftLine } from "../../../../components/manager/store/wal/drafts";
import { FoundBlock } from "../../../../components/manager/store/wal/scanner";

const bytesOfBlock = 10_000;
const block = (sequence: number, generation = 1): FoundBlock => ({
  generation,
  sequence,
  tables: [1],
  hash: 7 * sequence,
  data: Buffer.alloc(bytesOfBlock, sequence),
});
const record = ({ sequence, hash, tables, data }: FoundBlock): BlockRecord => ({
  sequence,
  hash,
  tables,
  size: data.length,
});

/** Blocks of two generations, one with an object of its own, and something else between them. */
function entryOf(first: FoundBlock[], second: FoundBlock[]): ChangesEntry {
  return {
    kind: "changes",
    epoch: 4,
    position: 12,
    nonce: "writer",
    time: 1,
    changes: [
      {
        type: "blocks",
        generation: 1,
        blocks: [...first.map(record), { ...record(block(99)), key: "blocks/4/large" }],
      },
      { type: "flushing", generation: 1 },
      { type: "blocks", generation: 2, blocks: second.map(record) },
    ],
    payload: Buffer.concat([...first, ...second].map(({ data }) => data)),
  };
}

/** A writer that tells drafts of the blocks in turn, and a node that gets them. */
function told(...portions: { blocks: FoundBlock[]; isTold: boolean; arrives?: boolean }[]) {
  const box = new DraftBox();
  let arrives = true;
  const line = new DraftLine(4, "writer", 11, bytes => arrives && box.take(decodeDraft(bytes)));
  for (const portion of portions) {
    arrives = portion.arrives ?? true;
    line.found(portion.blocks, portion.isTold);
  }
  return { line, box };
}

describe("a brief entry", () => {
  const first = [block(1), block(2)];
  const second = [block(3, 2), block(4, 2)];
  const entry = entryOf(first, second);
  const bytes = encodeEntry(entry);

  it("leaves out what drafts had, and gives the same bytes again to who has those", () => {
    const { line, box } = told({ blocks: first, isTold: true }, { blocks: second, isTold: false });
    const brief = encodeBrief(entry, bytes, line.built(entry))!;
    assert.ok(isBrief(brief) && !isBrief(bytes));
    assert.ok(bytes.length - brief.length > 1.9 * bytesOfBlock, `${brief.length} of ${bytes.length} bytes`);
    const expanded = expandBrief(brief, box.finder());
    assert.deepEqual(expanded, bytes);
    assert.deepEqual(decodeEntry("log/12", expanded, 4, 12), decodeEntry("log/12", Buffer.from(bytes), 4, 12));
  });

  it("is none where the drafts had nothing of it, and tells of each block once", () => {
    const { line } = told({ blocks: [...first, ...second], isTold: false });
    assert.equal(encodeBrief(entry, bytes, line.built(entry)), undefined);
    const { line: all } = told({ blocks: [...first, ...second], isTold: true });
    assert.deepEqual(all.built(entry).size, 4);
    assert.deepEqual(all.built(entry).size, 0, "it was in an entry");
  });

  it("gives nothing to who lacks a block, or has another of its name", () => {
    const { line, box } = told({ blocks: first, isTold: true }, { blocks: second, isTold: true, arrives: false });
    const brief = encodeBrief(entry, bytes, line.built(entry))!;
    assert.equal(expandBrief(brief, box.finder()), undefined);
    const other = Buffer.alloc(bytesOfBlock, 77);
    assert.equal(
      expandBrief(brief, name => box.finder()(name) ?? other),
      undefined,
    );
  });

  it("is no entry, and is refused when it is damaged", () => {
    const { line, box } = told({ blocks: first, isTold: true });
    const brief = encodeBrief(entry, bytes, line.built(entry))!;
    assert.throws(() => decodeEntry("log/12", brief, 4, 12), UnreadableEntry);
    const damaged = Buffer.from(brief);
    damaged[brief.length - 40]! ^= 1;
    assert.throws(() => expandBrief(damaged, box.finder()), /checksum/);
  });
});
