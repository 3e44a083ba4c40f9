import type { CostLine } from "./cost";
import { type DescribedResource, numberAt, textAt } from "./describedResource";
import { hoursPerMonth, monthly, s3Request } from "./prices";

const secondsPerMonth = hoursPerMonth * 3600;

/** What is written to a database whose writes nobody knows yet: 50 rows of 200 bytes a second. Bytes a second. */
const assumedWrites = 10_000;
/** How often a byte that is written comes into the bucket: in the log, and in the files of a flush and of two merges. */
const amplification = { log: 1, files: 3 } as const;
/** Entries a second under steady writes: one each 0.5 s in `interval` (`shipEvery` of writerDuties.ts); with every commit, or for all that wait, in `commit`. */
export const entriesPerSecond = { interval: 2, commit: 20 } as const;
/** What managers ask of the bucket without a client, as counted in ten minutes of three of them (docs/store.md): the primary 143 writes and 17 reads, a follower 4 and 308. Requests a second. */
export const idleRequests = {
  primary: { writes: 143 / 600, reads: 17 / 600 },
  follower: { writes: 4 / 600, reads: 308 / 600 },
} as const;
/** What goes out of the history stays in a versioned bucket for so long, when nothing else is said. Days. */
const assumedVersionDays = 7;

/** What a Database does when nothing else is said. Its arguments are read, and not the configuration that the pods get: that one is unknown while the bucket's name is. */
export const assumedOfDatabase = {
  replicas: 2,
  durability: "interval",
  history: { everyPositionHours: 24, dailyCheckpointDays: 7 },
} as const;

/** Requests, history and versions of the databases of a plan. Under steady writes: without any, {@link idleDollars} are left of the requests. */
export function bucketUseLines(resources: readonly DescribedResource[]): CostLine[] {
  const databases = resources.filter(({ type }) => type === "tidesql:index:Database");
  const versionDays = keptVersionDays(resources);
  return databases.flatMap(database => linesOf(database, versionDays));
}

function linesOf(database: DescribedResource, versionDays: number): CostLine[] {
  const { history } = assumedOfDatabase;
  const replicas = numberAt(database, "replicas") ?? assumedOfDatabase.replicas;
  const hours = numberAt(database, "history", "everyPositionHours") ?? history.everyPositionHours;
  const days = numberAt(database, "history", "dailyCheckpointDays") ?? history.dailyCheckpointDays;
  const entries = entriesPerSecond[textAt(database, "durability") === "commit" ? "commit" : "interval"];
  const perDay = (assumedWrites * 86_400) / 1e9;
  // Everything that was written in these hours; and of each single day the files that were replaced since.
  const everyPosition = (perDay * (amplification.log + amplification.files) * hours) / 24;
  const daily = perDay * amplification.files * days;
  const versions = perDay * (amplification.log + amplification.files) * versionDays;
  const at = `at ${assumedWrites / 1000} kB/s of writes`;
  return [
    stored(`S3 history of ${hours} h${days > 0 ? ` and ${days} daily checkpoints` : ""}, ${at}`, everyPosition + daily),
    ...(versions > 0 ? [stored(`S3 versions of what history gave up, ${versionDays} days, ${at}`, versions)] : []),
    millions(`S3 log entries, ${entries}/s while there are writes`, entries, s3Request.write),
    millions("S3 reads by managers", readsPerSecond(replicas), s3Request.read),
  ];
}

/** What the requests of a database cost in a month that nobody writes to: its primary writes a row itself every 5 s. US dollars. */
export function idleDollars(replicas: number): number {
  const { primary, follower } = idleRequests;
  const writesPerSecond = primary.writes + replicas * follower.writes;
  return secondsPerMonth * (writesPerSecond * s3Request.write + readsPerSecond(replicas) * s3Request.read);
}

function readsPerSecond(replicas: number): number {
  return idleRequests.primary.reads + replicas * idleRequests.follower.reads;
}

/** For how many days the buckets of a plan keep what was deleted: the longest, and 0 where none is versioned. */
function keptVersionDays(resources: readonly DescribedResource[]): number {
  const isVersioned = resources.some(
    resource =>
      /^aws:s3\/bucketVersioning/.test(resource.type) &&
      textAt(resource, "versioningConfiguration", "status") === "Enabled",
  );
  if (!isVersioned) return 0;
  const days = resources
    .filter(({ type }) => /^aws:s3\/bucketLifecycleConfiguration/.test(type))
    .map(resource => numberAt(resource, "rules", "noncurrentVersionExpiration", "noncurrentDays"))
    .filter(found => found !== undefined);
  return days.length > 0 ? Math.max(...days) : assumedVersionDays;
}

function stored(what: string, gigabytes: number): CostLine {
  return { what, quantity: gigabytes, unit: "GB", dollarsEach: monthly.s3PerGigabyte, isEstimate: true };
}

function millions(what: string, perSecond: number, dollarsEach: number): CostLine {
  const quantity = (perSecond * secondsPerMonth) / 1e6;
  return { what, quantity, unit: "million", dollarsEach: dollarsEach * 1e6, isEstimate: true };
}
