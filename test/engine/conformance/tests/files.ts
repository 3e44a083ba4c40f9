import assert from "node:assert/strict";
import { readManifest } from "../../../../components/manager/store/flush/manifestFile";
import { parseSstableFile, readMaxSequence } from "../../../../components/manager/store/flush/sstableFile";
import { readNumberMap } from "../../../../components/manager/store/volume/engineFiles";
import { walFileName, walGeneration } from "../../../../components/manager/store/wal/files";
import { wholeBlocks } from "../../../../components/manager/store/wal/leftovers";
import { FoundBlock, WalScanner } from "../../../../components/manager/store/wal/scanner";
import { Lab, newestWal, Node, until } from "../lab";
import { ConformanceSection } from "../test";

/** The engine reserves so much at a time for what will be appended to a WAL. Bytes. */
const reserve = 64 * 1024 * 1024;

const table = "CREATE TABLE app.t (id INT PRIMARY KEY, v INT)";
const insert = (id: number, into = "t") => `INSERT INTO app.${into} VALUES (${id}, 1)`;

/** The number of each table, as the map in the bucket says. */
const numbers = (lab: Lab) => {
  const map = readNumberMap(lab.object("UNIMAP")?.toString() ?? "");
  return new Map([...map].map(([number, name]) => [name, number]));
};

/** The blocks of a WAL's file as the store reads them, and where the last one ends. */
async function blocksOf(node: Node, wal: string): Promise<{ blocks: FoundBlock[]; end: number }> {
  const scanner = await WalScanner.open(node.path(wal), walGeneration(wal) ?? -1);
  try {
    return { blocks: await scanner.look(), end: scanner.readUntil };
  } finally {
    await scanner.close();
  }
}

const klogs = (names: string[]) => names.filter(name => name.endsWith(".klog"));

export const files: ConformanceSection = {
  section: "Files, as the store on the log reads them",
  tests: [
    {
      title: "makes the table of definitions with its promotion, before any other",
      async run(lab) {
        const node = await lab.replica();
        assert.deepEqual(lab.objects("__tidesql_schema/"), []);
        await node.promote();
        assert.ok(lab.objects().includes("__tidesql_schema/MANIFEST"));
        assert.deepEqual([...numbers(lab).keys()], ["__tidesql_schema"]);
      },
    },
    {
      title: "has a block with a right checksum in its WAL for each commit, numbered without a gap, and room behind it",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        for (let id = 2; id < 5; id++) await primary.sql(insert(id));
        const wal = newestWal(primary.files());
        assert.equal(wal, walFileName(walGeneration(wal) ?? -1));
        const { blocks, end } = await blocksOf(primary, wal);
        const last = blocks.slice(-3);
        const first = last[0]!.sequence;
        const number = numbers(lab).get("app__t");
        assert.deepEqual(
          last.map(({ sequence, tables }) => ({ sequence, tables })),
          [0, 1, 2].map(index => ({ sequence: first + index, tables: [number] })),
        );
        const size = primary.size(wal);
        assert.ok(size % reserve === 0 && size > end, `${size} bytes, the last block ends at ${end}`);
      },
    },
    {
      title: "puts all that a transaction changes into one block, with its indexes",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT, KEY v (v))", insert(1));
        await primary.sql("CREATE TABLE app.u (id INT PRIMARY KEY, v INT)", insert(1, "u"));
        const query = await primary.session();
        for (const text of ["BEGIN", insert(2), insert(2, "u"), "COMMIT"]) await query(text);
        const { blocks } = await blocksOf(primary, newestWal(primary.files()));
        const map = numbers(lab);
        const expected = ["app__t", "app__t__idx_v", "app__u"].map(name => map.get(name) ?? -1);
        assert.deepEqual(
          blocks.at(-1)?.tables,
          expected.sort((a, b) => a - b),
        );
      },
    },
    {
      title: "sends a WAL that has moved on without the room behind its last block, and takes its file away",
      async run(lab) {
        const primary = await lab.primary({ tidesdb_objstore_wal_sync_threshold: "0" });
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        for (let id = 2; id < 20; id++) await primary.sql(insert(id));
        const wal = newestWal(primary.files());
        const { blocks, end } = await blocksOf(primary, wal);
        await primary.flush("app.t");
        await until("the WAL's file is gone", 20, () => !primary.files().includes(wal));
        const object = lab.object(wal)!;
        assert.equal(object.length, end);
        assert.deepEqual(
          wholeBlocks(object).map(({ hash }) => hash),
          blocks.map(({ hash }) => hash),
        );
      },
    },
    {
      title: "says at the end of an SSTable's keys the highest sequence in it",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, "CREATE TABLE app.u (id INT PRIMARY KEY, v INT)", insert(1), insert(2));
        await primary.sql(insert(1, "u"));
        const { blocks } = await blocksOf(primary, newestWal(primary.files()));
        const map = numbers(lab);
        await primary.flush("app.t");
        for (const name of ["app__t", "app__u"]) {
          const [klog] = klogs(primary.files(`${name}/`));
          const file = parseSstableFile(klog!.slice(name.length + 1));
          assert.deepEqual([file?.level, file?.partition, file?.half], [1, undefined, "keys"]);
          assert.ok(lab.objects().includes(klog!.replace(".klog", ".vlog")), "the file of values is there, too");
          const ofTable = blocks.filter(({ tables }) => tables.includes(map.get(name) ?? -1));
          assert.equal(await readMaxSequence(primary.path(klog!)), ofTable.at(-1)?.sequence);
        }
      },
    },
    {
      title: "names in a table's manifest each SSTable with its rows, and a number that is free",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1), insert(2), insert(3));
        await primary.flush("app.t");
        await primary.sql("DELETE FROM app.t WHERE id = 2", insert(4));
        await primary.flush("app.t");
        const manifest = () => readManifest(lab.object("app__t/MANIFEST")!);
        await until("both are published", 20, () => manifest().entries.length === 2);
        const { entries, nextId } = manifest();
        const ids = klogs(lab.objects("app__t/")).map(name => parseSstableFile(name.slice("app__t/".length))?.id);
        assert.deepEqual(
          entries.map(({ level, id, entries: rows }) => [level, id, rows]),
          ids.sort().map((id, index) => [1, id, [3, 2][index]]),
        );
        assert.ok(entries.every(({ id, bytes }) => nextId > id && bytes > 0));
      },
    },
    {
      title: "numbers its tables in a map, and does not give a dropped one's number to the next",
      async run(lab) {
        const primary = await lab.primary();
        const make = (name: string) => primary.sql(`CREATE TABLE app.${name} (id INT PRIMARY KEY)`);
        await make("one");
        await make("two");
        const before = numbers(lab);
        await primary.sql("DROP TABLE app.two");
        assert.equal(numbers(lab).has("app__two"), false);
        await make("three");
        const after = numbers(lab);
        assert.equal(after.get("app__one"), before.get("app__one"));
        assert.ok((after.get("app__three") ?? -1) > (before.get("app__two") ?? Infinity));
      },
    },
    {
      title: "begins a table's settings with the table's name, and says how many levels it has from the start",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table);
        const lines = lab.object("app__t/config.ini")!.toString().split("\n");
        assert.equal(lines[0], "[app__t]");
        assert.ok(lines.includes("min_levels = 2") && lines.includes("l1_file_count_trigger = 1000"), lines.join("; "));
      },
    },
  ],
};
