import { leaseTiming } from "../../core/leaseTiming";
import { Alarm, CanaryView, View } from "./view";
import { Monotonic } from "../base/ports";

/** A primary whose heartbeat is overdue for so long, and whose server does not answer, hangs. Milliseconds. */
export const hungAfterMilliseconds = 2000;
/** The server must have failed to answer so often in a row. */
export const hungAfterUnanswered = 2;
/** A server that answers, but does not write although the bucket is well, hangs after this. Milliseconds. */
export const deafAfterMilliseconds = 15_000;
/** A process that was sent SIGKILL and is there after this waits for a disk that does not answer. Memory of many GB is given back within a second. Milliseconds. */
export const unkillableAfterMilliseconds = 5000;

/** The volume is looked at this often. Milliseconds. */
export const volumeLookEvery = 500;
/** So many looks in a row at one small write that has not ended: 10 s. A volume with much to do takes a second. */
export const hangingVolumeLooks = 20;
/** A takeover that has not come on for so long, at a step that tells of what it reads and fetches, hangs. Milliseconds. */
export const stalledAfterMilliseconds = 20_000;
/** These tell; the others have time limits of their own. */
const tellingSteps = ["stop", "seal", "align"];

/**
 * Why this node's volume is taken for one that does not answer; undefined: it is not. A process that was killed in vain is kept by the kernel until the request ends that it waits for; it runs no
 * instruction any more.
 */
export function whyVolumeHangs(
  { engine, volumeSilentLooks }: Pick<View, "engine" | "volumeSilentLooks">,
  now: Monotonic,
): string | undefined {
  const { killedAt } = engine;
  if (killedAt !== undefined && now - killedAt >= unkillableAfterMilliseconds)
    return `mariadbd was killed ${Math.round((now - killedAt) / 1000)} s ago, and has not ended`;
  if (volumeSilentLooks >= hangingVolumeLooks)
    return `a small write has not ended for ${Math.round((volumeSilentLooks * volumeLookEvery) / 1000)} s`;
  return undefined;
}

/** Why a takeover is given up; undefined: it comes on. */
export function whyTakeoverHangs(
  { transition, bucketAnsweredAt }: Pick<View, "transition" | "bucketAnsweredAt">,
  now: Monotonic,
): string | undefined {
  if (transition?.kind !== "takeOver" || !tellingSteps.includes(transition.step)) return undefined;
  const still = now - Math.max(transition.progressedAt, bucketAnsweredAt);
  if (still < stalledAfterMilliseconds) return undefined;
  return `the takeover has not come on for ${Math.round(still / 1000)} s, at the step "${transition.step}"`;
}

/** What a person has to do about a volume that hangs; undefined: nothing. */
export function volumeAlarm(view: Pick<View, "engine" | "volumeSilentLooks">, now: Monotonic): Alarm | undefined {
  const why = whyVolumeHangs(view, now);
  if (why === undefined) return undefined;
  const message = `this node's volume does not answer: ${why}. Another node takes over; unless the volume recovers, take this one out of service`;
  return { reason: "VolumeHangs", message };
}

/** The API server does not take renewals: all peers together can stand in for it. */
export function asksPeers(view: Pick<View, "engine" | "hold" | "configuration">, now: Monotonic): boolean {
  return view.engine.role === "primary" && isUnheard(view, now);
}

/** The last renewal has failed, and the deadline is near. */
export function isUnheard({ hold, configuration }: Pick<View, "hold" | "configuration">, now: Monotonic): boolean {
  if (!hold || hold.lastAttempt <= hold.lastRenewalSent) return false;
  return hold.deadline - now <= leaseTiming(configuration).failsafeAhead;
}

/**
 * Why a primary's engine is taken for one that hangs; undefined: it is not.
 * @param bucketIsWell with a slow or absent bucket writes may take long, and no other engine would do better
 */
export function unansweredHang(canary: CanaryView, bucketIsWell: boolean): string | undefined {
  if (canary.silent < hungAfterMilliseconds) return undefined;
  if (canary.unanswered >= hungAfterUnanswered) return "mariadbd does not answer";
  // A primary whose commits queue up writes all the time, only not this heartbeat.
  const isDeaf = Math.min(canary.silent, canary.walIdle) >= deafAfterMilliseconds && bucketIsWell;
  return isDeaf ? "mariadbd answers but does not write" : undefined;
}
