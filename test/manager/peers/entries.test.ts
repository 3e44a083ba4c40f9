import assert from "node:assert/strict";
import { EntryInbox, incomplete, PushedEntry } from "../../../components/manager/peers/entryInbox";
import { EntryPusher } from "../../../components/manager/peers/entryPusher";
import { ChangesEntry, encodeEntry } from "../../../components/manager/store/log/entry";
import { encodeBrief } from "../../../components/manager/store/wal/briefEntry";
import { DraftLine } from "../../../components/manager/store/wal/drafts";

const bytesOf = (epoch: number, position: number): Buffer =>
  encodeEntry({ kind: "changes", epoch, position, nonce: "n", time: 1, changes: [], payload: Buffer.alloc(0) });
const entry = (position: number, durable = -1, epoch = 3): PushedEntry => ({
  epoch,
  position,
  durable,
  bytes: bytesOf(epoch, position),
});
const word = (durable: number, epoch = 3): PushedEntry => ({
  epoch,
  position: durable,
  durable,
  bytes: Buffer.alloc(0),
});
const state = (position: number, epoch = 3) => ({ epoch, position });

describe("what was pushed to a node", () => {
  it("is applied in order, when its writer says that it is durable", () => {
    const inbox = new EntryInbox();
    inbox.take(entry(11), state(10));
    inbox.take(entry(12, 11), state(10));
    assert.deepEqual(inbox.nextDurable(state(10)), bytesOf(3, 11));
    assert.equal(inbox.nextDurable(state(11)), undefined, "12 is not known to be durable");
    inbox.take(word(12), state(11));
    assert.deepEqual(inbox.nextDurable(state(11)), bytesOf(3, 12));
  });

  it("is what a candidate appends, as far as there is no gap that matters", () => {
    const inbox = new EntryInbox();
    for (const position of [11, 12, 14]) inbox.take(entry(position), state(10));
    assert.deepEqual([...inbox.pending(state(10)).keys()], [11, 12, 14]);
    assert.equal(inbox.until(state(10)), 12);
    assert.equal(inbox.pending(state(12)).size, 1, "what is applied is forgotten");
  });

  it("is nothing of an epoch that has ended, nor of one that this node has not reached", () => {
    const inbox = new EntryInbox();
    inbox.take(entry(11, -1, 2), state(10));
    assert.equal(inbox.pending(state(10)).size, 0);
    inbox.take(entry(12, -1, 4), state(10));
    assert.equal(inbox.pending(state(10)).size, 0);
    assert.equal(inbox.nextDurable(state(10)), undefined);
    assert.ok(inbox.isAheadOf(state(10)), "the log has a seal that this node has not read");
    inbox.take(entry(12), state(10));
    assert.equal(inbox.pending(state(11, 4)).size, 1, "a late word of the old epoch changes nothing");
  });

  it("may be brief, for a node that has the drafts: another one asks for the whole", () => {
    const block = { generation: 1, sequence: 5, tables: [1], hash: 35, data: Buffer.from("row") };
    const { data, generation, ...record } = block;
    const built: ChangesEntry = {
      kind: "changes",
      epoch: 3,
      position: 11,
      nonce: "n",
      time: 1,
      changes: [{ type: "blocks", generation, blocks: [{ ...record, size: data.length }] }],
      payload: data,
    };
    const bytes = encodeEntry(built);
    const sent: Buffer[] = [];
    const line = new DraftLine(3, "n", 10, draft => sent.push(draft));
    line.found([block], true);
    const brief = encodeBrief(built, bytes, line.built(built))!;
    const [knows, lacks] = [new EntryInbox(), new EntryInbox()];
    const push = (pushed: Buffer, durable = 10): PushedEntry => ({ epoch: 3, position: 11, durable, bytes: pushed });
    assert.ok(knows.take({ ...push(sent[0]!), position: 10 }, state(10)));
    assert.ok(knows.take(push(brief), state(10)));
    assert.deepEqual(knows.pending(state(10)).get(11), bytes);
    assert.equal(lacks.take(push(brief, 11), state(10)), false);
    assert.equal(lacks.pending(state(10)).size, 0);
    assert.ok(!lacks.isAheadOf(state(10)), "it would ask the bucket for what is being sent");
    assert.ok(lacks.take(push(bytes), state(10)));
    assert.deepEqual(lacks.pending(state(10)).get(11), bytes);
  });

  it("is refused when it is not the entry that it says, and bounded", () => {
    const inbox = new EntryInbox();
    assert.throws(() => inbox.take({ ...entry(11), position: 12 }, state(10)), /says that it is entry/);
    const damaged = entry(11);
    damaged.bytes[20]! ^= 1;
    assert.throws(() => inbox.take(damaged, state(10)), /checksum/);
    const small = new EntryInbox(4 * bytesOf(3, 11).length);
    for (let position = 11; position < 21; position++) small.take(entry(position), state(10));
    assert.ok(small.pending(state(10)).size === 4);
    assert.equal(small.until(state(10)), 10, "the oldest went, which the bucket has");
  });
});

describe("the push to the other nodes", () => {
  /** Collects what is sent; each send ends when it is told to. */
  function line(pods: string[], sleep: () => Promise<void> = () => Promise.resolve()) {
    const sent: { pod: string; position: number; durable: number; bytes: number }[] = [];
    const overtaken: [number, string][] = [];
    const release: ((epoch: number | typeof incomplete) => void)[] = [];
    const pusher = new EntryPusher(
      { sleep },
      (pod, { position, durable, bytes }) => {
        sent.push({ pod, position, durable, bytes: bytes.length });
        return new Promise<number | typeof incomplete>(resolve => release.push(resolve));
      },
      () => pods,
      (...told) => overtaken.push(told),
    );
    const answer = async (epoch: number | typeof incomplete = 1) => {
      release.splice(0).forEach(resolve => resolve(epoch));
      await new Promise(resolve => setImmediate(resolve));
    };
    return { pusher, sent, overtaken, answer };
  }

  it("brings each entry at once, and then the word that it is durable", async () => {
    const { pusher, sent, answer } = line(["a", "b"]);
    pusher.push(1, 5, Buffer.from("entry"));
    assert.deepEqual(
      sent.map(({ pod }) => pod),
      ["a", "b"],
    );
    await answer();
    pusher.durable(1, 5);
    await answer();
    assert.deepEqual(sent.at(-1), { pod: "b", position: 5, durable: 5, bytes: 0 });
    await answer();
    assert.equal(sent.length, 4, "once to each");
  });

  it("says with the next entry, or a moment behind the last, what became durable meanwhile", async () => {
    const { pusher, sent, answer } = line(["a"]);
    pusher.push(1, 5, Buffer.from("five"));
    pusher.durable(1, 5);
    pusher.push(1, 6, Buffer.from("sixth"));
    await answer();
    assert.deepEqual(
      sent.map(({ position, durable, bytes }) => [position, durable, bytes]),
      [
        [5, -1, 4],
        [6, 5, 5],
      ],
    );
    await answer();
    assert.equal(sent.length, 2, "nobody is told twice");
    pusher.durable(1, 6);
    await answer();
    assert.deepEqual(sent.at(-1), { pod: "a", position: 6, durable: 6, bytes: 0 });
  });

  it("says once what is durable, with what follows", async () => {
    let passes: () => void = () => assert.fail("nobody waits");
    const { pusher, sent, answer } = line(["a"], () => new Promise(resolve => (passes = resolve)));
    pusher.push(1, 5, Buffer.from("five"));
    await answer();
    pusher.durable(1, 5);
    pusher.push(1, 6, Buffer.from("six"));
    await answer();
    passes();
    await answer();
    assert.deepEqual(
      sent.map(({ position, durable }) => [position, durable]),
      [
        [5, -1],
        [6, 5],
      ],
    );
  });

  it("is of the brief entry, and of the whole to a peer that lacks what that leaves out", async () => {
    const { pusher, sent, answer } = line(["a"]);
    pusher.push(1, 5, Buffer.from("whole"), Buffer.from("brief!"));
    await answer();
    pusher.push(1, 6, Buffer.from("whole"), Buffer.from("brief!"));
    pusher.durable(1, 6);
    await answer(incomplete);
    await answer();
    assert.deepEqual(
      sent.map(({ position, durable, bytes }) => [position, durable, bytes]),
      [
        [5, -1, 6],
        [6, -1, 6],
        [6, -1, 5],
        [6, 6, 0],
      ],
    );
    assert.equal(pusher.dropped, 0);
    await answer();
    pusher.push(1, 7, Buffer.from("whole"));
    await answer(incomplete);
    assert.equal(pusher.dropped, 1, "nothing longer can be sent");
  });

  it("does not wait for a peer that is slow, nor keep everything for it", async () => {
    const { pusher, sent } = line(["slow"]);
    for (let position = 0; position < 200; position++) pusher.push(1, position, Buffer.from("x"));
    assert.equal(sent.length, 1);
    assert.ok(pusher.dropped > 0);
    await Promise.resolve();
  });

  it("never tells a peer that something is durable which waits behind: it would fetch that from the bucket", async () => {
    const { pusher, sent, answer } = line(["slow"]);
    for (const position of [5, 6, 7]) pusher.push(1, position, Buffer.from("x"));
    pusher.durable(1, 7);
    for (let answers = 0; answers < 3; answers++) await answer();
    assert.deepEqual(
      sent.map(({ position, durable }) => [position, durable]),
      [
        [5, -1],
        [6, 6],
        [7, 7],
      ],
    );
  });

  it("tells a writer that a peer has read another's seal, and not one that has sealed itself", async () => {
    const { pusher, overtaken, answer } = line(["a"]);
    pusher.push(1, 5, Buffer.from("five"));
    await answer();
    assert.deepEqual(overtaken, []);
    pusher.push(1, 6, Buffer.from("six"));
    await answer(2);
    assert.deepEqual(overtaken, [[1, "a"]]);
    pusher.push(1, 7, Buffer.from("seven"));
    pusher.push(2, 9, Buffer.from("nine"));
    await answer(2);
    assert.deepEqual(overtaken, [[1, "a"]]);
  });
});
