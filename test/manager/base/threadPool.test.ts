import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildSync } from "esbuild";
import { poolThreads, widenThreadPool } from "../../../components/manager/base/threadPool";

const manager = join(__dirname, "../../../components/manager");

/** A process in which as many calls wait for a volume as may do so at a time, and which then does what a manager does beside. A pipe without a writer stands for the volume. */
const program = `
import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { widenThreadPool } from "${manager}/base/threadPool";
import { startWatchdog } from "${manager}/cluster/watchdogThread";

async function main() {
  widenThreadPool(process.env);
  const [, , pipe, watchdogFile] = process.argv;
  for (let i = 0; i < 28; i++) void open(pipe, "r");
  await new Promise(resolve => setTimeout(resolve, 50));
  await lookup("localhost");
  await readFile(__filename);
  const watchdog = startWatchdog(watchdogFile, () => undefined);
  const writer = spawn("sleep", ["60"], { stdio: "ignore" });
  watchdog.guard(writer.pid);
  const [, signal] = await once(writer, "exit");
  process.stdout.write(signal);
  process.kill(process.pid, "SIGKILL");
}
void main();
`;

describe("the pool of threads", () => {
  const folder = mkdtempSync(join(tmpdir(), "pool-"));
  after(() => rmSync(folder, { recursive: true }));

  it("is wide enough that a volume that hangs stops neither look-ups of names nor other files nor the watchdog", async function () {
    this.timeout(30_000);
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const source = join(folder, "main.ts");
    writeFileSync(source, program);
    const build = (from: string, to: string) =>
      buildSync({ entryPoints: [from], outfile: join(folder, to), bundle: true, platform: "node" });
    build(source, "main.js");
    build(join(manager, "watchdog.ts"), "watchdog.js");
    const environment = { ...process.env };
    delete environment.UV_THREADPOOL_SIZE;
    const ended = await promisify(execFile)(
      process.execPath,
      [join(folder, "main.js"), pipe, join(folder, "watchdog.js")],
      {
        env: environment,
        timeout: 20_000,
        killSignal: "SIGKILL",
      },
    ).catch((error: { stdout: string }) => error);
    assert.equal(ended.stdout, "SIGKILL");
  });

  it("keeps what was set from outside", () => {
    const environment: NodeJS.ProcessEnv = { UV_THREADPOOL_SIZE: "9" };
    widenThreadPool(environment);
    assert.equal(environment.UV_THREADPOOL_SIZE, "9");
    const empty: NodeJS.ProcessEnv = {};
    widenThreadPool(empty);
    assert.equal(empty.UV_THREADPOOL_SIZE, String(poolThreads));
  });
});
