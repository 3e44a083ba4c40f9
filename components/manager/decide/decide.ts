import { anySuccessor } from "../../core/podLayout";
import { leaseTiming } from "../../core/leaseTiming";
import { leaseIsFree } from "./candidacy";
import { asksPeers, isUnheard, unansweredHang, volumeAlarm, whyVolumeHangs } from "./health";
import {
  cutOffMilliseconds,
  decideLease,
  freshMilliseconds,
  isCutOff,
  LeaseAction,
  peerThatKeepsReaching,
  waitsForVolume,
  whyGivenUp,
} from "./leaseTurn";
import { rivalMayWrite, sharedPrefix } from "./rival";
import { Monotonic, PeerStatus } from "../base/ports";
import { Alarm, Refusal, View } from "./view";

/**
 * What to do next, in lanes that do not wait for each other. A lane that is still busy with its last action is given none.
 * Each call re-derives everything from what the node sees: nothing depends on having seen an event.
 */
export interface Decision {
  /** Kill mariadbd this instant, whatever else is going on. */
  fence?: string;
  lease?: LeaseAction;
  label?: { kind: "own"; role: "primary" | "replica" | "none" } | { kind: "stripOthers"; pods: string[] };
  /** Ask all peers to confirm this primary: the API server does not. */
  failsafe?: true;
  /** Stop writes, or resume them. */
  writes?: { kind: "stop"; why: string } | { kind: "resume" };
  /** What only a person can end, or should know of. */
  alarm?: Alarm;
  engine?: EngineAction;
}

export type EngineAction =
  /** (Re-)start mariadbd on the volume as it is in the log, to follow. */
  | { kind: "follow"; why: string }
  /** Seal, align, start, promote, flush, open. Also what ends an engine of this node's. */
  | { kind: "takeOver" }
  /** Leave in order; `cutOff`: the bucket answers that pod and not this one, which leaves at once; `leavesBy`: when this pod is killed. */
  | { kind: "handOver"; to: string; cutOff?: true; leavesBy?: Monotonic }
  /** The engine is gone, and what only the volume has goes into the log before the Lease is given back. */
  | { kind: "leaveNothing" }
  | { kind: "kill"; why: string; hung?: true }
  | { kind: "refuseSwitchover"; why: string }
  | { kind: "exit" };

/** No engine is opened for writes with less than this left on the Lease. Milliseconds. */
export const leastHoldMilliseconds = 1000;
/** A follower's engine is looked at this often. Milliseconds. */
export const lookEvery = 500;
/** An engine that follows hangs when so many looks in a row have found it silent: 20 s, since it may be reading a large file. */
export const hangingLooks = 40;
/** A node that has just started waits so long for a primary before it follows a database that nobody writes. Milliseconds. */
const primaryPatienceMilliseconds = 6000;

/**
 * The pure heart of the manager. Any node can take over without a loss, since the log has everything, and what a former writer still does cannot be kept, since its epoch is sealed. The Lease says whose turn it is, and bounds for how long a primary that is cut off acknowledges in `interval`.
 */
export function decide(view: View, now: Monotonic): Decision {
  const refusal = view.refusal ?? sharedPrefix(view, now);
  if (refusal) return refuse(view, refusal);
  const decision: Decision = {};
  const holds = view.hold !== undefined && now < view.hold.deadline;
  if (view.engine.role !== "replica" && isAlive(view)) {
    if (!holds) decision.fence = "the lease is no longer held";
    // Ahead of the end a writer has clients to tell, and acknowledged writes to send; one that is being promoted has neither, and a renewal may still come.
    else if (view.engine.role === "primary" && now >= view.hold!.deadline - leaseTiming(view.configuration).fenceAhead)
      decision.fence = "the lease was not renewed in time";
  }
  decision.label = decideLabel(view, holds && !decision.fence);
  if (decision.fence) return decision;
  decision.lease = decideLease(view, now);
  if (holds && asksPeers(view, now)) decision.failsafe = true;
  decision.writes = decideWrites(view, holds, now);
  decision.engine = decideEngine(view, now, holds, decision);
  decision.alarm = alarmOf(view, now);
  return decision;
}

function isAlive({ engine }: View): boolean {
  return engine.state !== "stopped" && engine.killedAt === undefined;
}

function refuse(view: View, refusal: Refusal): Decision {
  const decision: Decision = { alarm: refusal };
  if (isAlive(view)) decision.fence = refusal.reason;
  else if (view.hold) decision.lease = { kind: "release", why: refusal.reason };
  else if (view.stopping && view.engine.state === "stopped") decision.engine = { kind: "exit" };
  if (view.ownLabel !== "none") decision.label = { kind: "own", role: "none" };
  return decision;
}

function decideLabel(view: View, holds: boolean): Decision["label"] {
  const { engine, transition } = view;
  const isPrimary = holds && engine.role === "primary" && serves(view);
  const isReplica = engine.role === "replica" && view.following === "following" && !view.stopping && !transition;
  const role = engine.state !== "running" ? "none" : isPrimary ? "primary" : isReplica ? "replica" : "none";
  if (view.ownLabel !== role) return { kind: "own", role };
  if (role === "primary" && view.otherPrimaries.length > 0) return { kind: "stripOthers", pods: view.otherPrimaries };
  return undefined;
}

/** A primary that leaves serves until its writes are stopped. */
export function serves({ transition }: Pick<View, "transition">): boolean {
  return transition === undefined || (transition.kind === "handOver" && transition.step === "flushAhead");
}

function decideWrites(view: View, holds: boolean, now: Monotonic): Decision["writes"] {
  const { engine, configuration, waiting } = view;
  if (!holds || engine.role !== "primary" || engine.state !== "running" || !serves(view)) return undefined;
  const bound = configuration.maxDataLossSeconds * 1000;
  const ages = `writes of the last ${(waiting / 1000).toFixed(1)} s are not in the log`;
  // In `commit` they wait, and nobody is told that they are kept.
  if (view.writesStopped) return waiting < bound / 4 ? { kind: "resume" } : undefined;
  if (configuration.durability === "commit") return undefined;
  if (waiting > 1000 && isUnheard(view, now))
    return { kind: "stop", why: `neither the API server nor the bucket answers; ${ages}` };
  if (configuration.onObjectStoreOutage === "continue" || waiting <= bound) return undefined;
  return { kind: "stop", why: ages };
}

function decideEngine(view: View, now: Monotonic, holds: boolean, decision: Decision): EngineAction | undefined {
  const { engine, log, transition } = view;
  const hung = whyVolumeHangs(view, now);
  // A writer is ended although it may answer still; nothing is begun on such a volume.
  if (hung !== undefined && engine.role !== "replica" && isAlive(view)) return { kind: "kill", why: hung };
  if (view.stopping) return leave(view, holds);
  if (transition?.kind === "takeOver" && isAlive(view)) {
    const why =
      whyGivenUp(view, now) ?? (isCutOff(view, now) ? "the bucket answers a peer but not this node" : undefined);
    if (why !== undefined) return { kind: "kill", why };
  }
  if (!log || !view.lease || transition) return undefined;
  const isFresh = now - view.bucketAnsweredAt <= freshMilliseconds;
  // A takeover in the last moments of a right would be fenced, and counted as this node's failure: it begins when the Lease has been renewed.
  const mayTakeOver = holds && now < view.hold!.deadline - leaseTiming(view.configuration).fenceAhead;
  if (engine.state === "stopping") return undefined;
  if (engine.state === "stopped") {
    if (hung !== undefined || now < view.startBackoffUntil || !isFresh) return undefined;
    if (holds && rivalMayWrite(view, now)) return undefined;
    if (holds) return decision.lease?.kind !== "release" && mayTakeOver ? { kind: "takeOver" } : undefined;
    if (view.hold || view.lease.holder === view.identity || !log.hasTables || waitsForPrimary(view, now))
      return undefined;
    return { kind: "follow", why: "starting a follower at the end of the log" };
  }
  if (engine.state === "starting") return holds ? { kind: "kill", why: "starting a takeover" } : undefined;
  if (engine.role === "primary") {
    if (!holds) return undefined;
    const cutOff = view.waiting >= cutOffMilliseconds ? peerThatKeepsReaching(view, now) : undefined;
    if (cutOff !== undefined) return { kind: "handOver", to: cutOff, cutOff: true };
    return hangs(view, now) ?? beginSwitchover(view);
  }
  if (holds)
    return hung === undefined && isFresh && mayTakeOver && now >= view.startBackoffUntil
      ? { kind: "takeOver" }
      : undefined;
  const silent = followerHangs(view);
  if (silent !== undefined) return { kind: "kill", why: silent, hung: true };
  if (hung !== undefined || view.hold || view.restartDue === "" || !view.isItsTurn || !isFresh) return undefined;
  return { kind: "follow", why: view.restartDue };
}

/** With the Lease free somebody is about to become the primary, perhaps this node: an engine that follows would have to be ended again. */
function waitsForPrimary(view: View, now: Monotonic): boolean {
  if (!leaseIsFree(view, now) || view.stoppedSince === undefined) return false;
  return now - view.stoppedSince < primaryPatienceMilliseconds;
}

/** Alive is not healthy: an engine that does not answer is ended and resumed. */
function hangs(view: View, now: Monotonic): EngineAction | undefined {
  const hang =
    view.canary && unansweredHang(view.canary, view.waiting === 0 && now - view.bucketAnsweredAt < freshMilliseconds);
  return hang === undefined ? undefined : { kind: "kill", why: hang, hung: true };
}

/** An engine that follows is ended and started again when it neither polls nor answers. Its readers do not wait without bound, and none sees stale data for long. */
function followerHangs({ follower }: View): string | undefined {
  if (!follower) return undefined;
  const seconds = (looks: number) => Math.round((looks * lookEvery) / 1000);
  if (follower.silent >= hangingLooks)
    return `mariadbd has asked its store for nothing for ${seconds(follower.silent)} s`;
  if (follower.unanswered >= hangingLooks) return `mariadbd has not answered for ${seconds(follower.unanswered)} s`;
  return undefined;
}

function beginSwitchover({ switchover, peers, peersAskedAt, pod }: View): EngineAction | undefined {
  if (!switchover || peersAskedAt < switchover.since) return undefined;
  const followers = followersAmong(peers);
  const names = followers.map(peer => peer.pod);
  if (switchover.to === pod) return { kind: "refuseSwitchover", why: `${pod} is already the primary` };
  if (names.length === 0) return { kind: "refuseSwitchover", why: "no replica is following, so none could take over" };
  if (switchover.to !== anySuccessor && !names.includes(switchover.to))
    return { kind: "refuseSwitchover", why: `${switchover.to} is not following; these are: ${names.join(", ")}` };
  return { kind: "handOver", to: switchover.to === anySuccessor ? successorAmong(followers) : switchover.to };
}

function followersAmong(peers: readonly PeerStatus[]): PeerStatus[] {
  return peers.filter(({ following, log }) => following === "following" && log !== undefined);
}

/** Who can take over soonest: with an empty server ready, and then with most of the log; empty without one. */
export function successorAmong(peers: readonly PeerStatus[]): string {
  const able = followersAmong(peers);
  const soonest = (a: PeerStatus, b: PeerStatus) =>
    Number(b.prepared) - Number(a.prepared) || b.log!.pushed - a.log!.pushed || (a.pod < b.pod ? -1 : 1);
  able.sort(soonest);
  return able[0]?.pod ?? "";
}

/** Leaving in order: nothing acknowledged may exist only here when the Lease is given back. */
function leave(view: View, holds: boolean): EngineAction | undefined {
  const { engine, transition, leavesBy } = view;
  if (transition?.kind === "takeOver")
    return isAlive(view) ? { kind: "kill", why: "the pod is being stopped" } : undefined;
  if (transition) return undefined;
  if (engine.role === "primary" && isAlive(view) && holds)
    return view.replicaGoesFirst
      ? undefined
      : {
          kind: "handOver",
          to: view.updatedFollower ?? successorAmong(view.peers),
          ...(leavesBy !== undefined && { leavesBy }),
        };
  if (isAlive(view)) return { kind: "kill", why: "the pod is being stopped" };
  if (engine.state !== "stopped") return undefined;
  if (!view.hold) return { kind: "exit" };
  return holds && view.log?.isLastWriters ? { kind: "leaveNothing" } : undefined;
}

function alarmOf(view: View, now: Monotonic): Alarm | undefined {
  const hung = volumeAlarm(view, now);
  if (hung) return hung;
  const { configuration, engine, waiting } = view;
  const stalled = whyGivenUp(view, now);
  if (stalled !== undefined)
    return {
      reason: "TakeoverHangs",
      message: `${stalled}: another node takes over, and this one waits until it comes on`,
    };
  if (engine.role === "primary" && waiting > configuration.maxDataLossSeconds * 1000)
    return {
      reason: "NotInBucket",
      message: `writes of the last ${(waiting / 1000).toFixed(1)} s are not in the log: the bucket does not accept them`,
    };
  if (view.lease && leaseIsFree(view, now) && waitsForVolume(view, now))
    return {
      reason: "WaitsForVolume",
      message: "waiting for the last primary's volume, which has every write: failoverPreference is durability",
    };
  return undefined;
}
