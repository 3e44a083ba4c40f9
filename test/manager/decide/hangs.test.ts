import assert from "node:assert/strict";
import { decide } from "../../../components/manager/decide/decide";
import { hangingVolumeLooks, stalledAfterMilliseconds } from "../../../components/manager/decide/health";
import { reachesForMilliseconds } from "../../../components/manager/decide/leaseTurn";
import { followerStatus as peer, hold, lease, now, place, primary, replica as follower } from "../views";

const stopped = { state: "stopped", role: "replica", failures: 0 } as const;
const promoting = { state: "starting", role: "promoting", failures: 0 } as const;
const silent = { volumeSilentLooks: hangingVolumeLooks };
const asked = { peersAskedAt: now - 200, peers: [peer("orders-2")] };
const takesOver = (step: string, stillFor: number) => ({
  ...asked,
  engine: promoting,
  transition: { kind: "takeOver", step, progressedAt: now - stillFor } as const,
});

describe("a volume that does not answer", () => {
  it("ends a writer that may answer still, and has it let its Lease run out", () => {
    for (const changes of [{}, { engine: promoting, transition: takesOver("start", 0).transition }]) {
      const decision = decide(primary({ ...changes, ...silent }), now);
      assert.equal(decision.engine?.kind, "kill");
      assert.equal(decision.lease?.kind, "letRunOut");
      assert.equal(decision.alarm?.reason, "VolumeHangs");
      assert.match(decision.alarm.message, /a small write has not ended for 10 s/);
    }
  });

  it("is not one that is a little late", () => {
    const late = decide(primary({ volumeSilentLooks: hangingVolumeLooks - 1 }), now);
    assert.deepEqual([late.engine, late.lease, late.alarm], [undefined, undefined, undefined]);
  });

  it("keeps a node from the Lease, and from every start", () => {
    const free = { lease: lease({ unchangedSince: now - 5000 }), leaseFreeSince: now - 500, peersAskedAt: now - 300 };
    assert.equal(decide(follower(free), now).lease?.kind, "acquire");
    assert.equal(decide(follower({ ...free, ...silent }), now).lease, undefined);
    const own = { lease: lease({ holder: "orders-1_b" }), engine: stopped };
    assert.equal(decide(follower(own), now).lease?.kind, "renew");
    assert.equal(decide(follower({ ...own, ...silent }), now).lease, undefined);
    assert.equal(decide(follower({ engine: stopped }), now).engine?.kind, "follow");
    assert.equal(decide(follower({ engine: stopped, ...silent }), now).engine, undefined);
    const due = { restartDue: "a table was dropped", isItsTurn: true };
    assert.equal(decide(follower({ ...due, ...silent }), now).engine, undefined);
  });

  it("leaves a follower's engine alone: it serves what it has in memory", () => {
    assert.equal(decide(follower(silent), now).engine, undefined);
  });
});

describe("a takeover that does not come on", () => {
  const still = stalledAfterMilliseconds;
  const quiet = { bucketAnsweredAt: now - still };

  it("is left to a peer that reaches the bucket, and not given up where there is none", () => {
    const view = primary({ ...takesOver("align", still), ...quiet });
    const decision = decide(view, now);
    assert.deepEqual([decision.engine?.kind, decision.lease?.kind], ["kill", "letRunOut"]);
    assert.equal(decision.alarm?.reason, "TakeoverHangs");
    assert.match(decision.alarm.message, /not come on for 20 s, at the step "align"/);
    const alone = decide({ ...view, peers: [peer("orders-2", { bucketAge: 3000 })] }, now);
    assert.deepEqual([alone.engine, alone.lease], [undefined, undefined]);
  });

  it("is not one that reads, that has answers of the bucket, or whose step has a time limit of its own", () => {
    for (const view of [
      primary({ ...takesOver("align", still - 1), ...quiet }),
      primary({ ...takesOver("align", still), bucketAnsweredAt: now - 100 }),
      primary({ ...takesOver("start", still), ...quiet }),
    ])
      assert.equal(decide(view, now).lease, undefined);
  });

  it("gives the Lease back when the bucket has answered a peer and not this node for a while, without an engine", () => {
    const cutOff = {
      ...takesOver("seal", 5000),
      bucketAnsweredAt: now - 8000,
      bucketUnansweredSince: now - 7500,
      peerReachesSince: now - reachesForMilliseconds,
    };
    const first = decide(primary(cutOff), now);
    assert.deepEqual([first.engine?.kind, first.lease], ["kill", undefined]);
    const then = decide(primary({ ...cutOff, engine: stopped }), now);
    assert.equal(then.lease?.kind, "release");
    // It has not asked: it reads its own files.
    const reads = decide(primary({ ...cutOff, bucketUnansweredSince: undefined }), now);
    assert.deepEqual([reads.engine, reads.lease], [undefined, undefined]);
    const forAll = { ...cutOff, peerReachesSince: undefined, peers: [peer("orders-2", { bucketAge: 8000 })] };
    assert.deepEqual(decide(primary(forAll), now).engine, undefined);
  });
});

describe("a pod that is told to go", () => {
  it("hands over by the time at which it is killed", () => {
    const view = primary({ stopping: true, leavesBy: now + 3000, peers: [peer("orders-2")] });
    assert.deepEqual(decide(view, now).engine, { kind: "handOver", to: "orders-2", leavesBy: now + 3000 });
  });
});

describe("a log that another deployment has sealed", () => {
  const rival = { author: "orders-0", cluster: "shop/orders@1", grows: false, quietSince: now - 1000 };
  const free = { lease: lease({ unchangedSince: now - 5000 }), leaseFreeSince: now - 500, peersAskedAt: now - 300 };
  const log = (changes: object = {}) => ({ log: place({ rival: { ...rival, ...changes } }) });

  it("is waited for until that has written nothing for half a minute", () => {
    assert.equal(decide(follower({ ...free, ...log() }), now).lease, undefined);
    assert.equal(decide(follower({ ...free, ...log({ quietSince: now - 30_000 }) }), now).lease?.kind, "acquire");
    const holds = { hold: hold(), lease: lease({ holder: "orders-1_b" }), engine: stopped };
    assert.equal(decide(follower({ ...holds, ...log() }), now).engine, undefined);
    assert.equal(decide(follower({ ...holds, ...log({ quietSince: now - 30_000 }) }), now).engine?.kind, "takeOver");
  });

  it("is left alone while that writes: the Lease is given back, and no engine runs", () => {
    const grows = log({ grows: true });
    const refused = decide(follower({ ...free, ...grows }), now);
    assert.equal(refused.alarm?.reason, "SharedPrefix");
    assert.match(refused.alarm.message, /s3:\/\/bucket\/orders\/ is written by .* pod orders-0 of shop\/orders@1/);
    assert.equal(refused.fence, "SharedPrefix");
    const holds = { hold: hold(), lease: lease({ holder: "orders-1_b" }), engine: stopped };
    assert.equal(decide(follower({ ...holds, ...grows }), now).lease?.kind, "release");
  });

  it("is a peer's where a peer holds the Lease: it goes by another name since its authority was renewed", () => {
    const decision = decide(follower(log({ grows: true })), now);
    assert.deepEqual([decision.fence, decision.alarm], [undefined, undefined]);
  });
});
