import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimPrefix } from "../../../../components/manager/transitions/claim";
import { LogWriter } from "../../../../components/manager/store/log/append";
import { fileKey } from "../../../../components/manager/store/log/keys";
import { createLog, seal } from "../../../../components/manager/store/log/seal";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { LogReader, openLog } from "../../../../components/manager/store/log/tail";
import { StoreNode } from "../../../../components/manager/store/storeNode";
import { MemoryBucket, steppedClock } from "../memoryBucket";

describe("a database that is begun from another one", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "restore-"))));
  after(() => fs.rm(folder, { recursive: true }));

  const file = (key: string) => ({ key, size: 1, crc32: 1 });
  const sstable = (id: number) => ({
    level: 1,
    id,
    entries: 1,
    bytes: 1,
    maxSequence: 1,
    keys: file(fileKey(1, 1, 2 * id)),
    values: file(fileKey(1, 1, 2 * id + 1)),
  });

  /** A source of ten positions with a file each, one second apart. */
  async function source() {
    const bucket = new MemoryBucket();
    const clock = steppedClock();
    await createLog(bucket, "source", "test", clock);
    const reader = new LogReader(bucket, new DatabaseState());
    await reader.catchUp();
    const election = await seal(bucket, clock, reader, { nonce: "w", author: "w" });
    const log = new LogWriter(bucket, clock, {
      ...election!,
      nonce: "w",
      time: 0,
      durable: entry => reader.state.apply(entry),
    });
    await log.submit({ changes: [{ type: "table", number: 1, name: "app__t" }], payload: [] });
    for (let id = 0; id < 10; id++) {
      clock.at += 1000;
      for (const { key } of [sstable(id).keys, sstable(id).values]) bucket.objects.set(key, Buffer.from("x"));
      await log.submit({
        changes: [{ type: "files", table: 1, added: [sstable(id)], removed: [], nextId: 99 }],
        payload: [],
      });
    }
    return { bucket, clock, begun: clock.wall() - 10_000 };
  }

  /** A node of the new database finds its prefix. */
  function claim(
    { bucket, clock }: { bucket: MemoryBucket; clock: ReturnType<typeof steppedClock> },
    target: MemoryBucket,
    at = "latest",
    {
      author = "new-0",
      databaseId = "new",
      copy = (key: string) => target.copyFrom({ bucket: "b", prefix: "old/" }, key),
    } = {},
  ) {
    target.source = bucket;
    return claimPrefix({
      bucket: target,
      clock,
      databaseId,
      author,
      place: "s3://b/new/",
      restore: {
        target,
        source: bucket,
        copy,
        place: "s3://b/old/",
        at,
        scratch: join(folder, `scratch-${author}`),
      },
    });
  }

  const filesOf = async (bucket: MemoryBucket) => {
    const { state } = await openLog(bucket, join(folder, "look"));
    return state.tables.get(1)!.files.size;
  };

  it("is that one at a time, a position, or now", async () => {
    const from = await source();
    const at = async (moment: string) => {
      const target = new MemoryBucket();
      assert.equal(await claim(from, target, moment), undefined);
      const copied = [...target.objects.keys()].filter(key => key.startsWith("data/"));
      const files = await filesOf(target);
      assert.equal(copied.length, 2 * files);
      assert.ok(!target.objects.has("restore.json"));
      return files;
    };
    assert.equal(await at("latest"), 10);
    assert.equal(await at(new Date(from.begun + 3000).toISOString()), 3);
    assert.equal(await at(new Date(from.begun + 3999).toISOString()), 3);
    assert.equal(await at("2"), 0);
    assert.equal(await at("7"), 5);
  });

  it("refuses what cannot be, by name, and makes nothing of it", async () => {
    const from = await source();
    const refused = async (moment: string, reason: RegExp, options = {}) => {
      const target = new MemoryBucket();
      assert.match((await claim(from, target, moment, options))!.message, reason);
      assert.deepEqual([...target.objects.keys()], []);
    };
    await refused("yesterday", /"yesterday" is no moment.*2026-11-29T14:03:00Z/);
    await refused("99", /s3:\/\/b\/old\/, to restore from: position 99 is not there yet: the log ends at 12/);
    await refused("2050-01-01T00:00:00Z", /in the future/);
    await refused("2001-01-01T00:00:00Z", /began after that/);
    await refused("latest", /identity source, which is this database's own/, { databaseId: "source" });
    const before = new MemoryBucket();
    before.objects.set("owner.json", Buffer.from('{"databaseId":"d1","epoch":3}'));
    assert.match((await claim({ ...from, bucket: before }, new MemoryBucket()))!.message, /old\/.*earlier release/);
    assert.match((await claim({ ...from, bucket: new MemoryBucket() }, new MemoryBucket()))!.message, /no log under/);
  });

  it("takes no prefix that is in use, and leaves it as it is", async () => {
    const from = await source();
    const used = (await source()).bucket;
    const before = new Map(used.objects);
    assert.match((await claim(from, used))!.message, /belongs to database source, this one is new/);
    const strange = new MemoryBucket();
    strange.objects.set("log/x", Buffer.from("x"));
    assert.match((await claim(from, strange))!.message, /has log\/ and is not empty/);
    assert.deepEqual(used.objects, before);
    assert.deepEqual([...strange.objects.keys()], ["log/x"]);
  });

  it("is no database before all of it is there", async () => {
    const from = await source();
    const target = new MemoryBucket();
    let left = 7;
    target.fate = operation => (operation === "copyFrom" && left-- <= 0 ? "fails" : "works");
    await assert.rejects(claim(from, target));
    assert.ok(target.objects.has("restore.json") && !target.objects.has("owner.json"));
    // A database that knows nothing of the restore does not take it for its own, nor for an empty prefix.
    const stranger = { bucket: target, clock: from.clock, databaseId: "d3", author: "d3-0", place: "s3://b/new/" };
    assert.match((await claimPrefix(stranger))!.message, /restore into this prefix has not finished/);
    assert.match(
      (await claim(from, target, "latest", { databaseId: "d3" }))!.message,
      /database new is being restored/,
    );
    target.fate = () => "works";
    const copiedBefore = target.written.filter(key => key.startsWith("data/")).length;
    assert.equal(await claim(from, target), undefined);
    const copied = target.written.filter(key => key.startsWith("data/")).length;
    assert.equal(copied, 20, "nothing is copied twice");
    assert.ok(copiedBefore >= 7);
    assert.equal(await filesOf(target), 10);
  });

  it("waits for the node that restores, and takes over from one that is silent", async () => {
    const from = await source();
    const target = new MemoryBucket();
    target.fate = operation => (operation === "copyFrom" ? "fails" : "works");
    await assert.rejects(claim(from, target));
    target.fate = () => "works";
    const began = from.clock.at;
    assert.equal(await claim(from, target, "latest", { author: "new-1" }), undefined);
    assert.ok(from.clock.at - began >= 60_000);
    assert.equal(await filesOf(target), 10);
  });

  it("forgets what was begun when another moment is asked for, and deletes it as garbage", async () => {
    const from = await source();
    const target = new MemoryBucket();
    let left = 12;
    target.fate = operation => (operation === "copyFrom" && left-- <= 0 ? "fails" : "works");
    await assert.rejects(claim(from, target));
    target.fate = () => "works";
    assert.equal(await claim(from, target, "5"), undefined);
    const { state } = await openLog(target, join(folder, "look"));
    assert.equal(state.tables.get(1)!.files.size, 3);
    assert.equal(state.retired.size, target.written.filter(key => key.startsWith("data/")).length - 6);
  });

  it("is no database while an object is not there that the store says it has copied", async () => {
    const from = await source();
    const target = new MemoryBucket();
    const copy = (key: string) =>
      key === fileKey(1, 1, 9) ? Promise.resolve(true) : target.copyFrom({ bucket: "b", prefix: "old/" }, key);
    await assert.rejects(claim(from, target, "latest", { copy }), /1 objects are not there/);
    assert.ok(!target.objects.has("owner.json"));
  });

  it("says so when the source has deleted what it needs meanwhile", async () => {
    const from = await source();
    const target = new MemoryBucket();
    const lost = fileKey(1, 1, 9);
    from.bucket.objects.delete(lost);
    assert.match((await claim(from, target))!.message, new RegExp(`${lost} is gone.*Restore a later moment`));
    assert.ok(!target.objects.has("owner.json"));
  });

  it("trusts no volume of the other one", async () => {
    const from = await source();
    const target = new MemoryBucket();
    await claim(from, target);
    const own = join(folder, "volume");
    const open = (bucket: MemoryBucket) =>
      StoreNode.open({
        bucket,
        clock: from.clock,
        directory: join(own, "data"),
        server: join(own, "mysql"),
        own,
        name: "new-0",
        durability: "interval",
        warn: () => undefined,
        sealed: () => undefined,
        overdue: () => undefined,
        boundMilliseconds: 1000,
      });
    const before = await open(from.bucket);
    await before.catchUp();
    await fs.writeFile(join(own, "epoch"), String(before.state.epoch));
    await before.close();
    const again = await open(from.bucket);
    await again.catchUp();
    assert.ok(again.isLastWriters, "its own volume is known again");
    await again.close();
    const restored = await open(target);
    await restored.catchUp();
    assert.equal(restored.state.epoch, before.state.epoch);
    assert.ok(!restored.isLastWriters, "what the other's engine has left would come into the log");
    await restored.close();
  });
});
