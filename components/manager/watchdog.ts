import { parentPort, workerData } from "node:worker_threads";

/**
 * The thread that ends a writer at its deadline, also when the manager's main loop is blocked (rule 2). It shares two numbers with the manager and needs nothing else:
 * no message has to be received, no lock taken. Bundled as a program of its own, so that it costs a few MB only.
 */
const { buffer, checkEveryMilliseconds } = workerData as { buffer: SharedArrayBuffer; checkEveryMilliseconds: number };
/** [0]: deadline in microseconds of process.hrtime. [1]: PID to kill, 0 for none. */
const shared = new BigInt64Array(buffer);
const wakeUp = new Int32Array(new SharedArrayBuffer(4));

for (;;) {
  const pid = Number(Atomics.load(shared, 1));
  if (pid > 0 && process.hrtime.bigint() / 1000n >= Atomics.load(shared, 0)) {
    try {
      process.kill(pid, "SIGKILL");
      parentPort?.postMessage(pid);
    } catch {
      // The process is gone already.
    }
    Atomics.compareExchange(shared, 1, BigInt(pid), 0n);
  }
  Atomics.wait(wakeUp, 0, 0, checkEveryMilliseconds);
}
