import { handoverSteps, promotionSteps, PromotionStep, HandoverStep } from "./steps";
import { Monotonic, PeerView, View, VolumeRecord, OwnerRecord } from "./view";

/**
 * What to do next, in four lanes that do not wait for each other. A lane that is still busy with its last action is given none.
 * Each call re-derives everything from what the node sees: nothing depends on having seen an event (rule 9).
 */
export interface Decision {
  /** Kill mariadbd this instant, whatever else is going on. */
  fence?: string;
  lease?: { kind: "acquire"; epoch: number } | { kind: "renew" } | { kind: "release"; why: string };
  engine?: EngineAction;
  label?: { kind: "own"; role: "primary" | "replica" | "none" } | { kind: "stripOthers"; pods: string[] };
  /** Why no node may take the Lease: raised as an alarm. */
  alarm?: string;
}

export type EngineAction =
  | { kind: "start"; wipe: boolean; why: string }
  /** End the process now. What becomes of the volume is decided anew at the next start. */
  | { kind: "kill"; why: string }
  | { kind: "abandonPromotion"; why: string }
  | { kind: "promotionStep"; step: PromotionStep; epoch: number }
  | { kind: "handoverStep"; step: HandoverStep }
  | { kind: "exit" };

/** A primary fences itself this long before its deadline, so that it can set read_only and end sessions first. Milliseconds. */
export const fenceAheadMilliseconds = 400;
/** A renewal is sent this often. Milliseconds. */
export const renewEveryMilliseconds = 1250;
/** A renewal that failed is tried again after this: five attempts fit before the deadline. Milliseconds. */
export const retryRenewalMilliseconds = 400;
/** No promotion is opened for writes with less than this left on the Lease. Milliseconds. */
export const leastHoldMilliseconds = 1000;
/** The successor that the last primary named is given this long. Milliseconds. */
export const successorGraceMilliseconds = 3000;
/** A less advanced candidate lets a more advanced one go first for this long. Milliseconds. */
export const rankGraceMilliseconds = 1500;
/** With `onNoCandidate: "promote"`, a fresh node waits this long for a candidate or for the last primary's volume. Milliseconds. */
export const noCandidateWaitMilliseconds = 30_000;
/** After so many failures on a kept volume a holder lets a candidate try. */
export const failuresBeforeRelease = 3;
/** The owner's record must have been read this recently by a node that takes the Lease: it proves that the node reaches the bucket. Milliseconds. */
export const ownerFreshMilliseconds = 5000;

/**
 * Whether the volume is the last primary's (rule 1a): it holds the epoch of the last promotion, or this very volume was being promoted on top of its own data when the
 * process ended. Any other volume is wiped before a start (rule 1b).
 */
export function volumeIsKept(volume: VolumeRecord, owner: OwnerRecord): boolean {
  if (volume.epoch === undefined) return false;
  if (volume.epoch === owner.epoch) return true;
  return volume.raising === owner.epoch && volume.volumeId === owner.volumeId;
}

/** Whether nobody holds the Lease as far as this node's own clock can tell (rule 3). */
export function leaseIsFree(view: View, now: Monotonic): boolean {
  const lease = view.lease;
  if (!lease) return false;
  if (lease.released) return true;
  // Nobody was ever promoted, and the record in the bucket proves it: there is no writer to wait for.
  if (!lease.exists && view.owner?.epoch === 0) return true;
  const { leaseDurationSeconds, leaseMarginSeconds } = view.configuration;
  return now - lease.unchangedSince >= (leaseDurationSeconds + leaseMarginSeconds) * 1000;
}

/** The pure heart of the manager: what this node should do, seen what it sees. */
export function decide(view: View, now: Monotonic): Decision {
  if (view.refusal) return refuse(view);
  const decision: Decision = {};
  const holds = view.hold !== undefined && now < view.hold.deadline;
  const mayWrite = view.engine.role !== "replica" && view.engine.state !== "stopped";

  if (mayWrite && !holds) decision.fence = "the lease is not held any more";
  else if (mayWrite && view.hold && now >= view.hold.deadline - fenceAheadMilliseconds)
    decision.fence = "the lease was not renewed in time";
  else if (view.owner && view.hold && view.owner.epoch > view.hold.epoch && mayWrite)
    decision.fence = `the bucket names epoch ${view.owner.epoch}, this node holds ${view.hold.epoch}`;

  decision.label = decideLabel(view, holds && !decision.fence);
  if (decision.fence) return decision;

  decision.lease = decideLease(view, now);
  decision.engine = decideEngine(view, now, holds, decision);
  return decision;
}

/** A refused node touches nothing: no engine, no Lease, no label. */
function refuse(view: View): Decision {
  const decision: Decision = { alarm: view.refusal?.message };
  if (view.engine.state !== "stopped") decision.fence = view.refusal?.reason ?? "refused";
  else if (view.hold) decision.lease = { kind: "release", why: view.refusal?.reason ?? "refused" };
  else if (view.stopping) decision.engine = { kind: "exit" };
  if (view.ownLabel !== "none") decision.label = { kind: "own", role: "none" };
  return decision;
}

function decideLabel(view: View, holds: boolean): Decision["label"] {
  const { engine } = view;
  const serving = engine.state === "running" && !view.stopping;
  const role =
    serving && holds && engine.role === "primary"
      ? "primary"
      : serving && engine.role === "replica" && view.following === "following" && !view.promotion
        ? "replica"
        : "none";
  // A primary that leaves has its label taken off as the first step of the handover, before its sessions end.
  if (view.ownLabel !== role) return { kind: "own", role };
  if (role === "primary" && view.otherPrimaries.length > 0) return { kind: "stripOthers", pods: view.otherPrimaries };
  return undefined;
}

function decideLease(view: View, now: Monotonic): Decision["lease"] {
  const { lease, hold, engine, owner } = view;
  if (hold) {
    if (shouldRelease(view, now)) return { kind: "release", why: view.promotion?.failed ?? "this node cannot serve" };
    const due =
      now - hold.lastRenewalSent >= renewEveryMilliseconds && now - hold.lastAttempt >= retryRenewalMilliseconds;
    return due ? { kind: "renew" } : undefined;
  }
  if (!lease || view.stopping || now < view.backoffUntil) return undefined;
  // A restarted manager finds itself the holder: its engine died with it, so it renews, and goes on in the same epoch.
  if (lease.exists && lease.holder === view.identity) {
    return engine.role === "replica" ? { kind: "renew" } : undefined;
  }
  if (!leaseIsFree(view, now) || !owner || now - view.ownerReadAt > ownerFreshMilliseconds) return undefined;
  if (!mayBePromoted(view, now) || letOthersGoFirst(view, now)) return undefined;
  return { kind: "acquire", epoch: Math.max(lease.epoch, owner.epoch) + 1 };
}

/** Whether this node's data allows a promotion (rule 3). */
function mayBePromoted(view: View, now: Monotonic): boolean {
  const { engine, owner } = view;
  if (!owner) return false;
  if (engine.state === "stopped") return volumeIsKept(view.volume, owner);
  if (engine.state !== "running" || engine.role !== "replica") return false;
  if (view.following === "following") return true;
  if (view.following === "missed") return false;
  // A node that started on an empty disk: only where there is nothing that it could have missed.
  if (owner.epoch === 0 || owner.clean) return true;
  return view.configuration.onNoCandidate === "promote" && freeFor(view, now) >= noCandidateWaitMilliseconds;
}

function freeFor(view: View, now: Monotonic): number {
  return view.leaseFreeSince === undefined ? 0 : now - view.leaseFreeSince;
}

/** The named successor first, then the most advanced (rule 3). Both for a bounded time: a candidate that does not move must not block the others. */
function letOthersGoFirst(view: View, now: Monotonic): boolean {
  const freeMilliseconds = freeFor(view, now);
  const preferred = view.lease?.preferredSuccessor ?? "";
  if (preferred !== "" && preferred !== view.pod && freeMilliseconds < successorGraceMilliseconds) return true;
  if (preferred === view.pod) return false;
  if (freeMilliseconds >= rankGraceMilliseconds) return false;
  // Until the peers were asked about this very vacancy, nobody knows who is the most advanced.
  if (view.leaseFreeSince === undefined || view.peersAskedAt < view.leaseFreeSince) return true;
  return view.peers.some(peer => goesBefore(peer, view));
}

function goesBefore(peer: PeerView, view: View): boolean {
  const self = ownRank(view);
  const other = rank(peer.resumable, peer.following === "following", peer.epoch, peer.beat);
  for (let i = 0; i < self.length; i++) {
    const difference = (other[i] ?? 0) - (self[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return peer.pod < view.pod;
}

function ownRank(view: View): number[] {
  const resumable =
    view.owner !== undefined && view.engine.state === "stopped" && volumeIsKept(view.volume, view.owner);
  return rank(resumable, view.following === "following", view.position.epoch, view.position.beat);
}

/** The last primary's own volume lacks nothing; then followers by how far they have followed; then the rest. */
function rank(resumable: boolean, following: boolean, epoch: number, beat: number): number[] {
  return [resumable ? 1 : 0, following ? 1 : 0, epoch, beat];
}

/** A holder gives the Lease back when it cannot become a primary. */
function shouldRelease(view: View, now: Monotonic): boolean {
  const { engine, owner } = view;
  if (engine.role !== "replica" && engine.state !== "stopped") return false;
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

  if (engine.state === "stopped") {
    // An engine that opens while the bucket does not answer runs without its fencing for the rest of its life.
    if (now < view.startBackoffUntil || now - view.ownerReadAt > ownerFreshMilliseconds) return undefined;
    if (volumeIsKept(view.volume, owner)) {
      // Only under the Lease: its WAL would be sent over the one of a node that is being promoted.
      return holds ? { kind: "start", wipe: false, why: "this volume is the last primary's" } : undefined;
    }
    if (view.hold || lease.holder === view.identity) return undefined;
    return { kind: "start", wipe: true, why: "a replica starts empty" };
  }
  if (engine.state === "stopping") return undefined;
  if (engine.role === "replica" && engine.onKeptVolume && !holds) {
    return { kind: "kill", why: "the lease was lost while the last primary's volume was open" };
  }
  if (engine.state === "starting") return undefined;

  if (view.promotion?.failed !== undefined) return { kind: "abandonPromotion", why: view.promotion.failed };
  if (!holds) {
    if (view.promotion) return { kind: "abandonPromotion", why: "the lease was lost" };
    if (view.following === "missed") return { kind: "kill", why: "a generation of the WAL may have been missed" };
    if (decision.lease === undefined) decision.alarm = alarm(view, now);
    return undefined;
  }
  if (!view.hold || engine.role === "primary" || decision.lease?.kind === "release") return undefined;
  const step = promotionSteps[view.promotion?.completed ?? 0];
  if (step === undefined) return undefined;
  if (step === "openForWrites" && view.hold.deadline - now < leastHoldMilliseconds) return undefined;
  return { kind: "promotionStep", step, epoch: view.hold.epoch };
}

function alarm(view: View, now: Monotonic): string | undefined {
  if (!leaseIsFree(view, now) || freeFor(view, now) < rankGraceMilliseconds || mayBePromoted(view, now))
    return undefined;
  return "no candidate: no node that followed the last primary is left; waiting for the last primary's volume";
}

/** Leaving in order (rule 5). */
function leave(view: View, holds: boolean): EngineAction | undefined {
  const { engine, handover } = view;
  const alive = engine.state === "starting" || engine.state === "running";
  if (handover?.failed !== undefined) return alive ? { kind: "kill", why: handover.failed } : { kind: "exit" };
  if (engine.role === "promoting" && alive) return { kind: "abandonPromotion", why: "the pod is being stopped" };
  const serves = engine.role === "primary" && alive;
  if ((serves || handover) && holds) {
    const step = handoverSteps[handover?.completed ?? 0];
    if (step !== undefined) return { kind: "handoverStep", step };
  }
  // Nothing can be lost with a replica; and the clean stop of one deletes its WAL, which on the last primary's volume holds rows that are nowhere else.
  if (alive) return { kind: "kill", why: "the pod is being stopped" };
  if (engine.state === "stopping") return undefined;
  const releasesFirst =
    view.hold !== undefined && !handover && view.owner !== undefined && !volumeIsKept(view.volume, view.owner);
  return releasesFirst ? undefined : { kind: "exit" };
}
