import { leaseTiming } from "../../core/leaseTiming";
import { leaseIsFree, freeFor, rankGraceMilliseconds, successorGraceMilliseconds } from "./candidacy";
import { whyTakeoverHangs, whyVolumeHangs } from "./health";
import { rivalMayWrite } from "./rival";
import { Monotonic } from "../base/ports";
import { View } from "./view";

/** What to do about the Lease. */
export type LeaseAction =
  | { kind: "acquire"; epoch: number }
  | { kind: "renew" }
  | { kind: "release"; why: string }
  /** Stop renewing: others wait until it has expired. */
  | { kind: "letRunOut"; why: string };

/** After so many failures in a row a holder lets a peer try. */
const failuresBeforeRelease = 3;
/** The bucket must have answered this recently where an engine is to be started. Milliseconds. */
export const freshMilliseconds = 5000;
/** A primary whose writes have waited so long, and whose bucket has been silent for so long, may be the only one that it does not answer. Milliseconds. */
export const cutOffMilliseconds = 4000;
/** A peer reaches the bucket when it had an answer so recently; followers ask once a second. Milliseconds. */
const peerReachesMilliseconds = 1500;
/** And it must have had answers for so long, while this node has tried again. Milliseconds. */
export const reachesForMilliseconds = 3000;

/** Whose turn it is, as far as this node can say. Pure. */
export function decideLease(view: View, now: Monotonic): LeaseAction | undefined {
  const { lease, hold, engine, log } = view;
  const hangs = whyVolumeHangs(view, now);
  if (hold) {
    const hung = hangs ?? whyGivenUp(view, now);
    if (hung !== undefined) return { kind: "letRunOut", why: hung };
    const why = whyRelease(view, now);
    if (why !== undefined) return { kind: "release", why };
    const { renewEvery, retryRenewal } = leaseTiming(view.configuration);
    const due = now - hold.lastRenewalSent >= renewEvery && now - hold.lastAttempt >= retryRenewal;
    return due ? { kind: "renew" } : undefined;
  }
  if (hangs !== undefined || engine.killedAt !== undefined || !lease || !log) return undefined;
  if (view.stopping || view.transition || now < view.backoffUntil || now < view.promisedUntil) return undefined;
  if (rivalMayWrite(view, now)) return undefined;
  // Another process of this pod held it, and has died with its engine.
  if (lease.exists && lease.holder === view.identity) return engine.role === "replica" ? { kind: "renew" } : undefined;
  if (now - view.bucketAnsweredAt > freshMilliseconds || !leaseIsFree(view, now)) return undefined;
  if (waitsForVolume(view, now) || letsOthersGoFirst(view, now)) return undefined;
  return { kind: "acquire", epoch: lease.epoch + 1 };
}

/** With a preference for durability, the last writer's volume is given the time to come back: in `interval` it has what was not shipped. */
export function waitsForVolume(view: View, now: Monotonic): boolean {
  const { configuration, lease, log, owner } = view;
  if (configuration.failoverPreference !== "durability" || configuration.durability === "commit") return false;
  if (log?.isLastWriters || lease?.released === true || owner?.epoch === 0) return false;
  return freeFor(view, now) < configuration.resumeWithinSeconds * 1000;
}

/** The named successor first, then who has most of the log. Both for a bounded time. */
function letsOthersGoFirst(view: View, now: Monotonic): boolean {
  const free = freeFor(view, now);
  const preferred = view.lease?.preferredSuccessor ?? "";
  if (preferred === view.pod) return false;
  if (preferred !== "" && free < successorGraceMilliseconds) return true;
  const waited = view.configuration.failoverPreference === "durability" ? view.configuration.resumeWithinSeconds : 0;
  if (free >= waited * 1000 + rankGraceMilliseconds) return false;
  if (view.leaseFreeSince === undefined || view.peersAskedAt < view.leaseFreeSince) return true;
  const own = [Number(view.log?.isLastWriters), view.log?.epoch ?? 0, view.log?.pushed ?? 0];
  return view.peers.some(peer => {
    const theirs = [Number(peer.resumable), peer.log?.epoch ?? -1, peer.log?.pushed ?? -1];
    for (const [index, value] of theirs.entries()) if (value !== own[index]) return value > own[index]!;
    return peer.pod < view.pod;
  });
}

/** Why a takeover that does not come on is left to another, where there is one; undefined: it goes on. */
export function whyGivenUp(view: View, now: Monotonic): string | undefined {
  return peerThatAnswers(view, now) === undefined ? undefined : whyTakeoverHangs(view, now);
}

/** Whether the bucket answers a peer, and has been asked in vain by the takeover or the handover that is under way here. */
export function isCutOff(view: View, now: Monotonic): boolean {
  const { bucketUnansweredSince: since = Infinity } = view;
  return now - since >= cutOffMilliseconds && peerThatKeepsReaching(view, now) !== undefined;
}

/** Why a holder gives the Lease back; undefined: it goes on. */
function whyRelease(view: View, now: Monotonic): string | undefined {
  const { engine, log, transition } = view;
  if (engine.state !== "stopped") return undefined;
  if (transition ? isCutOff(view, now) : peerThatKeepsReaching(view, now) !== undefined)
    return "the bucket answers a peer but not this node";
  if (transition) return undefined;
  const candidates = view.peers.filter(({ log: place }) => place !== undefined);
  if (engine.failures >= failuresBeforeRelease && candidates.length > 0)
    return "this node could not become the primary";
  // What only the volume has is brought into the log first.
  return view.stopping && !log?.isLastWriters ? "the pod is being stopped" : undefined;
}

/** A peer that reaches the bucket, where this node has not for a while. */
export function peerThatReaches(view: View, now: Monotonic): string | undefined {
  return now - view.bucketAnsweredAt < cutOffMilliseconds ? undefined : peerThatAnswers(view, now);
}

/** A peer that was asked just now, has read the log and reaches the bucket. */
function peerThatAnswers(view: View, now: Monotonic): string | undefined {
  if (now - view.peersAskedAt > peerReachesMilliseconds) return undefined;
  return view.peers.find(({ log }) => log !== undefined && log.bucketAge < peerReachesMilliseconds)?.pod;
}

/** The same for long enough: when a bucket comes back for all, one node has its first answer before another, whose attempts are seconds apart. */
export function peerThatKeepsReaching(view: View, now: Monotonic): string | undefined {
  const { peerReachesSince: since } = view;
  return since !== undefined && now - since >= reachesForMilliseconds ? peerThatReaches(view, now) : undefined;
}
