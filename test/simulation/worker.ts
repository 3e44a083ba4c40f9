import { mutations } from "./mutations";
import { playSchedule } from "./schedule";

/** What the parent asks for: schedules to be played one after another. */
export interface Order {
  seeds: number[];
  /** The mutation's rule; undefined: all rules hold. */
  without: string | undefined;
  keepTimeline: boolean;
}

process.on("message", (order: Order) => {
  play(order).catch((error: unknown) => {
    console.error(error);
    process.exit(2);
  });
});

/** Answers each as soon as it was played, and "more" in the end. */
async function play({ seeds, without, keepTimeline }: Order): Promise<void> {
  const mutation = mutations.find(({ rule }) => rule === without);
  for (const seed of seeds) {
    process.send?.(await playSchedule(seed, { mutation, keepTimeline }));
    // Lets the answer out.
    await new Promise(resolve => setImmediate(resolve));
  }
  process.send?.("more");
}
