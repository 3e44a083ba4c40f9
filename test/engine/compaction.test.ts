import * as assert from "node:assert/strict";
import { Cluster, items, Node } from "./cluster";
import { errorOf, TestServer } from "./testServer";

/** What a deployment sets so that only merges with plain names happen. */
const targeted = { l1FileCountTrigger: 1000, minLevels: 2, tombstoneDensityTrigger: 1, tombstoneDensityMinEntries: 1 };

async function flushes(node: Node, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await node.put(`${i}`, "row");
    await node.flush();
  }
}

describe("simulated engine: compaction", () => {
  it("by the tree's shape writes names that the manifest does not tell: a node that starts later misses the rows", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary({ l1FileCountTrigger: 4 });
    await flushes(primary, 4);
    for (const key of cluster.objects(/^uwal_/)) cluster.store.objects.delete(key);
    assert.deepEqual(cluster.objects(/app__items.*klog/), ["app__items/L1P0_4.klog"]);
    assert.deepEqual(primary.keys(), ["0", "1", "2", "3"]);
    const fresh = await cluster.replica();
    assert.deepEqual(fresh.engine.definition(items), "items");
    assert.deepEqual(fresh.keys(), []);
    await fresh.engine.promote();
    await fresh.flush();
    assert.deepEqual(fresh.keys(), []);
  });

  it("of the table definitions comes with their fourth flush, whatever the tables' settings: new nodes know no table", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary(targeted);
    for (let i = 0; i < 3; i++) {
      await primary.flush();
      await primary.engine.createTable({ database: "app", table: `t${i}` }, "t", targeted);
    }
    await primary.flush();
    for (const key of cluster.objects(/^uwal_/)) cluster.store.objects.delete(key);
    assert.deepEqual(cluster.objects(/__tidesql_schema.*klog/), ["__tidesql_schema/L1P0_4.klog"]);
    assert.equal(primary.engine.tables().length, 4);
    assert.deepEqual((await cluster.replica()).engine.tables(), []);
  });

  it("does not come to insert-only tables with the settings of a deployment, nor by OPTIMIZE", async () => {
    const cluster = new Cluster({ maxOpenSstables: 4096 });
    const primary = await cluster.primary(targeted);
    await flushes(primary, 301);
    assert.equal(cluster.objects(/app__items.*klog/).length, 301);
    assert.deepEqual(cluster.objects(/P\d+_/), []);
  });

  it("comes with a tombstone, under plain names that every node finds", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary(targeted);
    const follower = await cluster.replica();
    await flushes(primary, 5);
    await primary.remove("0");
    await primary.remove("4");
    await primary.flush();
    await follower.engine.poll();
    assert.deepEqual(cluster.objects(/app__items.*klog/), ["app__items/L2_6.klog"]);
    for (const node of [primary, follower, await cluster.replica()]) assert.deepEqual(node.keys(), ["1", "2", "3"]);
  });

  it("of a range on demand makes one SSTable of many, under a plain name", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary(targeted);
    await flushes(primary, 10);
    const keys = primary.keys();
    await primary.engine.compactRange(items, [keys[0]!, keys.at(-1)!]);
    assert.deepEqual(cluster.objects(/app__items.*klog/), ["app__items/L2_10.klog"]);
    assert.deepEqual((await cluster.replica()).keys(), keys);
  });
});

describe("simulated engine: compaction by a DELETE that is taken back", () => {
  const sql = (list: string, table = "`app`.`items`") =>
    `DELETE a FROM ${table} a, ${table} b WHERE a.\`id\` IN (${list}) AND b.\`id\` = a.\`id\``;
  const sstables = ({ store }: TestServer) =>
    [...store.objects.keys()].filter(key => /^app__items\/.*klog$/.test(key)).length;

  let server: TestServer;
  let client: Awaited<ReturnType<TestServer["remote"]>>;
  beforeEach(async () => {
    server = await TestServer.start(["tidesdb_default_l1_file_count_trigger=1000", "tidesdb_default_min_levels=2"]);
    client = await server.remote({ database: "app" });
  });
  afterEach(() => server.stop());

  /** One SSTable for each value. */
  async function fill(type: string, values: (number | string)[]): Promise<void> {
    await client.query(`CREATE TABLE items (id ${type} PRIMARY KEY)`);
    for (const value of values) {
      await client.query("INSERT INTO items VALUES (?)", [value]);
      await client.query("OPTIMIZE TABLE items");
    }
    assert.equal(sstables(server), values.length);
  }

  async function takenBack(list: string): Promise<void> {
    await client.query("START TRANSACTION");
    await client.query(sql(list));
    await client.query("ROLLBACK");
  }

  const rows = async () =>
    ((await client.query("SELECT id FROM items"))[0] as { id: number | string }[]).map(({ id }) => id);

  it("makes one SSTable of all, and leaves the rows", async () => {
    const keys = [-70000, -5, 0, 2, 10, 100, 300000];
    await fill("INT", keys);
    await client.query("SET SESSION tidesdb_compact_after_range_delete_min_rows=1");
    await takenBack("-70000, 300000");
    assert.equal(sstables(server), 1);
    assert.deepEqual(await rows(), keys);
    // It is a DELETE all the same.
    await client.query(sql("0, 7", "items"));
    assert.deepEqual(
      await rows(),
      keys.filter(key => key !== 0),
    );
  });

  it("knows the order of texts and of numbers that no double holds", async () => {
    const keys = ["", "a", "a b", "A!", 'b"c', "it's", "ü"];
    await fill("VARCHAR(20)", keys);
    await client.query("SET SESSION tidesdb_compact_after_range_delete_min_rows=1");
    await takenBack("'', 'ü'");
    assert.equal(sstables(server), 1);
    assert.deepEqual((await rows()).sort(), keys.sort());
    await client.query("DROP TABLE items");
    await fill("BIGINT", ["-9223372036854775808", "-1", "9007199254740992", "9007199254740993", "9223372036854775807"]);
    await takenBack("-9223372036854775808, 9223372036854775807");
    assert.equal(sstables(server), 1);
    assert.equal((await rows()).length, 5);
  });

  it("comes only where the session asks for it, for as many rows, by that statement", async () => {
    await fill("INT", [1, 2, 3]);
    await takenBack("1, 3");
    await client.query("SET SESSION tidesdb_compact_after_range_delete_min_rows=3");
    await takenBack("1, 3");
    await client.query("BEGIN");
    await client.query("DELETE FROM items WHERE id IN (1, 2, 3)");
    await client.query("ROLLBACK");
    assert.equal(sstables(server), 3);
    assert.deepEqual(await rows(), [1, 2, 3]);
  });

  it("does not come to a replica: it refuses the statement", async () => {
    await fill("INT", [1, 2, 3]);
    await client.query("SET SESSION tidesdb_compact_after_range_delete_min_rows=1");
    const lease = server.store.objects.get("_tdb_primary_lease")!;
    await server.store.put("_tdb_primary_lease", Buffer.from("epoch=2\n"), {
      metadata: { epoch: "2" },
      ifMatch: lease.etag,
    });
    await client.query("INSERT INTO items VALUES (4)");
    await client.query("OPTIMIZE TABLE items");
    const before = sstables(server);
    assert.equal(await errorOf(client.query(sql("1, 3"))), 1207);
    assert.equal(sstables(server), before);
  });

  it("is the only DELETE from several tables that is understood", async () => {
    await client.query("CREATE TABLE items (id INT PRIMARY KEY, other INT)");
    for (const text of [
      "DELETE items FROM items",
      "DELETE a, b FROM items a, items b WHERE a.id IN (1) AND b.id = a.id",
      "DELETE a FROM items a, others b WHERE a.id IN (1) AND b.id = a.id",
      "DELETE a FROM items a, app.items b WHERE a.id IN (1) AND b.id = a.id",
      "DELETE a FROM items a, items b WHERE a.id NOT IN (1) AND b.id = a.id",
      "DELETE a FROM items a, items b WHERE a.id IN (other) AND b.id = a.id",
      "DELETE a FROM items a, items b WHERE b.id IN (1) AND b.id = a.id",
      "DELETE a FROM items a, items b WHERE a.id IN (1) OR b.id = a.id",
      "DELETE a FROM items a, items b WHERE a.id IN (1) AND b.other = a.id",
      "DELETE a FROM items a, items b WHERE a.id IN (1) AND b.id = b.id",
      "DELETE a FROM items a, items b WHERE a.id IN (1)",
      "DELETE a FROM items a, items b",
      "DELETE a FROM items a, items b WHERE a.id IN (1) AND b.id = a.id LIMIT 1",
      "DELETE FROM a USING items a, items b WHERE a.id IN (1) AND b.id = a.id",
    ]) {
      assert.equal(await errorOf(client.query(text)), 1064, text);
    }
  });
});
