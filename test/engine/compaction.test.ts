import * as assert from "node:assert/strict";
import { Cluster, items, Node } from "./cluster";

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
