import { ChildProcess, fork } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { buildSync } from "esbuild";
import type { ScheduleResult } from "./schedule";
import type { Order } from "./worker";

/** Which schedules are to be played, and how. */
export interface Run {
  firstSeed: number;
  schedules: number;
  workers: number;
  /** A mutation's rule. */
  without?: string;
  keepTimeline?: boolean;
  /** No further schedules are begun after one that breaks a promise. */
  stopAtFirst?: boolean;
  onResult: (result: ScheduleResult) => void;
}

/** So many schedules are given to a worker at once. */
const batch = 10;
/** A schedule makes many objects that live shortly: a larger young generation saves a seventh of the time. */
const youngGeneration = "--max-semi-space-size=32";
/** And so many where the first failure is what is looked for. */
const smallBatch = 3;

/**
 * Plays schedules in several processes. Each schedule depends on its seed alone, so it makes no difference how many there are, but for the order of the results. The
 * workers run a bundle: what tsx adds to each function that is made would cost a third of the time.
 */
export async function playInWorkers(run: Run): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "simulation-"));
  const program = path.join(folder, "worker.js");
  buildSync({
    entryPoints: [path.join(__dirname, "worker.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    target: "node22",
    sourcemap: "inline",
    logLevel: "error",
  });
  let next = run.firstSeed;
  const end = run.firstSeed + run.schedules;
  const order = (): Order => {
    const seeds = Array.from(
      { length: Math.min(run.stopAtFirst ? smallBatch : batch, end - next) },
      (_, i) => next + i,
    );
    next += seeds.length;
    return { seeds, without: run.without, keepTimeline: run.keepTimeline ?? false };
  };
  const worker = () =>
    new Promise<void>((resolve, reject) => {
      const child: ChildProcess = fork(program, { execArgv: ["--enable-source-maps", youngGeneration] });
      let isDone = false;
      child.on("message", (message: ScheduleResult | "more") => {
        if (message !== "more") {
          run.onResult(message);
          if (run.stopAtFirst && message.violations.length > 0) next = end;
          return;
        }
        if (next < end) return void child.send(order());
        isDone = true;
        child.disconnect();
      });
      child.on("exit", code => (isDone ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
      child.send(order());
    });
  try {
    await Promise.all(Array.from({ length: Math.min(run.workers, Math.ceil(run.schedules / batch)) }, worker));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
