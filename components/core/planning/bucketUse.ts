import type { CostLine } from "./cost";
import { type DescribedResource, numberAt, textAt } from "./describedResource";
import { hoursPerMonth, monthly, s3Request } from "./prices";

const secondsPerMonth = hoursPerMonth * 3600;

/** How much the databases of a plan are used. */
export interface Usage {
  /** Rows written a second, each committed by itself. Default 50. */
  rowsPerSecond: number;
  /** Of a row, with its keys. Bytes. Default 200. */
  rowBytes: number;
  /** Data in the bucket. GB. Default 100, what the default volume holds. */
  storedGigabytes: number;
}

/** Of a database whose use nobody knows yet. */
export const assumedUsage: Readonly<Usage> = { rowsPerSecond: 50, rowBytes: 200, storedGigabytes: 100 };

/** How often a byte that is written comes into the bucket: in the log, and in the files of a flush and of two merges. */
const amplification = { log: 1, files: 3 } as const;
/** In `interval` an entry is due so often (`shipEvery` of walShipping.ts), and when it has so many bytes (`shipAtBytes`). Seconds, bytes. */
export const intervalEntries = { seconds: 0.5, bytes: 1024 * 1024 } as const;
/** What an append to S3 takes: in `commit` those who come meanwhile share the next one. Seconds. */
const appendSeconds = 0.03;
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
export function bucketUseLines(resources: readonly DescribedResource[], usage: Usage): CostLine[] {
  const databases = resources.filter(({ type }) => type === "tidesql:index:Database");
  const versionDays = keptVersionDays(resources);
  return databases.flatMap(database => linesOf(database, versionDays, usage));
}

function linesOf(database: DescribedResource, versionDays: number, usage: Usage): CostLine[] {
  const { history } = assumedOfDatabase;
  const replicas = numberAt(database, "replicas") ?? assumedOfDatabase.replicas;
  const hours = numberAt(database, "history", "everyPositionHours") ?? history.everyPositionHours;
  const days = numberAt(database, "history", "dailyCheckpointDays") ?? history.dailyCheckpointDays;
  const entries = Math.max(entriesPerSecond(textAt(database, "durability"), usage), idleWritesPerSecond(replicas));
  const writes = usage.rowsPerSecond * usage.rowBytes;
  const perDay = (writes * 86_400) / 1e9;
  // Everything that was written in these hours; and of each single day the files that were replaced since.
  const everyPosition = (perDay * (amplification.log + amplification.files) * hours) / 24;
  const daily = perDay * amplification.files * days;
  const versions = perDay * (amplification.log + amplification.files) * versionDays;
  const at = `at ${rounded(writes / 1000)} kB/s of writes`;
  return [
    stored(`S3 history of ${hours} h${days > 0 ? ` and ${days} daily checkpoints` : ""}, ${at}`, everyPosition + daily),
    ...(versions > 0 ? [stored(`S3 versions of what history gave up, ${versionDays} days, ${at}`, versions)] : []),
    millions(`S3 log entries, ${rounded(entries)}/s while there are writes`, entries, s3Request.write),
    millions("S3 reads by managers", readsPerSecond(replicas), s3Request.read),
  ];
}

/** What the requests of a database cost in a month that nobody writes to: its primary writes a row itself every 5 s. US dollars. */
export function idleDollars(replicas: number): number {
  return (
    secondsPerMonth * (idleWritesPerSecond(replicas) * s3Request.write + readsPerSecond(replicas) * s3Request.read)
  );
}

/** Under steady writes. In `interval` one each 0.5 s, or each 512 KiB; in `commit` one for each row, or for all rows that wait. */
export function entriesPerSecond(durability: string | undefined, { rowsPerSecond, rowBytes }: Usage): number {
  if (durability === "commit") return rowsPerSecond / (1 + rowsPerSecond * appendSeconds);
  return Math.max(
    Math.min(rowsPerSecond, 1 / intervalEntries.seconds),
    (rowsPerSecond * rowBytes) / intervalEntries.bytes,
  );
}

function idleWritesPerSecond(replicas: number): number {
  return idleRequests.primary.writes + replicas * idleRequests.follower.writes;
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

function rounded(number: number): number {
  return Number(number.toPrecision(2));
}

function stored(what: string, gigabytes: number): CostLine {
  return { what, quantity: gigabytes, unit: "GB", dollarsEach: monthly.s3PerGigabyte, isEstimate: true };
}

function millions(what: string, perSecond: number, dollarsEach: number): CostLine {
  const quantity = (perSecond * secondsPerMonth) / 1e6;
  return { what, quantity, unit: "million", dollarsEach: dollarsEach * 1e6, isEstimate: true };
}
