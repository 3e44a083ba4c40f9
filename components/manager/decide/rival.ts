import { leaseIsFree } from "./candidacy";
import { Refusal, Rival, View } from "./view";
import { Monotonic } from "../base/ports";

/** A primary writes a row at least every 5 s: a log that has not grown for so long has no writer. Milliseconds. */
export const rivalQuietMilliseconds = 30_000;

type Sight = Pick<View, "log" | "lease" | "hold" | "configuration" | "owner" | "peers" | "identity">;

/** Whether another deployment was elected or has written so recently that it may write still. */
export function wroteLately({ quietSince }: Rival, now: Monotonic): boolean {
  return now - quietSince < rivalQuietMilliseconds;
}

/** Whether the log may still have a writer of another deployment: a Lease of that one's keeps it from nothing. Whoever of this deployment takes over meanwhile would be sealed in turn, and seal again. */
export function rivalMayWrite(view: Sight, now: Monotonic): boolean {
  const { log, lease, hold, identity } = view;
  if (!log?.rival || !wroteLately(log.rival, now)) return false;
  // A peer that holds the Lease is who writes, whatever the last seal says of it: an authority may have been renewed.
  const isPeers = lease && !hold && lease.holder !== "" && lease.holder !== identity && !leaseIsFree(view, now);
  return !isPeers;
}

/** Why this node touches nothing while another deployment writes; undefined: that is not known to write. */
export function sharedPrefix(view: Sight, now: Monotonic): Refusal | undefined {
  const { rival } = view.log ?? {};
  if (!rival?.grows || !rivalMayWrite(view, now)) return undefined;
  const { objectStore, databaseId } = view.configuration;
  const message =
    `s3://${objectStore.bucket}/${objectStore.prefix} is written by another deployment of database ${databaseId}: pod ${rival.author} of ${rival.cluster}. ` +
    `Delete or scale down that one, and this one takes over ${rivalQuietMilliseconds / 1000} s after its last write; or give this one a prefix of its own, with \`restore\` where it is to begin as a copy`;
  return { reason: "SharedPrefix", message };
}
