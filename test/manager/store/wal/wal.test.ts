import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { fileHeader, readFrame, writeFrame } from "../../../../components/manager/store/wal/frame";
import { readCommit } from "../../../../components/manager/store/wal/commit";
import { WalScanner } from "../../../../components/manager/store/wal/scanner";
import { walBytes, walGeneration, writeWal } from "../../../../components/manager/store/wal/files";
import { readLeftovers, readWithoutReserve, wholeBlocks } from "../../../../components/manager/store/wal/leftovers";
import { xxh32 } from "../../../../components/manager/store/wal/xxh32";
import { encodeWalData } from "../../../engine/formats/writeAheadLog";

const scratch = mkdtempSync(join(tmpdir(), "wal-"));
after(() => fs.rm(scratch, { recursive: true }));

describe("xxHash32", () => {
  it("is the published one", () => {
    for (const [text, hash] of [
      ["", 0x02cc5d05],
      ["a", 0x550d7456],
      ["abc", 0x32d153ff],
      ["Nobody inspects the spammish repetition", 0xe2293b2f],
    ] as const)
      assert.equal(xxh32(Buffer.from(text)), hash, text);
  });

  it("does not depend on where the bytes stand", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 7 }), (bytes, offset) => {
        const moved = Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset);
        assert.equal(xxh32(moved), xxh32(Buffer.from(bytes)));
      }),
    );
  });
});

describe("a commit in a WAL", () => {
  it("says its sequence and its tables", () => {
    const data = encodeWalData(300, [
      [9, "k1", "v".repeat(200)],
      [2, "k2", "", true],
      [9, "k3", "x"],
    ]);
    assert.deepEqual(readCommit(data), { sequence: 300, tables: [2, 9] });
  });

  it("is refused when it is cut off anywhere behind its head", () => {
    const data = encodeWalData(5, [[1, "key", "value"]]);
    for (let length = 0; length < data.length; length++)
      assert.throws(() => readCommit(data.subarray(0, length)), /truncated|is empty/, String(length));
  });
});

describe("a WAL that is being written", () => {
  it("gives each block once when it is whole, and none that is not, in whatever order its bytes come", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 4000 }), tricky: fc.boolean() }), {
          minLength: 1,
          maxLength: 25,
        }),
        fc.infiniteStream(fc.nat({ max: 1_000_000 })),
        async (blocks, dice) => {
          const path = join(scratch, `run-${run++}`);
          const file = await fs.open(path, "w+");
          await file.write(fileHeader);
          await file.truncate(256 * 1024);
          const next = () => dice.next().value as number;
          // Each block has its place; its bytes come in pieces, a head first, as several writers leave them.
          const pieces: { at: number; bytes: Buffer; last: boolean; block: number }[] = [];
          let offset = fileHeader.length;
          const ends = [offset];
          const data = blocks.map(({ size, tricky }, index) => {
            const value = Buffer.alloc(size, next() % 256);
            // A row that looks like a block of a WAL.
            if (tricky) writeFrame(encodeWalData(7777, [[1, "forged", "x"]])).copy(value, size >> 2);
            const commit = encodeWalData(index + 1, [[1, "k", value]]);
            const frame = writeFrame(commit);
            const cut = next() % frame.length;
            pieces.push({ at: offset, bytes: frame.subarray(0, cut), last: false, block: index });
            pieces.push({ at: offset + cut, bytes: frame.subarray(cut), last: true, block: index });
            offset += frame.length;
            ends.push(offset);
            return commit;
          });
          const scanner = await WalScanner.open(path, 4);
          const whole = new Set<number>();
          const seen = new Map<number, Buffer>();
          while (pieces.length > 0) {
            // Of any of the next four blocks, but a block's own pieces in order.
            const window = [...new Set(pieces.map(({ block }) => block))].slice(0, 4);
            const block = window[next() % window.length]!;
            const [piece] = pieces.splice(
              pieces.findIndex(one => one.block === block),
              1,
            );
            await file.write(piece!.bytes, 0, piece!.bytes.length, piece!.at);
            if (piece!.last) whole.add(block);
            if (next() % 3 !== 0 && pieces.length > 0) continue;
            for (const found of await scanner.look()) {
              assert.ok(!seen.has(found.sequence), `block ${found.sequence} came twice`);
              assert.ok(whole.has(found.sequence - 1), `block ${found.sequence} is not whole`);
              seen.set(found.sequence, Buffer.from(found.data));
            }
            // Everything before the first that is not whole is there, and nothing else.
            const first = data.findIndex((_, index) => !whole.has(index));
            assert.equal(seen.size, first < 0 ? data.length : first);
            assert.equal(scanner.readUntil, ends[seen.size]);
          }
          assert.equal(seen.size, blocks.length);
          for (const [sequence, bytes] of seen) assert.ok(bytes.equals(data[sequence - 1]!));
          await scanner.close();
          await file.close();
        },
      ),
      { numRuns: 120 },
    );
  });

  it("gives blocks that are longer than what is read at once", async () => {
    const path = join(scratch, "uwal_3.log");
    const commits = [10, 70_000, 200_000, 5].map((size, index) =>
      encodeWalData(index + 1, [[1, "k", "v".repeat(size)]]),
    );
    await fs.writeFile(
      path,
      Buffer.concat([fileHeader, ...commits.map(data => writeFrame(data)), Buffer.alloc(100_000)]),
    );
    const scanner = await WalScanner.open(path, 3);
    assert.deepEqual(
      (await scanner.look()).map(({ sequence }) => sequence),
      [1, 2, 3, 4],
    );
    await scanner.close();
  });

  it("does not take a block whose data are not there yet", () => {
    const frame = writeFrame(encodeWalData(1, [[1, "k", "value ".repeat(50)]]));
    const early = Buffer.from(frame);
    early.fill(0, 100, 200);
    assert.equal(readFrame(early, 0), "broken");
  });
});

describe("a WAL that its engine has left", () => {
  const frame = (sequence: number, value: string | Buffer) => writeFrame(encodeWalData(sequence, [[1, "k", value]]));
  const sequences = (bytes: Buffer) => wholeBlocks(bytes).map(({ data }) => readCommit(data).sequence);

  it("is read behind places that nobody has filled, and nothing within half a block is taken for one", () => {
    const forged = frame(7777, "forged");
    const half = frame(2, Buffer.concat([Buffer.from("a".repeat(50)), forged, Buffer.from("b".repeat(500))]));
    half.fill(0, half.length - 300);
    // A length of 256 begins with a byte of zero.
    const round = frame(4, "x".repeat(256 - encodeWalData(4, [[1, "k", ""]]).length - 1));
    assert.equal(round[0], 0);
    const all = [fileHeader, frame(1, "one"), half, frame(3, "three"), Buffer.alloc(9000), round, frame(5, "five")];
    assert.deepEqual(sequences(Buffer.concat([...all, Buffer.alloc(70_000)])), [1, 3, 4, 5]);
  });

  it("is read without the place that the engine has reserved, whatever its length", async () => {
    const path = join(scratch, "reserved.log");
    for (const gap of [0, 9000, 300_000, 3_000_000]) {
      const written = [fileHeader, frame(1, "one"), Buffer.alloc(gap), frame(2, "x".repeat(400_000))];
      for (const reserve of [0, 1, 64 << 20]) {
        await fs.writeFile(path, Buffer.concat(written));
        await fs.truncate(
          path,
          written.reduce((sum, part) => sum + part.length, reserve),
        );
        const bytes = await readWithoutReserve(path);
        assert.deepEqual(sequences(bytes), [1, 2]);
        assert.ok(bytes.length < gap + 1_000_000, `${bytes.length} bytes of ${gap} and a reserve of ${reserve}`);
      }
    }
    await fs.writeFile(path, Buffer.alloc(1000));
    assert.equal((await readWithoutReserve(path)).length, 0);
  });

  it("is not read when its flush was released", async () => {
    const folder = join(scratch, "left");
    await fs.mkdir(folder);
    await fs.writeFile(join(folder, "uwal_8.log"), Buffer.concat([fileHeader, frame(3, "x")]));
    await fs.writeFile(join(folder, "uwal_9.log"), Buffer.concat([fileHeader, frame(5, "x"), frame(4, "x")]));
    assert.deepEqual(
      (await readLeftovers(folder, 8)).map(({ sequence }) => sequence),
      [4, 5],
    );
    assert.deepEqual(await readLeftovers(join(folder, "none"), 8), []);
  });
});

describe("a WAL of our own", () => {
  it("has a block behind the other, and is read back", async () => {
    const path = join(scratch, "uwal_12.log");
    const blocks = [1, 2, 3].map(sequence => {
      const data = encodeWalData(sequence, [[1, "k", "v"]]);
      return { data, hash: xxh32(data) };
    });
    await writeWal(path, blocks);
    assert.ok((await fs.readFile(path)).equals(walBytes(blocks)));
    const scanner = await WalScanner.open(path, 12);
    assert.equal((await scanner.look()).length, 3);
    await scanner.close();
    assert.equal(walGeneration("uwal_12.log"), 12);
    assert.equal(walGeneration("uwal_12.log.making"), undefined);
  });
});
