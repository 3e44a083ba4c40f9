import { performance } from "node:perf_hooks";
import { Log } from "./ports";

/** Collecting takes about 10 ms, in which nothing else runs: a fortieth of the Lease's margin. Milliseconds. */
const collectEvery = 60_000;
/** The same is done earlier where so much has been added to the heap, and to what stands beside it, since the last time: it is looked at this often. Bytes, and milliseconds. */
const growthBound = 3 * 1024 * 1024;
const lookEvery = 1000;
/** A collection that takes longer is worth a line in the log. Milliseconds. */
const longCollection = 200;

/**
 * Collects the heap's garbage once a minute, and after a few megabytes of it. By itself the old generation grows for hours, by 0.1 MB a minute without load, before it is collected for the first time: its limit
 * follows the machine's memory. Needs `node --expose-gc`; does nothing without.
 * @returns what ends that
 */
export function collectGarbage(log: Log): () => void {
  const { gc } = globalThis;
  if (!gc) return () => undefined;
  let [collectedAt, left] = [performance.now(), held()];
  const timer = setInterval(() => {
    const started = performance.now();
    if (started - collectedAt < collectEvery && held() - left < growthBound) return;
    gc();
    [collectedAt, left] = [performance.now(), held()];
    const milliseconds = Math.round(collectedAt - started);
    if (milliseconds > longCollection) log("warning", "garbage collection took long", { milliseconds });
  }, lookEvery);
  timer.unref();
  return () => clearInterval(timer);
}

/** Bytes of objects, living or not, and of the memory that they stand for. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
