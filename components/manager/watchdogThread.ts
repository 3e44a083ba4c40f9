import { Worker } from "node:worker_threads";
import { Log, Watchdog } from "./ports";
import { Monotonic } from "./view";

/** The deadline is exact to this. Milliseconds. Well below the Lease's margin. */
const checkEveryMilliseconds = 20;

/** Starts the watchdog thread from its file. The two sides share memory, so that neither needs the other's event loop. */
export function startWatchdog(file: string, log: Log): Watchdog {
  const buffer = new SharedArrayBuffer(16);
  const shared = new BigInt64Array(buffer);
  const worker = new Worker(file, {
    workerData: { buffer, checkEveryMilliseconds },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, codeRangeSizeMb: 2, stackSizeMb: 1 },
  });
  worker.on("message", pid => log("error", "the watchdog killed mariadbd at the deadline", { pid: pid as number }));
  const fail = (error: unknown) => {
    // Without it nothing ends a writer whose manager hangs: better no manager, which takes mariadbd with it.
    log("error", "the watchdog ended", { error: String(error) });
    process.exit(70);
  };
  worker.on("error", fail);
  worker.on("exit", code => fail(`exit code ${code}`));
  worker.unref();
  return {
    setDeadline(deadline: Monotonic) {
      Atomics.store(shared, 0, BigInt(Math.round(deadline * 1000)));
    },
    guard(pid: number) {
      Atomics.store(shared, 1, BigInt(pid));
    },
  };
}
