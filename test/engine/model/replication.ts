import { ColumnFamily, decodeFamilySettings } from "./columnFamily";
import {
  createFamily,
  discoverFamilies,
  downloadFamily,
  familySettingsOn,
  manifestFile,
  pullIndexes,
} from "./families";
import { attempt, leaseEpoch } from "./lease";
import { Manifest } from "./manifest";
import { addToLevel, deleteSstable, loadNamedSstable } from "./sstableFiles";
import type { EngineState } from "./state";
import { walGenerationOf, walName } from "../formats/writeAheadLog";

/** A replica reads so many WAL objects, the first in the order of their keys: `uwal_10.log` comes before `uwal_2.log`. */
const mostWalObjects = 256;

/** What a replica does every `tidesdb_replica_sync_interval`. */
export async function pollBucket(state: EngineState): Promise<void> {
  const epoch = await leaseEpoch(state);
  await syncManifests(state, epoch);
  await replayRemoteWals(state, epoch);
}

/** Makes the trees what the bucket's manifests say. Manifests of an epoch before `epoch` are a superseded primary's and are passed over. */
export async function syncManifests(state: EngineState, epoch: number): Promise<void> {
  await discoverNewFamilies(state);
  state.seenEpoch = Math.max(state.seenEpoch, epoch);
  for (const family of state.families.values()) {
    const file = manifestFile(family.name);
    const head = await attempt(state, () => state.store.head(file));
    if (isStale(head?.metadata.epoch, epoch)) continue;
    const object = await attempt(state, () => state.store.get(file));
    if (object) await applyManifest(state, family, Manifest.peek(object.body));
  }
}

/**
 * Replays the bucket's WALs into the memtable, in the order of their generations. What is older than the newest that this node has seen, in a WAL or in any SSTable,
 * is passed over: so when a generation's end arrives after the next one's beginning it is not replayed any more, and older versions stay in the memtable, where point
 * reads find them first. Nothing of it is written to this node's own WAL.
 */
export async function replayRemoteWals(
  state: EngineState,
  epoch: number,
  skipsUnpolled: (name: string, etag: string) => boolean = () => false,
): Promise<void> {
  const names = await discoverWals(state);
  const newest = names.at(-1);
  if (newest === undefined) return;
  state.walGeneration = Math.max(state.walGeneration, walGenerationOf(newest) ?? 0);
  let highest = state.nextSequence - 1;
  const seenBefore = state.polledWalEnds;
  state.polledWalEnds = new Map(seenBefore);
  for (const name of names) {
    const head = await attempt(state, () => state.store.head(name));
    if (isStale(head?.metadata.epoch, epoch)) continue;
    const object = await attempt(state, () => state.store.get(name));
    if (!object || (name === newest && skipsUnpolled(name, object.etag))) continue;
    const records = state.walReader.read(name, object.body);
    // An empty node has nothing older in its memtable that could stay.
    const seen = seenBefore ? (seenBefore.get(name) ?? 0) : Infinity;
    // What was read before is older than the newest by now, or in the memtable.
    const before = state.replayedRecords.get(name);
    let last = seenBefore?.get(name) ?? 0;
    for (let i = before?.records === records ? before.count : 0; i < records.length; i++) {
      const { sequence, writes } = records[i]!;
      last = Math.max(last, sequence);
      if (sequence >= highest) {
        for (const [family, key, value] of writes) state.active.put(family, key, { sequence, value, replayed: true });
        highest = sequence;
      } else if (sequence > seen) for (const [family, key] of writes) state.overtaken.add(overtakenRow(family, key));
    }
    state.replayedRecords.set(name, { records, count: records.length });
    state.polledWalEnds.set(name, last);
    state.polledWalEtags.set(name, object.etag);
  }
  state.nextSequence = Math.max(state.nextSequence, highest + 1);
}

/** How a row is named in {@link EngineState.overtaken}. */
export function overtakenRow(family: number, key: string): string {
  return `${family} ${key}`;
}

/** An object without an epoch was written before any lease, or by a node that holds none, and counts as current. */
export function isStale(objectEpoch: string | undefined, epoch: number): boolean {
  const own = Number(objectEpoch ?? 0);
  return own !== 0 && own < epoch;
}

async function discoverWals(state: EngineState): Promise<string[]> {
  for (const wait of [50, 100, 200, 0]) {
    const objects = await attempt(state, () => state.store.list("uwal_"));
    if (objects) {
      const generations = objects.map(({ key }) => walGenerationOf(key)).filter(generation => generation !== undefined);
      return generations
        .slice(0, mostWalObjects)
        .sort((a, b) => a - b)
        .map(walName);
    }
    await state.clock.sleep(wait);
  }
  return [];
}

/**
 * A column family that the primary has made since. The SSTables that its manifest names already are taken for loaded, so their rows are never seen: that is how a
 * node that started right after a promotion, when all manifests were of the old epoch, sees tables as empty. While the column family is made the node counts as a
 * primary.
 */
async function discoverNewFamilies(state: EngineState): Promise<void> {
  const names = await discoverFamilies(state);
  if (!names) return;
  await pullIndexes(state, true);
  for (const name of names) {
    if (state.families.has(name)) continue;
    await downloadFamily(state, name);
    const wasReplica = state.replicaMode;
    state.replicaMode = false;
    try {
      await createFamily(state, name, decodeFamilySettings(familySettingsOn(state, name)), false);
    } finally {
      if (wasReplica) state.replicaMode = true;
    }
  }
}

/** What the manifest does not name any more is deleted, in the bucket too. */
async function applyManifest(state: EngineState, family: ColumnFamily, remote: Manifest): Promise<void> {
  for (const entry of remote.entries.values()) {
    if (family.manifest.has(entry.level, entry.id) || entry.level > family.levels.length) continue;
    const sstable = await loadNamedSstable(state, family, { level: entry.level, id: entry.id });
    if (!sstable) continue;
    await addToLevel(state, family, sstable);
    family.manifest.add(entry);
  }
  for (const entry of [...family.manifest.entries.values()]) {
    if (remote.has(entry.level, entry.id)) continue;
    const gone = family.level(entry.level).filter(({ id }) => id === entry.id);
    for (const sstable of gone) {
      family.remove(sstable);
      await deleteSstable(state, family, sstable);
    }
    family.manifest.remove(entry.level, entry.id);
  }
}
