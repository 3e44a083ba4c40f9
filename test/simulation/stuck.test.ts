import * as assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { Client } from "./client";
import { bucket } from "./network";
import { SimulatedNode } from "./node";
import { World } from "./world";

const seeds = [1, 2];
/** What is lost in `interval` was acknowledged so shortly before its node was. Milliseconds. */
const lastMoment = 600;

for (const seed of seeds) {
  describe(`what a manager waits for in vain, seed ${seed}`, () => {
    let world: World;
    let client: Client;

    const run = (seconds: number) => world.time.runUntil(world.time.now + seconds * 1000);
    const told = () => `\n${world.timeline.slice(-80).join("\n")}`;
    const primary = () => world.writer() ?? assert.fail(`no primary${told()}`);
    const replicas = () => world.nodes.filter(node => world.kubernetes.roles.get(node.pod) === "replica");
    const holder = () => world.kubernetes.lease?.holder.split("_")[0];

    async function until(what: string, seconds: number, isSo: () => boolean, step = 0.1) {
      for (const end = world.time.now + seconds * 1000; !isSo(); await run(step))
        if (world.time.now > end) assert.fail(`${what} in ${seconds} s${told()}`);
    }

    /** Acknowledged rows that the primary does not have, by scan and by point read. */
    function lost() {
      const { scanned, read } = primary().server?.rows() ?? assert.fail("no server");
      const newest = new Map(client.acknowledged.map(row => [row.key, row]));
      return [...newest.values()].filter(({ key, value }) => {
        const found = scanned.get(key) ?? null;
        return !(found === value || client.unanswered.get(key)?.has(found)) || (read(key) ?? null) !== found;
      });
    }

    async function begin(configuration: Partial<ManagerConfiguration> = {}) {
      world = new World(seed, { tables: 1, configuration });
      client = new Client(world, 50);
      for (const node of world.nodes) world.startPod(node);
      client.start();
      await until("it comes up", 30, () => world.writer() !== undefined && replicas().length === 2);
      await run(3);
    }

    beforeEach(() => begin());

    afterEach(() => world.close());

    /** Another node has taken over from one whose volume hangs; that one says so, stays away, and comes back with its volume. */
    async function isLeftToAnother(victim: SimulatedNode, began: number) {
      await until("another node takes over", 40, () => world.writer() !== undefined && world.writer() !== victim);
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 25_000, `${longest}${told()}`);
      assert.match(victim.manager!.alarm, /volume does not answer/);
      assert.equal(victim.manager!.peerDesk.peerStatus().log, undefined, "it says that it is no candidate");
      assert.ok(world.timeline.some(line => line.includes(`${victim.pod} VolumeHangs`)));
      const { epoch } = world.kubernetes.lease ?? assert.fail("no lease");
      await run(15);
      assert.equal(world.kubernetes.lease?.epoch, epoch, "it does not come back for the lease");
      assert.equal(victim.manager!.ready(), false);
      victim.recoverVolume();
      await until("it follows again", 40, () => world.kubernetes.roles.get(victim.pod) === "replica");
      assert.equal(victim.manager!.alarm, "");
      for (const { at } of lost()) assert.ok(at > began - lastMoment, told());
    }

    for (const left of [2, 8]) {
      it(`leaves the Lease to another when its volume hangs at call ${left} of a resume`, async () => {
        const victim = primary();
        const began = world.time.now;
        let hung: SimulatedNode | undefined;
        world.trap = { left, spring: node => (hung = node).hangVolume() };
        victim.server?.kill();
        await until("the volume hangs", 5, () => hung !== undefined);
        assert.equal(hung, victim);
        await isLeftToAnother(victim, began);
      });

      it(`leaves the Lease to another when its volume hangs at call ${left} of a takeover`, async () => {
        const gone = primary();
        let hung: SimulatedNode | undefined;
        world.trap = { left, spring: node => (hung = node).hangVolume() };
        const began = world.time.now;
        gone.vanish();
        await until("the volume hangs", 15, () => hung !== undefined);
        await isLeftToAnother(hung!, began);
      });
    }

    it("ends a primary that answers while nothing reaches its volume, and leaves the Lease to another", async () => {
      const victim = primary();
      const began = world.time.now;
      victim.hangVolume(true);
      await isLeftToAnother(victim, began);
    });

    it("does not stand as a candidate while its volume hangs", async () => {
      const [victim] = replicas();
      victim!.hangVolume(true);
      await run(15);
      const before = world.kubernetes.lease!.epoch;
      const began = world.time.now;
      primary().vanish();
      await until("the other takes over", 20, () => world.writer() !== undefined);
      assert.notEqual(primary(), victim);
      assert.equal(world.kubernetes.lease?.epoch, before + 1, `nobody took the Lease in vain${told()}`);
      const longest = client.longestOutage(began, world.time.now);
      assert.ok(longest < 10_000, String(longest));
    });

    it("goes on in place when its volume hangs for a few seconds of a resume", async () => {
      const victim = primary();
      let hung: SimulatedNode | undefined;
      world.trap = { left: 4, spring: node => (hung = node).hangVolume() };
      victim.server?.kill();
      await until("the volume hangs", 5, () => hung !== undefined);
      await run(5);
      victim.recoverVolume();
      await until("it serves", 10, () => world.writer() !== undefined);
      assert.equal(primary(), victim);
      assert.deepEqual(lost(), []);
    });

    /** Cuts the holder of the Lease off from the bucket when it comes to a step of its takeover. */
    const cutsOffAt: Record<string, () => Promise<void>> = {
      // Between its last reading of the log and the seal: nothing is read any more that could fail.
      async seal() {
        const { objects } = world;
        const create = objects.create.bind(objects);
        let isSealing = false;
        objects.create = (key, content, by) => {
          if (!Buffer.from(content).includes('"kind":"seal"')) return create(key, content, by);
          objects.create = create;
          isSealing = true;
          world.network.cut.add(`${holder()}>${bucket}`);
          throw new Error("the connection was reset");
        };
        await until("a follower seals", 15, () => isSealing);
      },
      async align() {
        // What it lacks has to be fetched.
        for (const node of replicas()) node.volume.clear();
        const isThere = () => world.nodes.some(({ manager }) => manager?.engine.transition?.step === "align");
        await until("a follower takes over", 15, isThere, 0.001);
        world.network.cut.add(`${holder()}>${bucket}`);
      },
    };

    for (const [step, cutOff] of Object.entries(cutsOffAt)) {
      it(`leaves the Lease to another when the bucket is gone for the taker alone, at the step ${step}`, async () => {
        const gone = primary();
        gone.vanish();
        gone.loseDisk();
        await cutOff();
        const taker = world.nodes.find(({ pod }) => pod === holder()) ?? assert.fail("no taker");
        await until("the other takes over", 20, () => world.writer() !== undefined && world.writer() !== taker, 0.25);
        const why = (line: string) => line.includes("releasing the lease") && line.includes("answers a peer");
        assert.ok(world.timeline.some(why), told());
        world.network.cut.delete(`${taker.pod}>${bucket}`);
        await until("it follows", 60, () => world.kubernetes.roles.get(taker.pod) === "replica");
      });
    }

    it("keeps the Lease in a takeover while the bucket is away for all", async () => {
      primary().vanish();
      await until(
        "a follower takes over",
        15,
        () => world.nodes.some(({ alive, manager }) => alive && manager?.engine.transition?.step === "seal"),
        0.001,
      );
      const taker = holder();
      const { epoch } = world.kubernetes.lease!;
      world.network.down.add(bucket);
      await run(60);
      world.network.down.delete(bucket);
      await until("it goes on", 20, () => world.writer() !== undefined);
      assert.equal(primary().pod, taker);
      assert.equal(world.kubernetes.lease?.epoch, epoch);
    });

    for (const grace of [2, 4]) {
      it(`leaves in order within a grace period of ${grace} s, whatever its flush does`, async () => {
        const victim = primary();
        // An engine with much to send.
        victim.server!.flush = timeout =>
          new Promise((_, reject) => world.time.after(Math.min(8000, timeout), () => reject(new Error("late"))));
        const began = world.time.now;
        world.kubernetes.graces.set(victim.pod, grace);
        world.kubernetes.leaving.add(victim.pod);
        victim.manager?.requestStop();
        await run(grace);
        assert.equal(victim.alive, false, `it has left by itself${told()}`);
        victim.loseDisk();
        await until("another takes over", 10, () => world.writer() !== undefined);
        assert.deepEqual(lost(), []);
        const longest = client.longestOutage(began, world.time.now);
        assert.ok(longest < 3500, String(longest));
      });
    }

    describe("two deployments with one prefix", () => {
      let other: World;

      const startOther = () => {
        other = new World(seed + 100, { tables: 1, configuration: world.configuration, beside: world });
        for (const node of other.nodes) other.startPod(node);
      };
      const alarms = (of: World) => of.nodes.map(({ manager }) => manager!.alarm);

      afterEach(() => other.close());

      it("do not fight: the second is refused, and says where and what to do", async () => {
        startOther();
        const began = world.time.now;
        await run(45);
        assert.equal(client.longestOutage(began, world.time.now) < 300, true, "the first goes on");
        assert.equal(world.kubernetes.lease?.epoch, 1);
        assert.equal(other.writer(), undefined);
        for (const alarm of alarms(other)) {
          assert.match(
            alarm,
            /s3:\/\/bucket\/orders\/ is written by another deployment of database d1: pod orders-\d of this/,
          );
          assert.match(alarm, /scale down that one|prefix of its own/);
        }
        assert.deepEqual(alarms(world), ["", "", ""]);
        assert.deepEqual(lost(), []);
      });

      it("are one after the other has gone: a database that was moved goes on, and the former one is refused if it comes back", async () => {
        client.stop();
        await run(2);
        for (const node of world.nodes) node.vanish();
        startOther();
        for (let i = 0; i < 60 && !other.writer(); i++) await run(1);
        assert.ok(other.writer(), other.timeline.slice(-60).join("\n"));
        const { scanned } = other.writer()!.server!.rows();
        for (const { key, value } of new Map(client.acknowledged.map(row => [row.key, row])).values())
          assert.equal(scanned.get(key) ?? null, value);
        for (const node of world.nodes) world.startPod(node);
        await run(60);
        assert.equal(world.writer(), undefined);
        assert.match(alarms(world)[0]!, /another deployment of database d1: pod orders-\d of another/);
        assert.ok(other.writer(), "it goes on");
        assert.deepEqual(alarms(other), ["", "", ""]);
      });

      it("end a fight that has begun: whoever was sealed by the other gives up", async () => {
        const { pod } = primary();
        // The first is cut off for so long that the second takes it for gone.
        world.network.down.add(bucket);
        startOther();
        for (let i = 0; i < 60 && !other.writer(); i++) await run(1);
        assert.ok(other.writer(), other.timeline.slice(-60).join("\n"));
        world.network.down.delete(bucket);
        await run(60);
        assert.equal(world.writer(), undefined, pod);
        assert.ok(other.writer());
        const seals = [...world.objects.all.keys()].filter(key => /^log\/0*2\//.test(key));
        assert.notEqual(seals.length, 0);
        assert.match(alarms(world)[0]!, /another deployment/);
      });
    });
  });
}
