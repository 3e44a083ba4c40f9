import assert from "node:assert/strict";
import fc from "fast-check";
import { Change, SstableRecord, sstableKey } from "../../../../components/manager/store/log/changes";
import { FlushBook } from "../../../../components/manager/store/flush/flushBook";
import { Upload } from "../../../../components/manager/store/flush/tableBook";
import { ManifestEntry, readManifest, writeManifest } from "../../../../components/manager/store/flush/manifestFile";
import { parseSstableFile, sstableFile } from "../../../../components/manager/store/flush/sstableFile";

const file = (key: string) => ({ key, size: 1, crc32: 1 });
const upload = (maxSequence: number, plain = true): Upload => ({
  keys: file("k"),
  values: file("v"),
  maxSequence,
  plain,
});
const entry = (id: number, level = 1): ManifestEntry => ({ level, id, entries: 1, bytes: 1 });
const block = (sequence: number, ...tables: number[]) => ({ sequence, tables });
const kinds = (changes: Change[]) => changes.map(({ type }) => type);

describe("a manifest", () => {
  it("is read as it was written, whatever numbers are in it", () => {
    const entries = fc.uniqueArray(
      fc.record(
        {
          level: fc.integer({ min: 1, max: 20 }),
          id: fc.maxSafeNat(),
          entries: fc.maxSafeNat(),
          bytes: fc.maxSafeNat(),
        },
        { noNullPrototype: true },
      ),
      { selector: sstableKey },
    );
    fc.assert(
      fc.property(entries, fc.maxSafeNat(), (entries, nextId) => {
        const bytes = writeManifest({ entries, nextId });
        assert.deepEqual(readManifest(bytes), { entries, nextId });
        // A batch that is being written does not count.
        assert.deepEqual(readManifest(Buffer.concat([bytes, Buffer.from([9, 0, 0, 0, 1])])), { entries, nextId });
      }),
    );
  });

  it("of another format is refused", () => {
    assert.throws(() => readManifest(Buffer.from("8\n12345\n")), /format/);
  });
});

describe("an SSTable's name", () => {
  it("has one form for readers, whatever a merge called it", () => {
    const merged = parseSstableFile("L2P0_17.klog")!;
    assert.deepEqual(merged, { level: 2, partition: 0, id: 17, half: "keys" });
    assert.equal(sstableFile(merged.level, merged.id, merged.half), "L2_17.klog");
    assert.equal(parseSstableFile("MANIFEST"), undefined);
    assert.equal(parseSstableFile("L1_7.klog.tmp"), undefined);
  });
});

describe("a flush", () => {
  function book(tables = [1, 2]) {
    return new FlushBook(
      1,
      tables.map(number => ({ number, files: [] })),
      [],
    );
  }

  it("is shown as a whole, when its last file and its WAL are there", () => {
    const flushes = book();
    flushes.found(1, [block(1, 1), block(2, 2)]);
    flushes.uploaded(1, 10, upload(1));
    flushes.manifest(1, { entries: [entry(10)], nextId: 11 });
    assert.deepEqual(flushes.due(), []);
    flushes.walWhole(1);
    assert.deepEqual(flushes.due(), [], "table 2 has no file yet");
    flushes.uploaded(2, 20, upload(2));
    flushes.manifest(2, { entries: [entry(20)], nextId: 21 });
    const changes = flushes.due();
    assert.deepEqual(kinds(changes), ["files", "files", "flushed"]);
    assert.deepEqual(flushes.due(), []);
  });

  it("is found in the log once it is there, and moves to another level without being sent again", () => {
    const log = new Map<number, SstableRecord>();
    const flushes = new FlushBook(1, [{ number: 1, files: [] }], [], (_, id) => log.get(id));
    flushes.found(1, [block(1, 1)]);
    flushes.uploaded(1, 10, upload(1));
    flushes.manifest(1, { entries: [entry(10)], nextId: 11 });
    flushes.walWhole(1);
    const changes = flushes.due();
    assert.ok(flushes.upload(1, 10), "it is on its way into the log");
    flushes.inLog(changes);
    assert.equal(flushes.upload(1, 10), undefined, "nothing of it is held beside the log");
    for (const change of changes) if (change.type === "files") for (const one of change.added) log.set(one.id, one);
    const moved = { entries: [entry(10, 2)], nextId: 11 };
    assert.deepEqual(flushes.unsent(1, moved), []);
    flushes.manifest(1, moved);
    const [files] = flushes.due() as Extract<Change, { type: "files" }>[];
    assert.deepEqual(
      files!.added.map(({ level, id, keys, maxSequence }) => [level, id, keys.key, maxSequence]),
      [[2, 10, "k", 1]],
    );
    assert.deepEqual(files!.removed, [{ level: 1, id: 10 }]);
  });

  it("does not wait for a table that was dropped", () => {
    const flushes = book();
    flushes.found(1, [block(1, 1), block(2, 2)]);
    flushes.uploaded(1, 10, upload(1));
    flushes.manifest(1, { entries: [entry(10)], nextId: 11 });
    flushes.walWhole(1);
    flushes.dropped(2);
    assert.deepEqual(kinds(flushes.due()), ["files", "flushed"]);
  });

  it("comes after the one before it, though its files were faster", () => {
    const flushes = book([1]);
    flushes.found(1, [block(1, 1)]);
    flushes.found(2, [block(2, 1)]);
    flushes.uploaded(1, 11, upload(2));
    flushes.manifest(1, { entries: [entry(11)], nextId: 12 });
    flushes.walWhole(2);
    assert.deepEqual(flushes.due(), []);
    flushes.uploaded(1, 10, upload(1));
    flushes.manifest(1, { entries: [entry(10), entry(11)], nextId: 12 });
    flushes.walWhole(1);
    const changes = flushes.due();
    assert.deepEqual(kinds(changes), ["files", "flushed", "files", "flushed"]);
  });

  it("keeps a merge that holds some of it back, with the removal of what was merged", () => {
    const flushes = new FlushBook(1, [{ number: 1, files: [{ level: 1, id: 1 }] }], []);
    flushes.found(1, [block(7, 1)]);
    flushes.found(2, [block(8, 1)]);
    flushes.uploaded(1, 2, upload(7));
    flushes.manifest(1, { entries: [entry(1), entry(2)], nextId: 3 });
    flushes.uploaded(1, 3, upload(7, false));
    flushes.manifest(1, { entries: [entry(1), entry(2), entry(3, 2)], nextId: 4 });
    flushes.manifest(1, { entries: [entry(3, 2)], nextId: 4 });
    assert.deepEqual(flushes.due(), [], "nothing of an open flush is shown, and nothing is taken away for it");
    flushes.walWhole(1);
    const [unneeded, files] = flushes.due();
    assert.deepEqual(unneeded, { type: "unneeded", keys: ["k", "v"] }, "of the file that a merge took meanwhile");
    assert.ok(files?.type === "files");
    assert.deepEqual([files.added.map(sstableKey), files.removed.map(sstableKey)], [["2/3"], ["1/1"]]);
  });

  it("removes nothing for a merge that waits, also when it seems to be of a younger flush than all that it has merged", () => {
    const flushes = new FlushBook(1, [{ number: 1, files: [entry(1), entry(2)] }], []);
    // Its commit 6 had its number before 7, which was released with file 2, and its place in the next WAL.
    flushes.found(1, [block(6, 1), block(8, 1)]);
    flushes.uploaded(1, 3, upload(7, false));
    flushes.manifest(1, { entries: [entry(1), entry(2), entry(3, 2)], nextId: 4 });
    flushes.manifest(1, { entries: [entry(3, 2)], nextId: 4 });
    assert.deepEqual(flushes.due(), [], "the files that were merged are all that has their rows");
    flushes.uploaded(1, 4, upload(8));
    flushes.manifest(1, { entries: [entry(3, 2), entry(4)], nextId: 5 });
    flushes.walWhole(1);
    const [files] = flushes.due();
    assert.ok(files?.type === "files");
    assert.deepEqual(
      [files.added.map(sstableKey), files.removed.map(sstableKey)],
      [
        ["2/3", "1/4"],
        ["1/1", "1/2"],
      ],
    );
  });

  it("shows a merge of old files at once", () => {
    const flushes = new FlushBook(5, [{ number: 1, files: [entry(1), entry(2)] }], []);
    flushes.found(5, [block(100, 1)]);
    flushes.uploaded(1, 3, upload(50, false));
    flushes.manifest(1, { entries: [entry(1), entry(2), entry(3, 2)], nextId: 4 });
    flushes.manifest(1, { entries: [entry(3, 2)], nextId: 4 });
    assert.deepEqual(kinds(flushes.due()), ["files"]);
  });

  it("does not wait for the next one, though a commit of that has a lower number", () => {
    const flushes = book([1]);
    flushes.found(1, [block(2, 1)]);
    flushes.found(2, [block(1, 1)]);
    flushes.uploaded(1, 10, upload(2));
    flushes.manifest(1, { entries: [entry(10)], nextId: 11 });
    flushes.walWhole(1);
    assert.deepEqual(kinds(flushes.due()), ["files", "flushed"]);
  });

  it("waits for a file that is named and not uploaded", () => {
    const flushes = book([1]);
    flushes.found(1, [block(1, 1)]);
    flushes.manifest(1, { entries: [entry(10)], nextId: 11 });
    flushes.walWhole(1);
    assert.deepEqual(flushes.due(), []);
    flushes.uploaded(1, 10, upload(1));
    assert.deepEqual(kinds(flushes.due()), ["files", "flushed"]);
  });

  it("counts the blocks that the engine has replayed as its first memtable's", () => {
    const flushes = new FlushBook(9, [{ number: 1, files: [] }], [block(3, 1)]);
    flushes.walWhole(9);
    assert.deepEqual(flushes.due(), []);
    flushes.uploaded(1, 1, upload(3));
    flushes.manifest(1, { entries: [entry(1)], nextId: 2 });
    assert.deepEqual(kinds(flushes.due()), ["files", "flushed"]);
  });

  /**
   * An engine with one table whose flushes overlap and whose merges take any files; each SSTable is the set of its sequences. At every release what the log names, with the blocks that no release covers, is
   * every row; and no file of an open flush is named.
   */
  it("leaves no row out and none of an open flush in, however flushes and merges overlap", () => {
    const step = fc.constantFrom("write", "rotate", "flush", "merge", "retire", "wal");
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.infiniteStream(fc.nat({ max: 1000 })), (steps, dice) => {
        const flushes = book([1]);
        const roll = (count: number) => (dice.next().value as number) % count;
        const contents = new Map<number, Set<number>>();
        let present: number[] = [];
        const levels = new Map<number, number>();
        const shown = new Map<string, SstableRecord>();
        const memtables = new Map<number, Set<number>>([[1, new Set()]]);
        const flushed = new Set<number>();
        const merging: { inputs: number[] }[] = [];
        let active = 1;
        let sequence = 0;
        let id = 0;
        let released = 0;
        const publish = () => {
          flushes.manifest(1, { entries: present.map(one => entry(one, levels.get(one))), nextId: id + 1 });
          take();
        };
        const take = () => {
          for (const change of flushes.due()) {
            if (change.type === "flushed") released = change.generation;
            if (change.type !== "files") continue;
            for (const name of change.removed) assert.ok(shown.delete(sstableKey(name)), "what is removed was there");
            for (const record of change.added) shown.set(sstableKey(record), record);
          }
          const rows = new Set([...shown.values()].flatMap(({ id }) => [...contents.get(id)!]));
          for (const [generation, memtable] of memtables)
            for (const row of memtable) {
              if (generation <= released)
                assert.ok(rows.has(row), `row ${row} of released flush ${generation} is gone`);
              else assert.ok(!rows.has(row), `row ${row} of open flush ${generation} is shown`);
            }
        };
        const add = (rows: Set<number>, level: number, plain: boolean) => {
          id++;
          contents.set(id, rows);
          levels.set(id, level);
          flushes.uploaded(1, id, upload(Math.max(...rows), plain));
          present.push(id);
          publish();
        };
        for (const step of steps) {
          const rotated = [...memtables.keys()].filter(generation => generation < active);
          if (step === "write") {
            // Commits that run while a memtable is rotated can stand in either, in any order.
            const into = active > 1 && !flushed.has(active - 1) && roll(3) === 0 ? active - 1 : active;
            memtables.get(into)!.add(++sequence);
            flushes.found(into, [block(sequence, 1)]);
          } else if (step === "rotate" && memtables.get(active)!.size > 0) memtables.set(++active, new Set());
          else if (step === "flush") {
            const ready = rotated.filter(generation => !flushed.has(generation));
            if (ready.length === 0) continue;
            const generation = ready[roll(ready.length)]!;
            flushed.add(generation);
            add(new Set(memtables.get(generation)), 1, true);
          } else if (step === "merge") {
            const free = present.filter(one => !merging.some(({ inputs }) => inputs.includes(one)));
            if (free.length < 2) continue;
            const inputs = free.slice(0, 2 + roll(free.length - 1));
            merging.push({ inputs });
            add(new Set(inputs.flatMap(one => [...contents.get(one)!])), 2, false);
          } else if (step === "retire" && merging.length > 0) {
            const { inputs } = merging.shift()!;
            present = present.filter(one => !inputs.includes(one));
            publish();
          } else if (step === "wal") {
            const ready = rotated.filter(generation => flushed.has(generation));
            if (ready.length > 0) flushes.walWhole(ready[roll(ready.length)]!);
            take();
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});
