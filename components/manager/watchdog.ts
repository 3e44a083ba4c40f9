import { parentPort, workerData } from "node:worker_threads";

/**
 * The thread that ends a writer at its deadline, also when the manager's main loop is blocked (rule 2). It shares a few numbers with the manager and needs nothing else:
 * no message has to be received, no lock taken. Bundled as a program of its own, so that it costs a few MB only.
 */
const { buffer, longestWaitMilliseconds } = workerData as {
  buffer: SharedArrayBuffer;
  longestWaitMilliseconds: number;
};
/** [0]: deadline in microseconds of process.hrtime. [1]: PID to kill, 0 for none. */
const shared = new BigInt64Array(buffer, 0, 2);
/** [0]: raised and notified at each change that cannot wait for the deadline that was. */
const changes = new Int32Array(buffer, 16, 1);

// What starting a thread leaves behind is 2 MB that nothing would ever collect: the loop allocates too little.
globalThis.gc?.({ type: "major", flavor: "last-resort" });

for (;;) {
  // Read first: a change that comes after this ends the wait below at once.
  const seen = Atomics.load(changes, 0);
  const pid = Number(Atomics.load(shared, 1));
  const left = pid > 0 ? Number(Atomics.load(shared, 0) - process.hrtime.bigint() / 1000n) / 1000 : Infinity;
  if (left > 0) {
    Atomics.wait(changes, 0, seen, Math.min(left, longestWaitMilliseconds));
    continue;
  }
  // The process and the deadline may have been read on two sides of a change.
  if (Atomics.load(changes, 0) !== seen) continue;
  try {
    process.kill(pid, "SIGKILL");
    parentPort?.postMessage(pid);
  } catch {
    // The process is gone already.
  }
  Atomics.compareExchange(shared, 1, BigInt(pid), 0n);
}
