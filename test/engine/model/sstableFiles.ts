import { encodeSstable, sstableName } from "../formats/sstable";
import { ColumnFamily } from "./columnFamily";
import { manifestFile } from "./families";
import { attempt, publishManifest } from "./lease";
import { Version } from "./memtable";
import { readSstable, Sstable } from "./sstable";
import type { EngineState } from "./state";

/** A file that is in the bucket but does not come is tried three times, with these waits between. Milliseconds. */
const downloadWaits = [50, 200];

/** The two files of an SSTable. */
export function sstableFiles(family: string, at: { level: number; id: number; partition?: number }): [string, string] {
  const base = `${family}/${sstableName(at.level, at.id, at.partition)}`;
  return [`${base}.klog`, `${base}.vlog`];
}

/** Writes a new SSTable and sends it; only then is it part of the tree. */
export async function writeSstable(
  state: EngineState,
  family: ColumnFamily,
  at: { level: number; partition?: number },
  rows: Map<string, Version>,
): Promise<void> {
  const id = family.nextSstableId++;
  const { klog, vlog } = encodeSstable(rows);
  const sstable: Sstable = { ...at, id, rows, lacksValues: false, bytes: klog.length + vlog.length };
  const [klogFile, vlogFile] = sstableFiles(family.name, sstable);
  state.disk.write(klogFile, klog);
  state.disk.write(vlogFile, vlog);
  await addToLevel(state, family, sstable);
  family.manifest.add({ level: at.level, id, entries: rows.size, bytes: sstable.bytes });
  await commitManifest(state, family);
}

/** Writes the manifest and publishes it. */
export async function commitManifest(state: EngineState, family: ColumnFamily): Promise<void> {
  if (family.dropped) return;
  family.manifest.sequence = family.nextSstableId;
  state.disk.write(manifestFile(family.name), family.manifest.encode());
  await publishManifest(state, family.name, manifestFile(family.name));
}

/** Whoever is not a replica sends an SSTable's files whenever it takes them into a level: at a flush, and at a start as primary each one that there is. */
export async function addToLevel(state: EngineState, family: ColumnFamily, sstable: Sstable): Promise<void> {
  if (!state.replicaMode) {
    for (const file of sstableFiles(family.name, sstable)) {
      await state.uploader.send({ file, generation: 0, epoch: 0, bytes: 0 });
    }
  }
  family.place(sstable);
}

/**
 * Loads an SSTable that a manifest names, by the plain name, whatever its files are called. What the bucket does not have is loaded as an empty file, which stays on
 * the disk and is taken for the real one from then on; a bucket that does not answer counts as one that does not have it.
 * @returns undefined when a file is in the bucket and cannot be fetched
 */
export async function loadNamedSstable(
  state: EngineState,
  family: ColumnFamily,
  at: { level: number; id: number },
): Promise<Sstable | undefined> {
  const files = sstableFiles(family.name, at);
  for (const file of files) if (!(await ensureFile(state, file))) return undefined;
  return loadSstable(state, family, at);
}

/** Loads an SSTable whose files are on the disk. */
export function loadSstable(
  state: EngineState,
  family: ColumnFamily,
  at: { level: number; id: number; partition?: number },
): Sstable {
  const [klog, vlog] = sstableFiles(family.name, at).map(file => state.disk.read(file) ?? new Uint8Array());
  return readSstable(at, klog!, vlog!);
}

/** Deletes an SSTable that is no part of its tree any more: here and in the bucket, whether this node is a replica or not. */
export async function deleteSstable(state: EngineState, family: ColumnFamily, sstable: Sstable): Promise<void> {
  for (const file of sstableFiles(family.name, sstable)) {
    await attempt(state, () => state.store.delete(file));
    state.disk.remove(file);
  }
}

async function ensureFile(state: EngineState, file: string): Promise<boolean> {
  if (state.disk.size(file) !== undefined) return true;
  const head = await attempt(state, () => state.store.head(file));
  if (!head) {
    state.disk.write(file, new Uint8Array());
    return true;
  }
  for (const wait of [...downloadWaits, 0]) {
    const object = await attempt(state, () => state.store.get(file));
    if (object) {
      state.disk.write(file, object.body);
      return true;
    }
    await state.clock.sleep(wait);
  }
  return false;
}
