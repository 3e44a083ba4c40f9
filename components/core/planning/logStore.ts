import type { CostLine } from "./cost";
import { type DescribedResource, numberAt, textAt } from "./describedResource";
import { hoursPerMonth, monthly, s3Request } from "./prices";

const secondsPerMonth = hoursPerMonth * 3600;

/** What is written to a database whose writes nobody knows yet: some 50 rows of a kilobyte a second. Bytes a second. */
const assumedWrites = 50_000;
/** How often a byte that is written comes into the bucket: in the log, and in the files of a flush and of two merges. */
const amplification = { log: 1, files: 3 } as const;
/** Entries a second under steady writes: one each 0.2 s in `interval`; with every commit, or for all that wait, in `commit`. */
const entriesPerSecond = { interval: 5, commit: 20 } as const;
/** Reads of the bucket a second by a follower that its writer tells of each entry, as measured in ten minutes without a client (docs/store.md). */
const readsOfFollower = 0.5;

/** What is kept when nothing else is said. */
export const assumedHistory = { everyPositionHours: 24, dailyCheckpointDays: 7 } as const;

/** Requests and history of a database with store `log`, under steady writes. */
export function logStoreLines(database: DescribedResource, replicas: number): CostLine[] {
  const hours = numberAt(database, "history", "everyPositionHours") ?? assumedHistory.everyPositionHours;
  const days = numberAt(database, "history", "dailyCheckpointDays") ?? assumedHistory.dailyCheckpointDays;
  const entries = entriesPerSecond[textAt(database, "durability") === "commit" ? "commit" : "interval"];
  const perDay = (assumedWrites * 86_400) / 1e9;
  // Everything that was written in these hours; and of each single day the files that were replaced since.
  const everyPosition = (perDay * (amplification.log + amplification.files) * hours) / 24;
  const daily = perDay * amplification.files * days;
  const kept = `${hours} h${days > 0 ? ` and ${days} daily checkpoints` : ""}`;
  return [
    {
      what: `S3 history of ${kept}, at ${assumedWrites / 1000} kB/s of writes`,
      quantity: everyPosition + daily,
      unit: "GB",
      dollarsEach: monthly.s3PerGigabyte,
      isEstimate: true,
    },
    millions(`S3 log entries, ${entries}/s while there are writes`, entries, s3Request.write),
    ...(replicas > 0 ? [millions("S3 reads by replicas", replicas * readsOfFollower, s3Request.read)] : []),
  ];
}

function millions(what: string, perSecond: number, dollarsEach: number): CostLine {
  const quantity = (perSecond * secondsPerMonth) / 1e6;
  return { what, quantity, unit: "million", dollarsEach: dollarsEach * 1e6, isEstimate: true };
}
