import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { CheckedVolume, checkStore } from "../../../components/manager/store/checkStore";
import { LogWriter } from "../../../components/manager/store/log/append";
import { decodeEntry, encodeEntry } from "../../../components/manager/store/log/entry";
import { checkpoint } from "../../../components/manager/store/log/keeping";
import { checkpointKey, entryKey, fileKey } from "../../../components/manager/store/log/keys";
import { createLog, seal } from "../../../components/manager/store/log/seal";
import { DatabaseState } from "../../../components/manager/store/log/state";
import { LogReader } from "../../../components/manager/store/log/tail";
import { readHistory } from "../../../components/manager/store/readHistory";
import { MemoryBucket, steppedClock } from "./memoryBucket";

describe("the check of a database's log", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "check-"))));
  after(() => fs.rm(folder, { recursive: true }));

  const content = Buffer.from("content");
  const file = (key: string) => ({ key, size: content.length, crc32: crc32(content) });

  const keysOf = (id: number) => fileKey(1, 1, 2 * id);
  const valuesOf = (id: number) => fileKey(1, 1, 2 * id + 1);

  /** Eight files, one an entry, and two checkpoints between. */
  async function database() {
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
    await log.submit({ changes: [{ type: "table", number: 1, name: "app__t" }], payload: [] });
    for (let id = 0; id < 8; id++) {
      const keys = file(keysOf(id));
      const values = file(valuesOf(id));
      bucket.objects.set(keys.key, content).set(values.key, content);
      const added = [{ level: 1, id, entries: 1, bytes: 1, maxSequence: id, keys, values }];
      await log.submit({ changes: [{ type: "files", table: 1, added, removed: [], nextId: id + 1 }], payload: [] });
      if (id === 2 || id === 5) await checkpoint(bucket, reader.state.snapshot(), join(folder, "writing"));
    }
    return bucket;
  }
  const check = (bucket: MemoryBucket, volume?: CheckedVolume) =>
    checkStore({ bucket, scratch: join(folder, "scratch"), ...(volume && { volume }) });

  it("finds nothing wrong, counts, and changes nothing", async () => {
    const bucket = await database();
    bucket.objects.set("data/1/left", Buffer.alloc(100));
    const before = new Map(bucket.objects);
    assert.deepEqual(await check(bucket), {
      databaseId: "db",
      epoch: 2,
      position: 10,
      from: 0,
      entries: { read: 11, bytes: 0, seals: 2 },
      checkpoints: { compared: 2, read: 0 },
      objects: { named: 16, bytes: 16 * content.length },
      unnamed: { objects: 1, bytes: 100 },
      problems: [],
    });
    assert.deepEqual(bucket.objects, before);
  });

  const damages: [string, (bucket: MemoryBucket) => void, RegExp][] = [
    ["a missing object", bucket => bucket.objects.delete(valuesOf(3)), /0000000001\.000000000007 is missing/],
    [
      "an object of another size",
      bucket => bucket.objects.set(keysOf(0), Buffer.alloc(3)),
      /000000000000 has 3 bytes.* says 7/,
    ],
    [
      "an entry that is damaged",
      bucket => void (bucket.objects.get(entryKey(2, 6))![30]! ^= 1),
      /000000000000006 has a wrong checksum/,
    ],
    ["an entry that is gone before a checkpoint", bucket => bucket.objects.delete(entryKey(2, 5)), /the log ends at 4/],
    [
      "an entry that is gone near the end",
      bucket => bucket.objects.delete(entryKey(2, 9)),
      /10 follows a gap.*ends at 8/,
    ],
    ["a checkpoint that is gone", bucket => bucket.objects.delete(checkpointKey(5)), /000000000000005 is missing/],
    [
      "a checkpoint that is damaged",
      bucket => void (bucket.objects.get(checkpointKey(8))![30]! ^= 1),
      /000000000000008 is damaged/,
    ],
    [
      "a checkpoint that is whole and says something else than the entries",
      bucket => {
        const key = entryKey(2, 4);
        const entry = decodeEntry(key, bucket.objects.get(key)!, 2, 4);
        if (entry.kind !== "changes") throw new Error("it is no seal");
        bucket.objects.set(key, encodeEntry({ ...entry, changes: [] }));
      },
      /the checkpoint at 5 has other .*table 1/,
    ],
  ];
  for (const [what, damage, said] of damages)
    it(`names ${what}`, async () => {
      const bucket = await database();
      damage(bucket);
      assert.match((await check(bucket)).problems.join("\n"), said);
    });

  it("names a file on the volume that is not what was sent, and none that the engine has merged since", async () => {
    const bucket = await database();
    const volume = { directory: join(folder, "data"), own: join(folder, "own") };
    await fs.mkdir(join(volume.directory, "app__t"), { recursive: true });
    await fs.mkdir(volume.own);
    const lines: string[] = [];
    for (const [path, key] of [
      ["app__t/L1_0.klog", keysOf(0)],
      ["app__t/L1_0.vlog", valuesOf(0)],
      ["app__t/L1_1.klog", keysOf(1)],
    ]) {
      await fs.writeFile(join(volume.directory, path!), content);
      lines.push(`${JSON.stringify({ path, key })}\n`);
    }
    lines.push(`${JSON.stringify({ path: "app__t/L1_2.klog", key: keysOf(2) })}\n`);
    await fs.writeFile(join(volume.own, "book"), lines.join(""));
    const well = await check(bucket, volume);
    assert.deepEqual([well.problems, well.volume], [[], { compared: 3, bytes: 3 * content.length }]);
    await fs.writeFile(join(volume.directory, "app__t/L1_1.klog"), "damaged");
    assert.match((await check(bucket, volume)).problems.join(), /app__t\/L1_1.klog on the volume has other content/);
  });

  it("refuses a prefix without a log", async () => {
    await assert.rejects(check(new MemoryBucket()), /there is no log/);
  });

  it("is preceded by the history, which names the range", async () => {
    const { every, daily } = await readHistory(await database(), join(folder, "scratch"));
    assert.deepEqual([every.from.position, every.until.position, daily], [0, 10, []]);
    assert.match(every.from.time, /^2027-01-15T08:00:00.000Z$/);
  });
});
