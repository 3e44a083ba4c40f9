import { mutationOf } from "./mutations/all";
import { playSchedule, ScheduleResult } from "./schedule";
import { shapes } from "./shape";

/** What the parent asks for: schedules to be played one after another. */
export interface Order {
  seeds: number[];
  /** The mutation's rule; undefined: all rules hold. */
  without: string | undefined;
  keepTimeline: boolean;
  shape: string;
}

/** What a schedule has shown, and the processor's time that it took. */
export interface PlayedSchedule extends ScheduleResult {
  cpuSeconds: number;
}

process.on("message", (order: Order) => {
  play(order).catch((error: unknown) => {
    console.error(error);
    process.exit(2);
  });
});

/** The simulation itself has failed, which is nobody's merit. */
function failed(seed: number, error: unknown): ScheduleResult {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const nothing = { acknowledged: 0, lost: 0, longestOutageMilliseconds: 0, virtualSeconds: 0 };
  const violations = [`the simulation ended: ${why}`];
  return {
    seed,
    family: "",
    faults: [],
    violations,
    ...nothing,
    hash: "",
    timeline: [],
  };
}

/** Answers each as soon as it was played, and "more" in the end. */
async function play({ seeds, without, keepTimeline, shape }: Order): Promise<void> {
  const options = { mutation: mutationOf(without), keepTimeline, shape: shapes[shape] };
  for (const seed of seeds) {
    const before = process.cpuUsage();
    const result = await playSchedule(seed, options).catch((error: unknown) => failed(seed, error));
    const { user, system } = process.cpuUsage(before);
    process.send?.({ ...result, cpuSeconds: (user + system) / 1e6 } satisfies PlayedSchedule);
    // Lets the answer out.
    await new Promise(resolve => setImmediate(resolve));
  }
  process.send?.("more");
}
