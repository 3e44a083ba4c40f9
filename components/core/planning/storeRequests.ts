import type { Durability } from "../managerConfiguration";
import type { CostLine } from "./cost";
import { type DescribedResource, numberAt, textAt } from "./describedResource";
import { logStoreLines } from "./logStore";
import { hoursPerMonth, s3Request } from "./prices";

const secondsPerMonth = hoursPerMonth * 3600;

/**
 * What a replica asks of the store at each poll: one listing, two small objects, and every WAL object there is (24 requests a poll were measured with 21 of them).
 */
export const readsPerPoll = { fixed: 2, perWalObject: 1 } as const;

/** WAL objects that housekeeping leaves in the bucket while there are writes, as measured. */
const walObjects = 12;

/**
 * How often a primary that is written to all the time uploads its WAL and asks for its size: ten times a second it looks whether the WAL has grown; with every
 * commit, of which it does some twenty a second, as measured with 30 ms to the store; by volume, which is no matter of time.
 */
const walUploadsPerSecond: Record<Durability, number> = { interval: 10, commit: 20, threshold: 0 };

/** What the managers ask each second beside the engines, as `npm run benchmark` counts it without load; the primary lists the definitions of tables every 10 s, and everything every 30 s, a request for each thousand objects. */
const byManagers = { readsOfPrimary: 2.2, readsOfReplica: 0.1, listings: 1 / 10 + 1 / 30 } as const;

/** What a Database does when nothing else is said. Its arguments are read, and not the configuration that the pods get: that one is unknown while the bucket's name is. */
export const assumedOfDatabase = { replicas: 2, durability: "interval", replicaSyncIntervalMilliseconds: 100 } as const;

/**
 * The requests of the databases of a plan, under steady writes: replicas poll whether anything happens or not, and what they ask costs more than what is stored.
 */
export function storeRequestLines(resources: readonly DescribedResource[]): CostLine[] {
  return resources.filter(({ type }) => type === "tidesql:index:Database").flatMap(linesOf);
}

function linesOf(database: DescribedResource): CostLine[] {
  const replicas = numberAt(database, "replicas") ?? assumedOfDatabase.replicas;
  if (textAt(database, "store") === "log") return logStoreLines(database, replicas);
  if (replicas === 0) return [];
  const milliseconds =
    numberAt(database, "replicaSyncIntervalMilliseconds") ?? assumedOfDatabase.replicaSyncIntervalMilliseconds;
  const durability = (textAt(database, "durability") ?? assumedOfDatabase.durability) as Durability;
  const polls = (replicas * secondsPerMonth) / (milliseconds / 1000);
  const uploadsPerSecond = walUploadsPerSecond[durability];
  const reads = readsPerPoll.fixed + readsPerPoll.perWalObject * walObjects;
  const upload = s3Request.write + s3Request.read;
  const uploads = `S3 WAL uploads, ${uploadsPerSecond}/s while there are writes`;
  const lines = [
    millions(`S3 listings by replicas, every ${milliseconds / 1000} s`, polls, s3Request.write),
    millions(`S3 reads by replicas, ${reads} a poll`, polls * reads, s3Request.read),
    millions(uploads, uploadsPerSecond * secondsPerMonth, upload),
    millions(
      "S3 reads by the managers",
      (byManagers.readsOfPrimary + byManagers.readsOfReplica * replicas) * secondsPerMonth,
      s3Request.read,
    ),
    millions("S3 listings by the primary's manager", byManagers.listings * secondsPerMonth, s3Request.write),
  ];
  return lines.filter(({ quantity }) => quantity > 0);
}

function millions(what: string, requests: number, dollarsEach: number): CostLine {
  return { what, quantity: requests / 1e6, unit: "million", dollarsEach: dollarsEach * 1e6, isEstimate: true };
}
