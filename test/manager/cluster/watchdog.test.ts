import * as assert from "node:assert/strict";
import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { after, afterEach, before, describe, it } from "mocha";
import { systemClock } from "../../../components/manager/base/clock";
import { startWatchdog } from "../../../components/manager/cluster/watchdogThread";
import { Watchdog } from "../../../components/manager/base/ports";

describe("the watchdog", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "watchdog-"));
  let watchdog: Watchdog;
  let writer: ChildProcess;

  before(() => {
    const outfile = path.join(directory, "watchdog.js");
    const entryPoints = [path.join(__dirname, "../../../components/manager/watchdog.ts")];
    buildSync({ entryPoints, outfile, bundle: true, platform: "node" });
    watchdog = startWatchdog(outfile, () => undefined);
  });
  afterEach(() => writer.kill("SIGKILL"));
  after(() => rmSync(directory, { recursive: true }));

  /** Blocks this process's event loop, as a long garbage collection or a synchronous loop would. */
  function block(milliseconds: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  }

  function startWriter(): number {
    writer = spawn("sleep", ["60"], { stdio: "ignore" });
    return writer.pid ?? assert.fail("no process");
  }

  it("kills the writer at its deadline while the main loop is blocked", async () => {
    watchdog.setDeadline(systemClock.now() + 200);
    const pid = startWriter();
    watchdog.guard(pid);
    const exited = once(writer, "exit");
    block(1000);
    // The process has ended during the block; only the news of it has to wait for the loop.
    assert.match(readFileSync(`/proc/${pid}/stat`, "utf8"), /\) Z /);
    const [, signal] = (await exited) as [number | null, string];
    assert.equal(signal, "SIGKILL");
  });

  it("leaves a writer alone whose deadline keeps moving, and one that it does not guard", async () => {
    // First, as the manager does it: the test before has left a deadline that is over.
    watchdog.setDeadline(systemClock.now() + 2000);
    watchdog.guard(startWriter());
    // For longer than one deadline, in steps far below it: a busy machine oversleeps.
    for (const until = systemClock.now() + 2500; systemClock.now() < until;) {
      watchdog.setDeadline(systemClock.now() + 2000);
      await systemClock.sleep(50);
    }
    watchdog.guard(0);
    watchdog.setDeadline(0);
    block(100);
    await systemClock.sleep(1);
    assert.equal(writer.exitCode, null);
    assert.equal(writer.signalCode, null);
  });

  it("kills without delay when the deadline moves nearer while the main loop is blocked", async () => {
    watchdog.setDeadline(systemClock.now() + 10_000);
    const pid = startWriter();
    watchdog.guard(pid);
    await systemClock.sleep(20);
    watchdog.setDeadline(0);
    block(100);
    assert.match(readFileSync(`/proc/${pid}/stat`, "utf8"), /\) Z /);
  });

  it("kills at once what it is told to guard without a deadline in the future", async () => {
    watchdog.setDeadline(0);
    watchdog.guard(startWriter());
    const [, signal] = (await once(writer, "exit")) as [number | null, string];
    assert.equal(signal, "SIGKILL");
  });
});
