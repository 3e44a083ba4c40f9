import { leaseTiming } from "../../core/leaseTiming";
import { View } from "./view";
import { Monotonic } from "../base/ports";

/** The Lease must have been read this recently by who takes it for abandoned: twice as long as between two readings. Milliseconds. */
export const heardMilliseconds = 2500;
/** The successor that the last primary named is given this long. Milliseconds. */
export const successorGraceMilliseconds = 3000;
/** A less advanced candidate lets a more advanced one go first for this long. Milliseconds. */
export const rankGraceMilliseconds = 1500;
/** The pod in an identity, `<pod>_<uid>`; undefined for nobody's. */
export function podOf(identity: string | undefined): string | undefined {
  return identity ? identity.slice(0, identity.lastIndexOf("_")) : undefined;
}

/** What it takes to say whether the Lease is free. */
type LeaseSight = Pick<View, "configuration" | "lease" | "owner"> & { peers: readonly { freeLease: string }[] };

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

/** For how long nobody has held the Lease. Milliseconds. */
export function freeFor(view: Pick<View, "leaseFreeSince">, now: Monotonic): number {
  return view.leaseFreeSince === undefined ? 0 : now - view.leaseFreeSince;
}
