import * as assert from "node:assert/strict";
import { Cluster, items, settle } from "./cluster";
import { decodeManifest } from "./formats/manifest";
import { CorruptTable, EngineCrashed, TooManySstables } from "./model/errors";
import { defaultFamilySettings, FamilySettings } from "./model/settings";

/** A primary, and a follower whose memtable holds this value of `row`. */
async function followed(value: string, settings: Partial<FamilySettings> = {}) {
  const cluster = new Cluster();
  const primary = await cluster.primary(settings);
  const follower = await cluster.replica();
  await primary.put("row", value);
  await primary.tick();
  await follower.engine.poll();
  return { cluster, primary, follower };
}

describe("simulated engine: following the bucket", () => {
  it("reads 256 WAL objects, in the order of their keys: the unflushed end behind them is not seen", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const follower = await cluster.replica();
    for (let generation = 0; generation < 401; generation++) {
      await primary.put(`${generation}`, "row");
      await primary.flush();
      if (generation % 20 === 0) await follower.engine.poll();
    }
    await primary.put("unflushed", "row");
    await primary.tick();
    await follower.engine.poll();
    assert.equal(cluster.objects(/^uwal_/).length, 402);
    assert.ok(!follower.keys().includes("unflushed"));
    assert.equal(follower.engine.get(items, "unflushed"), undefined);
  });

  it("discovers 256 column families", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    for (let i = 0; i < 260; i++) {
      await primary.engine.createTable({ database: "many", table: `t${String(i).padStart(3, "0")}` }, "t");
    }
    await primary.flush();
    const fresh = await cluster.replica();
    assert.equal(fresh.engine.status().columnFamilies, 256);
    assert.equal(fresh.engine.definition({ database: "many", table: "t259" }), undefined);
  });

  it("downloads every WAL again at every poll", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    for (let generation = 0; generation < 20; generation++) {
      await primary.put(`${generation}`, "row");
      await primary.flush();
    }
    const follower = await cluster.replica();
    cluster.store.calls.length = 0;
    await follower.engine.poll();
    const downloads = cluster.store.calls.filter(
      ({ operation, key }) => operation === "get" && key.startsWith("uwal_"),
    );
    assert.equal(downloads.length, 20);
  });

  it("keeps an old version for point reads where it missed the end of a rotated WAL, while scans are right", async () => {
    const { cluster, primary, follower } = await followed("old");
    // The end of this generation and the rotation fall between two polls; the next generation arrives first.
    await primary.put("row", "new");
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "uwal_0.log") throw new Error("late");
    };
    await primary.flush();
    await primary.put("another", "row");
    await primary.tick();
    await follower.engine.poll();
    cluster.store.up();
    cluster.now += 10_000;
    await primary.tick();
    await follower.engine.poll();
    assert.equal(follower.engine.get(items, "row"), "old");
    assert.equal(follower.engine.scan(items).get("row"), "new");
    assert.ok(follower.engine.isOvertaken(items, "row"));
    assert.ok(!follower.engine.isOvertaken(items, "another"));
  });

  it("misses the end of a WAL that is rotated under writes even when nothing fails: it is sent after the next one's beginning", async () => {
    const { cluster, primary, follower } = await followed("old");
    await primary.put("row", "new");
    let release = () => undefined as void;
    const flushing = new Promise<void>(resolve => (release = resolve));
    cluster.store.fault = ({ operation, key }) => (operation === "put" && key.endsWith(".klog") ? flushing : undefined);
    const flushed = primary.flush();
    await primary.put("another", "row");
    await primary.tick();
    await follower.engine.poll();
    release();
    await flushed;
    await settle();
    await follower.engine.poll();
    assert.equal(follower.engine.get(items, "row"), "old");
    assert.ok(follower.engine.isOvertaken(items, "row"));
    // Files know which version is the newest: the flush of its promotion heals it.
    primary.engine.kill();
    await follower.engine.promote();
    await follower.flush();
    assert.equal(follower.engine.get(items, "row"), "new");
  });

  it("brings deleted rows back where it missed the deletion and the tombstone was compacted away, for good once promoted", async () => {
    const compacting = { minLevels: 2, tombstoneDensityTrigger: 1, tombstoneDensityMinEntries: 1 };
    const { cluster, primary, follower } = await followed("deleted later", compacting);
    await primary.remove("row");
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "uwal_0.log") throw new Error("late");
    };
    await primary.flush();
    await primary.put("another", "row");
    await primary.tick();
    await follower.engine.poll();
    cluster.store.up();
    assert.deepEqual(primary.keys(), ["another"]);
    assert.deepEqual(follower.keys(), ["another", "row"]);
    primary.engine.kill();
    await follower.engine.promote();
    await follower.flush();
    assert.deepEqual((await cluster.replica()).keys(), ["another", "row"]);
  });

  it("takes the tables of an old epoch for empty on a node that starts right after a promotion, without an error", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("row", "flushed");
    await primary.flush();
    const successor = await cluster.replica();
    await primary.put("another", "row");
    await primary.flush();
    await successor.engine.poll();
    await successor.engine.promote();
    const fresh = await cluster.replica();
    await fresh.engine.poll();
    assert.ok(!fresh.keys().includes("row"));
    assert.deepEqual(successor.keys(), ["another", "row"]);
  });

  it("reads all on a node that starts after the promoted one has flushed", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const successor = await cluster.replica();
    await primary.put("row", "flushed");
    await primary.flush();
    await successor.engine.poll();
    await successor.engine.promote();
    await successor.put("trial", "write");
    await successor.flush();
    assert.deepEqual((await cluster.replica()).keys(), ["row", "trial"]);
  });

  it("sends config.ini and the manifest of every table at each start, a replica's too", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.flush();
    cluster.store.calls.length = 0;
    await cluster.replica();
    const sent = cluster.store.calls.filter(({ operation }) => operation === "put").map(({ key }) => key);
    assert.deepEqual(
      sent.filter(key => key.startsWith("app__items/")),
      ["app__items/config.ini", "app__items/MANIFEST"],
    );
    assert.equal(cluster.store.objects.get("app__items/MANIFEST")?.metadata.epoch, undefined);
  });

  it("deletes an SSTable from the bucket when an older manifest comes back, as a starting node's may", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const older = cluster.store.objects.get("app__items/MANIFEST")!;
    const follower = await cluster.replica();
    await primary.put("row", "flushed");
    await primary.flush();
    await follower.engine.poll();
    assert.equal(cluster.objects(/app__items.*klog/).length, 1);
    await cluster.store.put("app__items/MANIFEST", older.body);
    await follower.engine.poll();
    assert.equal(cluster.objects(/app__items.*klog/).length, 0);
  });

  it("takes an SSTable for empty, for good, that was not in the bucket when its manifest was", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("1", "one");
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "app__items/L1_0.klog") throw new Error("connection refused");
    };
    await primary.flush();
    cluster.store.up();
    cluster.store.objects.delete("uwal_0.log");
    const fresh = await cluster.replica();
    assert.deepEqual(fresh.keys(), []);
    cluster.now += 5000;
    await primary.tick();
    assert.equal(cluster.objects(/app__items.*klog/).length, 1);
    await fresh.engine.poll();
    assert.deepEqual(fresh.keys(), []);
    assert.deepEqual((await cluster.replica()).keys(), ["1"]);
  });

  it("takes an SSTable for empty, for good, when the bucket does not answer while it looks for it", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const follower = await cluster.replica();
    await primary.put("1", "one");
    await primary.flush();
    cluster.store.objects.delete("uwal_0.log");
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "head" && key === "app__items/L1_0.klog") throw new Error("connection reset");
    };
    await follower.engine.poll();
    cluster.store.up();
    await follower.engine.poll();
    assert.deepEqual(follower.keys(), []);
    await follower.engine.close();
    await follower.start();
    assert.deepEqual(follower.keys(), []);
  });

  it("fails on an SSTable without values, and kills the process once promoted", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("1", "one");
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key.endsWith(".vlog")) throw new Error("connection refused");
    };
    await primary.flush();
    cluster.store.up();
    const fresh = await cluster.replica();
    assert.throws(() => fresh.keys(), CorruptTable);
    primary.engine.kill();
    await fresh.engine.promote();
    assert.throws(() => fresh.keys(), EngineCrashed);
  });

  it("does not publish a manifest again that failed once, until the table's next flush", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("1", "one");
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "app__items/MANIFEST") throw new Error("connection reset");
    };
    await primary.flush();
    cluster.store.up();
    cluster.now += 120_000;
    await primary.tick();
    const published = () =>
      decodeManifest(cluster.store.objects.get("app__items/MANIFEST")!.body).entries.map(({ level, id }) => [
        level,
        id,
      ]);
    assert.deepEqual(published(), []);
    await primary.put("2", "two");
    await primary.flush();
    assert.deepEqual(published(), [
      [1, 0],
      [1, 1],
    ]);
  });

  it("shows the old rows of a table that was dropped and made again, and no new ones, until it starts anew", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const follower = await cluster.replica();
    await primary.put("old", "row");
    await primary.tick();
    await follower.engine.poll();
    await primary.engine.dropTable(items);
    await primary.engine.createTable(items, "items");
    await primary.put("new", "row");
    await primary.tick();
    await follower.engine.poll();
    assert.deepEqual(primary.keys(), ["new"]);
    assert.deepEqual(follower.keys(), ["old"]);
    assert.deepEqual((await cluster.replica()).keys(), ["new"]);
  });

  it("counts as a primary while it makes a table that it has discovered", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const follower = await cluster.node().start();
    await primary.engine.createTable({ database: "app", table: "late" }, "late", defaultFamilySettings);
    let counted: boolean | undefined;
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "app__late/config.ini") counted = follower.engine.replicaMode;
    };
    await follower.engine.poll();
    assert.equal(counted, false);
    assert.equal(follower.engine.replicaMode, true);
  });

  it("fails scans with more SSTables than may be open", async () => {
    const cluster = new Cluster({ maxOpenSstables: 3 });
    const primary = await cluster.primary({ l1FileCountTrigger: 1000 });
    for (let i = 0; i < 3; i++) {
      await primary.put(`${i}`, "row");
      await primary.flush();
    }
    assert.throws(() => primary.keys(), TooManySstables);
    assert.equal(primary.engine.get(items, "1"), "row");
  });

  it("sends a superseded primary's SSTables under the numbers of the new primary's", async () => {
    const cluster = new Cluster();
    const zombie = await cluster.primary();
    const node = await cluster.replica();
    await node.engine.promote();
    await node.put("new", "row");
    await node.flush();
    await zombie.put("zombie", "row");
    await zombie.flush();
    await settle();
    assert.equal(zombie.engine.replicaMode, true);
    assert.deepEqual((await cluster.replica()).keys(), ["zombie"]);
  });
});
