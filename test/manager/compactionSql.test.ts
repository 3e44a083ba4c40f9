import assert from "node:assert/strict";
import { compactableTables, compactTable, Query } from "../../components/manager/compactionSql";
import { SqlConnection } from "../../components/manager/sqlConnection";
import { administrator, TestServer } from "../engine/testServer";

const timeout = 2000;

describe("compaction on demand, in SQL", () => {
  let server: TestServer;
  let connection: SqlConnection;
  const query: Query = (text, values) => connection.query(text, values);
  const sstables = (table: string) =>
    [...server.store.objects.keys()].filter(key => key.startsWith(`app__${table}/`) && key.endsWith(".klog")).length;

  before(async () => {
    server = await TestServer.start(["tidesdb_default_l1_file_count_trigger=1000", "tidesdb_default_min_levels=2"]);
    connection = await SqlConnection.open({ socketPath: server.socket, ...administrator }, timeout);
  });
  after(() => {
    connection.destroy();
    server.stop();
  });

  it("finds the tables whose key is one column, of a type whose values it can repeat", async () => {
    await query("CREATE TABLE app.numbers (id BIGINT PRIMARY KEY, note TEXT)");
    await query("CREATE TABLE app.texts (name VARCHAR(20) PRIMARY KEY)");
    await query("CREATE TABLE app.pairs (a INT, b INT, PRIMARY KEY (a, b))");
    await query("CREATE TABLE app.moments (at DATETIME PRIMARY KEY)");
    assert.deepEqual(
      (await compactableTables(query))
        .map(({ database, table, keyColumn }) => `${database}.${table}.${keyColumn}`)
        .sort(),
      ["app.numbers.id", "app.texts.name"],
    );
  });

  it("makes one SSTable of all, and changes no row", async () => {
    for (const id of [5, -3, 70, 12]) {
      await query("INSERT INTO app.numbers VALUES (?, ?)", [id, `row ${id}`]);
      await query("OPTIMIZE TABLE app.numbers");
    }
    assert.equal(sstables("numbers"), 4);
    await compactTable(query, { database: "app", table: "numbers", keyColumn: "id" });
    assert.equal(sstables("numbers"), 1);
    assert.deepEqual(
      (await query("SELECT id FROM app.numbers ORDER BY id")).map(({ id }) => id),
      [-3, 5, 12, 70],
    );
  });

  it("gives the ends of a table whose keys are beyond 2^53 as they are", async () => {
    await query("CREATE TABLE app.snowflakes (id BIGINT PRIMARY KEY)");
    for (const id of [9007199254740993n, 9223372036854775807n]) {
      await query("INSERT INTO app.snowflakes VALUES (?)", [id]);
      await query("OPTIMIZE TABLE app.snowflakes");
    }
    assert.equal(sstables("snowflakes"), 2);
    await compactTable(query, { database: "app", table: "snowflakes", keyColumn: "id" });
    assert.equal(sstables("snowflakes"), 1);
    assert.equal((await query("SELECT id FROM app.snowflakes")).length, 2);
  });

  it("leaves an empty table alone", async () => {
    await compactTable(query, { database: "app", table: "texts", keyColumn: "name" });
  });
});
