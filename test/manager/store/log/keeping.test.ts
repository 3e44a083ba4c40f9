import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { StoreClock } from "../../../../components/manager/store/bucket/bucket";
import { LogWriter } from "../../../../components/manager/store/log/append";
import { Change } from "../../../../components/manager/store/log/changes";
import { readCheckpoint, writeCheckpoint } from "../../../../components/manager/store/log/checkpoint";
import {
  checkpoint,
  checkpointDue,
  collectGarbage,
  deadEntries,
} from "../../../../components/manager/store/log/keeping";
import { entryKey, fileKey } from "../../../../components/manager/store/log/keys";
import { readOwner } from "../../../../components/manager/store/log/owner";
import { createLog, seal } from "../../../../components/manager/store/log/seal";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { LogReader, openLog } from "../../../../components/manager/store/log/tail";
import { MemoryBucket, steppedClock } from "../memoryBucket";

describe("a checkpoint", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "keeping-"))));
  after(() => fs.rm(folder, { recursive: true }));

  const keysOf = (id: number) => fileKey(1, 1, 2 * id);
  const valuesOf = (id: number) => fileKey(1, 1, 2 * id + 1);
  const record = (id: number) => ({
    level: 1,
    id,
    entries: id,
    bytes: id,
    maxSequence: id,
    keys: { key: keysOf(id), size: 1, crc32: 1 },
    values: { key: valuesOf(id), size: 1, crc32: 1 },
  });

  /** A writer in its own log. */
  async function writer() {
    const bucket = new MemoryBucket();
    const clock = steppedClock();
    await createLog(bucket, "db", "test", clock);
    const reader = new LogReader(bucket, new DatabaseState());
    await reader.catchUp();
    const election = await seal(bucket, clock, reader, { nonce: "w", author: "w" });
    const log = new LogWriter(bucket, clock, {
      ...election!,
      nonce: "w",
      time: 0,
      durable: entry => reader.state.apply(entry),
    });
    return { bucket, clock, state: reader.state, say: (...changes: Change[]) => log.submit({ changes, payload: [] }) };
  }

  const nothingKept = (state: DatabaseState, clock: StoreClock) => ({
    state,
    now: clock.wall(),
    rules: { everyPositionMilliseconds: 0, dailyCheckpointMilliseconds: 0 },
    latest: Infinity,
    youngMilliseconds: 0,
    stillWriter: () => true,
  });

  it("is the state, whatever is in it, and stays what it was while the log goes on", async () => {
    const { bucket, state, say } = await writer();
    await say({ type: "table", number: 1, name: "app__t" }, { type: "table", number: 2, name: "app__gone" });
    await say({ type: "configuration", table: 1, content: "[app__t]\n" }, { type: "dropped", number: 2 });
    const definition = { type: "definition" as const, file: Buffer.from("file").toString("base64") };
    await say({ ...definition, table: "app/t" }, { ...definition, table: "app/gone" });
    const added = Array.from({ length: 501 }, (_, id) => record(id));
    await say({ type: "files", table: 1, added, removed: [], nextId: 600 }, { type: "flushing", generation: 4 });
    state.blocks.set("9.9", {
      sequence: 9,
      size: 3,
      hash: 9,
      tables: [1],
      epoch: 1,
      generation: 4,
      data: Buffer.from("abc"),
    });
    const snapshot = state.snapshot();
    await say({ type: "files", table: 1, added: [], removed: [record(0)], nextId: 0 });
    await say({ type: "definition", table: "app/u", of: "app/t" }, { type: "definition", table: "app/gone" });
    const pointer = await writeCheckpoint(bucket, snapshot, join(folder, "writing"));
    const read = await readCheckpoint(bucket, pointer, join(folder, "reading"));
    assert.equal(read.tables.get(1)!.files.size, 501);
    assert.equal(state.tables.get(1)!.files.size, 500);
    assert.deepEqual(read.blocks, snapshot.blocks);
    assert.deepEqual([...read.definitions.keys()], ["app/t", "app/gone"]);
    assert.deepEqual([...state.definitions], [["app/u", definition.file]]);
    assert.deepEqual([read.position, read.epoch, read.seals], [snapshot.position, snapshot.epoch, snapshot.seals]);
    assert.deepEqual(await fs.readdir(folder), [], "no scratch file is left");
  });

  it("is refused when it is not what was written", async () => {
    const { bucket, state } = await writer();
    const pointer = await writeCheckpoint(bucket, state.snapshot(), join(folder, "writing"));
    const [key] = [...bucket.objects.keys()].filter(one => one.startsWith("checkpoint/"));
    bucket.objects.get(key!)![20]! ^= 1;
    await assert.rejects(readCheckpoint(bucket, pointer, join(folder, "reading")), /damaged/);
    bucket.objects.delete(key!);
    await assert.rejects(readCheckpoint(bucket, pointer, join(folder, "reading")), /missing/);
  });

  it("lets a reader begin there, after everything that it does not need is deleted", async () => {
    const { bucket, clock, state, say } = await writer();
    for (let number = 0; number < 10; number++) await say({ type: "table", number, name: `t${number}` });
    const scratch = join(folder, "scratch");
    await checkpoint(bucket, state.snapshot(), scratch);
    for (let number = 10; number < 20; number++) await say({ type: "table", number, name: `t${number}` });
    const collect = (latest: number) => collectGarbage(bucket, clock, { ...nothingKept(state, clock), latest });
    assert.deepEqual(await collect(100), { deleted: 0 }, "one checkpoint is not enough");
    await checkpoint(bucket, state.snapshot(), scratch);
    assert.deepEqual(await collect(8), { deleted: 0 }, "there is no checkpoint so early");
    assert.deepEqual(await collect(100), { deleted: 8, swept: { type: "swept", until: 11 } });
    assert.equal((await readOwner(bucket, 1000))!.owner.horizon, 11);
    // Numbers that somebody may still want to write to stay taken: seals and their neighbours.
    for (const [epoch, position, there] of [
      [0, 0, true],
      [1, 1, true],
      [2, 2, true],
      [2, 3, false],
      [2, 10, false],
      [2, 11, true],
    ] as const)
      assert.equal(bucket.objects.has(entryKey(epoch, position)), there, `${epoch}/${position}`);
    const opened = await openLog(bucket, scratch);
    const reader = new LogReader(bucket, opened.state);
    await reader.catchUp();
    assert.equal(reader.state.tables.size, 20);
  });

  it("deletes a file when no position that is kept names it", async () => {
    const { bucket, clock, state, say } = await writer();
    for (const id of [1, 2, 3, 9])
      for (const key of [keysOf(id), valuesOf(id)]) bucket.objects.set(key, Buffer.from("x"));
    const files = (added: number[], removed: number[]): Change => ({
      type: "files",
      table: 1,
      added: added.map(record),
      removed: removed.map(record),
      nextId: 9,
    });
    await say({ type: "table", number: 1, name: "app__t" });
    await say(files([1, 2], []), { type: "unneeded", keys: [keysOf(9)] });
    await say(files([3], [1]));
    const first = state.position;
    const scratch = join(folder, "scratch");
    await checkpoint(bucket, state.snapshot(), scratch);
    await say(files([], [2]));
    const second = state.position;
    await checkpoint(bucket, state.snapshot(), scratch);
    const there = () => [1, 2, 3, 9].filter(id => bucket.objects.has(keysOf(id)));
    const collect = () => collectGarbage(bucket, clock, nothingKept(state, clock));
    await collect();
    assert.deepEqual(there(), [1, 2, 3], "what was retired at the checkpoint itself goes with the next");
    await checkpoint(bucket, state.snapshot(), scratch);
    await say({ type: "configuration", table: 1, content: "" });
    await checkpoint(bucket, state.snapshot(), scratch);
    const { swept } = await collect();
    assert.deepEqual(there(), [2, 3]);
    await say(swept!);
    assert.deepEqual(
      [...state.retired].map(({ key, position, since }) => [key, position, since]),
      [
        [keysOf(2), second, first - 1],
        [valuesOf(2), second, first - 1],
      ],
    );
    const { state: opened } = await openLog(bucket, scratch);
    assert.deepEqual(
      [...opened.retired].map(({ key }) => key),
      [keysOf(9), keysOf(1), valuesOf(1), keysOf(2), valuesOf(2)],
    );
    assert.deepEqual(
      await collect(),
      { deleted: 0 },
      "the horizon's checkpoint does not name it, the entry there does",
    );
    assert.deepEqual(there(), [2, 3]);
  });

  it("is due after enough entries, bytes or time, and never without an entry", () => {
    assert.ok(!checkpointDue({ entries: 0, bytes: 0, milliseconds: 1e9 }));
    assert.ok(checkpointDue({ entries: 1, bytes: 0, milliseconds: 600_000 }));
    assert.ok(checkpointDue({ entries: 1000, bytes: 0, milliseconds: 0 }));
    assert.ok(checkpointDue({ entries: 1, bytes: 64 * 1024 * 1024, milliseconds: 0 }));
  });

  it("never gives up a seal or a neighbour of one", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 50 }), { minLength: 1 }), fc.nat({ max: 60 }), (positions, horizon) => {
        const seals = [...positions].sort((a, b) => a - b).map((position, epoch) => ({ epoch, position, nonce: "" }));
        for (const { epoch, position } of deadEntries(seals, 0, horizon)) {
          assert.ok(position < horizon);
          assert.ok(seals.every(seal => Math.abs(seal.position - position) > 1));
          const begun = seals[epoch - 1]?.position ?? -1;
          const ended = seals[epoch]?.position ?? Infinity;
          assert.ok(begun < position && position < ended, `${position} is not of epoch ${epoch}`);
        }
      }),
    );
  });
});
