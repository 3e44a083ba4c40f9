import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Change, SstableRecord } from "../../../../components/manager/store/log/changes";
import { fileKey } from "../../../../components/manager/store/log/keys";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { readManifest } from "../../../../components/manager/store/flush/manifestFile";
import { align } from "../../../../components/manager/store/volume/align";
import { VolumeBook } from "../../../../components/manager/store/volume/book";
import {
  configurationFor,
  numberMapText,
  readNumberMap,
} from "../../../../components/manager/store/volume/engineFiles";
import { wholeBlocks } from "../../../../components/manager/store/wal/leftovers";
import { xxh32 } from "../../../../components/manager/store/wal/xxh32";
import { MemoryBucket, steppedClock } from "../memoryBucket";
import { encodeWalData } from "../../../engine/formats/writeAheadLog";

describe("an aligned volume", () => {
  let folder: string;
  let directory: string;
  let bucket: MemoryBucket;
  let state: DatabaseState;
  let book: VolumeBook;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "align-"));
    directory = join(folder, "data");
    bucket = new MemoryBucket();
    state = new DatabaseState();
    state.apply({ kind: "seal", epoch: 0, position: 0, nonce: "", time: 0, nextEpoch: 1, author: "" });
    book = await VolumeBook.open(join(folder, "book"));
  });
  afterEach(async () => {
    await book.close();
    await fs.rm(folder, { recursive: true });
  });

  function say(changes: Change[], payload: Buffer[] = []): void {
    const { epoch, position } = state;
    state.apply({
      kind: "changes",
      epoch,
      position: position + 1,
      nonce: "",
      time: 0,
      changes,
      payload: Buffer.concat(payload),
    });
  }
  let uploads = 0;
  function stored(key: string, content: string) {
    bucket.objects.set(key, Buffer.from(content));
    return { key, size: content.length, crc32: crc32(content) };
  }
  function sstable(level: number, id: number, content: string, table = 1): SstableRecord {
    const [keys, values] = ["keys", "values"].map(half => stored(fileKey(table, 1, uploads++), `${content} ${half}`));
    return { level, id, entries: 3, bytes: 30, maxSequence: id, keys: keys!, values: values! };
  }
  const blocks = (generation: number, ...commits: [sequence: number, table: number][]): [Change, Buffer[]] => {
    const data = commits.map(([sequence, table]) => encodeWalData(sequence, [[table, "k", "v"]]));
    const records = commits.map(([sequence, table], index) => ({
      sequence,
      size: data[index]!.length,
      hash: xxh32(data[index]!),
      tables: [table],
    }));
    return [{ type: "blocks", generation, blocks: records }, data];
  };
  async function tree(): Promise<string[]> {
    const names = await fs.readdir(directory, { recursive: true, withFileTypes: true });
    return names
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .sort();
  }

  it("has exactly the files, definitions, numbers and rows of one position", async () => {
    say([
      { type: "table", number: 1, name: "app__t" },
      { type: "table", number: 2, name: "app__gone" },
      { type: "configuration", table: 1, content: "[app__t]\nlevels = 2\n" },
      { type: "files", table: 1, added: [sstable(1, 4, "four"), sstable(2, 3, "three")], removed: [], nextId: 9 },
    ]);
    const [change, data] = blocks(5, [30, 1], [10, 1], [20, 2]);
    say([change], data);
    say([{ type: "dropped", number: 2 }]);
    // What an engine has left: a WAL of its own, half a flush, a table that is gone, temporary files.
    await fs.mkdir(join(directory, "app__gone"), { recursive: true });
    await fs.mkdir(join(directory, "app__t"));
    for (const name of ["uwal_7.log", "uwal_6.log", "uwal_1.log.making", "UNIMAP.tmp", "_tdb_fence.tmp", "LOCK"])
      await fs.writeFile(join(directory, name), "left");
    for (const name of ["L1_5.klog", "L2P0_3.klog", "MANIFEST", "L1_4.klog"])
      await fs.writeFile(join(directory, "app__t", name), "other content");
    const result = await align(bucket, state, directory, book, steppedClock());
    assert.equal(result.generation, 6);
    assert.deepEqual(await tree(), [
      "LOCK",
      "UNIMAP",
      "app__t/L1_4.klog",
      "app__t/L1_4.vlog",
      "app__t/L2_3.klog",
      "app__t/L2_3.vlog",
      "app__t/MANIFEST",
      "app__t/config.ini",
      "uwal_6.log",
    ]);
    assert.equal(await fs.readFile(join(directory, "app__t/L1_4.klog"), "utf8"), "four keys");
    const manifest = readManifest(await fs.readFile(join(directory, "app__t/MANIFEST")));
    assert.deepEqual([manifest.entries.map(({ id }) => id), manifest.nextId], [[4, 3], 9]);
    assert.equal(await fs.readFile(join(directory, "UNIMAP"), "utf8"), "1 app__t\n2 dropped.2\n");
    const wal = wholeBlocks(await fs.readFile(join(directory, "uwal_6.log"))).map(({ data }) => data);
    assert.ok(wal[0]!.equals(encodeWalData(10, [[1, "k", "v"]])), "in order of sequence");
    assert.equal(wal.length, 2, "no rows of a dropped table");
  });

  it("fetches nothing that is there, also under another name and with another book", async () => {
    say([{ type: "table", number: 1, name: "app__t" }]);
    say([{ type: "files", table: 1, added: [sstable(1, 4, "four")], removed: [], nextId: 5 }]);
    assert.equal((await align(bucket, state, directory, book, steppedClock())).fetched, 2);
    assert.equal((await align(bucket, state, directory, book, steppedClock())).fetched, 0);
    say([{ type: "table", number: 1, name: "app__new" }]);
    assert.equal((await align(bucket, state, directory, book, steppedClock())).fetched, 0, "after a rename");
    assert.ok((await tree()).includes("app__new/L1_4.klog"));
    await book.close();
    await fs.rm(join(folder, "book"));
    book = await VolumeBook.open(join(folder, "book"));
    assert.equal(
      (await align(bucket, state, directory, book, steppedClock())).fetched,
      0,
      "without a book, by content",
    );
  });

  it("has each table's own rows when tables have exchanged their names, whatever the order of the book", async () => {
    for (const numbers of [
      [1, 2],
      [2, 1],
    ] as const) {
      const [first, second] = [`app__a${numbers[0]}`, `app__b${numbers[0]}`];
      for (const number of numbers) {
        const name = number === 1 ? first : second;
        const id = 10 * numbers[0] + number;
        say([{ type: "table", number: id, name }]);
        say([{ type: "files", table: id, added: [sstable(1, 4, `same ${id}`, id)], removed: [], nextId: 5 }]);
        await align(bucket, state, directory, book, steppedClock());
      }
      const [one, two] = [10 * numbers[0] + 1, 10 * numbers[0] + 2];
      // RENAME TABLE a TO old, b TO a: what a tool for online changes ends with.
      say([
        { type: "table", number: one, name: `${first}_old` },
        { type: "table", number: two, name: first },
      ]);
      await align(bucket, state, directory, book, steppedClock());
      assert.equal(await fs.readFile(join(directory, first, "L1_4.klog"), "utf8"), `same ${two} keys`);
      assert.equal(await fs.readFile(join(directory, `${first}_old`, "L1_4.klog"), "utf8"), `same ${one} keys`);
    }
  });

  it("does not trust a file that has the size of the right one and not its content", async () => {
    say([{ type: "table", number: 1, name: "app__t" }]);
    say([{ type: "files", table: 1, added: [sstable(1, 4, "four")], removed: [], nextId: 5 }]);
    await fs.mkdir(join(directory, "app__t"), { recursive: true });
    await fs.writeFile(join(directory, "app__t/L1_4.klog"), "fear keys");
    await align(bucket, state, directory, book, steppedClock());
    assert.equal(await fs.readFile(join(directory, "app__t/L1_4.klog"), "utf8"), "four keys");
  });

  it("has no WAL until all else is there", async () => {
    say([{ type: "table", number: 1, name: "app__t" }]);
    const added = sstable(1, 4, "four");
    say([{ type: "files", table: 1, added: [added], removed: [], nextId: 5 }]);
    await fs.mkdir(directory);
    await fs.writeFile(join(directory, "uwal_3.log"), "an engine's own");
    bucket.objects.delete(added.values.key);
    await assert.rejects(
      align(bucket, state, directory, book, steppedClock()),
      new RegExp(`${added.values.key}.*not in the bucket`),
    );
    assert.ok(!(await tree()).some(name => name.startsWith("uwal_")));
  });

  it("retires the rows that a release covers, and those of earlier writers with its first one", async () => {
    const [first, data] = blocks(2, [1, 1], [2, 1]);
    say([{ type: "table", number: 1, name: "app__t" }, first], data);
    state.apply({
      kind: "seal",
      epoch: state.epoch,
      position: state.position + 1,
      nonce: "",
      time: 0,
      nextEpoch: state.epoch + 1,
      author: "",
    });
    const [second, more] = blocks(3, [3, 1]);
    const [third, most] = blocks(4, [4, 1]);
    say([second, third], [...more, ...most]);
    assert.equal(state.blocks.size, 4);
    say([{ type: "flushed", generation: 3 }]);
    assert.deepEqual(
      state.blocksToReplay().map(({ sequence }) => sequence),
      [4],
    );
    assert.equal(
      (await align(bucket, state, directory, book, steppedClock())).generation,
      5,
      "above every one that was used",
    );
  });
});

describe("the engine's number map", () => {
  it("keeps the numbers of dropped tables taken", () => {
    const text = numberMapText([
      { number: 7, name: "b", dropped: true },
      { number: 2, name: "a", dropped: false },
    ]);
    assert.equal(text, "2 a\n7 dropped.7\n");
    assert.deepEqual([...readNumberMap(text)], [[2, "a"]]);
    assert.throws(() => readNumberMap("x\n"), /UNIMAP/);
  });

  it("gives a renamed table a definition of its name", () => {
    assert.equal(configurationFor("new", "[old]\na = 1\n", true), "[new]\na = 1\n");
  });
});
