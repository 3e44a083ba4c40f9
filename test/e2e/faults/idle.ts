import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Deployment, roleOf } from "../deployment";
import { isReady, KubernetesObject } from "../kubernetes";

/** Milliseconds. */
const lookEveryMilliseconds = 5000;

interface Lease extends KubernetesObject {
  spec: { leaseTransitions: number };
}

/**
 * Leaves a healthy database alone and looks at it all the while: every pod stays what it is, ready, with the containers that it had, in the same epoch.
 * @returns how often it has looked
 * @throws Error with what has changed, and when
 */
export async function staysIdle(deployment: Deployment, seconds: number): Promise<number> {
  const { kubernetes, options } = deployment;
  const look = async () => {
    const pods = await deployment.pods();
    const lease = await kubernetes.get<Lease>("lease", options.name, options.namespace);
    const described = pods.map(pod => {
      const restarts = pod.status.containerStatuses?.map(({ restartCount }) => restartCount).join();
      const ready = isReady(pod) ? "ready" : "not ready";
      return `${pod.metadata.name} ${pod.metadata.uid} ${roleOf(pod)} ${ready} ${restarts} restarts`;
    });
    return [`epoch ${lease.spec.leaseTransitions}`, ...described];
  };
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const before = await look();
  for (let looks = 1; ; looks++) {
    if (elapsed() >= seconds) return looks;
    await pause(lookEveryMilliseconds);
    const now = await look();
    const changed = now.filter((line, i) => line !== before[i]);
    if (changed.length > 0)
      throw new Error(
        `after ${elapsed().toFixed(0)} s of ${seconds} s idle: ${changed.join("; ")}, before: ${before.join("; ")}`,
      );
  }
}
