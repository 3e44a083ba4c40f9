import { Worker } from "node:worker_threads";
import { Log, Monotonic, Watchdog } from "../base/ports";

/** The thread sleeps until the deadline, and is woken when there is a nearer one. Should it miss that, it is late by this at most: less than the Lease's margin. Milliseconds. */
const longestWaitMilliseconds = 200;

/** Starts the watchdog thread from its file. The two sides share memory, so that neither needs the other's event loop. */
export function startWatchdog(file: string, log: Log): Watchdog {
  const buffer = new SharedArrayBuffer(24);
  const shared = new BigInt64Array(buffer, 0, 2);
  const changes = new Int32Array(buffer, 16, 1);
  const wake = () => {
    Atomics.add(changes, 0, 1);
    Atomics.notify(changes, 0);
  };
  const worker = new Worker(file, {
    workerData: { buffer, longestWaitMilliseconds },
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
      const microseconds = BigInt(Math.round(deadline * 1000));
      const before = Atomics.exchange(shared, 0, microseconds);
      if (microseconds < before) wake();
    },
    guard(pid: number) {
      Atomics.store(shared, 1, BigInt(pid));
      wake();
    },
  };
}
