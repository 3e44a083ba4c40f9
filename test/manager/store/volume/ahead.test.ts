import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { FileRecord, SstableRecord } from "../../../../components/manager/store/log/changes";
import { fileKey } from "../../../../components/manager/store/log/keys";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { Ahead } from "../../../../components/manager/store/volume/ahead";
import { align } from "../../../../components/manager/store/volume/align";
import { VolumeBook } from "../../../../components/manager/store/volume/book";
import { MemoryBucket } from "../memoryBucket";

describe("files that are fetched ahead", () => {
  let folder: string;
  let directory: string;
  let bucket: MemoryBucket;
  let book: VolumeBook;
  let state: DatabaseState;
  let ahead: Ahead;
  let warnings: string[];
  let fetched: string[];
  let position: number;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "ahead-"));
    directory = join(folder, "data");
    await fs.mkdir(join(directory, "app__t"), { recursive: true });
    bucket = new MemoryBucket();
    fetched = [];
    warnings = [];
    bucket.fate = (operation, key) => {
      if (operation === "getFile") fetched.push(key);
      return "works";
    };
    book = await VolumeBook.open(join(folder, "book"));
    state = new DatabaseState();
    position = 0;
    state.apply({ kind: "seal", epoch: 0, position: 0, nonce: "", time: 0, nextEpoch: 1, author: "" });
    ahead = new Ahead({ bucket, directory, book, state: () => state, warn: message => warnings.push(message) });
  });
  afterEach(async () => {
    ahead.end();
    await book.close();
    await fs.rm(folder, { recursive: true });
  });

  function stored(key: string, content: string): FileRecord {
    const bytes = Buffer.from(content);
    bucket.objects.set(key, bytes);
    return { key, size: bytes.length, crc32: crc32(bytes) };
  }
  const sstable = (id: number): SstableRecord => ({
    level: 1,
    id,
    entries: 1,
    bytes: 1,
    maxSequence: id,
    keys: stored(fileKey(1, 1, 2 * id), `keys ${id}`),
    values: stored(fileKey(1, 1, 2 * id + 1), `values ${id}`),
  });
  function has(...added: SstableRecord[]): void {
    const table = { type: "table" as const, number: 1, name: "app__t" };
    const files = { type: "files" as const, table: 1, added, removed: [], nextId: 100 };
    const changes = [table, files];
    state.apply({
      kind: "changes",
      epoch: 1,
      position: ++position,
      nonce: "",
      time: 0,
      changes,
      payload: Buffer.alloc(0),
    });
  }
  const aligned = () => align(bucket, state, directory, book, { sleep: () => Promise.resolve() });
  /** Each look gives all that is under way a turn. */
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise(resolve => setImmediate(resolve));
  }

  it("are on the volume when it is aligned, and are not fetched again", async () => {
    has(sstable(1), sstable(2));
    ahead.add(1, [
      { level: 1, id: 1 },
      { level: 1, id: 2 },
    ]);
    await until(() => fetched.length === 4);
    // The last one's place in the book.
    await until(() => ahead.isIdle);
    ahead.end();
    assert.ok((await book.read(() => 0)).get("app__t/L1_2.vlog"), "nobody has to read it again");
    const { fetched: missing, kept } = await aligned();
    assert.deepEqual([missing, kept], [0, 4]);
    assert.equal(fetched.length, 4);
    assert.equal(await fs.readFile(join(directory, "app__t", "L1_2.vlog"), "utf8"), "values 2");
    assert.deepEqual(warnings, []);
  });

  it("are left alone where the log has others by now, and where the engine has one of that name", async () => {
    has(sstable(1));
    await fs.writeFile(join(directory, "app__t", "L1_1.klog"), "another's");
    ahead.add(1, [
      { level: 1, id: 9 },
      { level: 1, id: 1 },
    ]);
    await until(() => ahead.isIdle);
    assert.deepEqual(fetched, [fileKey(1, 1, 3)]);
    assert.equal(await fs.readFile(join(directory, "app__t", "L1_1.klog"), "utf8"), "another's");
    assert.deepEqual(warnings, []);
  });

  it("are not put in place once it has ended, nor with other content, and one that fails does not keep the next one", async () => {
    has(sstable(1), sstable(2), sstable(3));
    bucket.objects.set(fileKey(1, 1, 2), Buffer.from("something else"));
    bucket.fate = (_, key) => (key === fileKey(1, 1, 4) ? "fails" : "works");
    ahead.add(1, [
      { level: 1, id: 1 },
      { level: 1, id: 2 },
      { level: 1, id: 3 },
    ]);
    await until(() => ahead.isIdle);
    assert.equal(warnings.length, 1);
    assert.deepEqual((await fs.readdir(join(directory, "app__t"))).sort(), ["L1_1.vlog", "L1_3.klog", "L1_3.vlog"]);
    ahead.end();
    has(sstable(4));
    ahead.add(1, [{ level: 1, id: 4 }]);
    assert.ok(ahead.isIdle);
  });
});
