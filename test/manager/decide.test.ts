import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { freeLease, volumeIsKept } from "../../components/manager/candidacy";
import { decide } from "../../components/manager/decide";
import { handoverSteps, hurriedSteps, promotionSteps } from "../../components/manager/steps";
import { View } from "../../components/manager/view";
import {
  candidate,
  configuration,
  followerStatus,
  hold,
  lastPrimary,
  lease,
  now,
  owner,
  primary,
  replica,
} from "./views";

/** A beat ahead of the views' own node. */
const peer = followerStatus("orders-2", { beat: 41 });

describe("decide", () => {
  describe("rule 1: which volume is kept", () => {
    it("keeps the volume of the last promotion, and no other", () => {
      assert.equal(volumeIsKept({ volumeId: "v", epoch: 7 }, owner({ epoch: 7 })), true);
      assert.equal(volumeIsKept({ volumeId: "v", epoch: 6 }, owner({ epoch: 7 })), false);
      assert.equal(volumeIsKept({ volumeId: "v" }, owner({ epoch: 7 })), false);
    });

    it("keeps a last primary's volume that was being promoted again when its process ended", () => {
      const volume = { volumeId: "v", epoch: 7, raising: 8 };
      assert.equal(volumeIsKept(volume, owner({ epoch: 8, volumeId: "v" })), true);
      assert.equal(volumeIsKept(volume, owner({ epoch: 8, volumeId: "other" })), false);
      assert.equal(volumeIsKept(volume, owner({ epoch: 9, volumeId: "v" })), false);
    });

    it("wipes any other volume before the engine starts", () => {
      const view = replica({ engine: { ...replica().engine, state: "stopped" } });
      assert.deepEqual(decide(view, now).engine, {
        kind: "start",
        wipe: true,
        why: "a replica starts on an empty volume",
      });
    });

    it("opens a kept volume only under the lease", () => {
      const held = lastPrimary({ lease: lease(), leaseFreeSince: undefined });
      assert.equal(decide(held, now).engine, undefined);
      const holder = lastPrimary({ hold: hold(), lease: lease({ holder: "orders-1_b", epoch: 8 }) });
      assert.equal((decide(holder, now).engine as { wipe: boolean }).wipe, false);
    });

    it("closes a kept volume when the lease is lost while it opens", () => {
      const engine = { state: "starting", role: "replica", onKeptVolume: true, failures: 0 } as const;
      assert.equal(decide(lastPrimary({ engine }), now).engine?.kind, "kill");
    });

    it("does not start before the bucket has answered", () => {
      const stopped = { ...replica().engine, state: "stopped" } as const;
      assert.equal(decide(replica({ engine: stopped, ownerReadAt: now - 6000 }), now).engine, undefined);
      assert.equal(decide(replica({ engine: stopped, owner: undefined }), now).engine, undefined);
      assert.equal(decide(replica({ engine: stopped, lease: undefined }), now).engine, undefined);
    });
  });

  describe("rule 2: the deadline", () => {
    it("fences a writer whose lease was not renewed, before the deadline", () => {
      assert.match(decide(primary({ hold: hold({ deadline: now + 599 }) }), now).fence ?? "", /not renewed/);
      assert.equal(decide(primary({ hold: hold({ deadline: now + 601 }) }), now).fence, undefined);
    });

    it("fences a writer without the lease, also one that is still being promoted", () => {
      assert.match(decide(primary({ hold: undefined }), now).fence ?? "", /no longer held/);
      const promoting = primary({ hold: undefined, engine: { ...primary().engine, role: "promoting" } });
      assert.match(decide(promoting, now).fence ?? "", /no longer held/);
    });

    it("takes the label off a writer that it fences", () => {
      assert.deepEqual(decide(primary({ hold: undefined }), now).label, { kind: "own", role: "none" });
    });

    it("renews in time, and tries again soon after a failure", () => {
      assert.equal(decide(primary({ hold: hold({ lastRenewalSent: now - 1000 }) }), now).lease, undefined);
      assert.deepEqual(decide(primary({ hold: hold({ lastRenewalSent: now - 1300 }) }), now).lease, { kind: "renew" });
      const failed = hold({ lastRenewalSent: now - 2000, lastAttempt: now - 100 });
      assert.equal(decide(primary({ hold: failed }), now).lease, undefined);
      assert.deepEqual(decide(primary({ hold: { ...failed, lastAttempt: now - 400 } }), now).lease, { kind: "renew" });
    });

    it("lets a restarted manager go on in the epoch that it holds", () => {
      const view = lastPrimary({ lease: lease({ holder: "orders-1_b" }), owner: owner({ holder: "orders-1_b" }) });
      assert.deepEqual(decide(view, now).lease, { kind: "renew" });
    });
  });

  describe("a volume that does not answer", () => {
    const dying = (milliseconds: number, changes: Partial<View> = {}) => {
      const { engine } = primary();
      return primary({ engine: { ...engine, state: "stopping", killedAt: now - milliseconds }, ...changes });
    };
    const overdue = hold({ lastRenewalSent: now - 1300 });

    it("keeps mariadbd although it was killed: the lease is renewed for a while, and then runs out", () => {
      assert.deepEqual(decide(dying(4999, { hold: overdue }), now).lease, { kind: "renew" });
      const { lease, alarm, fence } = decide(dying(5000, { hold: overdue }), now);
      assert.equal(lease?.kind, "letRunOut", "a lease that is given back says that nothing is missing");
      assert.equal(alarm?.reason, "VolumeHangs");
      assert.equal(fence, undefined, "it has been killed");
    });

    it("is not taken the lease for again, by whatever way", () => {
      const free = lease({ unchangedSince: now - 10_000 });
      assert.equal(
        decide(dying(6000, { hold: undefined, lease: free, leaseFreeSince: now - 5000 }), now).lease,
        undefined,
      );
      const engine = { ...lastPrimary().engine, state: "stopping", killedAt: now - 100 } as const;
      const namesIt = { lease: lease({ holder: "orders-1_b" }), owner: owner({ holder: "orders-1_b" }) };
      assert.equal(decide(lastPrimary({ ...namesIt, engine }), now).lease, undefined);
      const reading = { ...lastPrimary().engine, state: "starting", readingSince: now - 60_000 } as const;
      assert.equal(decide(lastPrimary({ ...namesIt, engine: reading }), now).lease, undefined);
    });

    it("cannot be read for a resume: the lease runs out", () => {
      const engine = { ...lastPrimary().engine, state: "starting", onKeptVolume: true } as const;
      const at = (readingSince: number) =>
        decide(lastPrimary({ hold: overdue, engine: { ...engine, readingSince } }), now).lease?.kind;
      assert.equal(at(now - 59_000), "renew");
      assert.equal(at(now - 60_000), "letRunOut");
    });

    it("keeps a refused node's mariadbd: that lease runs out, too, and is not given back before", () => {
      const refusal = { reason: "ForeignData", message: "" } as const;
      assert.equal(decide(dying(100, { refusal }), now).lease, undefined);
      assert.equal(decide(dying(5000, { refusal }), now).lease?.kind, "letRunOut");
    });
  });

  describe("rule 3: taking over", () => {
    it("takes a lease that nobody renewed for its duration and the margin", () => {
      assert.deepEqual(decide(candidate(), now).lease, { kind: "acquire", epoch: 8 });
      assert.equal(decide(candidate({ lease: lease({ unchangedSince: now - 4400 }) }), now).lease, undefined);
    });

    it("takes a lease that was given back, without waiting", () => {
      const released = lease({ holder: "", released: true, unchangedSince: now });
      assert.deepEqual(decide(candidate({ lease: released }), now).lease, { kind: "acquire", epoch: 8 });
    });

    it("waits when the holder was taken out of the lease by hand, or the lease was deleted", () => {
      assert.equal(decide(candidate({ lease: lease({ holder: "", unchangedSince: now }) }), now).lease, undefined);
      assert.equal(decide(candidate({ lease: lease({ exists: false, unchangedSince: now }) }), now).lease, undefined);
    });

    it("never lets epochs restart: the bucket remembers what a deleted lease forgot", () => {
      const view = candidate({ lease: lease({ exists: false, holder: "", epoch: 0, unchangedSince: now - 5000 }) });
      assert.deepEqual(decide(view, now).lease, { kind: "acquire", epoch: 8 });
    });

    it("does not renew a lease that was given to it by hand, while the bucket names another", () => {
      const given = candidate({ lease: lease({ holder: "orders-1_b" }) });
      assert.equal(decide(given, now).lease, undefined);
    });

    it("does not take silence for a missing renewal where it could not listen", () => {
      const deaf = lease({ unchangedSince: now - 4600, seenAt: now - 2600 });
      assert.equal(decide(candidate({ lease: deaf }), now).lease, undefined);
    });

    it("takes a peer's word for the silence that it has not heard itself, of this very Lease", () => {
      const restarted = { lease: lease({ unchangedSince: now - 300 }) };
      const takes = (freeLease: string) =>
        decide(lastPrimary({ ...restarted, peers: [{ ...peer, freeLease }] }), now).lease;
      assert.equal(takes("70")?.kind, "acquire");
      assert.equal(takes("69"), undefined);
      assert.equal(takes(""), undefined);
    });

    it("gives its word for silence that it has heard itself, and only while it might take the Lease", () => {
      assert.equal(freeLease(candidate(), now), "70");
      assert.equal(freeLease(candidate({ promisedUntil: now + 1 }), now), "");
      assert.equal(freeLease(candidate({ lease: lease({ unchangedSince: now - 4499 }) }), now), "");
      const heardOf = candidate({ lease: lease({ unchangedSince: now - 300 }), peers: [{ ...peer, freeLease: "70" }] });
      assert.equal(freeLease(heardOf, now), "", "not on hearsay");
      assert.equal(freeLease(candidate({ following: "joining" }), now), "", "the primary may not know it");
    });

    it("does not take it without a recent answer of the bucket", () => {
      assert.equal(decide(candidate({ ownerReadAt: now - 6000 }), now).lease, undefined);
    });

    it("does not promote a node that has not followed, and raises an alarm", () => {
      const view = candidate({ following: "joining", leaseFreeSince: now - 2000 });
      const decision = decide(view, now);
      assert.equal(decision.lease, undefined);
      assert.match(decision.alarm?.message ?? "", /no candidate/);
    });

    it("wipes a node that may have missed a generation of the WAL, and does not promote it", () => {
      const decision = decide(candidate({ following: "missed" }), now);
      assert.equal(decision.lease, undefined);
      assert.equal(decision.engine?.kind, "kill");
    });

    it("promotes a fresh node when nobody was ever promoted, after a clean handover, or when told to", () => {
      const fresh = candidate({ following: "joining" });
      const genesis = { ...fresh, owner: owner({ epoch: 0 }), lease: lease({ exists: false, epoch: 0, holder: "" }) };
      assert.deepEqual(decide(genesis, now).lease, { kind: "acquire", epoch: 1 });
      assert.equal(decide({ ...fresh, owner: owner({ clean: true }) }, now).lease?.kind, "acquire");
      const told = { ...fresh, configuration: { ...configuration, onNoCandidate: "promote" as const } };
      assert.equal(decide(told, now).lease, undefined);
      assert.equal(decide({ ...told, leaseFreeSince: now - 31_000 }, now).lease?.kind, "acquire");
    });

    it("lets the last primary's volume and a more advanced candidate go first, for a while", () => {
      assert.equal(decide(candidate({ peers: [peer] }), now).lease, undefined);
      assert.equal(decide(candidate({ peers: [peer], leaseFreeSince: now - 1600 }), now).lease?.kind, "acquire");
      assert.equal(decide(candidate({ peers: [{ ...peer, beat: 39 }] }), now).lease?.kind, "acquire");
      const resumable = { ...peer, following: "none" as const, resumable: true, beat: 0 };
      assert.equal(decide(candidate({ peers: [resumable] }), now).lease, undefined);
    });

    it("waits for a last primary's volume that is about to come back, but not for ever, and not for one whose node is lost", () => {
      const takes = (free: number, changes: Partial<View> = {}) =>
        decide(candidate({ leaseFreeSince: now - free, holderReturns: true, ...changes }), now).lease !== undefined;
      assert.equal(takes(7999), false);
      assert.equal(takes(8000), true);
      assert.equal(takes(100, { holderReturns: false }), true);
      assert.equal(takes(1499, { holderReturns: undefined }), false);
      assert.equal(takes(1500, { holderReturns: undefined }), true);
    });

    it("does not wait for it where it could have nothing that the bucket lacks, nor if it is its own", () => {
      const returning = { holderReturns: true } as const;
      const takes = (view: View) => decide(view, now).lease?.kind === "acquire";
      assert.equal(takes(candidate({ ...returning, owner: owner({ clean: true }) })), true);
      assert.equal(takes(candidate({ ...returning, lease: lease({ released: true, holder: "" }) })), true);
      assert.equal(takes(candidate({ ...returning, configuration: { ...configuration, durability: "commit" } })), true);
      assert.equal(takes(lastPrimary(returning)), true);
      const emptied = { ...peer, pod: "orders-0", following: "none", beat: 0 } as const;
      assert.equal(takes(candidate({ ...returning, peers: [emptied] })), true);
      assert.equal(takes(candidate({ ...returning, peers: [{ ...emptied, lacksVolume: false }] })), false);
      assert.equal(takes(candidate({ ...returning, lossAccepted: true })), true);
    });

    it("waits for it, too, where a Lease was given back by one that never came to be the primary", () => {
      const failed = { holderReturns: true, lease: lease({ epoch: 8, released: true, holder: "" }) } as const;
      assert.equal(decide(candidate(failed), now).lease, undefined);
    });

    it("ranks those that have waited for a volume, too", () => {
      const ahead = followerStatus("orders-2", { sequence: 501 });
      const takes = (free: number, changes: Partial<View> = {}) =>
        decide(candidate({ leaseFreeSince: now - free, peersAskedAt: now, peers: [ahead], ...changes }), now).lease !==
        undefined;
      assert.equal(takes(8100, { holderReturns: true }), false);
      assert.equal(takes(9500, { holderReturns: true }), true);
      const durable = { configuration: { ...configuration, failoverPreference: "durability" } } as const;
      assert.equal(takes(60_100, durable), false);
      assert.equal(takes(61_500, durable), true);
    });

    it("lets one go first that has the same heartbeat, and more of what came after it", () => {
      const takes = (sequence: number) =>
        decide(candidate({ peers: [followerStatus("orders-2", { sequence })] }), now).lease !== undefined;
      assert.equal(takes(501), false);
      assert.equal(takes(500), true, "the lower name goes first");
    });

    it("asks its peers before it ranks itself", () => {
      assert.equal(decide(candidate({ peersAskedAt: now - 5000 }), now).lease, undefined);
    });

    it("leaves the lease to the successor that the last primary named, for a while", () => {
      const named = (preferredSuccessor: string) => lease({ holder: "", released: true, preferredSuccessor });
      assert.equal(decide(candidate({ lease: named("orders-2") }), now).lease, undefined);
      assert.equal(decide(candidate({ lease: named("orders-1") }), now).lease?.kind, "acquire");
      const late = candidate({ lease: named("orders-2"), leaseFreeSince: now - 3100 });
      assert.equal(decide(late, now).lease?.kind, "acquire");
    });

    it("backs off after a failure", () => {
      assert.equal(decide(candidate({ backoffUntil: now + 1 }), now).lease, undefined);
    });
  });

  describe("rule 4: promotion", () => {
    const holder = replica({ lease: lease({ holder: "orders-1_b", epoch: 8 }), hold: hold() });

    it("goes through its steps in order", () => {
      for (const [completed, step] of promotionSteps.entries()) {
        const view = { ...holder, promotion: { epoch: 8, completed } };
        assert.deepEqual(decide(view, now).engine, { kind: "promotionStep", step, epoch: 8 });
      }
    });

    it("does not open for writes with little time left on the lease", () => {
      const promotion = { epoch: 8, completed: promotionSteps.indexOf("openForWrites") };
      assert.equal(decide({ ...holder, promotion, hold: hold({ deadline: now + 900 }) }, now).engine, undefined);
    });

    it("ends with the process when a step fails, and then gives the lease back", () => {
      const failed = { ...holder, promotion: { epoch: 8, completed: 5, failed: "trialWrite" } };
      assert.equal(decide(failed, now).engine?.kind, "abandonPromotion");
      const stopped = { ...holder, engine: { ...holder.engine, state: "stopped" as const } };
      assert.equal(decide(stopped, now).lease?.kind, "release");
      assert.equal(decide(stopped, now).engine, undefined);
    });

    it("resumes a kept volume again and again, and gives up only for a candidate", () => {
      const failing = lastPrimary({
        hold: hold(),
        lease: lease({ holder: "orders-1_b", epoch: 8 }),
        engine: { state: "stopped", role: "replica", onKeptVolume: true, failures: 3 },
      });
      assert.equal(decide(failing, now).engine?.kind, "start");
      assert.equal(decide({ ...failing, peers: [peer] }, now).lease?.kind, "release");
    });

    it("labels itself only when it is open, and takes the label off every other pod", () => {
      const promoting = primary({ engine: { ...primary().engine, role: "promoting" }, ownLabel: "none" });
      assert.equal(decide(promoting, now).label, undefined);
      assert.deepEqual(decide(primary({ ownLabel: "none" }), now).label, { kind: "own", role: "primary" });
      const others = primary({ otherPrimaries: ["orders-0"] });
      assert.deepEqual(decide(others, now).label, { kind: "stripOthers", pods: ["orders-0"] });
    });
  });

  describe("rule 5: leaving in order", () => {
    it("hands over step by step, and keeps the lease until the last", () => {
      const leaving = primary({ stopping: true });
      assert.deepEqual(decide(leaving, now).engine, { kind: "handoverStep", step: "flushAhead" });
      const ahead = { ...leaving, handover: { completed: 1 }, ownLabel: "none" as const };
      assert.deepEqual(decide(ahead, now).engine, { kind: "handoverStep", step: "stripOwnLabel" });
      const stopped = {
        ...leaving,
        handover: { completed: handoverSteps.indexOf("compareAgain") },
        engine: { ...leaving.engine, state: "stopped" as const, role: "replica" as const },
      };
      assert.deepEqual(decide(stopped, now).engine, { kind: "handoverStep", step: "compareAgain" });
      assert.notEqual(decide(stopped, now).lease?.kind, "release");
    });

    it("serves its clients while it flushes ahead, and not after that", () => {
      const ahead = primary({ stopping: true, handover: { completed: 0 } });
      assert.equal(decide(ahead, now).label, undefined);
      assert.deepEqual(decide({ ...ahead, handover: { completed: 1 } }, now).label, { kind: "own", role: "none" });
    });

    it("lets a replica go first in a rolling update, and serves on", () => {
      const waiting = primary({ stopping: true, replicaGoesFirst: true });
      assert.equal(decide(waiting, now).engine, undefined);
      assert.equal(decide(waiting, now).label, undefined);
      const lost = primary({ stopping: true, replicaGoesFirst: true, hold: undefined });
      assert.notEqual(decide(lost, now).fence, undefined);
    });

    it("cuts it short when the pod is about to be killed: it ends its engine, and the manager sends what that had not", () => {
      const first = { kind: "handoverStep", step: "stripOwnLabel", hurries: true };
      const leaving = primary({ stopping: true, hurries: true });
      assert.deepEqual(decide(leaving, now).engine, first);
      // It was not known at first.
      for (const completed of [0, 1, handoverSteps.indexOf("killEngine")])
        assert.deepEqual(decide({ ...leaving, handover: { completed } }, now).engine, first, String(completed));
      const engine = { ...leaving.engine, state: "stopped", role: "replica" } as const;
      const ended = { ...leaving, engine, handover: { completed: handoverSteps.indexOf("compareAgain") } };
      assert.deepEqual(decide(ended, now).engine, { kind: "handoverStep", step: "compareAgain" });
      const steps = hurriedSteps.map((_, completed) => {
        const alive = completed <= hurriedSteps.indexOf("killEngine") ? leaving.engine : engine;
        const { engine: action } = decide({ ...leaving, engine: alive, handover: { completed, hurries: true } }, now);
        return action?.kind === "handoverStep" && !action.hurries ? action.step : action;
      });
      assert.deepEqual(steps, hurriedSteps);
    });

    it("sends what an engine had not that died while it left", () => {
      const engine = { ...primary().engine, state: "stopped", role: "replica" } as const;
      const died = primary({ stopping: true, handover: { completed: 0, failed: "mariadbd ended" }, engine });
      const salvage = { kind: "handoverStep", step: "sendEverything", salvages: true };
      assert.deepEqual(decide(died, now).engine, salvage);
      assert.deepEqual(decide({ ...died, handover: undefined }, now).engine, salvage);
      const sent = { ...died, handover: { completed: 1, salvages: true } as const };
      assert.deepEqual(decide(sent, now).engine, { kind: "handoverStep", step: "compareAgain" });
      const compared = { ...died, handover: { completed: 2, salvages: true } as const };
      assert.deepEqual(decide(compared, now).engine, { kind: "handoverStep", step: "release" });
      assert.deepEqual(decide({ ...died, hold: undefined }, now).engine, { kind: "exit" });
    });

    it("lets the lease run out when it could not leave in order, nor send what was left", () => {
      const failed = primary({
        stopping: true,
        handover: { completed: 0, salvages: true, failed: "the bucket lacks 1 file" },
        engine: { ...primary().engine, state: "stopped", role: "replica" },
      });
      assert.deepEqual(decide(failed, now).engine, { kind: "exit" });
      assert.notEqual(decide(failed, now).lease?.kind, "release");
    });

    it("kills a replica, whose clean stop would delete its WAL, and exits without touching the lease", () => {
      assert.equal(decide(replica({ stopping: true }), now).engine?.kind, "kill");
      const stopped = replica({ stopping: true, engine: { ...replica().engine, state: "stopped" } });
      assert.deepEqual(decide(stopped, now).engine, { kind: "exit" });
    });

    it("has an empty node wait for the primary that is about to be, and for no other", () => {
      const stopped = (changes: Partial<View> = {}) =>
        decide(
          replica({
            engine: { ...replica().engine, state: "stopped" },
            following: "joining",
            stoppedSince: now - 1000,
            peersAskedAt: now - 100,
            ...changes,
          }),
          now,
        ).engine?.kind;
      const candidatePeer = { ...peer, serves: false, following: "following" } as const;
      assert.equal(stopped({ peers: [{ ...peer, serves: false, following: "none" }] }), undefined);
      assert.equal(stopped({ peers: [{ ...peer, serves: true, following: "none" }] }), "start");
      const free = { lease: lease({ holder: "", released: true }) };
      assert.equal(stopped({ ...free, peers: [candidatePeer] }), undefined);
      assert.equal(stopped({ ...free, peers: [candidatePeer], peersAskedAt: -Infinity }), undefined);
      assert.equal(stopped({ ...free, peers: [{ ...candidatePeer, following: "none", resumable: true }] }), undefined);
      assert.equal(stopped({ ...free, peers: [{ ...candidatePeer, following: "joining" }] }), "start");
      assert.equal(stopped({ stoppedSince: now - 6000 }), "start");
      assert.equal(stopped({ owner: owner({ epoch: 0 }) }), "start");
    });

    it("does not take the lease while it leaves", () => {
      const released = primary({
        hold: undefined,
        handover: { completed: 9 },
        engine: { ...primary().engine, state: "stopped", role: "replica" },
      });
      const namesIt = { ...released, owner: owner({ epoch: 8, holder: "orders-1_b", volumeId: "v1" }) };
      assert.equal(decide(namesIt, now).lease, undefined);
      assert.equal(decide({ ...namesIt, handover: undefined }, now).lease?.kind, "renew");
      assert.equal(decide(candidate({ stopping: true }), now).lease, undefined);
    });
  });

  describe("rule 6: the API server is not the database's heart", () => {
    const overdue = hold({ lastRenewalSent: now - 2000, lastAttempt: now - 300, deadline: now + 1500 });

    it("has a primary ask its peers when renewals fail", () => {
      assert.equal(decide(primary({ hold: overdue }), now).failsafe, true);
    });

    it("asks nobody while renewals come in time, or only for the first moment of silence", () => {
      assert.equal(decide(primary(), now).failsafe, undefined);
      const silent = hold({ lastRenewalSent: now - 1400, lastAttempt: now - 250, deadline: now + 2100 });
      assert.equal(decide(primary({ hold: silent }), now).failsafe, undefined);
    });

    it("fences all the same when the deadline has come", () => {
      const late = { ...overdue, deadline: now + 300 };
      assert.ok(decide(primary({ hold: late }), now).fence);
    });

    it("does not take the lease as long as it has promised not to", () => {
      assert.equal(decide(candidate({ promisedUntil: now + 10 }), now).lease, undefined);
      assert.equal(decide(candidate({ promisedUntil: now }), now).lease?.kind, "acquire");
    });

    it("does not renew a lease that it may have taken before it promised", () => {
      const own = { lease: lease({ holder: "orders-1_b", epoch: 8 }), owner: owner({ holder: "orders-1_b" }) };
      assert.equal(decide(candidate({ ...own, promisedUntil: now + 10 }), now).lease, undefined);
      assert.equal(decide(candidate(own), now).lease?.kind, "renew");
    });
  });

  describe("rule 7: what is acknowledged can be kept", () => {
    const behind = { unconfirmed: 5100, failingSince: now - 5100 };

    it("stops writes once more could be lost than the bound says", () => {
      assert.equal(decide(primary({ bucket: behind }), now).writes?.kind, "stop");
      assert.equal(decide(primary({ bucket: { ...behind, unconfirmed: 4900 } }), now).writes, undefined);
    });

    it("goes on with an alarm where that was chosen", () => {
      const decision = decide(
        primary({ bucket: behind, configuration: { ...configuration, onObjectStoreOutage: "continue" } }),
        now,
      );
      assert.equal(decision.writes, undefined);
      assert.equal(decision.alarm?.reason, "NotInBucket");
    });

    it("stops at once in commit mode when the bucket does not answer", () => {
      const commit = { ...configuration, durability: "commit" as const };
      const decision = decide(
        primary({ configuration: commit, bucket: { unconfirmed: 100, failingSince: now - 1 } }),
        now,
      );
      assert.equal(decision.writes?.kind, "stop");
    });

    it("stops writes early where neither the bucket nor the API server answers: another is about to take over", () => {
      const unheard = hold({ deadline: now + 1900, lastRenewalSent: now - 1600, lastAttempt: now - 400 });
      const bucket = { unconfirmed: 1500, failingSince: now - 1100 };
      assert.equal(decide(primary({ bucket, hold: unheard }), now).writes?.kind, "stop");
      assert.equal(decide(primary({ bucket, hold: hold() }), now).writes, undefined);
      assert.equal(
        decide(primary({ bucket: { unconfirmed: 0, failingSince: undefined }, hold: unheard }), now).writes,
        undefined,
      );
    });

    it("takes writes again when everything is in the bucket, and not before", () => {
      const stopped = (bucket: View["bucket"]) => decide(primary({ writesStopped: true, bucket }), now).writes;
      assert.deepEqual(stopped({ unconfirmed: 0, failingSince: undefined }), { kind: "resume" });
      assert.equal(stopped({ unconfirmed: 1, failingSince: undefined }), undefined);
      assert.equal(stopped({ unconfirmed: 0, failingSince: now - 1 }), undefined);
    });

    it("does not replace the primary", () => {
      const decision = decide(primary({ bucket: behind }), now);
      assert.equal(decision.fence, undefined);
      assert.notEqual(decision.engine?.kind, "kill");
      assert.notEqual(decision.lease?.kind, "release");
    });
  });

  describe("rule 8: alive is not healthy", () => {
    it("kills an engine that does not answer, to resume it in place", () => {
      const decision = decide(primary({ canary: { silent: 2100, walIdle: 0, unanswered: 2 } }), now);
      assert.equal(decision.engine?.kind, "kill");
      assert.notEqual(decision.lease?.kind, "release");
    });

    it("does nothing after one probe that failed", () => {
      assert.equal(decide(primary({ canary: { silent: 5000, walIdle: 5000, unanswered: 1 } }), now).engine, undefined);
      assert.equal(decide(primary({ canary: { silent: 1900, walIdle: 0, unanswered: 3 } }), now).engine, undefined);
    });

    it("leaves an engine alone that waits for the bucket", () => {
      const waiting = {
        canary: { silent: 60_000, walIdle: 60_000, unanswered: 0 },
        bucket: { unconfirmed: 0, failingSince: now - 60_000 },
      };
      assert.equal(decide(primary(waiting), now).engine, undefined);
      const well = { ...waiting, bucket: { unconfirmed: 0, failingSince: undefined } };
      assert.equal(decide(primary(well), now).engine?.kind, "kill");
      const busy = { ...well, canary: { ...well.canary, walIdle: 500 } };
      assert.equal(decide(primary(busy), now).engine, undefined);
    });
  });

  describe("a switchover that was asked for", () => {
    const follower = followerStatus("orders-2", { epoch: 8, beat: 9 });
    const asked = (to: string, changes: Partial<View> = {}) =>
      decide(
        primary({ switchover: { to, since: now - 100 }, peers: [follower], peersAskedAt: now - 50, ...changes }),
        now,
      ).engine;

    it("begins like leaving in order, to anyone or to a follower", () => {
      const first = { kind: "handoverStep", step: "flushAhead" };
      assert.deepEqual(asked("any"), first);
      assert.deepEqual(asked("orders-2"), first);
    });

    it("waits until the peers were asked", () => {
      assert.equal(asked("any", { peersAskedAt: now - 200 }), undefined);
    });

    it("is refused when nobody could take over", () => {
      assert.equal(asked("any", { peers: [] })?.kind, "refuseSwitchover");
      assert.equal(asked("orders-0")?.kind, "refuseSwitchover");
      assert.equal(asked("orders-1")?.kind, "refuseSwitchover");
    });

    it("goes on step by step, and is ended when a step has failed", () => {
      assert.deepEqual(asked("any", { handover: { completed: 2 } }), { kind: "handoverStep", step: "setReadOnly" });
      assert.equal(asked("any", { handover: { completed: 3, failed: "no" } })?.kind, "endHandover");
      assert.equal(asked("any", { handover: { completed: handoverSteps.length } })?.kind, "endHandover");
    });
  });

  describe("a preference for durability", () => {
    const durable = { ...configuration, failoverPreference: "durability" as const, resumeWithinSeconds: 60 };

    it("lets the last primary's volume come back first, and says so", () => {
      const decision = decide(candidate({ configuration: durable, leaseFreeSince: now - 30_000 }), now);
      assert.equal(decision.lease, undefined);
      assert.equal(decision.alarm?.reason, "WaitsForVolume");
      const later = candidate({ configuration: durable, leaseFreeSince: now - 60_000 });
      assert.equal(decide(later, now).lease?.kind, "acquire");
    });

    it("does not wait after a handover in order, nor when a person has accepted the loss", () => {
      const handedOver = candidate({ configuration: durable, lease: lease({ holder: "", released: true }) });
      assert.equal(decide(handedOver, now).lease?.kind, "acquire");
      assert.equal(decide(candidate({ configuration: durable, lossAccepted: true }), now).lease?.kind, "acquire");
    });

    it("promotes a node that has not followed when a person has accepted the loss", () => {
      assert.equal(decide(candidate({ following: "joining" }), now).lease, undefined);
      assert.equal(decide(candidate({ following: "joining", lossAccepted: true }), now).lease?.kind, "acquire");
    });
  });

  describe("rule 9: level-triggered", () => {
    it("puts a wrong label right, whoever set it", () => {
      assert.deepEqual(decide(replica({ ownLabel: "primary" }), now).label, { kind: "own", role: "replica" });
      assert.deepEqual(decide(replica({ ownLabel: undefined }), now).label, { kind: "own", role: "replica" });
      const joining = replica({ following: "joining", ownLabel: "replica" });
      assert.deepEqual(decide(joining, now).label, { kind: "own", role: "none" });
    });

    it("does nothing on a healthy node", () => {
      for (const view of [replica(), primary()]) {
        assert.deepEqual(
          Object.values(decide(view, now)).filter(value => value !== undefined),
          [],
        );
      }
    });
  });

  describe("rule 10: the owner in the bucket", () => {
    it("stops a primary that reads a higher epoch there", () => {
      assert.match(decide(primary({ owner: owner({ epoch: 9 }) }), now).fence ?? "", /epoch 9/);
    });

    it("keeps a refused database from everything", () => {
      const refusal = { reason: "ForeignData" as const, message: "belongs to another" };
      const running = decide(primary({ refusal }), now);
      assert.equal(running.fence, "ForeignData");
      const stopped = decide(lastPrimary({ refusal }), now);
      assert.deepEqual([stopped.fence, stopped.lease, stopped.engine], [undefined, undefined, undefined]);
      assert.equal(stopped.alarm?.message, "belongs to another");
    });
  });
});
