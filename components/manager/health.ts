import { leaseTiming } from "../core/leaseTiming";
import type { Alarm, Decision, EngineAction } from "./decide";
import { stillServes } from "./switchover";
import { BucketView, CanaryView, Monotonic, View } from "./view";

/** A primary whose heartbeat is overdue for so long, and whose server does not answer, hangs. Milliseconds. */
export const hungAfterMilliseconds = 2000;
/** The server must have failed to answer so often in a row. */
export const hungAfterUnanswered = 2;
/** A server that answers, but does not write although the bucket is well, hangs after this. Milliseconds. */
export const deafAfterMilliseconds = 15_000;
/** In `commit` mode a write that is not in the bucket after this stops all others. Milliseconds. */
export const commitPatienceMilliseconds = 1500;

/** A process that was sent SIGKILL and is there after this waits for a disk that does not answer. Memory of many GB is given back within a second. Milliseconds. */
export const unkillableAfterMilliseconds = 5000;

/** The last primary's volume is read, and what the bucket lacks of it is sent, before its engine is started: that has not taken so long where the volume answers. Milliseconds. */
export const unreadableAfterMilliseconds = 60_000;

/**
 * Why this node's volume is taken for one that does not answer; undefined: it is not. mariadbd was killed in vain, since the kernel keeps it until the request ends that it waits for; it runs no
 * instruction any more (rule 2). Or the manager itself waits for the volume.
 */
export function whyVolumeHangs({ engine }: Pick<View, "engine">, now: Monotonic): string | undefined {
  const { killedAt, readingSince } = engine;
  if (killedAt !== undefined && now - killedAt >= unkillableAfterMilliseconds)
    return `mariadbd was killed ${Math.round((now - killedAt) / 1000)} s ago, and has not ended`;
  if (readingSince !== undefined && now - readingSince >= unreadableAfterMilliseconds)
    return `the volume could not be read in ${Math.round((now - readingSince) / 1000)} s`;
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

/** Neither the API server nor the bucket has answered a primary for so long: another is about to take over, and what is acknowledged here is lost then. Milliseconds. */
export const cutOffAfterMilliseconds = 1000;

/** Whether this primary can reach neither of those that could keep its writes. */
function isCutOff(view: View, now: Monotonic): boolean {
  const { bucket } = view;
  if (bucket?.failingSince === undefined || bucket.unconfirmed === 0) return false;
  return isUnheard(view, now) && now - bucket.failingSince >= cutOffAfterMilliseconds;
}

/** Whether what is acknowledged from now on could be kept (rule 7). */
export function decideWrites(view: View, holds: boolean, now: Monotonic): Decision["writes"] {
  const { engine, bucket, configuration } = view;
  if (!holds || !bucket || engine.role !== "primary" || engine.state !== "running") return undefined;
  if (!stillServes(view.handover)) return undefined;
  if (view.writesStopped) {
    return bucket.unconfirmed === 0 && bucket.failingSince === undefined ? { kind: "resume" } : undefined;
  }
  if (isCutOff(view, now))
    return { kind: "stop", why: `neither the API server nor the bucket answers; ${ageText(bucket)}` };
  if (configuration.onObjectStoreOutage === "continue" || !exceedsLoss(view)) return undefined;
  return { kind: "stop", why: lossText(bucket) };
}

/** Whether more could be lost with this node and its disk than the durability mode allows. */
export function exceedsLoss({ bucket, configuration }: View): boolean {
  if (!bucket) return false;
  if (configuration.durability === "commit")
    return bucket.failingSince !== undefined || bucket.unconfirmed > commitPatienceMilliseconds;
  return bucket.unconfirmed > configuration.maxDataLossSeconds * 1000;
}

/** What could be lost, for people. */
export function lossText(bucket: BucketView): string {
  return bucket.failingSince === undefined ? ageText(bucket) : `the bucket does not answer; ${ageText(bucket)}`;
}

function ageText({ unconfirmed }: BucketView): string {
  return `writes of the last ${(unconfirmed / 1000).toFixed(1)} s are not in the bucket`;
}

/** Alive is not healthy (rule 8): an engine that does not write is killed and resumed in place, under the same Lease. */
export function hangs({ canary, bucket }: View): EngineAction | undefined {
  const bucketIsWell = bucket?.failingSince === undefined && (bucket?.unconfirmed ?? 0) < commitPatienceMilliseconds;
  const why = canary && unansweredHang(canary, bucketIsWell);
  return why === undefined ? undefined : { kind: "kill", why, hung: true };
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
