import { LocalFile, Store, StoredObject } from "./ports";

/** A WAL without an entry is this long. Bytes. It says nothing, so nothing is missed without it. */
export const emptyWalBytes = 8;

/** Generations of the WAL behind the newest one that may be needed still: their objects are kept. */
export const walGenerationsKept = 8;

/** The engine's folder, below the deployment's prefix. */
export const engineFolder = "data/";

/** The engine's objects, named as its files are. */
export async function engineObjects(store: Pick<Store, "list">, timeoutMilliseconds: number): Promise<StoredObject[]> {
  const objects = await store.list(timeoutMilliseconds, engineFolder);
  return objects.map(object => ({ ...object, key: object.key.slice(engineFolder.length) }));
}

/** MD5 of files by name. */
export type StoredSum = ReadonlyMap<string, string>;

/** One file that is not, or not whole, in the bucket. */
export interface MissingObject {
  name: string;
  missingBytes: number;
}

/**
 * What the bucket lacks of this node's data: the only way to know what would be lost with the disk, since the engine's counters leave out uploads that it has parked.
 * Of the WAL the newest generations count: one that was left may not be in SSTables yet. Older ones are, and their objects may have been deleted.
 *
 * A manifest is published whole after each flush of its table, and not tried again when that fails. One that has not changed since this node was promoted was not flushed, and need not
 * be what the bucket holds: a replica writes its own.
 * @param objects keys relative to the engine's folder in the bucket
 * @param manifestsAtPromotion MD5 by name, as they were when this node had been promoted
 */
export function missingInBucket(
  files: LocalFile[],
  objects: StoredObject[],
  manifestsAtPromotion: StoredSum = new Map(),
): MissingObject[] {
  const stored = new Map(objects.map(object => [object.key, object]));
  const activeWal = highestWalGeneration(files.map(file => file.name));
  const missing: MissingObject[] = [];
  for (const file of files) {
    const generation = walGeneration(file.name);
    if (generation !== undefined && (generation < (activeWal ?? 0) - walGenerationsKept || file.size <= emptyWalBytes))
      continue;
    const object = stored.get(file.name);
    const missingBytes = object === undefined ? file.size : Math.max(0, file.size - object.size);
    if (file.md5 !== undefined && file.md5 === manifestsAtPromotion.get(file.name)) continue;
    const differs = object !== undefined && file.md5 !== undefined && isMd5(object.etag) && object.etag !== file.md5;
    if (object === undefined || missingBytes > 0 || differs) missing.push({ name: file.name, missingBytes });
  }
  return missing;
}

/** Generation of a WAL file or object (`uwal_7.log` is 7), undefined for any other name. */
export function walGeneration(name: string): number | undefined {
  const match = /^uwal_(\d+)\.log$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

export function highestWalGeneration(names: string[]): number | undefined {
  const generations = names.map(walGeneration).filter(generation => generation !== undefined);
  return generations.length === 0 ? undefined : Math.max(...generations);
}

/** The ETag of an object that was sent in one piece is its MD5; others carry a dash or come from an encrypted bucket's own scheme. */
function isMd5(etag: string): boolean {
  return /^[0-9a-f]{32}$/.test(etag);
}

/** The manifests among the files, as {@link missingInBucket} wants to know them. */
export function manifestSums(files: LocalFile[]): Map<string, string> {
  return new Map(
    files.flatMap(({ name, md5 }) => (md5 === undefined || !name.endsWith("MANIFEST") ? [] : [[name, md5] as const])),
  );
}
