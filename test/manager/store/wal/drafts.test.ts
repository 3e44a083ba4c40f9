import assert from "node:assert/strict";
import {
  encodeEntry,
  decodeEntry,
  ChangesEntry,
  SealEntry,
  UnreadableEntry,
} from "../../../../components/manager/store/log/entry";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { decodeDraft, DraftBox, DraftLine, isDraft } from "../../../../components/manager/store/wal/drafts";
import { FoundBlock } from "../../../../components/manager/store/wal/scanner";

const block = (sequence: number, generation = 1, table = 1, bytes = 4): FoundBlock => ({
  generation,
  sequence,
  tables: [table],
  hash: 7 * sequence,
  data: Buffer.alloc(bytes, sequence),
});

/** A writer, a candidate, and the log between them. */
function pair() {
  const seal: SealEntry = { kind: "seal", epoch: 0, position: 0, nonce: "s", time: 1, nextEpoch: 1, author: "a" };
  const state = new DatabaseState();
  state.apply(seal);
  let last: SealEntry | ChangesEntry = seal;
  const box = new DraftBox();
  /** What is on its way to the candidate. */
  const sent: Buffer[] = [];
  const line = new DraftLine(1, "writer", 0, bytes => sent.push(bytes));
  const entry = (found: FoundBlock[], changes: ChangesEntry["changes"] = [], nonce = "writer"): ChangesEntry => {
    const blocks = found.map(({ sequence, hash, tables, data }) => ({ sequence, hash, tables, size: data.length }));
    return {
      kind: "changes",
      epoch: 1,
      position: state.position + 1,
      nonce,
      time: 1,
      changes: [
        ...changes,
        ...(blocks.length > 0 ? [{ type: "blocks" as const, generation: found[0]!.generation, blocks }] : []),
      ],
      payload: Buffer.concat(found.map(({ data }) => data)),
    };
  };
  const apply = (applied: ChangesEntry) => {
    state.apply(applied);
    last = applied;
  };
  /** The writer builds an entry, and it is in the log. */
  const append = (...given: Parameters<typeof entry>) => {
    const built = entry(...given);
    line.built(built);
    apply(built);
  };
  append([], [{ type: "table", number: 1, name: "t" }]);
  return {
    state,
    box,
    line,
    entry,
    apply,
    append,
    /** The candidate is sent what was sent, but for those at these places. */
    deliver: (...without: number[]) =>
      sent.splice(0).forEach((bytes, index) => without.includes(index) || box.take(decodeDraft(bytes))),
    usable: () => box.usable(state, last).map(({ sequence }) => sequence),
  };
}

describe("drafts of what no entry holds yet", () => {
  it("come as they were sent, and are no entries", () => {
    const sent: Buffer[] = [];
    const line = new DraftLine(3, "n", 7, bytes => sent.push(bytes));
    line.found([block(1), block(2, 2), block(4)], true);
    const draft = decodeDraft(sent[0]!);
    assert.deepEqual(draft, {
      epoch: 3,
      nonce: "n",
      number: 0,
      base: 0,
      after: 7,
      blocks: [block(1), block(2, 2), block(4)],
    });
    assert.ok(isDraft(sent[0]!));
    assert.throws(() => decodeEntry("log/1", sent[0]!, 3, 7), /is not an entry of this log/);
    const real = encodeEntry(pair().entry([block(1)]));
    assert.ok(!isDraft(real));
    assert.throws(() => decodeDraft(real), UnreadableEntry);
    sent[0]![30]! ^= 1;
    assert.throws(() => decodeDraft(Buffer.from(sent[0]!)), /checksum/);
  });

  it("are what a candidate appends: what the log has not, in order", () => {
    const { line, deliver, usable, append, state } = pair();
    line.found([block(1)], true);
    line.found([block(2)], true);
    deliver();
    assert.deepEqual(usable(), [1, 2]);
    append([block(1), block(2)]);
    assert.deepEqual(usable(), [], "the entry came, and no draft after it");
    line.found([block(3)], true);
    deliver();
    assert.deepEqual(usable(), [3]);
    assert.equal(state.position, 2);
  });

  it("count up to a gap only: a later commit may rest on an earlier one", () => {
    const { line, deliver, usable, append } = pair();
    for (const sequence of [1, 2, 3]) line.found([block(sequence)], true);
    deliver(1);
    assert.deepEqual(usable(), [1]);
    append([block(1), block(2)]);
    line.found([block(4)], true);
    deliver();
    assert.deepEqual(usable(), [3, 4], "the entry holds what the gap was");
  });

  it("count behind their own writer's entries only, and never before those that they follow", () => {
    const { line, deliver, usable, entry, apply } = pair();
    // Built and pushed, but this node did not get it: what stands before the draft is in it.
    line.found([block(1)], false);
    const lost = entry([block(1)]);
    line.built(lost);
    line.found([block(2)], true);
    deliver();
    assert.deepEqual(usable(), []);
    apply(entry([], [], "another candidate"));
    assert.deepEqual(usable(), [], "the entry at its position is not the one that it follows");
    const { line: alone, deliver: send, usable: found, append: grow } = pair();
    alone.found([block(1)], false);
    alone.found([block(2)], true);
    send();
    assert.deepEqual(found(), [], "1 is in no entry yet, and was not sent");
    grow([block(1)]);
    assert.deepEqual(found(), [], "it begins at what was not sent");
    alone.found([block(3)], true);
    send();
    assert.deepEqual(found(), [2, 3]);
  });

  it("never bring back what was released, nor rows of a number that the log does not know", () => {
    const { line, deliver, usable, append } = pair();
    line.found([block(1), block(2)], true);
    deliver();
    append([block(1), block(2)]);
    append([], [{ type: "flushed", generation: 1 }]);
    assert.deepEqual(usable(), []);
    line.found([block(3, 2), block(4, 2, 9), block(5, 2)], true);
    deliver();
    assert.deepEqual(usable(), [3]);
  });

  it("are forgotten when their epoch is over or another writes, and bounded", () => {
    const { line, deliver, usable, box, state } = pair();
    line.found([block(1)], true);
    deliver();
    box.prune({ epoch: 2, position: 1 });
    assert.deepEqual(usable(), []);
    const small = new DraftBox(10);
    const sent: Buffer[] = [];
    const long = new DraftLine(1, "writer", state.position, bytes => sent.push(bytes));
    for (let sequence = 1; sequence < 6; sequence++) long.found([block(sequence)], true);
    for (const bytes of sent) small.take(decodeDraft(bytes));
    const last = pair().entry([]);
    assert.equal(
      small.count({ epoch: 1, position: state.position }),
      2,
      "the oldest stay: without them the others are worth nothing",
    );
    assert.deepEqual(small.usable(state, { ...last, position: state.position, nonce: "writer" }).length, 2);
  });

  it("are parted, and one that is too large is not sent", () => {
    const { line, deliver, usable } = pair();
    const megabyte = 1024 * 1024;
    line.found(
      [block(1, 1, 1, 1.5 * megabyte), block(2, 1, 1, megabyte), block(3, 1, 1, 3 * megabyte), block(4)],
      true,
    );
    deliver();
    assert.deepEqual(usable(), [1, 2]);
  });
});
