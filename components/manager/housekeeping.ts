import { walGenerationsKept } from "./comparison";
import { Monotonic } from "./view";

/** Objects of a WAL are kept for so long after their generation was left, for a node that is reading its way through the bucket. Milliseconds. */
const keptFor = 10 * 60_000;
/** With more objects than this they go sooner: replicas read every one of them at each poll, and the engine's limit is 256. */
const manyObjects = 16;
/** Milliseconds. */
const keptForInHaste = 20_000;

/** What the bucket has of the WAL, and since when. */
export interface WalObjects {
  /** Generations in the bucket, by when this node first saw them there. */
  seen: ReadonlyMap<number, Monotonic>;
  /** The newest generation that the engine has uploaded after its flush. */
  lastUploaded: number;
  /** A generation of this primary's own epoch: engines pass over what earlier epochs have left. */
  ownFrom: number;
  /** Of the followers, the earliest generation that one has reached; Infinity: there are none. */
  slowest: number;
}

/**
 * Generations of the WAL whose objects no node needs any more: all that is in them is in SSTables, and in the bucket. To be asked only after a comparison of the volume with the bucket
 * that found nothing missing.
 */
export function obsoleteWalObjects({ seen, lastUploaded, ownFrom, slowest }: WalObjects, now: Monotonic): number[] {
  const least = seen.size > manyObjects ? keptForInHaste : keptFor;
  const isPassedOver = (generation: number) => generation < ownFrom && generation <= lastUploaded && slowest >= ownFrom;
  const isOld = (generation: number, since: Monotonic) =>
    generation < lastUploaded - walGenerationsKept && now - since >= least;
  return (
    [...seen]
      .filter(([generation, since]) => isPassedOver(generation) || isOld(generation, since))
      // A follower that has not seen a later generation yet may be reading it just now.
      .filter(([generation]) => generation < slowest)
      .map(([generation]) => generation)
      .sort((a, b) => a - b)
  );
}
