import * as assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { Client } from "./client";
import { SimulatedNode } from "./node";
import { World } from "./world";

/** Every scenario is run from each of these: latencies, the order of answers and the engine's dice differ. */
const seeds = [1, 2, 3, 4, 5];
/** In `interval` mode the bucket lags by a reaper's round, an upload and its check. Milliseconds. */
const shippingLag = 250;

for (const seed of seeds) {
  describe(`three managers on a virtual clock, seed ${seed}`, () => {
    let world: World;
    let client: Client;

    const run = (seconds: number) => world.time.runUntil(world.time.now + seconds * 1000);
    const startAfter = (seconds: number, node: SimulatedNode) =>
      world.time.after(seconds * 1000, () => world.startPod(node));
    const primary = () => world.writer() ?? assert.fail(`no primary\n${world.timeline.join("\n")}`);

    /** Acknowledged rows that the primary does not have, by scan and by point read. */
    function lost() {
      const { scanned, read } = primary().server?.rows() ?? assert.fail("no server");
      const newest = new Map(client.acknowledged.map(row => [row.key, row]));
      return [...newest.values()].filter(({ key, value }) => scanned.get(key) !== value || read(key) !== value);
    }

    beforeEach(async () => {
      world = new World(seed);
      client = new Client(world, 50);
      for (const node of world.nodes) world.startPod(node);
      client.start();
      await run(15);
      assert.ok(client.acknowledged.length > 200);
      assert.deepEqual(world.nodes.map(node => world.kubernetes.roles.get(node.pod)).sort(), [
        "primary",
        "replica",
        "replica",
      ]);
    });

    it("resumes in place when mariadbd dies: nothing is lost, in the same epoch", async () => {
      const { pod } = primary();
      const began = world.time.now;
      primary().server?.kill();
      await run(10);
      assert.equal(primary().pod, pod);
      assert.equal(world.kubernetes.lease?.epoch, 1);
      assert.deepEqual(lost(), []);
      assert.ok(
        client.longestOutage(began, world.time.now) < 3000,
        String(client.longestOutage(began, world.time.now)),
      );
    });

    it("promotes a follower when node and disk are lost: at most the last moment is lost", async () => {
      const victim = primary();
      const began = world.time.now;
      victim.vanish();
      victim.loseDisk();
      startAfter(3, victim);
      await run(20);
      assert.notEqual(primary().pod, victim.pod);
      for (const { at } of lost()) assert.ok(at > began - shippingLag);
      assert.ok(client.longestOutage(began, world.time.now) < 8000);
    });

    it("hands over in order: nothing is lost, and the node named takes over", async () => {
      const victim = primary();
      const began = world.time.now;
      victim.manager?.requestStop();
      await run(4);
      assert.equal(victim.alive, false);
      startAfter(0, victim);
      await run(15);
      assert.notEqual(primary().pod, victim.pod);
      assert.deepEqual(lost(), []);
      assert.ok(
        client.longestOutage(began, world.time.now) < 3000,
        String(client.longestOutage(began, world.time.now)),
      );
      assert.equal(world.kubernetes.roles.get(victim.pod), "replica");
    });

    it("is not harmed by a primary that was frozen and thaws after a takeover", async () => {
      const victim = primary();
      const began = world.time.now;
      victim.freeze();
      await run(15);
      const successor = world.nodes.find(node => node !== victim && node.server?.open);
      assert.ok(successor);
      victim.thaw();
      await run(1);
      assert.ok(!victim.server?.open);
      await run(15);
      for (const { at } of lost()) assert.ok(at > began - shippingLag && at < began + 100);
      assert.equal(primary().pod, successor.pod);
    });

    it("comes back from the loss of all pods with everything, on the last primary's volume", async () => {
      const { pod } = primary();
      for (const node of world.nodes) node.vanish();
      for (const node of world.nodes) startAfter(1, node);
      await run(25);
      assert.equal(primary().pod, pod);
      assert.deepEqual(lost(), []);
      assert.equal(world.nodes.filter(node => world.kubernetes.roles.get(node.pod) === "replica").length, 2);
    });

    it("does it again and again, also under another primary each time", async () => {
      const primaries = new Set<string>();
      for (let round = 0; round < 4; round++) {
        const victim = primary();
        primaries.add(victim.pod);
        victim.manager?.requestStop();
        await run(4);
        startAfter(0, victim);
        await run(12);
        assert.deepEqual(lost(), []);
      }
      assert.ok(primaries.size > 1);
      assert.equal(world.kubernetes.lease?.epoch, 5);
    });

    it("keeps every table, on nodes that start afresh too, when tables are made after each failover", async () => {
      for (let round = 0; round < 6; round++) {
        const victim = primary();
        victim.vanish();
        victim.loseDisk();
        startAfter(3, victim);
        await run(20);
        primary()
          .server?.createTable(`table_${round}`)
          .catch((error: unknown) => assert.fail(String(error)));
        await run(20);
        const roles = world.nodes.map(node => `${node.pod} ${world.kubernetes.roles.get(node.pod)}`);
        assert.equal(
          roles.filter(role => role.endsWith("replica")).length,
          2,
          `round ${round}: ${roles.join()}\n${world.timeline.slice(-60).join("\n")}`,
        );
        for (const node of world.nodes)
          assert.ok(node.server?.tables().includes(`table_${round}`), `${node.pod} lacks table_${round}`);
      }
    });

    it("never has two labelled primaries that both accept writes", async () => {
      for (let i = 0; i < 100; i++) {
        if (i === 20) primary().freeze();
        if (i === 70) for (const node of world.nodes) node.thaw();
        await run(0.2);
        const open = world.nodes.filter(node => node.server?.open && !node.process?.frozen);
        assert.ok(open.length <= 1 || i === 70, open.map(node => node.pod).join());
      }
    });

    it("keeps the primary when the Lease is deleted, and the epoch with it", async () => {
      const { pod } = primary();
      world.kubernetes.edit(() => undefined);
      await run(10);
      assert.equal(primary().pod, pod);
      assert.equal(world.kubernetes.lease?.epoch, 1);
      assert.deepEqual(lost(), []);
    });
  });
}
