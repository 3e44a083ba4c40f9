import * as assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { walGeneration } from "../../components/manager/comparison";
import { Client } from "./client";
import { api, bucket } from "./network";
import { rollingRestart } from "./faults/operators";
import { SimulatedNode } from "./node";
import { applicationTable } from "./simulatedServer";
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
    /** What a client asks for and does not wait for. */
    const asked = (what?: Promise<void>): void => {
      what?.catch((error: unknown) => assert.fail(String(error)));
    };
    const startAfter = (seconds: number, node: SimulatedNode) =>
      world.time.after(seconds * 1000, () => world.startPod(node));
    const primary = () => world.writer() ?? assert.fail(`no primary\n${world.timeline.join("\n")}`);

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

    beforeEach(() => begin(new World(seed)));

    async function begin(another: World) {
      world = another;
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

    it("waits for the volume of a primary that was deleted by force and killed on its way out: nothing is lost", async () => {
      const victim = primary();
      const began = world.time.now;
      world.kubernetes.forget(victim.pod, victim.process, "another", 0);
      victim.vanish();
      startAfter(9, victim);
      await run(20);
      assert.equal(primary().pod, victim.pod);
      assert.deepEqual(lost(), []);
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

    it("removes what an earlier primary sends after the takeover, and has its followers begin anew one at a time", async () => {
      const victim = primary();
      world.network.cut.add(`${victim.pod}>${bucket}`);
      await run(0.5);
      victim.vanish();
      world.network.cut.delete(`${victim.pod}>${bucket}`);
      startAfter(10, victim);
      const generations = world.store
        .list("data/uwal_")
        .map(({ key }) => walGeneration(key.slice("data/".length)) ?? -1);
      const name = `uwal_${Math.max(...generations)}.log`;
      const { body, metadata } = world.store.get(`data/${name}`)!;
      await run(25);
      assert.equal(world.store.get(`data/${name}`), undefined, "every follower has seen the next epoch's");
      const before = world.timeline.length;
      world.store.put(`data/${name}`, Buffer.concat([body, Buffer.alloc(1)]), { metadata });
      let least = Infinity;
      for (let i = 0; i < 120; i++) {
        await run(0.5);
        least = Math.min(least, replicas().length);
      }
      assert.equal(world.store.get(`data/${name}`), undefined);
      const anew = world.timeline.slice(before).filter(line => line.includes('"hasLateRows":true'));
      assert.equal(anew.length, 2, world.timeline.slice(before).join("\n"));
      assert.equal(least, 1);
      assert.equal(replicas().length, 2);
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

    it("comes back from the loss of all pods with everything, on the last primary's volume", async () => {
      const { pod } = primary();
      for (const node of world.nodes) node.vanish();
      for (const node of world.nodes) startAfter(1, node);
      await run(25);
      assert.equal(primary().pod, pod);
      assert.deepEqual(lost(), []);
      assert.equal(replicas().length, 2);
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
          assert.ok(node.server?.knownTables().includes(`table_${round}`), `${node.pod} lacks table_${round}`);
      }
    });

    it("keeps its followers while the engine merges the definitions of tables under another name", async () => {
      const before = world.timeline.length;
      for (let i = 0; i < 12; i++) {
        asked(primary().server?.createTable(`made_${i}`));
        await run(2);
        asked(primary().server?.flush(5000));
        await run(2);
      }
      const since = world.timeline.slice(before);
      assert.deepEqual(
        since.filter(line => line.includes("kills mariadbd")),
        [],
      );
      const merged = world.store.list("data/__tidesql_schema/").map(({ key }) => key);
      assert.ok(
        merged.some(key => /L1P0_\d+\.klog$/.test(key)),
        "it has merged some",
      );
      for (const node of world.nodes) assert.ok(node.server?.knownTables().includes("made_11"), node.pod);
    });

    it("does not bring back a table that was dropped, when a node that had followed it is promoted", async () => {
      const stored = () => world.store.list(`data/${applicationTable.database}__dropped/`).map(({ key }) => key);
      asked(primary().server?.createTable("dropped"));
      asked(primary().server?.flush(5000));
      await run(20);
      assert.notDeepEqual(stored(), []);
      asked(primary().server?.dropTable("dropped"));
      await run(5);
      assert.deepEqual(stored(), []);
      const victim = primary();
      victim.manager?.requestStop();
      startAfter(8, victim);
      await run(70);
      assert.notEqual(primary().pod, victim.pod);
      assert.deepEqual(stored(), []);
      assert.equal(replicas().length, 2);
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
      assert.equal(replicas().length, 2);
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
      assert.deepEqual(lost(), []);
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
      await begin(new World(seed, { configuration: { durability: "interval" } }));
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
        await begin(new World(seed, { configuration: { durability }, engineRequestTimeout: 15_000 }));
        const { pod } = primary();
        const began = world.time.now;
        world.network.cut.add(`${pod}>${bucket}`);
        await run(15);
        assert.notEqual(primary().pod, pod);
        assert.equal(world.kubernetes.lease?.epoch, 2);
        // A commit that waits for the bucket is in the way of nothing; but in that mode it is not answered from the first moment on.
        const longest = client.longestOutage(began, world.time.now);
        assert.ok(longest < (durability === "commit" ? 8000 : 4000), String(longest));
        assert.deepEqual(lost(), []);
        world.network.cut.delete(`${pod}>${bucket}`);
        await run(20);
        assert.equal(replicas().length, 2);
        assert.deepEqual(lost(), []);
      });
    }

    it("hands over when the engine dies while the bucket is gone for the primary alone, through a peer: nothing is lost", async () => {
      const { pod, server } = primary();
      const began = world.time.now;
      world.network.cut.add(`${pod}>${bucket}`);
      await run(1.5);
      server?.kill();
      await run(20);
      assert.notEqual(primary().pod, pod);
      assert.deepEqual(lost(), []);
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 10_000, String(longest));
      world.network.cut.delete(`${pod}>${bucket}`);
      await run(20);
      assert.equal(replicas().length, 2);
    });

    it("leaves the lease to another when its volume hangs and mariadbd cannot be killed", async () => {
      const victim = primary();
      const began = world.time.now;
      victim.hangVolume();
      await run(35);
      assert.notEqual(primary().pod, victim.pod);
      assert.ok(victim.alive && victim.server?.process?.alive, "it is there still");
      assert.equal(victim.manager?.view().engine.state, "stopping");
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

    it("leaves the lease to another when the volume hangs that it is about to resume on", async () => {
      const victim = primary();
      const began = world.time.now;
      victim.server?.kill();
      victim.volumeHangs = true;
      await run(90);
      assert.notEqual(primary().pod, victim.pod);
      for (const { at } of lost()) assert.ok(at > began - shippingLag);
      victim.recoverVolume();
      await run(20);
      assert.equal(world.kubernetes.roles.get(victim.pod), "replica");
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
      assert.equal(replicas().length, 2);
    });

    it("keeps a table that nobody writes to, through a failover, a crash of the new primary's engine, and a new start of all other nodes", async () => {
      asked(primary().server?.createTable("quiet"));
      await run(2);
      asked(primary().server?.write({ key: "k", value: "v" }, "quiet"));
      asked(primary().server?.flush(5000));
      await run(5);
      // Followers that have seen the write in the WAL would flush it again.
      for (const node of replicas()) {
        node.vanish();
        startAfter(1, node);
      }
      await run(20);
      // A replica's start has published it without an epoch; this primary would with its own.
      const manifest = `data/${applicationTable.database}__quiet/MANIFEST`;
      world.store.put(manifest, world.store.get(manifest)!.body, { metadata: { epoch: "1" } });
      const victim = primary();
      victim.manager?.requestStop();
      await run(5);
      startAfter(0, victim);
      await run(15);
      // Its engine opens a volume on which nothing of that table was ever written down.
      primary().server?.kill();
      await run(10);
      assert.equal(primary().server?.rows("quiet").scanned.get("k"), "v");
      const before = world.timeline.length;
      const others = world.nodes.filter(node => node !== primary());
      for (const node of others) node.vanish();
      for (const node of others) startAfter(1, node);
      await run(20);
      assert.equal(replicas().length, 2, world.timeline.slice(before).join("\n"));
      for (const node of world.nodes) assert.equal(node.server?.rows("quiet").scanned.get("k"), "v", node.pod);
      const troubles = world.timeline.slice(before).filter(line => /lost sight|had not uploaded|re-seeding/.test(line));
      assert.deepEqual(troubles, []);
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

    it("promotes a node that has not followed only when a person accepts the loss", async () => {
      for (const node of world.nodes) node.vanish();
      const [survivor, ...others] = world.nodes;
      assert.ok(survivor);
      for (const node of others) node.loseDisk();
      survivor.loseDisk();
      startAfter(1, survivor);
      await run(60);
      assert.equal(world.writer(), undefined);
      world.kubernetes.requests.set(survivor.pod, { promote: "accept-data-loss" });
      await run(45);
      assert.equal(primary().pod, survivor.pod);
    });

    it("forgets an accepted loss once there is a primary, so that it does not stand for a later one", async () => {
      const replica = replicas()[0]?.pod ?? assert.fail("no replica");
      world.kubernetes.requests.set(replica, { promote: "accept-data-loss" });
      await run(40);
      assert.equal(world.kubernetes.requests.get(replica)?.promote, undefined);
      assert.equal(world.kubernetes.lease?.epoch, 1);
    });

    it("sends what only the volume holds after a crash between a flush and its upload", async () => {
      const victim = primary();
      world.network.cut.add(`${victim.pod}>${bucket}`);
      victim.server?.flush(1000).catch(() => undefined);
      await run(1);
      victim.server?.kill();
      world.network.cut.delete(`${victim.pod}>${bucket}`);
      await run(45);
      const written = client.acknowledged.length;
      const audit = victim.manager?.notInBucket();
      assert.equal(audit?.objects, 0, world.timeline.slice(-80).join("\n"));
      // The node and its disk go: nothing but the last moment may go with them.
      const began = world.time.now;
      victim.vanish();
      victim.loseDisk();
      await run(15);
      assert.ok(client.acknowledged.length > written);
      for (const { at } of lost()) assert.ok(at > began - shippingLag && at < began + 100);
    });

    describe("with commits that run side by side, whose order in the WAL is not that of their sequences", () => {
      const keys = Array.from({ length: 20 }, (_, i) => `beside-${i}`);
      let value: string;
      const lacking = (node: SimulatedNode) => {
        const { scanned } = node.server?.rows() ?? assert.fail("no server");
        return keys.filter(key => scanned.get(key) !== value);
      };

      beforeEach(async () => {
        await begin(new World(seed, { engine: { overtakenCommitProbability: 0.5 } }));
        const { server } = primary();
        await run(6);
        // A flush just then would bring them all.
        for (let round = 0; round === 0 || !replicas().some(node => lacking(node).length > 0); round++) {
          assert.ok(round < 10, "no replica passes over anything");
          value = `v${round}`;
          await Promise.all([run(0.7), ...keys.map(key => server?.write({ key, value }))]);
        }
      });

      it("flushes soon what followers have passed over", async () => {
        await run(7);
        for (const node of world.nodes) assert.deepEqual(lacking(node), [], node.pod);
        assert.deepEqual(lost(), []);
      });

      it("leaves nothing behind in a hurry", async () => {
        const victim = primary();
        world.kubernetes.forget(victim.pod, victim.process, "another", 0);
        victim.manager?.requestStop();
        await run(2);
        victim.vanish();
        victim.loseDisk();
        await run(15);
        assert.notEqual(primary().pod, victim.pod);
        assert.deepEqual(lacking(primary()), []);
        assert.deepEqual(lost(), []);
      });
    });

    it("keeps the SSTables of a table bounded, and loses nothing by it", async () => {
      const threshold = 8;
      await begin(new World(seed, { automaticCompaction: false, configuration: { compactAtSstables: threshold } }));
      const count = () =>
        primary()
          .disk.list()
          .filter(
            name =>
              name.startsWith(`${applicationTable.database}__${applicationTable.table}/`) && name.endsWith(".klog"),
          ).length;
      let most = 0;
      for (let i = 0; i < 60; i++) {
        primary()
          .server?.flush(5000)
          .catch(() => undefined);
        await run(5);
        most = Math.max(most, count());
      }
      assert.ok((primary().manager?.counters.compactions ?? 0) > 0, `never compacted, ${most} SSTables at most`);
      assert.ok(most < 40, `${most} SSTables`);
      assert.deepEqual(lost(), []);
      assert.equal(replicas().length, 2);
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
