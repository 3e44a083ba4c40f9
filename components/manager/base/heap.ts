import { performance } from "node:perf_hooks";
import { Log } from "./ports";

/** Collecting takes about 15 ms, in which nothing else runs: a thirtieth of the Lease's margin. Milliseconds. */
const collectEvery = 60_000;
/** A collection that takes longer is worth a line in the log. Milliseconds. */
const longCollection = 200;

/**
 * Collects the heap's garbage once a minute. By itself the old generation grows for hours, by 0.1 MB a minute, before it is collected for the first time: its limit follows the machine's
 * memory. Needs `node --expose-gc`; does nothing without.
 */
export function collectGarbage(log: Log): void {
  const { gc } = globalThis;
  if (!gc) return;
  const collect = () => {
    const started = performance.now();
    gc();
    const milliseconds = Math.round(performance.now() - started);
    if (milliseconds > longCollection) log("warning", "garbage collection took long", { milliseconds });
  };
  setInterval(collect, collectEvery).unref();
}
