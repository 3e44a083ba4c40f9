import { leaseTiming } from "../core/leaseTiming";
import {
  leaseIsFree,
  letOthersGoFirst,
  mayBePromoted,
  vacancyAlarm,
  volumeIsKept,
  waitsForPrimary,
  waitsForReturn,
  waitsForVolume,
} from "./candidacy";
import { asksPeers, decideWrites, exceedsLoss, hangs, lossText, volumeAlarm, whyVolumeHangs } from "./health";
import { handoverSteps, HandoverStep, hurriedSteps, promotionSteps, PromotionStep, salvageSteps } from "./steps";
import {
  beginDetour,
  beginDetourWithoutEngine,
  beginSwitchover,
  continueSwitchover,
  mustHurry,
  stepsOf,
  stillServes,
} from "./switchover";
import { Monotonic, Refusal, View } from "./view";

/**
 * What to do next, in four lanes that do not wait for each other. A lane that is still busy with its last action is given none.
 * Each call re-derives everything from what the node sees: nothing depends on having seen an event (rule 9).
 */
export interface Decision {
  /** Kill mariadbd this instant, whatever else is going on. */
  fence?: string;
  lease?:
    | { kind: "acquire"; epoch: number }
    | { kind: "renew" }
    | { kind: "release"; why: string }
    /** Stop renewing: others wait until it has expired, since something may be missing. */
    | { kind: "letRunOut"; why: string };
  engine?: EngineAction;
  label?: { kind: "own"; role: "primary" | "replica" | "none" } | { kind: "stripOthers"; pods: string[] };
  /** Ask all peers to confirm this primary: the API server does not (rule 6). */
  failsafe?: true;
  /** Stop writes, or resume them (rule 7). */
  writes?: { kind: "stop"; why: string } | { kind: "resume" };
  /** What only a person can end, or should know of. */
  alarm?: Alarm;
}

export interface Alarm {
  /** Reason of the Kubernetes Event. */
  reason: string;
  message: string;
}

export type EngineAction =
  | { kind: "start"; wipe: boolean; why: string }
  /** End the process now. The next start decides what happens to the volume. */
  | { kind: "kill"; why: string; hung?: true }
  | { kind: "abandonPromotion"; why: string }
  | { kind: "promotionStep"; step: PromotionStep; epoch: number }
  | { kind: "handoverStep"; step: HandoverStep; detour?: string; hurries?: true; salvages?: true }
  /** A switchover is over, well or not: be a replica, or go on. */
  | { kind: "endHandover"; why: string }
  | { kind: "refuseSwitchover"; why: string }
  | { kind: "exit" };

/** No promotion is opened for writes with less than this left on the Lease. Milliseconds. */
export const leastHoldMilliseconds = 1000;
/** After so many failures on a kept volume a holder lets a candidate try. */
export const failuresBeforeRelease = 3;
/** The owner's record must have been read this recently by a node that takes the Lease: it proves that the node reaches the bucket. Milliseconds. */
export const ownerFreshMilliseconds = 5000;

/** The pure heart of the manager: what this node should do, seen what it sees. */
export function decide(view: View, now: Monotonic): Decision {
  if (view.refusal) return refuse(view, view.refusal, now);
  const decision: Decision = {};
  const holds = view.hold !== undefined && now < view.hold.deadline;
  const mayWrite = view.engine.role !== "replica" && isAlive(view);

  if (mayWrite && !holds) decision.fence = "the lease is no longer held";
  else if (mayWrite && view.hold && now >= view.hold.deadline - leaseTiming(view.configuration).fenceAhead)
    decision.fence = "the lease was not renewed in time";
  else if (view.owner && view.hold && view.owner.epoch > view.hold.epoch && mayWrite)
    decision.fence = `the bucket records epoch ${view.owner.epoch}, this node holds ${view.hold.epoch}`;

  decision.label = decideLabel(view, holds && !decision.fence);
  if (decision.fence) return decision;

  decision.lease = decideLease(view, now);
  if (holds && asksPeers(view, now)) decision.failsafe = true;
  decision.writes = decideWrites(view, holds, now);
  decision.engine = decideEngine(view, now, holds, decision);
  const hung = volumeAlarm(view, now);
  if (hung) decision.alarm = hung;
  return decision;
}

/** One that was killed runs no instruction any more, though the kernel may keep it for a while. */
function isAlive({ engine }: View): boolean {
  return engine.state !== "stopped" && engine.killedAt === undefined;
}

/** A refused node touches nothing: no engine, no Lease, no label. */
function refuse(view: View, refusal: Refusal, now: Monotonic): Decision {
  const decision: Decision = { alarm: refusal };
  if (isAlive(view)) decision.fence = refusal.reason;
  else if (view.engine.state !== "stopped") decision.lease = view.hold && giveUp(view, now);
  else if (view.hold) decision.lease = { kind: "release", why: refusal.reason };
  else if (view.stopping) decision.engine = { kind: "exit" };
  if (view.ownLabel !== "none") decision.label = { kind: "own", role: "none" };
  return decision;
}

function decideLabel(view: View, holds: boolean): Decision["label"] {
  const { engine } = view;
  // A follower serves its readers until it is the primary: one change of its label, which the Services follow once.
  if (view.promotion && engine.state === "running" && !engine.onKeptVolume && holds) return undefined;
  const isPrimary = holds && engine.role === "primary" && stillServes(view.handover);
  const isReplica =
    engine.role === "replica" && view.following === "following" && !view.promotion && !view.stopping && !view.handover;
  const role = engine.state !== "running" ? "none" : isPrimary ? "primary" : isReplica ? "replica" : "none";
  // A primary that leaves has its label taken off as the first thing that its clients notice of the handover.
  if (view.ownLabel !== role) return { kind: "own", role };
  if (role === "primary" && view.otherPrimaries.length > 0) return { kind: "stripOthers", pods: view.otherPrimaries };
  return undefined;
}

function decideLease(view: View, now: Monotonic): Decision["lease"] {
  const { lease, hold, engine, owner } = view;
  if (hold) {
    const givesUp = giveUp(view, now);
    if (givesUp) return givesUp;
    if (shouldRelease(view, now)) return { kind: "release", why: view.promotion?.failed ?? "this node cannot serve" };
    const { renewEvery, retryRenewal } = leaseTiming(view.configuration);
    const due = now - hold.lastRenewalSent >= renewEvery && now - hold.lastAttempt >= retryRenewal;
    return due ? { kind: "renew" } : undefined;
  }
  if (engine.killedAt !== undefined || giveUp(view, now)) return undefined;
  if (!lease || view.stopping || view.handover || now < view.backoffUntil || now < view.promisedUntil) return undefined;
  // A restarted manager finds itself the holder: its engine died with it, so it renews, and goes on in the same epoch.
  if (findsItselfHolder(view)) {
    if (engine.role !== "replica") return undefined;
    // Somebody has written a lower epoch into the Lease: no promotion would get past the bucket's record with it.
    const lowered = owner !== undefined && lease.epoch < owner.epoch;
    return lowered ? { kind: "acquire", epoch: owner.epoch + 1 } : { kind: "renew" };
  }
  if (!leaseIsFree(view, now) || !owner || now - view.ownerReadAt > ownerFreshMilliseconds) return undefined;
  if (!mayBePromoted(view, now)) return undefined;
  const hadBetterWait = waitsForVolume(view, now) || waitsForReturn(view, now) || letOthersGoFirst(view, now);
  if (hadBetterWait && !view.lossAccepted) return undefined;
  return { kind: "acquire", epoch: Math.max(lease.epoch, owner.epoch) + 1 };
}

/** A holder whose engine can neither be resumed nor seen dead leaves the Lease to others, who give it the time to run out. */
function giveUp(view: View, now: Monotonic): Decision["lease"] {
  const why = whyVolumeHangs(view, now);
  return why === undefined ? undefined : { kind: "letRunOut", why };
}

/**
 * A restarted manager: the Lease and the bucket name this very pod. A Lease alone that names it may have been edited by hand, while the one that the bucket names still writes.
 */
function findsItselfHolder({ lease, owner, identity }: View): boolean {
  return lease?.exists === true && lease.holder === identity && owner?.holder === identity;
}

/** A holder gives the Lease back when it cannot become a primary. */
function shouldRelease(view: View, now: Monotonic): boolean {
  const { engine, owner } = view;
  if (engine.role !== "replica" && engine.state !== "stopped") return false;
  // Nothing has happened to a follower whose promotion failed before its engine was told: another may have more luck.
  if (view.promotion?.failed !== undefined && engine.state === "running" && !engine.onKeptVolume) return true;
  if (view.handover || view.promotion || !owner) return false;
  if (volumeIsKept(view.volume, owner)) {
    // Nothing is lost by resuming in place. Only when that keeps failing does a follower try; a pod that is being stopped lets the Lease run out instead,
    // so that its volume has the time to come back first.
    const candidate = view.peers.some(peer => peer.following === "following");
    return engine.state === "stopped" && engine.failures >= failuresBeforeRelease && candidate;
  }
  return view.stopping || !mayBePromoted(view, now);
}

function decideEngine(view: View, now: Monotonic, holds: boolean, decision: Decision): EngineAction | undefined {
  const { engine, owner, lease } = view;
  if (view.stopping) return leave(view, holds);
  if (!owner || !lease) return undefined;
  if (view.handover) return continueSwitchover(holds, view.handover);

  if (engine.state === "stopped") {
    const isKept = volumeIsKept(view.volume, owner);
    const isCutOff = now - view.ownerReadAt > ownerFreshMilliseconds;
    if (isCutOff && isKept && holds && !view.promotion) return beginDetourWithoutEngine(view, now);
    // An engine that opens while the bucket does not answer runs without its fencing for the rest of its life.
    if (now < view.startBackoffUntil || isCutOff) return undefined;
    if (isKept) {
      // Only under the Lease: its WAL would be sent over the one of a node that is being promoted.
      return holds ? { kind: "start", wipe: false, why: "this volume is the last primary's" } : undefined;
    }
    if (view.hold || findsItselfHolder(view) || waitsForPrimary(view, now)) return undefined;
    return { kind: "start", wipe: true, why: "a replica starts on an empty volume" };
  }
  if (engine.state === "stopping") return undefined;
  if (engine.role === "replica" && engine.onKeptVolume && !holds) {
    return { kind: "kill", why: "the lease was lost while the last primary's volume was open" };
  }
  if (engine.state === "starting") return undefined;

  if (view.promotion?.failed !== undefined) return { kind: "abandonPromotion", why: view.promotion.failed };
  if (!holds) {
    if (view.promotion) return { kind: "abandonPromotion", why: "the lease was lost" };
    if (view.following === "missed" && !view.lossAccepted)
      return { kind: "kill", why: "a WAL generation may have been missed" };
    if (decision.lease === undefined) decision.alarm = vacancyAlarm(view, now);
    return undefined;
  }
  if (engine.role === "primary") {
    if (exceedsLoss(view) && view.bucket) decision.alarm = { reason: "NotInBucket", message: lossText(view.bucket) };
    return hangs(view) ?? beginDetour(view, now) ?? beginSwitchover(view);
  }
  if (!view.hold || decision.lease?.kind === "release") return undefined;
  const step = promotionSteps[view.promotion?.completed ?? 0];
  if (step === undefined) return undefined;
  if (step === "openForWrites" && view.hold.deadline - now < leastHoldMilliseconds) return undefined;
  return { kind: "promotionStep", step, epoch: view.hold.epoch };
}

/** Leaving in order (rule 5). */
function leave(view: View, holds: boolean): EngineAction | undefined {
  const { engine, handover } = view;
  const alive = engine.state === "starting" || engine.state === "running";
  if (handover?.failed !== undefined && alive) return { kind: "kill", why: handover.failed };
  if (engine.role === "promoting" && alive) return { kind: "abandonPromotion", why: "the pod is being stopped" };
  const serves = engine.role === "primary" && alive;
  if (serves && holds && !handover && view.replicaGoesFirst) return hangs(view);
  if (serves && holds && handover?.failed === undefined && mustHurry(view))
    return { kind: "handoverStep", step: hurriedSteps[0], hurries: true };
  if ((serves || (handover && handover.failed === undefined)) && holds) {
    const step = handover ? stepsOf(handover)[handover.completed] : handoverSteps[0];
    if (step !== undefined) return { kind: "handoverStep", step };
  }
  // Nothing can be lost with a replica; and the clean stop of one deletes its WAL, which on the last primary's volume holds rows that are nowhere else.
  if (alive) return { kind: "kill", why: "the pod is being stopped" };
  if (engine.state === "stopping") return undefined;
  const isKept = view.owner !== undefined && volumeIsKept(view.volume, view.owner);
  // The engine has died: what it has not sent is on the volume, which may not be back before another takes over.
  if (isKept && holds && (!handover || (handover.failed !== undefined && !handover.salvages)))
    return { kind: "handoverStep", step: salvageSteps[0], salvages: true };
  const releasesFirst = view.hold !== undefined && !handover && view.owner !== undefined && !isKept;
  return releasesFirst ? undefined : { kind: "exit" };
}
