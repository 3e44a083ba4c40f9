import { isWithoutContent } from "./inventory";
import { folderOf, foldersOf, orphans } from "./orphans";
import { LocalFile, Store, StoredObject, WalFile } from "./ports";

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

/** What a node had of others when it was promoted, and need not be in the bucket: manifests that were not the bucket's, by name, with their MD5, and folders of tables that were dropped. */
export type Inherited = ReadonlyMap<string, string>;

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
 * be what the bucket holds: a follower's engine writes none down of those that it follows. Where it was the bucket's then, it is held to it: a replica that starts while the bucket fails may empty it. And a replica keeps the files of a table that its primary has dropped: sent
 * to the bucket, they would bring it back.
 * @param objects keys relative to the engine's folder in the bucket
 * @param inherited of this node's promotion, by {@link inheritedFiles}
 */
export function missingInBucket(
  files: LocalFile[],
  objects: StoredObject[],
  inherited: Inherited = new Map(),
): MissingObject[] {
  const stored = new Map(objects.map(object => [object.key, object]));
  // After a clean stop the files may not tell any more: the first WAL stays on the disk.
  const activeWal = highestWalGeneration([...files.map(({ name }) => name), ...stored.keys()]);
  // The engine made these itself, of objects that it did not find.
  const empty = new Set(
    files.filter(({ name, size }) => name.endsWith(".klog") && isWithoutContent(size)).map(({ name }) => name),
  );
  const missing: MissingObject[] = [];
  for (const file of files) {
    if (isDropped(file.name, inherited) || empty.has(file.name.replace(/vlog$/, "klog"))) continue;
    const generation = walGeneration(file.name);
    if (generation !== undefined && (generation < (activeWal ?? 0) - walGenerationsKept || file.size <= emptyWalBytes))
      continue;
    const object = stored.get(file.name);
    const missingBytes = object === undefined ? file.size : Math.max(0, file.size - object.size);
    if (fingerprint(file) === inherited.get(file.name)) continue;
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

/** The WAL generations among names of the engine's files or objects. */
export function walGenerations(names: readonly string[]): number[] {
  return names.map(walGeneration).filter(generation => generation !== undefined);
}

export function newestWal(files: readonly WalFile[]): WalFile | undefined {
  return files.reduce<WalFile | undefined>(
    (last, file) => (last === undefined || file.generation > last.generation ? file : last),
    undefined,
  );
}

/** The key of a WAL object, below the deployment's prefix. */
export function walKey(generation: number): string {
  return `${engineFolder}uwal_${generation}.log`;
}

/** Whether engines pass over an object for its epoch. One without an epoch (0) counts as current. */
export function isSuperseded(epoch: number, current: number): boolean {
  return epoch > 0 && epoch < current;
}

export function highestWalGeneration(names: string[]): number | undefined {
  const generations = walGenerations(names);
  return generations.length === 0 ? undefined : Math.max(...generations);
}

/** The WALs among names of files but for the newest. */
export function olderWals(names: string[]): string[] {
  const newest = highestWalGeneration(names);
  return names.filter(name => {
    const generation = walGeneration(name);
    return generation !== undefined && generation !== newest;
  });
}

/** The ETag of an object that was sent in one piece is its MD5; others carry a dash or come from an encrypted bucket's own scheme. */
function isMd5(etag: string): boolean {
  return /^[0-9a-f]{32}$/.test(etag);
}

/**
 * What {@link missingInBucket} is not to ask of a follower that was promoted just now: the manifests as they are, and the folders of tables that were dropped, which are those without a definition that
 * have nothing in the bucket.
 * @param tables the folders of all tables that are defined
 */
export function inheritedFiles(
  files: LocalFile[],
  objects: StoredObject[],
  tables: readonly string[],
): Map<string, string> {
  const inBucket = foldersOf(
    objects.filter(({ key, size }) => key.endsWith(".klog") && !isWithoutContent(size)).map(({ key }) => key),
  );
  const folders = foldersOf(files.map(({ name }) => name));
  const dropped = [...orphans(folders, [...tables, ...inBucket])].map(folder => [folder, ""] as const);
  const manifests = files.filter(({ name }) => name.endsWith("/MANIFEST"));
  const stored = new Map(objects.map(object => [object.key, object]));
  // What the bucket holds itself is the truth, and to be held to.
  const own = manifests.filter(file => file.md5 === undefined || file.md5 !== stored.get(file.name)?.etag);
  return new Map([...dropped, ...own.map(file => [file.name, fingerprint(file)] as const)]);
}

/** What a last primary that was resumed still has of tables that were dropped: all else of its volume is the truth, changed or not. */
export function droppedOf(inherited: Inherited): Map<string, string> {
  return new Map([...inherited].filter(([name]) => folderOf(name) === undefined));
}

/** Whether a file belongs to a table that was dropped before this node was promoted. */
export function isDropped(name: string, inherited: Inherited): boolean {
  return inherited.has(folderOf(name) ?? "");
}

/** Without those whose table is defined again by now. */
export function withoutRevived(inherited: Inherited, tables: readonly string[]): Inherited {
  const folders = [...inherited.keys()].filter(name => folderOf(name) === undefined);
  const dropped = orphans(folders, tables);
  return new Map([...inherited].filter(([name]) => folderOf(name) !== undefined || dropped.has(name)));
}

function fingerprint({ md5, size }: LocalFile): string {
  return md5 ?? String(size);
}
