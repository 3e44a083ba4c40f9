import assert from "node:assert/strict";
import fc from "fast-check";
import { Change } from "../../../../components/manager/store/log/changes";
import { Entry } from "../../../../components/manager/store/log/entry";
import { fileKey } from "../../../../components/manager/store/log/keys";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { FollowerFeed, gapPatience, lookBytes } from "../../../../components/manager/store/view/feed";

const none = () => Promise.reject(new Error("no block has an object of its own"));
const file = (id: number, level = 1, key = fileKey(1, 1, id)) => ({
  level,
  id,
  entries: 1,
  bytes: 1,
  maxSequence: id,
  keys: { key, size: 1, crc32: 0 },
  values: { key, size: 1, crc32: 0 },
});

/** A feed of an empty database with one table, and what its log says from there on. */
function fed() {
  const state = new DatabaseState();
  state.apply({ kind: "seal", epoch: 0, position: 0, nonce: "", time: 0, nextEpoch: 1, author: "" });
  state.apply(entry(1, [{ type: "table", number: 1, name: "app__t" }]));
  const merged: [table: number, ids: number[]][] = [];
  const feed = new FollowerFeed(
    state,
    () => 2,
    4,
    undefined,
    (table, made) => void merged.push([table, made.map(({ id }) => id)]),
  );
  let position = 1;
  return {
    feed,
    merged,
    commits: (...sequences: number[]) => feed.take(commitsOf(++position, sequences), none),
    /** One commit of so many bytes. */
    large: (sequence: number, size: number) => feed.take(commitsOf(++position, [sequence], size), none),
    say: (...changes: Change[]) => feed.take(entry(++position, changes), none),
  };
}

function commitsOf(position: number, sequences: number[], size = 1): Entry {
  const blocks = sequences.map(sequence => ({ sequence, size, hash: sequence, tables: [1] }));
  return entry(position, [{ type: "blocks", generation: 1, blocks }], Buffer.alloc(size * sequences.length, 1));
}

function entry(position: number, changes: Change[], payload: Buffer = Buffer.alloc(0)): Entry {
  return { kind: "changes", epoch: 1, position, nonce: "", time: 0, changes, payload };
}

const sequences = ({ blocks }: { blocks: { sequence: number }[] }) => blocks.map(({ sequence }) => sequence);

describe("what a running follower is shown", () => {
  it("is no more in one look than its engine and this process have room for", async () => {
    const { feed, large } = fed();
    const third = lookBytes / 3;
    for (const sequence of [1, 2, 3, 4]) await large(sequence, third);
    await large(5, 2 * lookBytes);
    await large(6, 1);
    const looks: number[][] = [];
    while (feed.heldBlocks > 0) {
      const cut = feed.cut(0);
      looks.push(sequences(cut));
      feed.sent(cut);
      feed.confirm(cut);
    }
    assert.deepEqual(looks, [[1, 2, 3], [4], [5], [6]]);
    assert.equal(feed.queuedBytes, 0);
    assert.deepEqual(feed.restartReasons, []);
  });

  it("holds a commit back for one with a lower number, and not for ever", async () => {
    const { feed, commits } = fed();
    await commits(1, 3);
    assert.deepEqual(sequences(feed.cut(0)), [1]);
    assert.deepEqual(sequences(feed.cut(gapPatience - 1)), [1]);
    await commits(2);
    assert.deepEqual(sequences(feed.cut(gapPatience - 1)), [1, 2, 3]);
    await commits(5);
    feed.cut(1000);
    assert.deepEqual(sequences(feed.cut(1000 + gapPatience)), [1, 2, 3, 5], "number 4 was a commit that failed");
    assert.deepEqual(feed.restartReasons, []);
  });

  it("takes an entry again of which a large commit could not be fetched, as a whole", async () => {
    const { feed } = fed();
    const blocks = [
      { sequence: 1, size: 1, hash: 1, tables: [1] },
      { sequence: 2, size: 1, hash: 2, tables: [1], key: "data/blocks/1.a" },
    ];
    const large = entry(2, [{ type: "blocks", generation: 1, blocks }], Buffer.alloc(1, 1));
    await assert.rejects(feed.take(large, none));
    assert.equal(feed.position, 1, "nothing of it is there");
    assert.deepEqual(sequences(feed.cut(0)), []);
    await feed.take(large, () => Promise.resolve(Buffer.alloc(1, 2)));
    assert.deepEqual(sequences(feed.cut(0)), [1, 2]);
  });

  it("shows it until the engine has had it, and once", async () => {
    const { feed, commits } = fed();
    await commits(1);
    assert.deepEqual(sequences(feed.cut(0)), [1]);
    const cut = feed.cut(0);
    assert.deepEqual(sequences(cut), [1], "a look that was broken off");
    feed.confirm(cut);
    assert.deepEqual(sequences(feed.cut(0)), []);
    assert.equal(feed.position, 2);
  });

  it("has a restart due when a commit comes after later ones were shown", async () => {
    const { feed, commits } = fed();
    await commits(2);
    feed.cut(0);
    feed.confirm(feed.cut(gapPatience));
    await commits(1);
    assert.match(feed.restartReasons.join(), /after later ones/);
  });

  it("has a restart due when it comes while later ones are on their way to the engine", async () => {
    for (const fixedFirst of [true, false]) {
      const { feed, commits } = fed();
      await commits(1, 3);
      feed.cut(0);
      const cut = feed.cut(gapPatience);
      assert.deepEqual(sequences(cut), [1, 3]);
      if (fixedFirst) await commits(2);
      feed.sent(cut);
      if (!fixedFirst) await commits(2);
      assert.equal(feed.restartReasons.length, 1);
      feed.confirm(cut);
      assert.equal(feed.restartReasons.length, 1);
    }
  });

  it("shows files behind all rows that were in the log before them", async () => {
    const { feed, commits, say } = fed();
    await commits(1, 2);
    await say(
      { type: "files", table: 1, added: [file(1)], removed: [], nextId: 2 },
      { type: "flushed", generation: 1 },
    );
    await commits(3);
    const cut = feed.cut(0);
    assert.equal(feed.shown.tables.get(1)!.files.size, 0, "the engine has not had rows 1 and 2 yet");
    feed.confirm(cut);
    feed.cut(0);
    assert.equal(feed.shown.tables.get(1)!.files.size, 1);
  });

  it("does not show what a merge has made, and tells of it: what the engine has says the same", async () => {
    const { feed, merged, say } = fed();
    const shown = () => [...feed.shown.tables.get(1)!.files.names()].map(({ id }) => id);
    const files = (added: number[], removed: number[], made = (id: number) => file(id)): Change => ({
      type: "files",
      table: 1,
      added: added.map(made),
      removed: removed.map(id => ({ level: 1, id })),
      nextId: 100,
    });
    await say(files([1], []));
    await say(files([2], []));
    feed.cut(0);
    // Number 3 has the rows of 1 and 2; 4 is of a flush that was released with it.
    await say(files([3, 4], [1, 2], id => ({ ...file(id), maxSequence: id === 3 ? 2 : 4 })));
    feed.cut(0);
    assert.deepEqual(shown(), [1, 2, 4]);
    assert.deepEqual(merged, [[1, [3]]]);
    await say(files([5], []));
    await say(files([6], [3, 4, 5], id => ({ ...file(id, 3), maxSequence: 5 })));
    feed.cut(0);
    assert.deepEqual(shown(), [1, 2, 4, 5]);
    assert.deepEqual(merged, [
      [1, [3]],
      [1, [6]],
    ]);
    assert.deepEqual(feed.restartReasons, [], "also where its tree has no such level");
  });

  it("shows files of its own position though the log has gone on, and holds none twice that both have", async () => {
    const whole = new DatabaseState();
    whole.apply({ kind: "seal", epoch: 0, position: 0, nonce: "", time: 0, nextEpoch: 1, author: "" });
    whole.apply(entry(1, [{ type: "table", number: 1, name: "app__t" }]));
    const feed = new FollowerFeed(whole.snapshot(), () => 2, 4, whole);
    let position = 1;
    const happen = async (change: Change) => {
      const next = entry(++position, [change], Buffer.alloc(change.type === "blocks" ? 1 : 0, 1));
      whole.apply(next);
      await feed.take(next, none);
    };
    const commit = (sequence: number): Change => ({
      type: "blocks",
      generation: 1,
      blocks: [{ sequence, size: 1, hash: sequence, tables: [1] }],
    });
    const files = (id: number): Change => ({ type: "files", table: 1, added: [file(id)], removed: [], nextId: id + 1 });
    const shown = () => [...feed.shown.tables.get(1)!.files.names()].map(({ id }) => id);
    await happen(commit(1));
    await happen(files(1));
    // It waits for the one before it, and so do the files behind it.
    await happen(commit(3));
    await happen(files(2));
    feed.confirm(feed.cut(0));
    feed.cut(1);
    assert.deepEqual(shown(), [1], "the log has two");
    feed.confirm(feed.cut(1 + gapPatience));
    feed.cut(2 + gapPatience);
    assert.deepEqual(shown(), [1, 2]);
    assert.equal(feed.shown.tables.get(1)!.files, whole.tables.get(1)!.files);
    whole.apply(entry(++position, [files(3)]));
    assert.deepEqual(shown(), [1, 2], "it was not told of the third");
    assert.equal(whole.tables.get(1)!.files.size, 3);
    const removed = [1, 2, 3].map(id => ({ level: 1, id }));
    await happen({ type: "files", table: 1, added: [{ ...file(4), maxSequence: 2 }], removed, nextId: 5 });
    await happen(files(5));
    feed.cut(3 + gapPatience);
    assert.deepEqual(shown(), [1, 2, 5], "the log has the merged one instead of the first two");
  });

  it("has a restart due for what an open tree cannot take in", async () => {
    for (const [change, reason] of [
      [{ type: "files", table: 1, added: [file(5, 3)], removed: [], nextId: 6 }, /has a new level/],
      [{ type: "dropped", number: 1 }, /dropped/],
      [{ type: "table", number: 1, name: "app__u" }, /renamed/],
    ] as [Change, RegExp][]) {
      const { feed, say } = fed();
      await say(change);
      feed.cut(0);
      assert.match(feed.restartReasons.join(), reason);
    }
    const { feed, say } = fed();
    await say({ type: "files", table: 1, added: [file(5)], removed: [], nextId: 6 });
    await say({ type: "files", table: 1, added: [file(5, 1, fileKey(1, 2, 5))], removed: [], nextId: 6 });
    feed.cut(0);
    assert.match(feed.restartReasons.join(), /content of a file has changed/);
  });

  it("gives every row once and in order, and files after their rows, whatever the order in the log", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(Array.from({ length: 20 }, (_, index) => index + 1)),
        fc.array(fc.nat({ max: 2 }), { minLength: 40, maxLength: 40 }),
        async (order, dice) => {
          const { feed, commits, say } = fed();
          const had: number[] = [];
          let now = 0;
          const look = (confirm: boolean) => {
            const cut = feed.cut((now += 100));
            // A file's number is the highest row in it.
            for (const { id } of feed.shown.tables.get(1)!.files.values())
              for (const row of order.slice(0, order.indexOf(id) + 1))
                if (!late.has(row)) assert.ok(had.includes(row), `file ${id} is shown before row ${row}`);
            if (!confirm) return;
            had.push(...sequences(cut));
            feed.confirm(cut);
          };
          const late = new Set<number>();
          for (const [index, sequence] of order.entries()) {
            if (had.some(one => one > sequence)) late.add(sequence);
            await commits(sequence);
            if (dice[index] === 0)
              await say({ type: "files", table: 1, added: [file(sequence)], removed: [], nextId: 1 });
            if (dice[20 + index]! > 0) look(dice[20 + index] === 1);
          }
          for (let more = 0; more < 20; more++) look(true);
          assert.deepEqual(
            had,
            [...had].sort((a, b) => a - b),
          );
          assert.equal(new Set(had).size, had.length);
          assert.equal(had.length + late.size, order.length);
          assert.equal(feed.restartReasons.length > 0, late.size > 0);
        },
      ),
    );
  });
});
