import type { Random } from "./random";

/** How long and how dense schedules are, whatever is done in them. */
export interface Shape {
  /** Milliseconds between two writes of the client, of which a schedule draws one. */
  writeEvery: readonly number[];
  /** Of its writes so many are sent in one moment. */
  atOnce: readonly number[];
  /** Of a family's faults beside those that come first, so many at most. */
  mostFaults: number;
  /** Of a family's longest pause after a fault. */
  pauses: number;
  /** Milliseconds for which all is well before the database counts as healthy. */
  steadyFor: number;
  /** Milliseconds in which the last writes get to the replicas. */
  quiet: number;
  /** Of the looks after which followers are read. */
  judgedShare: number;
  /** Positions of the past that are opened in each schedule, beside the last one. */
  pastPositions: number;
}

/** `npm run simulate:mutations -- --measure --shape NAME` says how soon each notices what. */
export const shapes: Record<string, Shape> = {
  long: {
    writeEvery: [25, 60, 100, 100],
    atOnce: [1],
    mostFaults: 8,
    pauses: 1,
    steadyFor: 1500,
    quiet: 2500,
    judgedShare: 0.25,
    pastPositions: 3,
  },
  dense: {
    writeEvery: [40, 100, 150],
    atOnce: [1, 3, 5],
    mostFaults: 8,
    pauses: 0.5,
    steadyFor: 500,
    quiet: 1000,
    judgedShare: 0.25,
    pastPositions: 2,
  },
};

/** The one that CI plays. */
export const usualShape = "dense";

/** The number of a family's faults. */
export function faultsOf([least, most]: readonly [number, number], { mostFaults }: Shape, random: Random): number {
  const limit = Math.max(least, Math.min(most, mostFaults));
  return least + random.below(limit - least + 1);
}
