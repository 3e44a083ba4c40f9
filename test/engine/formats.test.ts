import * as assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { readManifest, writeManifest } from "../../components/manager/store/flush/manifestFile";
import { readMaxSequence } from "../../components/manager/store/flush/sstableFile";
import { readCommit } from "../../components/manager/store/wal/commit";
import { readFrame } from "../../components/manager/store/wal/frame";
import { decodeFile, encodeFile, encodeFrame } from "./formats/frames";
import { decodeManifest, encodeManifest, ManifestContent } from "./formats/manifest";
import { decodeSstable, encodeSstable } from "./formats/sstable";
import { decodeWalData, encodeWalData, WalRecord } from "./formats/writeAheadLog";
import { decodeFamilySettings, encodeFamilySettings } from "./model/columnFamily";

/** Beyond what 32 bits hold. */
const large = 2 ** 40 + 7;

describe("the engine's formats, as the tests write them", () => {
  it("have frames that the store reads, with a right checksum", () => {
    for (const size of [1, 15, 16, 17, 5000]) {
      const frame = readFrame(encodeFrame(Buffer.alloc(size, 7)), 0);
      assert.ok(typeof frame !== "string" && frame.data.equals(Buffer.alloc(size, 7)), String(size));
    }
    const datas = ["one", "two", "three"].map(text => Buffer.from(text));
    assert.deepEqual([...decodeFile(encodeFile(...datas))], datas);
    const cut = encodeFile(...datas);
    assert.deepEqual([...decodeFile(cut.subarray(0, -1))], datas.slice(0, 2), "one that is cut off does not count");
  });

  it("have transactions that the store reads", () => {
    const record: WalRecord = {
      sequence: large,
      writes: [
        [7, "key", "välue"],
        [3, "gone", null],
        [7, "empty", ""],
      ],
    };
    const data = encodeWalData(record.sequence, record.writes);
    assert.deepEqual(readCommit(data), { sequence: large, tables: [3, 7] });
    assert.deepEqual(decodeWalData(data), record);
    assert.deepEqual(decodeWalData(encodeWalData(5, [[1, "k", "v", true]])), { sequence: 5, writes: [[1, "k", "v"]] });
  });

  it("have manifests that the store reads, and read those that the store writes", () => {
    const content: ManifestContent = {
      entries: [
        { level: 1, id: 4, entries: 2, bytes: large },
        { level: 2, id: large, entries: 0, bytes: 1 },
      ],
      sequence: large + 1,
    };
    const { entries, sequence: nextId } = content;
    assert.deepEqual(readManifest(encodeManifest(content)), { entries, nextId });
    assert.deepEqual(decodeManifest(writeManifest({ entries, nextId })), content);
    assert.deepEqual(decodeManifest(encodeManifest({ entries: [], sequence: 0 })), { entries: [], sequence: 0 });
  });

  it("have SSTables whose highest sequence the store reads, and whose rows come back", async () => {
    const rows = new Map([
      ["b", { sequence: large, value: "two" }],
      ["a", { sequence: 3, value: null }],
    ]);
    const { klog, vlog } = encodeSstable(rows);
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "formats-"));
    try {
      await fs.writeFile(path.join(folder, "L1_0.klog"), klog);
      assert.equal(await readMaxSequence(path.join(folder, "L1_0.klog")), large);
    } finally {
      await fs.rm(folder, { recursive: true });
    }
    assert.deepEqual(decodeSstable(klog, vlog), rows);
    const tombstones = encodeSstable(new Map([["a", { sequence: 3, value: null }]]));
    assert.equal(tombstones.vlog.length, 8, "without values there is nothing but a header");
    assert.deepEqual(decodeSstable(new Uint8Array(), new Uint8Array()), new Map());
  });

  it("have a table's settings under its name, and leave what is not said to the library", () => {
    const settings = {
      l1FileCountTrigger: 1000,
      minLevels: 3,
      tombstoneDensityTrigger: 1,
      tombstoneDensityMinEntries: 7,
      writeBufferBytes: 1024 ** 3,
    };
    const text = Buffer.from(encodeFamilySettings("app__t", settings)).toString();
    assert.match(text, /^\[app__t\]\n[^]*^tombstone_density_trigger = 0\.000100$/m);
    assert.deepEqual(decodeFamilySettings(Buffer.from(text)), settings);
    assert.equal(decodeFamilySettings(Buffer.from("[t]\nmin_levels = 4\nuse_btree = 0\n")).minLevels, 4);
    assert.equal(decodeFamilySettings(undefined).minLevels, 1);
  });
});
