import { parseKlogName } from "../formats/sstable";
import { ColumnFamily, decodeFamilySettings } from "./columnFamily";
import {
  createFamily,
  discoverFamilies,
  downloadFamily,
  familySettingsOn,
  filesOf,
  manifestFile,
  pullIndexes,
} from "./families";
import { attempt, leaseEpoch, proveConditionalWrites } from "./lease";
import { Environment } from "./ports";
import { isStale, replayRemoteWals } from "./replication";
import { defaultFamilySettings, EngineSettings } from "./settings";
import { addToLevel, loadNamedSstable, loadSstable, sstableFiles } from "./sstableFiles";
import { EngineState, schemaFamilyName } from "./state";
import { emptyWal, walGenerationOf, walName } from "../formats/writeAheadLog";

/** Opens the engine on its disk and its bucket. */
export async function openState(environment: Environment, settings: EngineSettings): Promise<EngineState> {
  const { disk } = environment;
  const generation = newestGeneration(disk.list()) ?? 0;
  const wal = walName(generation);
  if (disk.size(wal) === undefined) disk.write(wal, emptyWal);
  const state = new EngineState(environment, settings, { generation, wal });
  if (!state.replicaMode) state.fencing = await proveConditionalWrites(state);
  await pullIndexes(state, false);

  const coldStart = familiesOn(state).length === 0;
  await downloadManifests(state);
  for (const name of familiesOn(state)) {
    const family = await createFamily(state, name, decodeFamilySettings(familySettingsOn(state, name)), true);
    await recoverSstables(state, family);
    state.nextSequence = Math.max(state.nextSequence, family.maxSequence() + 1);
  }
  recoverWals(state);
  // Into the memory only: this node's own WAL, of the same name perhaps, goes over the one that holds the data with its first commit.
  if (coldStart) await replayRemoteWals(state, await leaseEpoch(state));
  if (!state.replicaMode && !state.families.has(schemaFamilyName))
    await createFamily(state, schemaFamilyName, defaultFamilySettings, true);
  state.syncThreadRuns = state.replicaMode;
  return state;
}

function newestGeneration(files: string[]): number | undefined {
  const generations = files.map(walGenerationOf).filter(generation => generation !== undefined);
  return generations.length === 0 ? undefined : Math.max(...generations);
}

/** Column families that have a folder on the disk. */
function familiesOn(state: EngineState): string[] {
  const folders = state.disk.list().filter(file => file.includes("/"));
  return [...new Set(folders.map(file => file.slice(0, file.indexOf("/"))))].sort();
}

/** The bucket's manifests replace the disk's: SSTables that a node had flushed but not published are deleted after that. Those of a superseded primary are left out. */
async function downloadManifests(state: EngineState): Promise<void> {
  const objects = await discoverFamilies(state);
  if (!objects) return;
  const epoch = await leaseEpoch(state);
  state.seenEpoch = Math.max(state.seenEpoch, epoch);
  await Promise.all(
    objects.map(async name => {
      const head = await attempt(state, () => state.store.head(manifestFile(name)));
      if (!isStale(head?.metadata.epoch, epoch)) await downloadFamily(state, name);
    }),
  );
}

/**
 * Loads the SSTables that are on the disk. Only when there is not a single one, those that the manifest names are fetched: one file on the disk is enough for all
 * the others not to be looked for.
 */
async function recoverSstables(state: EngineState, family: ColumnFamily): Promise<void> {
  const klogs = filesOf(state, family.name).filter(file => file.endsWith(".klog"));
  for (const file of klogs) {
    const at = parseKlogName(file.slice(family.name.length + 1));
    if (!at) continue;
    if (family.manifest.has(at.level, at.id)) await addToLevel(state, family, loadSstable(state, family, at));
    else for (const orphan of sstableFiles(family.name, at)) state.disk.remove(orphan);
  }
  if (klogs.length > 0) return;
  for (const { level, id } of family.manifest.entries.values()) {
    while (family.levels.length < level) family.levels.push([]);
    const sstable = await loadNamedSstable(state, family, { level, id });
    if (sstable) await addToLevel(state, family, sstable);
  }
}

/**
 * Replays this disk's WALs, all of them, over whatever the SSTables hold: a WAL that was flushed long ago and never deleted puts old versions into the memtable,
 * where point reads find them first. All but the newest are deleted then, although their rows are in memory only.
 */
function recoverWals(state: EngineState): void {
  const generations = state.disk
    .list()
    .map(walGenerationOf)
    .filter(generation => generation !== undefined);
  for (const generation of generations.sort((a, b) => a - b)) {
    const name = walName(generation);
    for (const { sequence, writes } of state.walReader.read(name, state.disk.read(name) ?? emptyWal)) {
      for (const [family, key, value] of writes) state.active.put(family, key, { sequence, value, replayed: true });
      state.nextSequence = Math.max(state.nextSequence, sequence + 1);
    }
    if (generation !== state.active.generation) state.disk.remove(name);
  }
}
