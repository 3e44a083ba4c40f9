import { parseKlogName } from "../formats/sstable";
import { ColumnFamily, encodeFamilySettings } from "./columnFamily";
import { ReadOnlyReplica } from "./errors";
import { attempt } from "./lease";
import { Manifest } from "./manifest";
import { FamilySettings } from "./settings";
import type { EngineState } from "./state";

/** Says which column family the keys of a WAL belong to. */
const indexFile = "UNIMAP";

/** A node discovers so many column families in the bucket, in the order of the listing. Each table is one. */
export const mostDiscoveredFamilies = 256;

export function manifestFile(family: string): string {
  return `${family}/MANIFEST`;
}

function settingsFile(family: string): string {
  return `${family}/config.ini`;
}

/**
 * Makes a column family: of a new table, of one that the disk holds, or of one that was found in the bucket. Its manifest is read from the disk, but nothing that it
 * names is loaded here. config.ini and the manifest are sent at once, without an epoch, by a replica too: what another node has published meanwhile is overwritten.
 * @param recovering while the engine opens: a replica makes none later
 */
export async function createFamily(
  state: EngineState,
  name: string,
  settings: FamilySettings,
  recovering: boolean,
): Promise<ColumnFamily> {
  if (state.replicaMode && !recovering) throw new ReadOnlyReplica();
  const manifest = Manifest.decode(state.disk.read(manifestFile(name)));
  const present = filesOf(state, name).map(file => parseKlogName(file.slice(name.length + 1))?.level ?? 0);
  const { index, isNew } = resolveIndex(state, name);
  const family = new ColumnFamily(name, index, settings, manifest, Math.max(settings.minLevels, ...present));
  state.families.set(name, family);
  if (isNew) await persistIndexes(state);
  const plain = { generation: 0, epoch: 0, bytes: 0 };
  state.disk.write(settingsFile(name), encodeFamilySettings(name, settings));
  await state.uploader.send({ file: settingsFile(name), ...plain });
  state.disk.write(manifestFile(name), manifest.encode());
  await state.uploader.send({ file: manifestFile(name), ...plain });
  return family;
}

/** Drops a column family here and in the bucket. Other nodes keep what they have of it. */
export async function dropFamily(state: EngineState, family: ColumnFamily): Promise<void> {
  if (state.replicaMode) throw new ReadOnlyReplica();
  family.dropped = true;
  state.families.delete(family.name);
  state.familyIndexes.delete(family.name);
  await persistIndexes(state);
  state.disk.remove(family.name);
  const objects = (await attempt(state, () => state.store.list(`${family.name}/`))) ?? [];
  for (const { key } of objects) await attempt(state, () => state.store.delete(key));
}

/** Column families that have a manifest in the bucket. @returns undefined when the bucket did not answer, four times in a row */
export async function discoverFamilies(state: EngineState): Promise<string[] | undefined> {
  for (const wait of [50, 100, 200, 0]) {
    const objects = await attempt(state, () => state.store.list(""));
    if (objects) {
      const names = objects.map(({ key }) => key).filter(key => key.endsWith("/MANIFEST"));
      return names.slice(0, mostDiscoveredFamilies).map(key => key.slice(0, -"/MANIFEST".length));
    }
    await state.clock.sleep(wait);
  }
  return undefined;
}

/** Writes an object to the disk under its own name. @returns whether there was one and the bucket answered */
export async function download(state: EngineState, name: string): Promise<boolean> {
  const object = await attempt(state, () => state.store.get(name));
  if (object) state.disk.write(name, object.body);
  return object !== undefined;
}

/** Fetches what tells a column family's settings and SSTables. */
export async function downloadFamily(state: EngineState, name: string): Promise<void> {
  await download(state, settingsFile(name));
  await download(state, manifestFile(name));
}

/** What the disk says of a column family's settings. */
export function familySettingsOn(state: EngineState, name: string): Uint8Array | undefined {
  return state.disk.read(settingsFile(name));
}

/** Fetches the map of key prefixes. A node that opens keeps its own when it has one; a replica that polls takes the bucket's. */
export async function pullIndexes(state: EngineState, overwrite: boolean): Promise<void> {
  if (overwrite || state.disk.size(indexFile) === undefined) {
    const object = await attempt(state, () => state.store.get(indexFile));
    if (object && object.body === state.indexesReadFrom) return;
    if (object) state.disk.write(indexFile, object.body);
    state.indexesReadFrom = object?.body;
  }
  const content = state.disk.read(indexFile);
  if (!content) return;
  state.familyIndexes.clear();
  for (const line of Buffer.from(content).toString("utf8").split("\n")) {
    const [index, name] = line.split(" ");
    if (name) state.familyIndexes.set(name, Number(index));
  }
  // The index of a table that was dropped is given again, although this node may still keep that table.
  state.nextFamilyIndex = Math.max(0, ...[...state.familyIndexes.values()].map(i => i + 1));
}

export function filesOf(state: EngineState, family: string): string[] {
  return state.disk.list().filter(file => file.startsWith(`${family}/`));
}

function resolveIndex(state: EngineState, name: string): { index: number; isNew: boolean } {
  const known = state.familyIndexes.get(name);
  if (known !== undefined) return { index: known, isNew: false };
  const index = state.nextFamilyIndex++;
  state.familyIndexes.set(name, index);
  return { index, isNew: true };
}

/** A replica that does not know a column family's prefix makes one up, and sends its map over the primary's. */
async function persistIndexes(state: EngineState): Promise<void> {
  state.indexesReadFrom = undefined;
  const lines = [...state.familyIndexes].map(([name, index]) => `${index} ${name}\n`);
  state.disk.write(indexFile, Buffer.from(lines.join("")));
  await state.uploader.send({ file: indexFile, generation: 0, epoch: 0, bytes: 0 });
}
