import { LocalFile, StoredObject } from "./ports";

/** A WAL without an entry is this long. Bytes. It says nothing, so nothing is missed without it. */
const emptyWalBytes = 8;

/** One file that is not, or not whole, in the bucket. */
export interface MissingObject {
  name: string;
  missingBytes: number;
}

/**
 * What the bucket lacks of this node's data: the only way to know what would be lost with the disk, since the engine's counters leave out uploads that it has parked.
 * Of the WAL only the generations count whose content is in no SSTable yet: the active one, which is the highest.
 * @param objects keys relative to the engine's folder in the bucket
 */
export function missingInBucket(files: LocalFile[], objects: StoredObject[]): MissingObject[] {
  const stored = new Map(objects.map(object => [object.key, object]));
  const activeWal = highestWalGeneration(files.map(file => file.name));
  const missing: MissingObject[] = [];
  for (const file of files) {
    const generation = walGeneration(file.name);
    if (generation !== undefined && (generation < (activeWal ?? 0) || file.size <= emptyWalBytes)) continue;
    const object = stored.get(file.name);
    const missingBytes = object === undefined ? file.size : Math.max(0, file.size - object.size);
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
