import { leaseTiming } from "../core/leaseTiming";
import type { Alarm } from "./decide";
import { Monotonic, OwnerRecord, PeerView, Position, View, VolumeRecord } from "./view";

/** The Lease must have been read this recently by who takes it for abandoned: twice as long as between two readings. Milliseconds. */
export const heardMilliseconds = 2500;
/** The successor that the last primary named is given this long. Milliseconds. */
export const successorGraceMilliseconds = 3000;
/** A less advanced candidate lets a more advanced one go first for this long. Milliseconds. */
export const rankGraceMilliseconds = 1500;
/** A last primary whose pod is being replaced, or whose container is restarted, is given this long from the end of its Lease on. Milliseconds. */
export const returnGraceMilliseconds = 8000;
/** An empty node waits so long with its start for a primary. A promotion takes two seconds, after at most as much of waiting for the Lease. Milliseconds. */
export const primaryPatienceMilliseconds = 6000;
/** And so long for another to have joined, when it has failed before. Milliseconds. */
export const turnPatienceMilliseconds = 30_000;
/** With `onNoCandidate: "promote"`, a fresh node waits this long for a candidate or for the last primary's volume. Milliseconds. */
export const noCandidateWaitMilliseconds = 30_000;

/**
 * Whether the volume is the last primary's (rule 1a): it holds the epoch of the last promotion, or this very volume was being promoted on top of its own data when the
 * process ended. Any other volume is wiped before a start (rule 1b).
 */
export function volumeIsKept(volume: VolumeRecord, owner: OwnerRecord): boolean {
  if (volume.epoch === undefined) return false;
  if (volume.epoch === owner.epoch) return true;
  return volume.raising === owner.epoch && volume.volumeId === owner.volumeId;
}

/** The pod in an identity, `<pod>_<uid>`; undefined for nobody's. */
export function podOf(identity: string | undefined): string | undefined {
  return identity ? identity.slice(0, identity.lastIndexOf("_")) : undefined;
}

/** What it takes to say whether the Lease is free. */
type LeaseSight = Pick<View, "configuration" | "lease"> & {
  owner?: Pick<OwnerRecord, "epoch">;
  peers: readonly Pick<PeerView, "freeLease">[];
};

/** Whether nobody holds the Lease as far as this node's own clock can tell (rule 3). */
export function leaseIsFree(view: LeaseSight, now: Monotonic): boolean {
  const lease = view.lease;
  if (!lease) return false;
  if (lease.released) return true;
  // Nobody was ever promoted, and the record in the bucket proves it: there is no writer to wait for. One that was just deleted may have a holder who does not know yet.
  if (!lease.exists && lease.epoch === 0 && view.owner?.epoch === 0) return true;
  // A node that has just started need not listen for so long itself: another has.
  return (
    hasHeardSilence(view, now) || view.peers.some(({ freeLease }) => freeLease !== "" && freeLease === lease.version)
  );
}

/** Whether this node has heard no renewal of the Lease for its duration and a margin. */
function hasHeardSilence({ configuration, lease }: Pick<View, "configuration" | "lease">, now: Monotonic): boolean {
  // Silence counts only where this node has listened.
  if (!lease || now - lease.seenAt > heardMilliseconds) return false;
  return now - lease.unchangedSince >= leaseTiming(configuration).silence;
}

/**
 * The version of the Lease that has been free long enough for this follower to take it, for a peer that has not listened for so long; empty: none. Only of a follower: a primary knows it, so that it could not
 * have gone on without its confirmation (rule 6), which is a promise and makes this node keep silent.
 */
export function freeLease(
  view: Pick<View, "configuration" | "lease" | "following" | "promisedUntil">,
  now: Monotonic,
): string {
  const { lease, following, promisedUntil } = view;
  if (!lease?.exists || following !== "following" || now < promisedUntil) return "";
  return hasHeardSilence(view, now) ? lease.version : "";
}

/** Whether this node's data allows a promotion (rule 3). */
export function mayBePromoted(view: View, now: Monotonic): boolean {
  const { engine, owner } = view;
  if (!owner) return false;
  if (engine.state === "stopped") return volumeIsKept(view.volume, owner);
  if (engine.state !== "running" || engine.role !== "replica") return false;
  if (view.following === "following") return true;
  if (view.lossAccepted) return true;
  if (view.following === "missed") return false;
  // A node that started on an empty disk: only where there is nothing that it could have missed.
  if (owner.epoch === 0 || owner.clean) return true;
  return view.configuration.onNoCandidate === "promote" && freeFor(view, now) >= noCandidateWaitMilliseconds;
}

/** With a preference for durability, the last primary's volume is given the time to come back: nothing is lost with it. */
export function waitsForVolume(view: View, now: Monotonic): boolean {
  return freeFor(view, now) < volumeGrace(view);
}

function volumeGrace(view: View): number {
  const { configuration, engine } = view;
  if (configuration.failoverPreference !== "durability" || engine.state === "stopped" || nothingIsMissing(view))
    return 0;
  return configuration.resumeWithinSeconds * 1000;
}

/** Whatever the preference: where the API server says that the last primary's machine is alive, and its pod about to be, its volume is back within seconds, and has what the bucket may lack. */
export function waitsForReturn(view: View, now: Monotonic): boolean {
  return freeFor(view, now) < returnGrace(view);
}

function returnGrace(view: View): number {
  const { configuration, holderReturns, lease, peers } = view;
  if (configuration.durability === "commit" || nothingIsMissing(view) || ownIsResumable(view)) return 0;
  // Its disk was lost with the machine, or it has been re-seeded already.
  if (peers.some(({ pod, lacksVolume }) => pod === podOf(lease?.holder) && lacksVolume)) return 0;
  return holderReturns === undefined ? rankGraceMilliseconds : holderReturns ? returnGraceMilliseconds : 0;
}

/** Whether the bucket has all that the last primary has acknowledged. One that gave back a Lease that it never came to use has left another's writes as they were. */
function nothingIsMissing({ lease, owner }: View): boolean {
  const hasLeft = lease?.released === true && lease.epoch === owner?.epoch;
  return hasLeft || owner?.clean === true || owner?.epoch === 0;
}

/** Whether this node has the last primary's volume, and no engine that runs. */
export function ownIsResumable({ engine, owner, volume }: View): boolean {
  return owner !== undefined && engine.state === "stopped" && volumeIsKept(volume, owner);
}

/**
 * Whether an empty node should delay its start: one that opens the bucket before another is promoted has to be re-seeded. Not where no promotion is expected, since then this node may be the candidate.
 */
export function waitsForPrimary(view: View, now: Monotonic): boolean {
  const { owner, peers, stoppedSince } = view;
  if (!owner || owner.epoch === 0 || stoppedSince === undefined) return false;
  // Two nodes that are re-seeded repeatedly may disturb each other: they take turns.
  if (view.wipes > 0 && peers.some(({ following, pod }) => following === "joining" && pod < view.pod))
    return now - stoppedSince < turnPatienceMilliseconds;
  if (now - stoppedSince >= primaryPatienceMilliseconds || peers.some(({ serves }) => serves)) return false;
  if (view.peersAskedAt < stoppedSince || !leaseIsFree(view, now)) return true;
  return peers.some(({ following, resumable }) => following === "following" || resumable);
}

/** For how long nobody has held the Lease. Milliseconds. */
export function freeFor(view: Pick<View, "leaseFreeSince">, now: Monotonic): number {
  return view.leaseFreeSince === undefined ? 0 : now - view.leaseFreeSince;
}

/** The named successor first, then the most advanced (rule 3). Both for a bounded time: a candidate that does not move must not block the others. */
export function letOthersGoFirst(view: View, now: Monotonic): boolean {
  const freeMilliseconds = freeFor(view, now);
  const preferred = view.lease?.preferredSuccessor ?? "";
  if (preferred !== "" && preferred !== view.pod && freeMilliseconds < successorGraceMilliseconds) return true;
  if (preferred === view.pod) return false;
  // The most advanced of those that have waited for a volume goes first, too.
  if (freeMilliseconds >= Math.max(returnGrace(view), volumeGrace(view)) + rankGraceMilliseconds) return false;
  // Until the peers were asked about this very vacancy, nobody knows who is the most advanced.
  if (view.leaseFreeSince === undefined || view.peersAskedAt < view.leaseFreeSince) return true;
  return view.peers.some(peer => goesBefore(peer, view));
}

function goesBefore(peer: PeerView, view: View): boolean {
  const self = ownRank(view);
  const other = rank(peer.resumable, peer.following === "following", peer.mustBeginAnew, peer);
  for (let i = 0; i < self.length; i++) {
    const difference = (other[i] ?? 0) - (self[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return peer.pod < view.pod;
}

function ownRank(view: View): number[] {
  return rank(ownIsResumable(view), view.following === "following", view.mustBeginAnew, view.position);
}

/** The last primary's own volume lacks nothing; then followers, those first that need no re-seeding, by how far they have followed; then the rest. */
function rank(resumable: boolean, following: boolean, mustBeginAnew: boolean, position: Position): number[] {
  const { epoch, beat, sequence } = position;
  return [resumable ? 1 : 0, following ? 1 : 0, mustBeginAnew ? 0 : 1, epoch, beat, sequence];
}

/** Why nobody takes a Lease that is free, once that has lasted. */
export function vacancyAlarm(view: View, now: Monotonic): Alarm | undefined {
  if (!leaseIsFree(view, now) || freeFor(view, now) < rankGraceMilliseconds) return undefined;
  if (mayBePromoted(view, now)) {
    if (!waitsForVolume(view, now)) return undefined;
    const message = "waiting for the last primary's volume, which has every write: failoverPreference is durability";
    return { reason: "WaitsForVolume", message };
  }
  const message = "no candidate: no follower of the last primary is left; waiting for the last primary's volume";
  return { reason: "NoCandidate", message };
}
