import { walGenerationsKept } from "./comparison";
import { Monotonic } from "./view";

/** Objects of a WAL are kept for so long after their generation was left, for a node that is reading its way through the bucket. Milliseconds. */
const keptFor = 10 * 60_000;
/** With more objects than this they go sooner: replicas read every one of them at each poll, and the engine's limit is 256. */
const manyObjects = 16;
/** Milliseconds. */
const keptForInHaste = 20_000;

/**
 * Generations of the WAL whose objects no node needs any more: all that is in them is in SSTables, and in the bucket. To be asked only after a comparison of the volume with the bucket
 * that found nothing missing.
 * @param seen generations in the bucket, by when this node first saw them there
 * @param lastUploaded the newest generation that the engine has uploaded after its flush
 */
export function obsoleteWalObjects(
  seen: ReadonlyMap<number, Monotonic>,
  lastUploaded: number,
  now: Monotonic,
): number[] {
  const least = seen.size > manyObjects ? keptForInHaste : keptFor;
  return [...seen]
    .filter(([generation, since]) => generation < lastUploaded - walGenerationsKept && now - since >= least)
    .map(([generation]) => generation)
    .sort((a, b) => a - b);
}
