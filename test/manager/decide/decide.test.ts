import assert from "node:assert/strict";
import { decide, hangingLooks, successorAmong } from "../../../components/manager/decide/decide";
import { peerThatReaches, reachesForMilliseconds } from "../../../components/manager/decide/leaseTurn";
import { configuration, followerStatus as peer, hold, lease, now, place, primary, replica as follower } from "../views";

const stopped = { state: "stopped", role: "replica", failures: 0 } as const;
/** Of a Lease whose holder has not renewed it for long. */
const silent = { lease: lease({ unchangedSince: now - 5000 }), leaseFreeSince: now - 500, peersAskedAt: now - 300 };

describe("what a manager on the log decides", () => {
  it("goes on as it is while all is well", () => {
    assert.deepEqual(decide(follower(), now), {
      alarm: undefined,
      engine: undefined,
      label: undefined,
      lease: undefined,
      writes: undefined,
    });
    assert.equal(decide(primary(), now).engine, undefined);
  });

  describe("fences", () => {
    it("a writer that does not hold the Lease, or is about to lose it", () => {
      assert.match(decide(primary({ hold: undefined }), now).fence!, /no longer held/);
      assert.match(decide(primary({ hold: hold({ deadline: now + 500 }) }), now).fence!, /not renewed in time/);
      const promoting = { ...primary().engine, role: "promoting", state: "starting" } as const;
      assert.match(decide(primary({ engine: promoting, hold: undefined }), now).fence!, /no longer held/);
      const late = hold({ deadline: now + 500, lastRenewalSent: now - 3000, lastAttempt: now - 3000 });
      const transition = { kind: "takeOver", step: "start", progressedAt: now } as const;
      const decision = decide(primary({ engine: promoting, hold: late, transition }), now);
      assert.deepEqual([decision.fence, decision.lease], [undefined, { kind: "renew" }], "it acknowledges nothing yet");
    });

    it("nobody who does not write, and no engine that was killed already", () => {
      assert.equal(decide(follower(), now).fence, undefined);
      const engine = { ...primary().engine, killedAt: now - 100 };
      assert.equal(decide(primary({ hold: undefined, engine }), now).fence, undefined);
    });
  });

  describe("takes the Lease", () => {
    it("of a holder that went silent, when it knows who has most of the log", () => {
      assert.deepEqual(decide(follower(silent), now).lease, { kind: "acquire", epoch: 8 });
      assert.equal(decide(follower({ ...silent, peersAskedAt: now - 1000 }), now).lease, undefined);
    });

    it("after who has more of the log, by what was pushed, and after the last writer's volume", () => {
      const ahead = [peer("orders-2", { pushed: 101 })];
      assert.equal(decide(follower({ ...silent, peers: ahead }), now).lease, undefined);
      const behind = [peer("orders-2", { pushed: 99 })];
      assert.equal(decide(follower({ ...silent, peers: behind }), now).lease?.kind, "acquire");
      const resumable = [peer("orders-2", { pushed: 90 }, { resumable: true })];
      assert.equal(decide(follower({ ...silent, peers: resumable }), now).lease, undefined);
      // One that does not move must not block the others.
      const late = { ...silent, leaseFreeSince: now - 2000, peers: ahead };
      assert.equal(decide(follower(late), now).lease?.kind, "acquire");
    });

    it("at once when it is the named successor, and lets another one go first for a while", () => {
      const released = (preferredSuccessor: string) => ({
        ...silent,
        lease: lease({ holder: "", released: true, preferredSuccessor }),
      });
      assert.equal(decide(follower(released("orders-1")), now).lease?.kind, "acquire");
      assert.equal(decide(follower(released("orders-2")), now).lease, undefined);
    });

    it("with no engine as well, but not when the bucket does not answer, nor before it has read the log", () => {
      assert.equal(decide(follower({ ...silent, engine: stopped }), now).lease?.kind, "acquire");
      assert.equal(decide(follower({ ...silent, bucketAnsweredAt: now - 6000 }), now).lease, undefined);
      assert.equal(decide(follower({ ...silent, log: undefined }), now).lease, undefined);
      assert.equal(decide(follower({ ...silent, promisedUntil: now + 1 }), now).lease, undefined);
    });

    it("later where the last writer's volume may come back, and durability goes first", () => {
      const durable = { ...configuration, failoverPreference: "durability" } as const;
      assert.equal(decide(follower({ ...silent, configuration: durable }), now).lease, undefined);
      const waited = { ...silent, leaseFreeSince: now - 62_000, configuration: durable };
      assert.equal(decide(follower(waited), now).lease?.kind, "acquire");
      // In `commit` the log has everything.
      const commit = { ...durable, durability: "commit" } as const;
      assert.equal(decide(follower({ ...silent, configuration: commit }), now).lease?.kind, "acquire");
      const own = { ...silent, configuration: durable, engine: stopped, log: place({ isLastWriters: true }) };
      assert.equal(decide(follower(own), now).lease?.kind, "acquire");
    });

    it("again where a process before it has held it", () => {
      const own = lease({ holder: "orders-1_b" });
      assert.deepEqual(decide(follower({ lease: own, engine: stopped }), now).lease, { kind: "renew" });
    });
  });

  describe("its engine", () => {
    it("takes over with the Lease, whether it follows or not, and ends a start that is in the way", () => {
      const holds = { hold: hold(), lease: lease({ holder: "orders-1_b" }) };
      assert.deepEqual(decide(follower(holds), now).engine, { kind: "takeOver" });
      assert.deepEqual(decide(follower({ ...holds, engine: stopped }), now).engine, { kind: "takeOver" });
      const starting = { ...stopped, state: "starting" } as const;
      assert.equal(decide(follower({ ...holds, engine: starting }), now).engine?.kind, "kill");
      assert.equal(decide(follower({ ...holds, engine: stopped, startBackoffUntil: now + 1 }), now).engine, undefined);
      const transition = { kind: "takeOver", step: "seal", progressedAt: now } as const;
      assert.equal(decide(follower({ ...holds, engine: stopped, transition }), now).engine, undefined);
    });

    it("takes over with a Lease that lasts: one that is about to run out is renewed first", () => {
      const holds = { hold: hold({ deadline: now + 500, lastRenewalSent: now - 3000, lastAttempt: now - 3000 }) };
      for (const engine of [stopped, follower().engine]) {
        const decision = decide(follower({ ...holds, lease: lease({ holder: "orders-1_b" }), engine }), now);
        assert.equal(decision.engine, undefined);
        assert.deepEqual(decision.lease, { kind: "renew" });
      }
    });

    it("follows where there is a primary and something to follow", () => {
      assert.equal(decide(follower({ engine: stopped }), now).engine?.kind, "follow");
      const empty = place({ hasTables: false });
      assert.equal(decide(follower({ engine: stopped, log: empty }), now).engine, undefined);
      assert.equal(decide(follower({ engine: stopped, bucketAnsweredAt: now - 6000 }), now).engine, undefined);
      const noPrimary = { ...silent, engine: stopped, backoffUntil: now + 1000, stoppedSince: now - 1000 };
      assert.equal(decide(follower(noPrimary), now).engine, undefined);
      assert.equal(decide(follower({ ...noPrimary, stoppedSince: now - 7000 }), now).engine?.kind, "follow");
    });

    it("is started anew when that is due and it is its turn, never as a primary", () => {
      const due = { restartDue: "a table was dropped" };
      assert.equal(decide(follower(due), now).engine, undefined);
      const restart = { kind: "follow", why: "a table was dropped" };
      assert.deepEqual(decide(follower({ ...due, isItsTurn: true }), now).engine, restart);
      assert.equal(decide(primary({ ...due, isItsTurn: true }), now).engine, undefined);
    });

    it("is ended as a follower when it neither polls nor answers for long, whoever has the Lease", () => {
      const kill = (silent: number, unanswered: number) =>
        decide(follower({ follower: { silent, unanswered } }), now).engine;
      assert.equal(kill(hangingLooks, 0)?.kind, "kill");
      assert.equal(kill(0, hangingLooks)?.kind, "kill");
      assert.equal(kill(hangingLooks - 1, hangingLooks - 1), undefined);
    });

    it("is ended when it does not answer, and not for a slow bucket when it does", () => {
      const hung = { silent: 2500, walIdle: 2500, unanswered: 2 };
      assert.deepEqual(decide(primary({ canary: hung }), now).engine, {
        kind: "kill",
        why: "mariadbd does not answer",
        hung: true,
      });
      const deaf = { silent: 16_000, walIdle: 16_000, unanswered: 0 };
      assert.equal(decide(primary({ canary: deaf }), now).engine?.kind, "kill");
      assert.equal(decide(primary({ canary: deaf, waiting: 3000 }), now).engine, undefined);
    });
  });

  describe("leaves", () => {
    it("by a handover to who has most of the log, and exits without the Lease", () => {
      const peers = [peer("orders-0", { pushed: 99 }), peer("orders-2")];
      assert.deepEqual(decide(primary({ stopping: true, peers }), now).engine, {
        kind: "handOver",
        to: "orders-2",
      });
      assert.equal(decide(primary({ stopping: true, replicaGoesFirst: true }), now).engine, undefined);
      const { engine } = decide(primary({ stopping: true, updatedFollower: "orders-2" }), now);
      assert.deepEqual(engine, { kind: "handOver", to: "orders-2" });
      assert.deepEqual(decide(follower({ stopping: true, engine: stopped }), now).engine, { kind: "exit" });
      assert.equal(decide(follower({ stopping: true }), now).engine?.kind, "kill");
    });

    it("with a dead engine only when the log has what the volume has", () => {
      const dead = primary({ stopping: true, engine: stopped });
      assert.deepEqual(decide(dead, now).engine, { kind: "leaveNothing" });
      assert.equal(decide(dead, now).lease, undefined);
      const nothing = { ...dead, log: place() };
      assert.equal(decide(nothing, now).lease?.kind, "release");
    });

    it("where a person wants it, to a follower only", () => {
      const asked = { switchover: { to: "any", since: now - 500 }, peersAskedAt: now - 100 };
      const peers = [peer("orders-2")];
      assert.deepEqual(decide(primary({ ...asked, peers }), now).engine, { kind: "handOver", to: "orders-2" });
      assert.equal(decide(primary({ ...asked, peers: [] }), now).engine?.kind, "refuseSwitchover");
      const named = { ...asked, peers, switchover: { to: "orders-0", since: now - 500 } };
      assert.equal(decide(primary(named), now).engine?.kind, "refuseSwitchover");
      assert.equal(decide(primary({ ...asked, peers, peersAskedAt: now - 900 }), now).engine, undefined);
    });

    it("when the bucket keeps answering a peer and not this node, and not when it has only just come back for that one", () => {
      const cutOff = {
        bucketAnsweredAt: now - 5000,
        waiting: 4500,
        peersAskedAt: now - 200,
        peers: [peer("orders-2")],
        peerReachesSince: now - reachesForMilliseconds,
      };
      const justNow = { ...cutOff, peerReachesSince: now - reachesForMilliseconds + 500 };
      assert.equal(decide(primary(justNow), now).engine, undefined);
      assert.deepEqual(decide(primary(cutOff), now).engine, { kind: "handOver", to: "orders-2", cutOff: true });
      assert.equal(
        decide(primary({ ...cutOff, peers: [peer("orders-2", { bucketAge: 3000 })] }), now).engine,
        undefined,
      );
      assert.equal(decide(primary({ ...cutOff, waiting: 100 }), now).engine, undefined);
      const dead = primary({ ...cutOff, engine: stopped });
      assert.match((decide(dead, now).lease as { why: string }).why, /answers a peer/);
      assert.equal(peerThatReaches(primary({ ...cutOff, peersAskedAt: now - 3000 }), now), undefined);
    });

    it("when it failed three times and another could do better", () => {
      const failed = primary({ engine: { ...stopped, failures: 3 }, peers: [peer("orders-2")] });
      assert.equal(decide(failed, now).lease?.kind, "release");
      assert.equal(decide({ ...failed, peers: [] }, now).lease, undefined);
    });
  });

  describe("takes writes", () => {
    it("no more in `interval` when more waits than may be lost, and again when little does", () => {
      assert.equal(decide(primary({ waiting: 5100 }), now).writes?.kind, "stop");
      assert.equal(decide(primary({ waiting: 4900 }), now).writes, undefined);
      assert.equal(decide(primary({ waiting: 4900, writesStopped: true }), now).writes, undefined);
      assert.deepEqual(decide(primary({ waiting: 0, writesStopped: true }), now).writes, { kind: "resume" });
      const goesOn = { ...configuration, onObjectStoreOutage: "continue" } as const;
      assert.equal(decide(primary({ waiting: 5100, configuration: goesOn }), now).writes, undefined);
      assert.match(decide(primary({ waiting: 5100, configuration: goesOn }), now).alarm!.message, /5\.1 s/);
    });

    it("in `commit` always: they wait", () => {
      const commit = { ...configuration, durability: "commit" } as const;
      assert.equal(decide(primary({ waiting: 9000, configuration: commit }), now).writes, undefined);
    });

    it("no more when neither the API server nor the bucket answers", () => {
      const unheard = hold({ deadline: now + 1500, lastRenewalSent: now - 2000, lastAttempt: now - 200 });
      assert.match((decide(primary({ waiting: 1200, hold: unheard }), now).writes as { why: string }).why, /API/);
    });
  });

  it("touches nothing while it is refused", () => {
    const refusal = { reason: "ForeignData", message: "another's" } as const;
    assert.equal(decide(primary({ refusal }), now).fence, "ForeignData");
    assert.equal(decide(primary({ refusal, engine: stopped }), now).lease?.kind, "release");
    assert.equal(decide(follower({ refusal, engine: stopped }), now).engine, undefined);
  });

  it("names the successor that is prepared, and among those who has most of the log", () => {
    const behind = [peer("orders-0", { pushed: 99 }), peer("orders-2", { pushed: 100 })];
    assert.equal(successorAmong(behind), "orders-2");
    const busy = [peer("orders-0", { pushed: 99 }), peer("orders-2", { pushed: 100 }, { prepared: false })];
    assert.equal(successorAmong(busy), "orders-0");
  });

  it("names no successor where nobody follows", () => {
    assert.equal(successorAmong([peer("orders-0", {}, { following: "none" })]), "");
  });
});
