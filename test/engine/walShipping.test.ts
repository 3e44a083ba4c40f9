import * as assert from "node:assert/strict";
import { Cluster, items, settle } from "./cluster";

describe("simulated engine: what reaches the bucket of the WAL", () => {
  it("is nothing for small commits, where the threshold is the engine's own", async () => {
    const cluster = new Cluster({ walSyncThresholdBytes: 1_048_576 });
    const primary = await cluster.primary();
    const follower = await cluster.replica();
    for (let i = 0; i < 500; i++) await primary.put(`${i}`, "row");
    await primary.tick();
    await follower.engine.poll();
    assert.deepEqual(cluster.objects(/^uwal_/), []);
    assert.equal(follower.engine.definition(items), undefined);
  });

  it("is every commit at the next tick, where the threshold is small", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const follower = await cluster.replica();
    await primary.put("1", "one");
    await primary.tick();
    await follower.engine.poll();
    assert.deepEqual(follower.keys(), ["1"]);
  });

  it("is a replica's empty WAL over the primary's, with a threshold of 8 bytes or less", async () => {
    const cluster = new Cluster({ walSyncThresholdBytes: 1 });
    const primary = await cluster.primary();
    await primary.putAll({ a: "1", b: "2", c: "3" });
    await primary.tick();
    const replica = await cluster.replica();
    await replica.tick();
    const late = await cluster.replica();
    assert.equal(cluster.store.objects.get("uwal_0.log")?.body.length, 8);
    assert.deepEqual(late.engine.tables(), []);
  });

  it("leaves the primary's WAL alone from a replica, with a threshold of 9", async () => {
    const cluster = new Cluster({ walSyncThresholdBytes: 9 });
    const primary = await cluster.primary();
    await primary.put("a", "1");
    await primary.tick();
    const replica = await cluster.replica();
    await replica.tick();
    const late = await cluster.replica();
    assert.deepEqual(late.keys(), ["a"]);
  });

  it("is everything before a commit is acknowledged, with sync on commit", async () => {
    const cluster = new Cluster({ walSyncOnCommit: true, walSyncThresholdBytes: 1_048_576 });
    const primary = await cluster.primary();
    const follower = await cluster.replica();
    await primary.put("1", "one");
    await follower.engine.poll();
    assert.deepEqual(follower.keys(), ["1"]);
  });

  it("is nothing of a commit that is acknowledged while the bucket is down, with sync on commit", async () => {
    const cluster = new Cluster({ walSyncOnCommit: true });
    const primary = await cluster.primary();
    cluster.store.down();
    const before = cluster.now;
    await primary.put("1", "one");
    assert.equal(cluster.now - before, 500);
    assert.equal(primary.engine.status().uploadFailures, 1);
    cluster.store.up();
    assert.deepEqual((await cluster.replica()).keys(), []);
  });

  it("sends the commits of several clients one after another, with sync on commit", async () => {
    const cluster = new Cluster({ walSyncOnCommit: true });
    const primary = await cluster.primary();
    let under = 0;
    let most = 0;
    cluster.store.fault = async ({ operation }) => {
      if (operation !== "put") return;
      most = Math.max(most, ++under);
      await settle();
      under--;
    };
    await Promise.all(["1", "2", "3"].map(key => primary.put(key, "row")));
    assert.equal(most, 1);
  });

  it("is the whole active WAL at each tick, in any order: a slow earlier upload takes back what a later one brought", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    const releases: (() => void)[] = [];
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "uwal_0.log") return new Promise<void>(resolve => releases.push(resolve));
      return undefined;
    };
    await primary.put("1", "one");
    await primary.tick();
    await primary.put("2", "two");
    await primary.tick();
    assert.equal(releases.length, 2);
    cluster.store.up();
    releases[1]?.();
    await settle();
    assert.deepEqual((await cluster.replica()).keys(), ["1", "2"]);
    releases[0]?.();
    await settle();
    assert.deepEqual((await cluster.replica()).keys(), ["1"]);
  });

  it("is a rotated generation only after its flush: what is lost is not the newest", async () => {
    const cluster = new Cluster({ writeBufferBytes: 200 });
    const primary = await cluster.primary();
    cluster.store.fault = ({ key }) => (/klog|vlog/.test(key) ? new Promise<void>(() => undefined) : undefined);
    await primary.put("1", "rotates the memtable".padEnd(200));
    await primary.put("2", "in the next generation");
    await primary.tick();
    primary.engine.kill();
    cluster.store.up();
    assert.deepEqual((await cluster.replica()).keys(), ["2"]);
  });

  it("is what was parked only later, while nothing says that it is missing", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("1", "one");
    cluster.store.fault = ({ key }) => {
      if (key === "app__items/L1_0.klog") throw new Error("connection refused");
    };
    await primary.flush();
    cluster.store.up();
    const { uploadQueueDepth, uploadFailures } = primary.engine.status();
    assert.deepEqual(cluster.objects(/app__items.*klog/), []);
    assert.equal(uploadQueueDepth, 0);
    cluster.now += 1500;
    await primary.tick();
    assert.deepEqual(cluster.objects(/app__items.*klog/), []);
    cluster.now += 1000;
    await primary.tick();
    assert.deepEqual(cluster.objects(/app__items.*klog/), ["app__items/L1_0.klog"]);
    assert.equal(primary.engine.status().uploadFailures, uploadFailures);
  });

  it("parks longer each time, up to a minute, and does not count what fails again", async () => {
    const cluster = new Cluster();
    const primary = await cluster.primary();
    await primary.put("1", "one");
    cluster.store.down();
    await primary.flush();
    const { uploadFailures } = primary.engine.status();
    const tries: number[] = [];
    const start = cluster.now;
    cluster.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "app__items/L1_0.klog") tries.push(Math.round((cluster.now - start) / 1000));
      throw new Error("connection refused");
    };
    for (let second = 0; second < 240; second++) {
      await primary.tick();
      cluster.now += 1000;
    }
    const gaps = tries.slice(1).map((at, i) => at - tries[i]!);
    assert.deepEqual(gaps.slice(0, 6), [4, 8, 16, 32, 60, 60]);
    assert.equal(primary.engine.status().uploadFailures, uploadFailures);
  });
});
