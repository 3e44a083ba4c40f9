import { engineFolder, engineObjects, isSuperseded, walGenerations, walGenerationsKept, walKey } from "./comparison";
import { Ports, StoredObject } from "./ports";

type Revived = Pick<Ports, "store" | "log">;

/** One call to the bucket. Milliseconds. */
const callTimeout = 1500;

/**
 * A promotion that fails after its engine has taken the engine's own lease leaves all manifests of an earlier epoch behind. A node that opens the bucket then passes them over, shows empty tables, and sends
 * empty manifests in their place. @returns how many there were
 */
export async function reviveManifests({ store, log }: Revived, objects?: StoredObject[]): Promise<number> {
  const current = await store.readEngineEpoch(callTimeout);
  let revived = 0;
  for (const { key } of objects ?? (await engineObjects(store, callTimeout))) {
    if (!key.endsWith("/MANIFEST")) continue;
    const epoch = await store.epochOf(engineFolder + key, callTimeout);
    if (!isSuperseded(epoch, current)) continue;
    // Without an epoch it is never passed over again.
    await store.stampEpoch(engineFolder + key, 0, callTimeout);
    log("warning", "restored a manifest of an earlier epoch", { key, epoch, current });
    revived++;
  }
  return revived;
}

/**
 * A promotion that died between its raise of the engine's epoch and its flush has left the last primary's WAL behind: the rows are in no table's file, and an engine that has not read them yet passes
 * over what is of an earlier epoch. It has left its trial write, too, under an earlier number: an engine that reads that first takes all else for older. One that got further has a newer generation of
 * its own epoch. Answers whether there was such a WAL.
 */
export async function reviveWal({ store, log }: Revived, objects: StoredObject[]): Promise<boolean> {
  const current = await store.readEngineEpoch(callTimeout);
  const generations = walGenerations(objects.map(({ key }) => key));
  const newest = Math.max(...generations);
  if (generations.length === 0 || !isSuperseded(await store.epochOf(walKey(newest), callTimeout), current))
    return false;
  const stale: number[] = [];
  for (const generation of generations.sort((a, b) => a - b)) {
    const epoch = await store.epochOf(walKey(generation), callTimeout);
    if (isSuperseded(epoch, current)) stale.push(generation);
    else if (epoch > 0) await store.delete(walKey(generation), callTimeout);
  }
  // The oldest first: rows of a generation that comes after a later one are passed over.
  for (const generation of stale.filter(generation => generation >= newest - walGenerationsKept))
    await store.stampEpoch(walKey(generation), current, callTimeout);
  log("warning", "restored the WAL of an epoch whose promotion died", { newest, current });
  return true;
}
