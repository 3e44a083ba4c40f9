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

/**
 * Why this node's volume is taken for one that does not answer; undefined: it is not. mariadbd was killed in vain, since the kernel keeps it until the request ends that it waits for; it runs no
 * instruction any more.
 */
export function whyVolumeHangs({ engine }: Pick<View, "engine">, now: Monotonic): string | undefined {
  const { killedAt } = engine;
  if (killedAt !== undefined && now - killedAt >= unkillableAfterMilliseconds)
    return `mariadbd was killed ${Math.round((now - killedAt) / 1000)} s ago, and has not ended`;
  return undefined;
}

/** What a person has to do about a volume that hangs; undefined: nothing. */
export function volumeAlarm(view: Pick<View, "engine">, now: Monotonic): Alarm | undefined {
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
