import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreClock } from "../../../../components/manager/store/bucket/bucket";
import { Submission } from "../../../../components/manager/store/log/append";
import { DefinitionWatch } from "../../../../components/manager/store/wal/definitionWatch";
import { Shipper } from "../../../../components/manager/store/wal/shipper";
import { fileHeader, writeFrame } from "../../../../components/manager/store/wal/frame";
import { MemoryBucket } from "../memoryBucket";
import { encodeWalData } from "../../../engine/formats/writeAheadLog";

describe("shipping a WAL", () => {
  let folder: string;
  let bucket: MemoryBucket;
  let shipper: Shipper;
  /** What was handed to the log: sequences, and what makes it durable. */
  let handed: { sequences: number[]; durable: () => void }[];
  /** What was told before it was handed over. */
  let seen: { sequences: number[]; isHeld: boolean }[];
  let bytes: Buffer;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "shipper-"));
    bucket = new MemoryBucket();
    handed = [];
    seen = [];
    bytes = fileHeader;
    await fs.writeFile(join(folder, "uwal_1.log"), bytes);
    const clock: StoreClock = {
      now: () => performance.now(),
      wall: () => 0,
      sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
    };
    shipper = new Shipper(bucket, clock, {
      definitions: new DefinitionWatch({ server: folder, clock, number: () => undefined, early: false }),
      directory: folder,
      epoch: 1,
      known: new Set(),
      sync: false,
      found: () => undefined,
      seen: (blocks, isHeld) => seen.push({ sequences: blocks.map(({ sequence }) => sequence), isHeld }),
      submit: ({ changes }: Submission) =>
        new Promise(resolve => {
          const blocks = changes.flatMap(change => (change.type === "blocks" ? change.blocks : []));
          handed.push({ sequences: blocks.map(({ sequence }) => sequence), durable: () => resolve(1) });
        }),
    });
  });
  afterEach(async () => {
    await shipper.close();
    await fs.rm(folder, { recursive: true });
  });

  async function commit(sequence: number, value = "v"): Promise<void> {
    bytes = Buffer.concat([bytes, writeFrame(encodeWalData(sequence, [[1, "k", value]]))]);
    await fs.writeFile(join(folder, "uwal_1.log"), bytes, { flag: "r+" });
  }
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise(resolve => setTimeout(resolve, 2));
  }
  const sequences = () => handed.map(one => one.sequences);

  it("hands over what is found while an append is on its way, so that the next append has all of it", async () => {
    await commit(1);
    const first = shipper.look(1);
    await until(() => handed.length === 1);
    await commit(2);
    const second = shipper.look(1);
    await until(() => handed.length === 2);
    assert.deepEqual(sequences(), [[1], [2]]);
    handed.forEach(({ durable }) => durable());
    await Promise.all([first, second]);
  });

  it("finds the rows of a flush in a WAL that was made a moment ago: its file would be taken for an older flush's", async () => {
    await commit(1);
    const first = shipper.look();
    await until(() => handed.length === 1);
    const next = Buffer.concat([fileHeader, writeFrame(encodeWalData(2, [[1, "k", "v"]]))]);
    await fs.writeFile(join(folder, "uwal_2.log"), next);
    const second = shipper.lookEverywhere();
    await until(() => handed.length === 2);
    assert.deepEqual(sequences(), [[1], [2]]);
    handed.forEach(({ durable }) => durable());
    await Promise.all([first, second]);
  });

  it("never hands a commit over before one of an older WAL that it may rest on", async () => {
    const [first, second, third] = [1, 2, 3].map(sequence => writeFrame(encodeWalData(sequence, [[1, "k", "v"]])));
    const open = Buffer.concat([fileHeader, Buffer.alloc(first!.length), second!]);
    await fs.writeFile(join(folder, "uwal_1.log"), Buffer.concat([open, Buffer.alloc(100)]));
    await fs.writeFile(join(folder, "uwal_2.log"), Buffer.concat([fileHeader, third!, Buffer.alloc(100)]));
    // The place of the first one is reserved and not filled; the second stands behind it, and was acknowledged before the third was begun.
    await shipper.lookEverywhere();
    assert.deepEqual(sequences(), []);
    const file = await fs.open(join(folder, "uwal_1.log"), "r+");
    await file.write(first!, 0, first!.length, fileHeader.length);
    await file.close();
    const look = shipper.look();
    await until(() => handed.length === 1);
    assert.deepEqual(sequences(), [[1, 2, 3]]);
    handed[0]!.durable();
    await look;
    await commitIn(2, 4);
    const later = shipper.look();
    await until(() => handed.length === 2);
    assert.deepEqual(sequences()[1], [4], "room that is reserved behind the older WAL's end is no open place");
    handed[1]!.durable();
    await later;

    async function commitIn(generation: number, sequence: number): Promise<void> {
      const frame = writeFrame(encodeWalData(sequence, [[1, "k", "v"]]));
      const newer = await fs.open(join(folder, `uwal_${generation}.log`), "r+");
      await newer.write(frame, 0, frame.length, fileHeader.length + third!.length);
      await newer.close();
    }
  });

  it("tells of what a peek finds, and hands it over with the next look", async () => {
    await commit(1);
    await shipper.peek();
    await commit(2);
    await shipper.peek();
    assert.equal(handed.length, 0);
    assert.ok(shipper.heldBytes > 0);
    await commit(3);
    const look = shipper.look();
    await until(() => handed.length === 1);
    assert.deepEqual(sequences(), [[1, 2, 3]]);
    assert.equal(shipper.heldBytes, 0);
    assert.deepEqual(seen, [
      { sequences: [1], isHeld: true },
      { sequences: [2], isHeld: true },
      { sequences: [3], isHeld: false },
    ]);
    await commit(4);
    await shipper.peek();
    assert.equal(handed.length, 1, "a peek does not wait for an append");
    handed[0]!.durable();
    await look;
    const second = shipper.look();
    await until(() => handed.length === 2);
    assert.deepEqual(sequences()[1], [4], "also when nothing is new since the peek");
    handed[1]!.durable();
    await second;
  });

  it("never hands a later commit over before a large one, whose data are sent first", async () => {
    const sent: (() => void)[] = [];
    const create = bucket.create.bind(bucket);
    bucket.create = async (key, content) => {
      await new Promise<void>(resolve => sent.push(resolve));
      return create(key, content);
    };
    await commit(1, "x".repeat(2 * 1024 * 1024));
    const large = shipper.look(1);
    await until(() => sent.length === 1);
    await commit(2);
    const small = shipper.look(1);
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.deepEqual(sequences(), []);
    sent.forEach(resolve => resolve());
    await until(() => handed.length === 2);
    assert.deepEqual(sequences(), [[1], [2]]);
    handed.forEach(({ durable }) => durable());
    await Promise.all([large, small]);
  });
});
