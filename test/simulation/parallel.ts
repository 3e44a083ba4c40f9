import { ChildProcess, fork } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { usualShape } from "./shape";
import type { Order, PlayedSchedule } from "./worker";

/** Which schedules are to be played, and how. */
export interface Run {
  seeds: readonly number[];
  /** A mutation's rule. */
  without?: string;
  keepTimeline?: boolean;
  /** No further schedules are begun after one for which this is true. */
  isLast?: (result: PlayedSchedule) => boolean;
  /** Default: the usual one. */
  shape?: string;
  onResult: (result: PlayedSchedule) => void;
}

/** So many schedules are given to a worker at once. */
const batch = 10;
/** And so many where the first failure is what is looked for. */
const smallBatch = 2;
/** A schedule makes many objects that live shortly: a larger young generation saves a seventh of the time. */
const youngGeneration = "--max-semi-space-size=32";

/**
 * Processes that play schedules. Each schedule depends on its seed alone, so it makes no difference how many there are, but for the order of the results. They run a bundle: what tsx adds to each function that
 * is made would cost a third of the time. They stay for the next run: a process is twice as slow in its first twenty schedules.
 */
export class Players {
  private constructor(
    private readonly folder: string,
    private readonly children: readonly ChildProcess[],
  ) {}

  /** @param count of the processes */
  static start(count: number): Players {
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
    const options = { execArgv: ["--enable-source-maps", youngGeneration] };
    return new Players(
      folder,
      Array.from({ length: count }, () => fork(program, options)),
    );
  }

  /** Plays them all. @throws when a process has ended */
  async play(run: Run): Promise<void> {
    let next = 0;
    const order = (): Order => {
      const seeds = run.seeds.slice(next, next + (run.isLast ? smallBatch : batch));
      next += seeds.length;
      return { seeds, without: run.without, keepTimeline: run.keepTimeline ?? false, shape: run.shape ?? usualShape };
    };
    const playIn = (child: ChildProcess) =>
      new Promise<void>((resolve, reject) => {
        const ended = (code: number | null) => reject(new Error(`a worker ended with code ${code}`));
        const heard = (message: PlayedSchedule | "more") => {
          if (message !== "more") {
            run.onResult(message);
            if (run.isLast?.(message)) next = run.seeds.length;
            return;
          }
          if (next < run.seeds.length) return void child.send(order());
          child.off("message", heard).off("exit", ended);
          resolve();
        };
        child.on("message", heard).on("exit", ended);
        heard("more");
      });
    await Promise.all(this.children.map(playIn));
  }

  /** Ends the processes. */
  close(): void {
    for (const child of this.children) if (child.connected) child.disconnect();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
