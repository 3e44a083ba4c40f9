import * as assert from "node:assert/strict";
import { Cluster, items, settle } from "./cluster";
import { PromotionFailed, ReadOnlyReplica } from "./model/errors";

describe("simulated engine: promotion", () => {
  it("lets a replica write, make tables and drop them, as plugin 4.5.7 does", async () => {
    const cluster = new Cluster();
    const node = await cluster.replica();
    await assert.rejects(node.engine.createTable(items, "items"), ReadOnlyReplica);
    await node.engine.promote();
    await node.engine.createTable(items, "items");
    await node.put("1", "one");
    await node.tick();
    const follower = await cluster.replica();
    assert.equal(follower.engine.definition(items), "items");
    await node.engine.dropTable(items);
    assert.deepEqual(node.engine.tables(), []);
  });

  it("fails for whoever comes second, who goes on as a replica", async () => {
    const cluster = new Cluster();
    const first = await cluster.replica();
    const second = await cluster.replica();
    const results = await Promise.allSettled([first.engine.promote(), second.engine.promote()]);
    const failed = results.filter(result => result.status === "rejected");
    assert.equal(failed.length, 1);
    assert.ok(failed[0]?.reason instanceof PromotionFailed);
    assert.deepEqual([first, second].map(node => node.engine.replicaMode).sort(), [false, true]);
  });

  it("takes the lease with the next epoch", async () => {
    const cluster = new Cluster();
    await cluster.primary();
    const second = await cluster.replica();
    await second.engine.promote();
    assert.equal(second.engine.status().primaryEpoch, 2);
    assert.equal(cluster.store.objects.get("_tdb_primary_lease")?.metadata.epoch, "2");
  });

  it("reads the bucket a last time, though what is there is a superseded primary's by then", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const follower = await cluster.replica();
    await follower.engine.poll();
    await primary.put("late", "row");
    await primary.tick();
    primary.engine.kill();
    await follower.engine.promote();
    assert.deepEqual(follower.keys(), ["late"]);
  });

  it("succeeds without a lease while the bucket is down, and fencing stays off", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("1", "one");
    await primary.tick();
    const node = await cluster.replica();
    cluster.store.down();
    await node.engine.promote();
    await node.put("trial", "write");
    assert.equal(node.engine.replicaMode, false);
    assert.equal(node.engine.status().primaryEpoch, 0);
    cluster.store.up();
    await node.flush();
    assert.equal(node.engine.replicaMode, false);
    assert.equal(cluster.store.objects.get("_tdb_primary_lease")?.metadata.epoch, "1");
  });

  it("succeeds without a lease on a store that ignores conditions", async () => {
    const cluster = new Cluster();
    cluster.store.enforcesConditions = false;
    const node = await cluster.replica();
    await node.engine.promote();
    assert.equal(node.engine.replicaMode, false);
    assert.equal(cluster.objects(/lease/).length, 0);
  });

  it("keeps what was replayed in memory only: the first upload takes the place of the dead primary's WAL", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("old", "row");
    await primary.tick();
    const follower = await cluster.replica();
    primary.engine.kill();
    await follower.engine.promote();
    await follower.put("trial", "write");
    await follower.tick();
    assert.deepEqual(follower.keys(), ["old", "trial"]);
    follower.engine.kill();
    const next = await cluster.replica();
    await next.engine.poll();
    assert.equal(next.engine.definition(items), undefined);
  });

  it("takes no harm from a death before its flush, where the primary had rotated before", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const [first, second] = [await cluster.replica(), await cluster.replica()];
    await primary.flush();
    await primary.putAll({ a: "1", b: "2" });
    await primary.tick();
    for (const node of [first, second]) await node.engine.poll();
    primary.engine.kill();
    await first.engine.promote();
    await first.put("trial", "write");
    await first.tick();
    first.engine.kill();
    await second.engine.poll();
    await second.engine.promote();
    assert.deepEqual(
      second.keys().filter(key => key !== "trial"),
      ["a", "b"],
    );
  });

  it("leads past the old primary's generation with its flush, so that a zombie's WAL harms nobody", async () => {
    const cluster = new Cluster();
    const zombie = await cluster.primary();
    const [node, follower] = [await cluster.replica(), await cluster.replica()];
    await zombie.flush();
    await zombie.put("before", "row");
    await zombie.tick();
    await node.engine.poll();
    await node.engine.promote();
    await node.put("trial", "write");
    await node.flush();
    assert.ok(node.engine.status().walGeneration > zombie.engine.status().walGeneration);
    await node.put("after", "row");
    await node.tick();
    await zombie.put("zombie", "acknowledged, and worth nothing");
    await zombie.tick();
    await follower.engine.poll();
    node.engine.kill();
    await follower.engine.promote();
    assert.deepEqual(follower.keys(), ["after", "before", "trial"]);
  });

  it("without a flush loses to a zombie, whose WAL has the same key", async () => {
    const cluster = new Cluster();
    const zombie = await cluster.primary();
    const [node, follower] = [await cluster.replica(), await cluster.replica()];
    await node.engine.promote();
    await node.putAll({ a: "1", b: "2" });
    await node.tick();
    await zombie.put("zombie", "write");
    await zombie.tick();
    node.engine.kill();
    await follower.engine.poll();
    await follower.engine.promote();
    assert.ok(!follower.keys().includes("a"));
  });

  it("has the same generation as a zombie after the flush, when the zombie's last WAL was still empty", async () => {
    const cluster = new Cluster();
    const zombie = await cluster.primary();
    await zombie.flush();
    const node = await cluster.replica();
    await node.engine.poll();
    await node.engine.promote();
    await node.put("trial", "write");
    await node.flush();
    assert.equal(node.engine.status().walGeneration, zombie.engine.status().walGeneration);
  });

  it("sometimes misses what the last WAL got after the last poll, and never what a further poll has seen", async () => {
    for (const pollsAgain of [false, true]) {
      const cluster = new Cluster({ skipLastWalProbability: 0.6 });
      const primary = await cluster.primary();
      const follower = await cluster.replica();
      await primary.put("early", "row");
      await primary.tick();
      await follower.engine.poll();
      await primary.put("late", "row");
      await primary.tick();
      primary.engine.kill();
      if (pollsAgain) await follower.engine.poll();
      await follower.engine.promote();
      assert.deepEqual(follower.keys(), pollsAgain ? ["early", "late"] : ["early"]);
    }
  });

  it("of a fresh node loses unflushed rows that are older than the newest in any SSTable", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const other = { database: "app", table: "other" };
    await primary.engine.createTable(other, "other");
    const follower = await cluster.replica();
    await primary.put("unflushed", "row");
    await primary.put("newer", "row", other);
    await primary.tick();
    await follower.engine.poll();
    // One table's SSTable and manifest get out, the other's do not.
    cluster.store.fault = ({ key }) => {
      if (key.startsWith("app__items/")) return new Promise<void>(() => undefined);
      return undefined;
    };
    void primary.engine.optimize(other).catch(() => undefined);
    await settle();
    primary.engine.kill();
    cluster.store.up();
    const fresh = await cluster.replica();
    await follower.engine.poll();
    assert.equal(fresh.engine.status().globalSequence, follower.engine.status().globalSequence);
    await fresh.engine.promote();
    assert.deepEqual([fresh.keys(), fresh.keys(other)], [[], ["newer"]]);
    assert.deepEqual([follower.keys(), follower.keys(other)], [["unflushed"], ["newer"]]);
  });

  it("is undone by the old primary's start as primary: it takes the lease, and what was acknowledged since is gone", async () => {
    const cluster = new Cluster({ replicaMode: false });
    const old = await cluster.node().start();
    await old.engine.createTable(items, "items");
    await old.put("before", "row");
    await old.tick();
    const replica = await cluster.replica({ replicaMode: true });
    old.engine.kill();
    await replica.engine.promote();
    await replica.put("acknowledged", "row");
    await replica.tick();
    await old.start();
    await old.put("again", "row");
    await old.flush();
    await replica.put("still", "acknowledged");
    await replica.flush();
    assert.equal(replica.engine.replicaMode, true);
    assert.deepEqual(old.keys(), ["again", "before"]);
  });

  it("leaves a node that demoted itself without its following: its reads stay as they are for ever", async () => {
    const cluster = new Cluster();
    const old = await cluster.primary();
    const node = await cluster.replica();
    await node.engine.promote();
    await old.put("fenced", "row");
    await old.flush();
    assert.equal(old.engine.replicaMode, true);
    await node.put("new", "row");
    await node.flush();
    for (let i = 0; i < 3; i++) await old.engine.poll();
    assert.deepEqual(old.keys(), ["fenced"]);
    await assert.rejects(old.put("x", "y"), ReadOnlyReplica);
  });
});
