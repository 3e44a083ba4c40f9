import { Clock, Log, Monotonic } from "./ports";

/** Work that runs beside the tick: one at a time per lane, so that no action overtakes itself. */
export class Lanes {
  private readonly busy = new Set<string>();
  private readonly lastRun = new Map<string, Monotonic>();

  /** @param settled called when work has ended, well or not */
  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly settled: (lane: string, succeeded: boolean) => void,
  ) {}

  isBusy(...lanes: string[]): boolean {
    return lanes.some(lane => this.busy.has(lane));
  }

  /** Counts as a run that has begun now. */
  ran(lane: string): void {
    this.lastRun.set(lane, this.clock.now());
  }

  /** Runs `work` unless its lane is busy. */
  run(lane: string, work: () => Promise<void>): void {
    if (this.busy.has(lane)) return;
    this.busy.add(lane);
    work()
      .then(
        () => true,
        (error: unknown) => {
          this.log("warning", `${lane} failed`, { error: text(error) });
          return false;
        },
      )
      .then(succeeded => {
        this.busy.delete(lane);
        this.settled(lane, succeeded);
      })
      .catch((error: unknown) => this.log("error", "a tick failed", { lane, error: text(error) }));
  }

  /** Runs `work` when its last run began at least `interval` milliseconds ago and has ended. */
  every(interval: number, lane: string, work: () => Promise<void>): void {
    const now = this.clock.now();
    if (this.busy.has(lane) || now - (this.lastRun.get(lane) ?? -Infinity) < interval) return;
    this.lastRun.set(lane, now);
    this.run(lane, work);
  }
}

/** An error as one line for the log. */
export function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
