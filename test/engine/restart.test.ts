import * as assert from "node:assert/strict";
import { Cluster, items, settle } from "./cluster";

const asPrimary = { replicaMode: false };

describe("simulated engine: starts and stops", () => {
  it("loses nothing on its own disk after a kill, as a replica that is promoted and flushed", async () => {
    const cluster = new Cluster();
    const node = await cluster.primary();
    await node.flush();
    await node.putAll({ a: "1", b: "2", c: "3" });
    await node.put("a", "4");
    node.engine.kill();
    await node.start();
    await node.engine.promote();
    await node.put("trial", "write");
    await node.flush();
    assert.deepEqual(node.keys(), ["a", "b", "c", "trial"]);
    assert.equal(node.engine.get(items, "a"), "4");
    assert.deepEqual((await cluster.replica()).keys(), node.keys());
  });

  it("keeps the WAL's generation after a kill, and starts again at 0 after a clean stop as primary", async () => {
    const cluster = new Cluster(asPrimary);
    const node = await cluster.node().start();
    await node.engine.createTable(items, "items");
    for (const key of ["a", "b"]) {
      await node.put(key, "row");
      await node.flush();
    }
    node.engine.kill();
    await node.start();
    assert.equal(node.engine.status().walGeneration, 2);
    await node.engine.close();
    await node.start();
    assert.equal(node.engine.status().walGeneration, 0);
  });

  it("reads old versions in point reads after a start as primary: the WAL of generation 0 stays on the disk", async () => {
    const cluster = new Cluster(asPrimary);
    const node = await cluster.node().start();
    await node.engine.createTable(items, "items");
    await node.put("row", "old");
    await node.flush();
    await node.put("row", "new");
    await node.flush();
    assert.deepEqual(
      node.files().filter(file => file.startsWith("uwal_")),
      ["uwal_0.log", "uwal_2.log"],
    );
    await node.engine.close();
    await node.start();
    assert.equal(node.engine.get(items, "row"), "old");
    assert.equal(node.engine.scan(items).get("row"), "new");
  });

  it("sends the whole database again at a start as primary", async () => {
    const cluster = new Cluster(asPrimary);
    const node = await cluster.node().start();
    await node.engine.createTable(items, "items", { l1FileCountTrigger: 1000 });
    for (let i = 0; i < 10; i++) {
      await node.put(`${i}`, "row");
      await node.flush();
    }
    await node.engine.close();
    const puts = () =>
      cluster.store.calls.filter(({ operation, key }) => operation === "put" && /app__items.*[kv]log/.test(key));
    cluster.store.calls.length = 0;
    await node.start();
    assert.equal(puts().length, 20);
    await node.engine.close();
    cluster.store.calls.length = 0;
    await node.start({ replicaMode: true });
    assert.equal(puts().length, 0);
  });

  it("destroys the primary's WAL with the first commit on an empty disk that starts as primary", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("unflushed", "row");
    await primary.tick();
    primary.engine.kill();
    const empty = await cluster.node(asPrimary).start();
    await settle();
    assert.equal(empty.engine.tables().length, 1);
    await empty.put("another", "row");
    await empty.tick();
    await settle();
    assert.deepEqual((await cluster.replica()).engine.tables(), []);
  });

  it("has no fencing for as long as it lives, and no tables, when the bucket was down at its start as primary", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("row", "flushed");
    await primary.flush();
    primary.engine.kill();
    cluster.store.down();
    const node = await cluster.node(asPrimary).start();
    cluster.store.up();
    assert.deepEqual(node.engine.tables(), []);
    await node.engine.createTable(items, "items");
    await node.put("other", "row");
    await node.flush();
    assert.equal(cluster.store.objects.get("_tdb_primary_lease")?.metadata.epoch, "1");
    assert.deepEqual((await cluster.replica()).keys(), ["other"]);
  });

  it("sees no table's flushed rows when the bucket was down at its start as a replica", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("row", "flushed");
    await primary.flush();
    cluster.store.down();
    const node = await cluster.node().start();
    cluster.store.up();
    // What it replays is passed over as soon as a definition is: the rows that only an SSTable has stay unseen.
    cluster.store.objects.delete("uwal_0.log");
    await node.engine.poll();
    assert.deepEqual(node.engine.tables(), []);
    assert.equal(node.engine.status().columnFamilies, 2);
  });

  it("does not look for SSTables that the manifest names when one is on the disk", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary({ l1FileCountTrigger: 1000 });
    for (const key of ["a", "b", "c"]) {
      await primary.put(key, "row");
      await primary.flush();
    }
    for (const generation of [0, 1, 2]) cluster.store.objects.delete(`uwal_${generation}.log`);
    const node = await cluster.replica();
    assert.deepEqual(node.keys(), ["a", "b", "c"]);
    await node.engine.close();
    // An evicting cache has thrown two of three away.
    for (const id of [0, 1]) for (const end of ["klog", "vlog"]) node.disk.remove(`app__items/L1_${id}.${end}`);
    await node.start();
    assert.deepEqual(node.keys(), ["c"]);
  });

  it("deletes a WAL that it took over when it is stopped in order before it was promoted", async () => {
    const cluster = new Cluster();
    const node = await cluster.primary();
    await node.flush();
    await node.put("acknowledged", "row");
    node.engine.kill();
    await node.start();
    assert.deepEqual(node.keys(), ["acknowledged"]);
    await node.engine.close();
    await node.start();
    await node.engine.promote();
    assert.deepEqual(node.keys(), []);
  });

  it("has the rows of older WALs in memory only after a restart: a second kill loses them", async () => {
    const cluster = new Cluster({ writeBufferBytes: 200, walSyncThresholdBytes: 0 });
    const node = await cluster.primary();
    cluster.store.fault = ({ key }) => (/klog|vlog/.test(key) ? new Promise<void>(() => undefined) : undefined);
    await node.put("rotated", "x".repeat(200));
    await node.put("active", "row");
    node.engine.kill();
    cluster.store.up();
    await node.start();
    assert.deepEqual(node.keys(), ["active", "rotated"]);
    node.engine.kill();
    await node.start();
    assert.equal(node.engine.definition(items), undefined);
  });

  it("flushes and sends everything when it is stopped in order as primary", async () => {
    const cluster = new Cluster({ walSyncThresholdBytes: 0 });
    const node = await cluster.primary();
    await node.flush();
    await node.putAll({ a: "1", b: "2" });
    await node.engine.close();
    assert.deepEqual((await cluster.replica()).keys(), ["a", "b"]);
    assert.deepEqual(
      node.files().filter(file => file.startsWith("uwal_")),
      ["uwal_0.log"],
    );
  });

  it("ends a flush that nobody waits for with the process", async () => {
    const cluster = new Cluster({ writeBufferBytes: 200 });
    const node = await cluster.primary();
    let release = () => {};
    cluster.store.fault = ({ key }) => {
      return /klog/.test(key) ? new Promise<void>(resolve => (release = resolve)) : undefined;
    };
    await node.put("rotates", "x".repeat(200));
    await settle();
    node.engine.kill();
    const files = node.files();
    cluster.store.up();
    release();
    await settle();
    assert.deepEqual(node.files(), files);
  });

  it("writes nothing more once it is killed, though what was sent may still arrive", async () => {
    const cluster = new Cluster();
    const node = await cluster.primary();
    let release = () => {};
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "uwal_0.log") return new Promise<void>(resolve => (release = resolve));
      return undefined;
    };
    await node.put("1", "one");
    await node.engine.tick();
    node.engine.kill();
    const files = node.files();
    cluster.store.up();
    release();
    await settle();
    assert.deepEqual(node.files(), files);
    await assert.rejects(node.put("2", "two"), /stopped/);
    assert.deepEqual((await cluster.replica()).keys(), ["1"]);
  });
});
