import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { emptyWal, WalReader } from "../../formats/writeAheadLog";
import { Lab, newestWal, Node, until } from "../lab";
import { ConformanceSection } from "../test";

const count = async (node: Node, table = "app.t") => Number((await node.sql(`SELECT COUNT(*) FROM ${table}`))[0]?.[0]);
const columns = async (node: Node, table = "app.t") =>
  (await node.sql(`SHOW COLUMNS FROM ${table}`)).map(([name]) => String(name));

/** A primary with a flushed table of one row, and a replica that follows it. */
async function pair(lab: Lab): Promise<{ primary: Node; replica: Node }> {
  const primary = await lab.primary();
  await primary.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT)", "INSERT INTO app.t VALUES (1, 1)");
  await primary.flush("app.t");
  const replica = await lab.replica();
  await until("the replica follows", 10, async () => (await count(replica)) === 1);
  return { primary, replica };
}

export const tables: ConformanceSection = {
  section: "Tables and their definitions",
  tests: [
    {
      title: "refuses a table whose write buffer is more than half the engine's memory, and makes it at half",
      async run(lab) {
        const primary = await lab.primary();
        const mebibyte = 1024 * 1024;
        await until("the limit is known", 10, async () => (await primary.status("Tidesdb_memory_limit")) > 0);
        const half = Math.floor((await primary.status("Tidesdb_memory_limit")) / 2 / mebibyte);
        const make = (name: string, mebibytes: number) =>
          primary.error(
            `SET SESSION tidesdb_default_write_buffer_size=${mebibytes * mebibyte}`,
            `CREATE TABLE app.${name} (id INT PRIMARY KEY)`,
          );
        assert.equal(await make("large", half + 1), 1005);
        assert.equal(await make("small", half), undefined);
      },
    },
    {
      title: "raises a memory limit below 5 % of the machine's memory to that",
      async run(lab) {
        const primary = await lab.primary({ tidesdb_max_memory_usage: "64M" });
        await until("the limit is known", 10, async () => (await primary.status("Tidesdb_memory_limit")) > 0);
        const { totalmem } = await import("node:os");
        const limit = await primary.status("Tidesdb_memory_limit");
        assert.ok(Math.abs(limit / (0.05 * totalmem()) - 1) < 0.05, `${limit} of ${totalmem()}`);
      },
    },
    {
      title: "has keys of 255 bytes at most: 63 characters of utf8mb4, and not 64",
      async run(lab) {
        const primary = await lab.primary();
        const make = (name: string, characters: number) =>
          primary.error(`CREATE TABLE app.${name} (k VARCHAR(${characters}) CHARACTER SET utf8mb4 PRIMARY KEY)`);
        assert.equal(await make("long_key", 64), 1071);
        assert.equal(await make("short_key", 63), undefined);
      },
    },
    {
      title: "does not answer a scan of more SSTables than it may hold open, and answers it with a higher limit",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT)");
        for (let id = 0; id < 24; id++) {
          await primary.sql(`INSERT INTO app.t VALUES (${id}, 1)`);
          await primary.flush("app.t");
        }
        await primary.kill();
        await primary.start({ tidesdb_max_open_sstables: "16" });
        // It waits for a place that nobody gives up, for minutes, or fails at once.
        const answered = count(primary).catch(() => "an error");
        assert.notEqual(await Promise.race([answered, sleep(10_000)]), 24);
        await primary.kill();
        await primary.start({});
        assert.equal(await count(primary), 24);
      },
    },
    {
      title: "keeps each secondary index in a column family of its own, written with the rows and gone with the table",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT, KEY by_v (v))");
        await primary.sql("INSERT INTO app.t VALUES (1, 10), (2, 20)");
        await primary.flush("app.t");
        const replica = await lab.replica();
        await primary.sql("UPDATE app.t SET v = 11 WHERE id = 1");
        await primary.sql("UPDATE app.t SET v = 11 WHERE id = 1");
        await primary.sql("DELETE FROM app.t WHERE id = 2");
        const wal = newestWal(primary.files());
        const blocks = () => new WalReader().read(wal, lab.object(wal) ?? emptyWal);
        await until("both changes are in the bucket", 10, () => blocks().length === 2);
        const [updated, deleted] = blocks().map(({ writes }) =>
          writes.map(([family, , value]) => [family, value === null]),
        );
        const row = updated?.[0]?.[0];
        const index = updated?.[1]?.[0];
        assert.notEqual(row, index);
        assert.deepEqual(updated, [
          [row, false],
          [index, true],
          [index, false],
        ]);
        assert.deepEqual(deleted, [
          [row, true],
          [index, true],
        ]);
        const byIndex = () => replica.sql("SELECT id, v FROM app.t FORCE INDEX (by_v) WHERE v = 11");
        await until("the replica finds the row by its index", 20, async () => (await byIndex()).length === 1);
        await primary.sql("ALTER TABLE app.t ADD KEY other (v, id)");
        const families = () => new Set(lab.objects("app__").map(name => name.slice(0, name.indexOf("/"))));
        await until("there are two", 10, () => families().size === 3);
        assert.deepEqual(families(), new Set(["app__t", "app__t__idx_by_v", "app__t__idx_other"]));
        await primary.sql("DROP TABLE app.t");
        await until("nothing is left", 10, () => !lab.objects("app__").some(name => name.endsWith(".klog")));
      },
    },
    {
      title: "takes FOREIGN KEY and keeps nothing of it",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(
          "CREATE TABLE app.parent (id INT PRIMARY KEY)",
          "CREATE TABLE app.child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES app.parent (id))",
          "INSERT INTO app.child VALUES (1, 99)",
        );
        const [row] = await primary.sql("SHOW CREATE TABLE app.child");
        assert.ok(!String(row?.[1]).includes("FOREIGN"), String(row?.[1]));
      },
    },
    {
      title: "shows a running replica a table that was made since",
      async run(lab) {
        const { primary, replica } = await pair(lab);
        await primary.sql("CREATE TABLE app.u (id INT PRIMARY KEY)", "INSERT INTO app.u VALUES (1), (2)");
        await until("it is there", 10, async () => (await count(replica, "app.u")) === 2);
      },
    },
    {
      title: "leaves a running replica a table that was dropped",
      async run(lab) {
        const { primary, replica } = await pair(lab);
        await primary.sql("DROP TABLE app.t");
        await lab.polls();
        assert.equal(await count(replica), 1);
        assert.equal(await (await lab.replica()).error("SELECT * FROM app.t"), 1146);
      },
    },
    {
      title: "leaves a running replica the columns that it knew, whatever ALTER TABLE does",
      async run(lab) {
        const { primary, replica } = await pair(lab);
        await primary.sql("ALTER TABLE app.t ADD COLUMN w INT");
        await primary.flush("app.t");
        await lab.polls();
        assert.deepEqual(await columns(primary), ["id", "v", "w"]);
        assert.deepEqual(await columns(replica), ["id", "v"]);
      },
    },
    {
      title: "gives a new replica the columns of before the last ALTER TABLE in place",
      async run(lab) {
        const { primary } = await pair(lab);
        await primary.sql("ALTER TABLE app.t ADD COLUMN w INT");
        await primary.flush("app.t");
        assert.deepEqual(await columns(await lab.replica()), ["id", "v"]);
      },
    },
    {
      title: "gives a new replica the last columns after a second ALTER TABLE that changes nothing",
      async run(lab) {
        const { primary } = await pair(lab);
        await primary.sql("ALTER TABLE app.t ADD COLUMN w INT", "ALTER TABLE app.t COMMENT='x'");
        await primary.flush("app.t");
        assert.deepEqual(await columns(await lab.replica()), ["id", "v", "w"]);
      },
    },
    {
      title: "gives a new replica the last columns at once after ALTER TABLE with ALGORITHM=COPY",
      async run(lab) {
        const { primary } = await pair(lab);
        await primary.sql("ALTER TABLE app.t ADD COLUMN w INT, ALGORITHM=COPY");
        await primary.flush("app.t");
        const other = await lab.replica();
        assert.deepEqual(await columns(other), ["id", "v", "w"]);
        assert.equal(await count(other), 1);
      },
    },
    {
      title: "goes on listing a table under its old name on a running replica after RENAME TABLE",
      async run(lab) {
        const { primary, replica } = await pair(lab);
        await primary.sql("RENAME TABLE app.t TO app.renamed");
        await lab.polls();
        const names = (await replica.sql("SHOW TABLES FROM app")).map(([name]) => name);
        assert.ok(names.includes("t"), names.join(", "));
        assert.equal(await count(replica), 1);
      },
    },
    {
      title: "hides replayed rows from reads by key in longer transactions, and not from scans",
      async run(lab) {
        const { primary, replica } = await pair(lab);
        await primary.sql("UPDATE app.t SET v=2 WHERE id=1", "INSERT INTO app.t VALUES (5, 5)");
        await until("the replica follows", 10, async () => (await count(replica)) === 2);
        const point = (id: number) => `SELECT v FROM app.t WHERE id=${id}`;
        assert.deepEqual(await replica.sql(point(1)), [[2]]);
        const level = (name: string) => `SET SESSION TRANSACTION ISOLATION LEVEL ${name}`;
        for (const name of ["REPEATABLE READ", "SERIALIZABLE"]) {
          assert.deepEqual(await replica.sql(level(name), "BEGIN", point(1)), [[1]], name);
          assert.deepEqual(await replica.sql(level(name), "BEGIN", point(5)), [], name);
          const scanned = await replica.sql(level(name), "BEGIN", "SELECT id, v FROM app.t");
          assert.deepEqual(
            scanned,
            [
              [1, 2],
              [5, 5],
            ],
            name,
          );
          // In the order of the key it is read by the key.
          const ordered = await replica.sql(level(name), "BEGIN", "SELECT id, v FROM app.t ORDER BY id");
          assert.deepEqual(ordered, [[1, 1]], name);
        }
        assert.deepEqual(await replica.sql(level("READ COMMITTED"), "BEGIN", point(1)), [[2]]);
        assert.deepEqual(await replica.sql(level("READ COMMITTED"), "BEGIN", point(5)), [[5]]);
      },
    },
    {
      title: "keeps every row that a replica has followed in its memtable",
      async run(lab) {
        const { primary, replica } = await pair(lab);
        const text = "x".repeat(4000);
        await primary.sql("CREATE TABLE app.big (id INT PRIMARY KEY, v TEXT)");
        for (let round = 0; round < 3; round++) {
          for (let id = 0; id < 20; id++)
            await primary.sql(`REPLACE INTO app.big VALUES (${20 * round + id}, '${text}')`);
          await until("the replica follows", 10, async () => (await count(replica, "app.big")) === 20 * (round + 1));
          await primary.flush("app.big");
        }
        await until(
          "the primary's is empty",
          10,
          async () => (await primary.status("Tidesdb_memtable_bytes")) < 100_000,
        );
        await until(
          "the replica's holds all",
          10,
          async () => (await replica.status("Tidesdb_memtable_bytes")) > 60 * 4000,
        );
      },
    },
  ],
};
