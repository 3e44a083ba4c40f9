import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { dataVolume } from "../../components/manager/dataVolume";
import { WalEnds } from "../../components/manager/walEnds";
import { fileDisk } from "../engine/disk/fileDisk";
import { emptyWal, encodeWalRecord } from "../engine/formats/writeAheadLog";

const block = (sequence: number, bytes = 10) =>
  encodeWalRecord({ sequence, writes: [[1, `k${sequence}`, "v".repeat(bytes)]] });

describe("the end of a WAL", () => {
  let folder: string;
  let file: string;
  let ends: WalEnds;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidesql-wal-"));
    file = join(folder, "uwal_3.log");
    ends = new WalEnds();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is where its last block ends, whatever was preallocated behind it", async () => {
    const content = Buffer.concat([emptyWal, block(1), block(2, 400_000), block(3)]);
    writeFileSync(file, content);
    truncateSync(file, 64 * 1024 * 1024);
    assert.equal((await ends.of(file))?.bytes, content.length);
  });

  it("is 8 in one without a block, and undefined without a file", async () => {
    writeFileSync(file, emptyWal);
    assert.equal((await ends.of(file))?.bytes, 8);
    truncateSync(file, 4096);
    assert.equal((await ends.of(file))?.bytes, 8);
    assert.equal(await ends.of(join(folder, "uwal_4.log")), undefined);
  });

  it("moves with each commit, and leaves out one that is not whole yet", async () => {
    const disk = fileDisk(folder);
    disk.write("uwal_3.log", emptyWal);
    let end = 8;
    for (const sequence of [1, 2, 3]) {
      disk.append("uwal_3.log", block(sequence));
      end += block(sequence).length;
      assert.equal((await ends.of(file))?.bytes, end);
    }
    const torn = block(4).subarray(0, 20);
    truncateSync(file, end);
    appendFileSync(file, torn);
    assert.equal((await ends.of(file))?.bytes, end);
    appendFileSync(file, block(4).subarray(20));
    assert.equal((await ends.of(file))?.bytes, end + block(4).length);
  });

  it("is found anew in a file that was cut off and written again, and in another one of the same name", async () => {
    writeFileSync(file, Buffer.concat([emptyWal, block(1), block(2)]));
    await ends.of(file);
    writeFileSync(file, Buffer.concat([emptyWal, block(7)]));
    assert.equal((await ends.of(file))?.bytes, 8 + block(7).length);
    writeFileSync(`${file}.new`, Buffer.concat([emptyWal, block(8), block(9), block(10)]));
    renameSync(`${file}.new`, file);
    assert.equal((await ends.of(file))?.bytes, 8 + block(8).length + block(9).length + block(10).length);
  });

  it("is the same however often it was looked for on the way", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 300_000 }), look: fc.boolean() }), { maxLength: 12 }),
        async blocks => {
          const path = join(folder, "uwal_9.log");
          const disk = fileDisk(folder);
          disk.write("uwal_9.log", emptyWal);
          const looking = new WalEnds();
          let end = 8;
          for (const [index, { bytes, look }] of blocks.entries()) {
            disk.append("uwal_9.log", block(index + 1, bytes));
            end += block(index + 1, bytes).length;
            if (look) assert.equal((await looking.of(path))?.bytes, end);
          }
          assert.equal((await looking.of(path))?.bytes, end);
          assert.equal((await new WalEnds().of(path))?.bytes, end);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("comes with whether the commits before it stand in order, whatever was looked at before, and however large they are", async () => {
    const inOrder = async (...sequences: number[]) => {
      const looking = new WalEnds();
      const path = join(folder, "uwal_9.log");
      const disk = fileDisk(folder);
      disk.write("uwal_9.log", emptyWal);
      const seen: boolean[] = [];
      for (const sequence of sequences) {
        disk.append("uwal_9.log", block(sequence, 300_000 * (sequence % 2)));
        seen.push((await looking.of(path))?.isDisordered === false);
      }
      assert.equal((await new WalEnds().of(path))?.isDisordered, seen.at(-1) === false);
      return seen;
    };
    assert.deepEqual(await inOrder(1, 2, 200, 40_000, 5_000_000_000), [true, true, true, true, true]);
    assert.deepEqual(await inOrder(7, 9, 8, 10), [true, true, false, false]);
    assert.deepEqual(await inOrder(300, 299), [true, false]);
  });

  it("is the length that the volume tells, and what is read for the bucket ends there", async () => {
    const disk = fileDisk(folder);
    disk.write("uwal_3.log", emptyWal);
    disk.append("uwal_3.log", block(1));
    const bytes = 8 + block(1).length;
    const volume = dataVolume("/nowhere", {
      dataDirectory: folder,
      mariadbDirectory: join(folder, "mysql"),
      tidesdbDirectory: folder,
      templateDirectory: join(folder, "template"),
      keptDirectory: join(folder, "kept"),
      epochFile: join(folder, "epoch.json"),
    });
    assert.deepEqual(await volume.walFiles(), [{ generation: 3, bytes, isDisordered: false }]);
    assert.deepEqual(
      (await volume.list()).map(({ name, size }) => ({ name, size })),
      [{ name: "uwal_3.log", size: bytes }],
    );
    assert.deepEqual(await volume.readFile("uwal_3.log"), Buffer.concat([emptyWal, block(1)]));
  });
});
