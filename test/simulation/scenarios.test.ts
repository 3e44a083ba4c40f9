import * as assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { Client } from "./client";
import { api, bucket } from "./network";
import { rollingRestart } from "./faults/operators";
import { SimulatedNode } from "./node";
import { World } from "./world";

/** Every scenario is run from each of these: latencies, the order of answers and the engine's dice differ. */
const seeds = [1, 2, 3];
/** In `interval` mode the bucket lags by a reaper's round, an upload and its check. Milliseconds. */
const shippingLag = 250;

for (const seed of seeds) {
  describe(`three managers on a virtual clock, seed ${seed}`, () => {
    let world: World;
    let client: Client;

    const run = (seconds: number) => world.time.runUntil(world.time.now + seconds * 1000);
    /** What a client asks for and does not wait for. */
    const asked = (what?: Promise<void>): void => {
      what?.catch((error: unknown) => assert.fail(String(error)));
    };
    const startAfter = (seconds: number, node: SimulatedNode) =>
      world.time.after(seconds * 1000, () => world.startPod(node));
    const primary = () => world.writer() ?? assert.fail(`no primary\n${world.timeline.join("\n")}`);

    /** Followers that are due for it are re-seeded one after the other. */
    async function untilAllServe() {
      for (let i = 0; i < 120 && replicas().length < world.nodes.length - 1; i++) await run(1);
      assert.equal(replicas().length, world.nodes.length - 1, world.timeline.slice(-60).join("\n"));
    }

    const replicas = () => world.nodes.filter(node => world.kubernetes.roles.get(node.pod) === "replica");

    /** Acknowledged rows that the primary does not have, by scan and by point read. */
    function lost() {
      const { scanned, read } = primary().server?.rows() ?? assert.fail("no server");
      const newest = new Map(client.acknowledged.map(row => [row.key, row]));
      return [...newest.values()].filter(({ key, value }) => {
        const found = scanned.get(key) ?? null;
        const isThere = found === value || client.unanswered.get(key)?.has(found);
        return !isThere || (read(key) ?? null) !== found;
      });
    }

    beforeEach(() => begin());

    afterEach(() => world.close());

    async function begin(configuration: Partial<ManagerConfiguration> = {}) {
      world = new World(seed, { tables: 1, configuration });
      client = new Client(world, 50);
      for (const node of world.nodes) world.startPod(node);
      client.start();
      await run(15);
      assert.ok(client.acknowledged.length > 200);
      await untilAllServe();
      assert.deepEqual(world.nodes.map(node => world.kubernetes.roles.get(node.pod)).sort(), [
        "primary",
        "replica",
        "replica",
      ]);
    }

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

    it("hands over when it is deleted by force, through a peer since the API server does not know it any more", async () => {
      const victim = primary();
      const began = world.time.now;
      world.kubernetes.forget(victim.pod, victim.process, "another", 0);
      victim.manager?.requestStop();
      await run(2);
      assert.equal(victim.alive, false, "it has left by itself");
      startAfter(6, victim);
      await run(15);
      assert.notEqual(primary().pod, victim.pod);
      assert.deepEqual(lost(), []);
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 3000, String(longest));
    });

    it("takes over from a primary that was deleted by force and killed on its way out, without its volume: at most the last moment is lost", async () => {
      const victim = primary();
      const began = world.time.now;
      world.kubernetes.forget(victim.pod, victim.process, "another", 0);
      victim.vanish();
      startAfter(9, victim);
      await run(20);
      for (const { at } of lost()) assert.ok(at > began - shippingLag);
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 13_000, String(longest));
    });

    it("takes over from one that was deleted by force and does not know it, since its kubelet and its way to the API server are gone", async () => {
      const victim = primary();
      const began = world.time.now;
      world.network.cut.add(`${victim.pod}>${api}`);
      await run(3);
      world.kubernetes.forget(victim.pod, victim.process, "another", 0);
      await run(15);
      assert.notEqual(primary().pod, victim.pod);
      assert.ok(!victim.server?.open, "it does not go on");
      assert.deepEqual(lost(), []);
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 10_000, String(longest));
    });

    it("does not wait long for one that does not come back", async () => {
      const victim = primary();
      const began = world.time.now;
      world.kubernetes.forget(victim.pod, victim.process, "another", 0);
      victim.vanish();
      await run(20);
      assert.notEqual(primary().pod, victim.pod);
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 16_000, String(longest));
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

    it("sends what an engine had not that dies while its pod leaves", async () => {
      const victim = primary();
      world.network.cut.add(`${victim.pod}>${bucket}`);
      await run(0.5);
      world.kubernetes.leaving.add(victim.pod);
      victim.manager?.requestStop();
      await run(0.5);
      victim.server?.kill();
      world.network.cut.delete(`${victim.pod}>${bucket}`);
      await run(10);
      assert.equal(victim.alive, false, world.timeline.slice(-60).join("\n"));
      victim.loseDisk();
      assert.notEqual(primary().pod, victim.pod);
      assert.deepEqual(lost(), []);
    });

    it("comes back from the loss of all pods with everything but the last moment", async () => {
      const began = world.time.now;
      for (const node of world.nodes) node.vanish();
      for (const node of world.nodes) startAfter(1, node);
      await run(25);
      for (const { at } of lost()) assert.ok(at > began - shippingLag);
      await untilAllServe();
    });

    it("opens on what the disks have kept when all machines lose their power, again and again: nothing is lost", async () => {
      for (let round = 0; round < 3; round++) {
        // The engine leaves its files to the page cache; the manager's book says which are there.
        asked(primary().server?.flush(5000));
        await run(3);
        for (const node of world.nodes) node.losePower(world.random);
        for (const node of world.nodes) startAfter(1, node);
        await run(25);
        await untilAllServe();
        assert.deepEqual(lost(), []);
        assert.deepEqual(world.promises.violations, []);
      }
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
      for (let round = 0; round < 3; round++) {
        const victim = primary();
        victim.vanish();
        victim.loseDisk();
        startAfter(3, victim);
        await run(20);
        primary()
          .server?.createTable(`table_${round}`)
          .catch((error: unknown) => assert.fail(String(error)));
        await run(20);
        await untilAllServe();
        for (const node of world.nodes)
          assert.ok(node.server?.knownTables().includes(`table_${round}`), `${node.pod} lacks table_${round}`);
      }
    });

    it("keeps the rows of a table that is made after another was dropped, through failovers in between", async () => {
      const handOver = async () => {
        const victim = primary();
        victim.manager?.requestStop();
        await run(12);
        world.startPod(victim);
        await run(30);
      };
      for (let round = 0; round < 4; round++) {
        asked(primary().server?.createTable(`made_${round}`));
        await run(2);
        asked(primary().server?.write({ key: `k${round}`, value: "v" }, `made_${round}`));
        asked(primary().server?.flush(5000));
        await run(20);
        await handOver();
        assert.equal(primary().server?.rows(`made_${round}`).scanned.get(`k${round}`), "v", `round ${round}`);
        // The newest table's number is the one that a later primary gives again.
        asked(primary().server?.dropTable(`made_${round}`));
        await run(60);
        await handOver();
      }
      assert.deepEqual(lost(), []);
      await untilAllServe();
    });

    it("keeps the rows of tables that are renamed and altered, on every node", async () => {
      asked(primary().server?.createTable("made"));
      await run(2);
      for (const key of ["a", "b"]) asked(primary().server?.write({ key, value: `${key} of made` }, "made"));
      await run(2);
      asked(primary().server?.flush(5000));
      await run(1);
      asked(primary().server?.renameTable("made", "renamed"));
      await run(2);
      asked(primary().server?.alterTable("renamed"));
      await run(20);
      await untilAllServe();
      await run(10);
      for (const node of world.nodes) {
        assert.ok(!node.server?.knownTables().includes("made"), node.pod);
        const rows = node.server?.rows("renamed");
        for (const key of ["a", "b"]) {
          assert.equal(rows?.scanned.get(key), `${key} of made`, node.pod);
          assert.equal(rows?.read(key), `${key} of made`, node.pod);
        }
      }
      assert.deepEqual(lost(), []);
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

    it("goes on writing while the API server is away, confirmed by its peers", async () => {
      const { pod } = primary();
      const began = world.time.now;
      world.network.down.add(api);
      await run(60);
      world.network.down.delete(api);
      await run(10);
      assert.equal(primary().pod, pod);
      assert.equal(world.kubernetes.lease?.epoch, 1);
      assert.ok(client.longestOutage(began, world.time.now) < 300, "no outage");
      assert.deepEqual(lost(), []);
    });

    it("fences a primary that neither the API server nor all peers confirm, and promotes a follower", async () => {
      const { pod } = primary();
      const began = world.time.now;
      for (const other of [api, ...world.nodes.map(node => node.pod).filter(name => name !== pod)]) {
        world.network.cut.add(`${pod}>${other}`);
        world.network.cut.add(`${other}>${pod}`);
      }
      await run(12);
      assert.notEqual(primary().pod, pod);
      assert.ok(client.longestOutage(began, world.time.now) < 8000);
      // It acknowledges from its disk until its deadline, and what it had not shipped then is lost.
      for (const { at } of lost()) assert.ok(at > began);
    });

    it("takes no writes while the bucket is away for longer than the bound, and keeps its primary", async () => {
      const { pod } = primary();
      world.network.down.add(bucket);
      await run(3);
      assert.ok(primary().server?.open);
      await run(4);
      assert.equal(world.writer(), undefined, "writes are stopped");
      await run(20);
      world.network.down.delete(bucket);
      await run(8);
      assert.equal(primary().pod, pod);
      assert.equal(world.kubernetes.lease?.epoch, 1);
      assert.deepEqual(lost(), []);
    });

    it("goes on writing while the bucket takes 200 ms for each request", async () => {
      await begin({ durability: "interval" });
      const { pod } = primary();
      const began = world.time.now;
      const heal = world.network.misbehave(bucket, { slowBy: 95 });
      await run(30);
      heal();
      await run(10);
      assert.equal(primary().pod, pod);
      assert.ok(!world.timeline.some(line => line.includes("WritesStopped")), world.timeline.slice(-60).join("\n"));
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 2500, String(longest));
      assert.deepEqual(lost(), []);
    });

    for (const durability of ["interval", "commit"] as const) {
      it(`hands over when the bucket is gone for the primary alone, and loses nothing: ${durability}`, async () => {
        await begin({ durability });
        const { pod } = primary();
        const began = world.time.now;
        world.network.cut.add(`${pod}>${bucket}`);
        await run(15);
        assert.notEqual(primary().pod, pod);
        assert.equal(world.kubernetes.lease?.epoch, 2);
        // It leaves when the bucket has not answered it for four seconds, and a follower for three; in `commit` its clients wait from the first moment on.
        const longest = client.longestOutage(began, world.time.now);
        assert.ok(longest < (durability === "commit" ? 14_000 : 8000), String(longest));
        assert.deepEqual(lost(), []);
        world.network.cut.delete(`${pod}>${bucket}`);
        await run(20);
        await untilAllServe();
        assert.deepEqual(lost(), []);
      });
    }

    it("hands over when the engine dies while the bucket is gone for the primary alone, through a peer: at most the last moment is lost", async () => {
      const { pod, server } = primary();
      const began = world.time.now;
      world.network.cut.add(`${pod}>${bucket}`);
      await run(1.5);
      const killedAt = world.time.now;
      server?.kill();
      // Its volume has them, and cannot send them: what no peer was told of yet.
      const lostLongBefore = () => lost().filter(({ at }) => at < killedAt - 100);
      await run(20);
      assert.notEqual(primary().pod, pod);
      assert.deepEqual(lostLongBefore(), []);
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 20_000, String(longest));
      world.network.cut.delete(`${pod}>${bucket}`);
      await run(20);
      await untilAllServe();
    });

    it("leaves the lease to another when its volume hangs and mariadbd cannot be killed", async () => {
      const victim = primary();
      const began = world.time.now;
      victim.hangVolume();
      await run(35);
      assert.notEqual(primary().pod, victim.pod);
      assert.ok(victim.alive && victim.server?.process?.alive, "it is there still");
      assert.equal(victim.manager?.engine.view.state, "stopping");
      assert.match(victim.manager.alarm, /volume does not answer: mariadbd was killed .* and has not ended/);
      for (const { at } of lost()) assert.ok(at > began - shippingLag);
      const outage = client.longestOutage(began, world.time.now);
      // Found to hang, given the time to end, the lease's; and followers that had heard of no write for so long wait for their last poll.
      assert.ok(outage < 27_000, String(outage));
      const { epoch } = world.kubernetes.lease ?? assert.fail("no lease");
      await run(30);
      assert.equal(world.kubernetes.lease?.epoch, epoch, "it does not come back for the lease");
      victim.recoverVolume();
      await run(20);
      assert.equal(world.kubernetes.roles.get(victim.pod), "replica");
      assert.equal(victim.manager.alarm, "");
      for (const { at } of lost()) assert.ok(at > began - shippingLag);
    });

    it("goes on in place after a volume that hung for a moment", async () => {
      const victim = primary();
      victim.hangVolume();
      await run(4);
      victim.recoverVolume();
      await run(10);
      assert.equal(primary().pod, victim.pod);
      assert.deepEqual(lost(), []);
    });

    it("kills an engine that hangs and resumes it in place", async () => {
      const { pod, server } = primary();
      const began = world.time.now;
      if (server?.process) server.process.frozen = true;
      await run(12);
      assert.equal(primary().pod, pod);
      assert.equal(world.kubernetes.lease?.epoch, 1);
      assert.ok(
        client.longestOutage(began, world.time.now) < 6000,
        String(client.longestOutage(began, world.time.now)),
      );
      assert.deepEqual(lost(), []);
    });

    it("kills an engine that answers and writes nothing any more, and resumes it in place", async () => {
      const first = primary();
      await run(3.3);
      first.server!.wedged = true;
      await run(15);
      // Nothing asks the bucket for anything while no write comes: it is asked apart whether it is well.
      await run(8);
      assert.equal(primary(), first);
      assert.ok(first.server!.open && !first.server!.wedged, world.timeline.slice(-60).join("\n"));
      const before = client.acknowledged.length;
      await run(2);
      assert.ok(client.acknowledged.length > before);
      assert.deepEqual(lost(), []);
    });

    it("hands over on request, with one short pause and nothing lost", async () => {
      const { pod } = primary();
      const wanted = world.nodes.filter(node => node.pod !== pod).at(-1)?.pod ?? "";
      const began = world.time.now;
      world.kubernetes.requests.set(pod, { switchover: wanted });
      await run(20);
      assert.equal(primary().pod, wanted);
      assert.equal(world.kubernetes.requests.get(pod), undefined, "the request is taken off");
      assert.ok(
        client.longestOutage(began, world.time.now) < 3000,
        String(client.longestOutage(began, world.time.now)),
      );
      assert.deepEqual(lost(), []);
      await untilAllServe();
    });

    it("rolls out with one pause, wherever the primary is", async () => {
      for (const first of world.nodes.map(node => node.pod)) {
        if (primary().pod !== first) {
          world.kubernetes.requests.set(primary().pod, { switchover: first });
          await run(30);
        }
        assert.equal(primary().pod, first);
        const { epoch } = world.kubernetes.lease!;
        rollingRestart.inject(world, world.random, client);
        await run(90);
        assert.equal(
          world.kubernetes.lease?.epoch,
          epoch + 1,
          `from ${first}\n${world.timeline.slice(-200).join("\n")}`,
        );
        assert.equal(new Set(world.nodes.map(node => world.kubernetes.revisions.get(node.pod))).size, 1);
        assert.deepEqual(lost(), []);
      }
    });

    it("hands over on request each time, however the renewals of the Lease fall", async () => {
      for (let round = 0; round < 12; round++) {
        for (let i = 0; i < 60 && replicas().length < 2; i++) await run(1);
        const { pod } = primary();
        world.kubernetes.requests.set(pod, { switchover: "any" });
        for (let i = 0; i < 90 && (world.writer()?.pod ?? pod) === pod; i++) await run(0.5);
        await run(5 + world.random.between(0, 2));
        assert.equal(world.timeline.filter(line => line.includes("SwitchoverFailed")).length, 0);
        assert.notEqual(primary().pod, pod, `round ${round}\n${world.timeline.slice(-60).join("\n")}`);
      }
      assert.deepEqual(lost(), []);
    });

    it("refuses a switchover to a pod that does not follow, and stays primary", async () => {
      const { pod } = primary();
      world.kubernetes.requests.set(pod, { switchover: "orders-9" });
      await run(10);
      assert.equal(primary().pod, pod);
      assert.equal(world.kubernetes.lease?.epoch, 1);
      assert.equal(world.kubernetes.requests.get(pod), undefined);
    });

    it("hears from a peer that another was elected, where somebody has given the Lease away: at most the last moment is lost", async () => {
      for (let round = 0; round < 5; round++) {
        const former = primary();
        const [other] = replicas();
        world.kubernetes.edit(lease => ({ ...lease, holder: `${other!.pod}_${other!.uid}` }));
        const from = world.timeline.length;
        await run(15);
        if (primary() === former) continue;
        const end = world.timeline.slice(from).find(line => line.includes(`${former.pod} warning: kills mariadbd`));
        const endedAt = 1000 * Number.parseFloat(end ?? "");
        for (const { key, at } of lost()) assert.ok(at > endedAt - 100, `${key}, ${endedAt - at} ms before the end`);
        client.acknowledged.length = 0;
        await untilAllServe();
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
