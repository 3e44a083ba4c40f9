import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket, StoreClock } from "../bucket/bucket";
import { FileRecord } from "../log/changes";
import { DatabaseState, LiveBlock, TableState } from "../log/state";
import { fileSum } from "./fileSum";
import { parseSstableFile, sstableFile, SstableFileName } from "../flush/sstableFile";
import { writeManifest } from "../flush/manifestFile";
import { syncFolder, walFileName, writeWal } from "../wal/files";
import { VolumeBook } from "./book";
import { configurationFor, numberMapText } from "./engineFiles";
import { fetchFile } from "./fetchFile";
import { fileName, KnownFile, KnownFiles, keyOf } from "./knownFiles";
import { Pace } from "./pace";

/** Milliseconds for one block that has an object of its own. */
const blockTimeout = 60_000;
/** Files that are fetched at a time. */
const fetches = 8;

export interface Alignment {
  /** Of the one WAL. */
  generation: number;
  /** Files that were fetched, and those that were there. */
  fetched: number;
  kept: number;
  removed: number;
}

/** What is brought to a position. */
interface Volume {
  /** The engine's data directory. */
  directory: string;
  state: DatabaseState;
  book: VolumeBook;
  /** What the book says, kept up with it. */
  known: KnownFiles;
  pace: Pace;
  /** Told of each file, and of each piece of one, that is known to be right. */
  progressed: () => void;
}

/** A file that a manifest names, by its path below the directory. */
interface WantedFile {
  path: string;
  file: FileRecord;
}

/**
 * Brings the engine's data directory to exactly one position of the log: the files that the manifests name and no others, configurations, number map, and one WAL of all blocks that no flush covers. No
 * engine runs on it meanwhile. What the book says is there is not read again; the rest is fetched.
 *
 * It can be interrupted at any point and started again: until the WAL is in place the directory has none, and an engine that were started on it would show the released files only. It goes by tables, so that
 * no step and nothing in memory is as large as the database.
 * @param follows whether the engine will follow, and not write
 * @param progressed told of each file, and of each piece of one, that is known to be right
 */
export async function align(
  bucket: Bucket,
  state: DatabaseState,
  directory: string,
  book: VolumeBook,
  clock: Pick<StoreClock, "sleep">,
  follows = false,
  progressed: () => void = () => undefined,
): Promise<Alignment> {
  await fs.mkdir(directory, { recursive: true });
  for (const name of await fs.readdir(directory)) {
    // One that was being made when this was broken off, too: an engine may take it for a WAL by its beginning.
    if (name.startsWith("uwal_")) await fs.rm(join(directory, name));
  }
  await syncFolder(directory);
  const tables = state.liveTables();
  const files = new Map(tables.map(({ name, files }) => [name, 2 * files.size]));
  const known = await book.read(folder => files.get(folder) ?? 0);
  const volume: Volume = { directory, state, book, known, progressed, pace: new Pace(clock) };
  const result: Alignment = { generation: Math.max(1, state.highestGeneration + 1), fetched: 0, kept: 0, removed: 0 };
  await moveKnown(volume);
  result.removed = await removeOthers(volume);
  for (const { name } of tables) await fs.mkdir(join(directory, name), { recursive: true });
  await inParallel(wantedFiles(tables), fetches, async wanted => {
    if (await isThere(volume, wanted)) result.kept++;
    else {
      await fetch(bucket, volume, wanted);
      result.fetched++;
    }
    progressed();
  });
  await inParallel(tables, fetches, async table => {
    await writeTable(directory, table, follows);
    progressed();
  });
  await writeDurably(join(directory, "UNIMAP"), numberMapText(state.tables.values()));
  await syncFolder(directory);
  await writeWal(join(directory, walFileName(result.generation)), blocks(bucket, state.blocksToReplay(), progressed));
  return result;
}

function* wantedFiles(tables: readonly TableState[]): Generator<WantedFile> {
  for (const { name, files } of tables)
    for (const { level, id, keys, values } of files.values()) {
      yield { path: join(name, sstableFile(level, id, "keys")), file: keys };
      yield { path: join(name, sstableFile(level, id, "values")), file: values };
    }
}

async function writeTable(directory: string, table: TableState, follows: boolean): Promise<void> {
  const folder = join(directory, table.name);
  const entries = [...table.files.manifest()];
  const nextId = entries.reduce((next, { id }) => Math.max(next, id + 1), table.nextId);
  const wrote = [await writeDurably(join(folder, "MANIFEST"), writeManifest({ entries, nextId }))];
  if (table.configuration) {
    const configuration = configurationFor(table.name, table.configuration, follows);
    wrote.push(await writeDurably(join(folder, "config.ini"), configuration));
  }
  if (wrote.includes(true)) await syncFolder(folder);
}

/** A file that is there under another name: a table was renamed, or a merge gave it a name that no reader looks for. */
async function moveKnown(volume: Volume): Promise<void> {
  const { directory, state, known, pace } = volume;
  for (const folder of known.folders()) {
    const names = new Set(await fs.readdir(join(directory, folder)).catch(() => []));
    for (const { name, object } of await pace.those(known.in(folder), file => !isInPlace(state, folder, file))) {
      if (!names.has(fileName(name))) continue;
      const path = join(folder, fileName(name));
      const key = keyOf(object);
      const place = placeOf(state, { name, object });
      if (place === undefined || isKnownAs(known, place, key)) continue;
      // Another's place was this one's, where tables have exchanged their names: what is here now is that one's file.
      if (!isKnownAs(known, path, key)) continue;
      await fs.mkdir(join(directory, place, ".."), { recursive: true });
      try {
        await fs.rename(join(directory, path), join(directory, place));
      } catch {
        continue;
      }
      await syncFolder(join(directory, place, ".."));
      await forget(volume, [path]);
      await note(volume, place, key);
    }
  }
}

/** Whether a file stands where the state has it. */
function isInPlace(state: DatabaseState, folder: string, { name, object }: KnownFile): boolean {
  const table = state.tables.get(object.table);
  return table?.name === folder && name.partition === undefined && table.files.isHalf(name, name.half, object);
}

/** Where the state has an object that the book has seen; undefined: nowhere. An object's SSTable keeps its number, on whichever level and under whichever name of its table. */
function placeOf(state: DatabaseState, { name, object }: KnownFile): string | undefined {
  const table = state.tables.get(object.table);
  const sstable = table?.files.ofNumber(name.id);
  if (!table || table.dropped || sstable?.[name.half].key !== keyOf(object)) return undefined;
  return join(table.name, sstableFile(sstable.level, sstable.id, name.half));
}

/** Everything in the data directory that the state does not name. */
async function removeOthers(volume: Volume): Promise<number> {
  const { directory, state, known, pace } = volume;
  const tables = new Map(state.liveTables().map(table => [table.name, table]));
  const folders = new Set(known.folders());
  let removed = 0;
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const table = tables.get(entry.name);
    if (!entry.isDirectory()) {
      // The engine's own lock and log stay.
      if (entry.name.startsWith("UNIMAP") || entry.name.startsWith("_tdb") || entry.name.includes(".tmp"))
        await fs.rm(path);
    } else if (!table) {
      await fs.rm(path, { recursive: true });
      removed++;
    } else {
      const isOther = (name: string) =>
        name !== "config.ini" && name !== "MANIFEST" && !isWanted(table, parseSstableFile(name));
      for (const name of await pace.those(await fs.readdir(path), isOther)) {
        await fs.rm(join(path, name), { recursive: true });
        removed++;
      }
      await forgetOthers(volume, entry.name, table);
      folders.delete(entry.name);
    }
  }
  for (const folder of folders) await forgetOthers(volume, folder, tables.get(folder));
  return removed;
}

/** What the book says of a folder's files that the state does not name. */
async function forgetOthers(volume: Volume, folder: string, table: TableState | undefined): Promise<void> {
  const { known, pace } = volume;
  const others = await pace.those(known.in(folder), ({ name }) => !isWanted(table, name));
  await forget(
    volume,
    others.map(({ name }) => join(folder, fileName(name))),
  );
}

/** Whether a table of this state has a file of this name. */
function isWanted(table: TableState | undefined, name: SstableFileName | undefined): boolean {
  return table !== undefined && name !== undefined && name.partition === undefined && table.files.has(name);
}

/** The book says so, and the size agrees; or it is not in the book and its content is right. */
async function isThere(volume: Volume, { path, file }: WantedFile): Promise<boolean> {
  const full = join(volume.directory, path);
  const size = await fs.stat(full).then(
    ({ size }) => size,
    () => undefined,
  );
  if (size !== file.size) return false;
  if (isKnownAs(volume.known, path, file.key)) return true;
  const sum = await fileSum(full, { sync: true, progressed: volume.progressed });
  if (sum.crc32 !== file.crc32) return false;
  await note(volume, path, file.key);
  return true;
}

async function fetch(bucket: Bucket, volume: Volume, { path, file }: WantedFile): Promise<void> {
  const full = join(volume.directory, path);
  const { progressed } = volume;
  const outcome = await fetchFile(bucket, file, full, { temporary: `${full}.fetching`, progressed });
  if (outcome === "missing") throw new Error(`${file.key}, which the log names, is not in the bucket`);
  if (outcome !== "placed") throw new Error(`${file.key} does not have the content that was uploaded`);
  await note(volume, path, file.key);
}

function isKnownAs(known: KnownFiles, path: string, key: string): boolean {
  const object = known.get(path);
  return object !== undefined && keyOf(object) === key;
}

/** A file is on the volume, synced. */
async function note({ known, book }: Volume, path: string, key: string): Promise<void> {
  known.set(path, key);
  await book.add(path, key);
}

async function forget({ known, book }: Volume, paths: readonly string[]): Promise<void> {
  for (const path of paths) known.delete(path);
  await book.forget(paths);
}

async function* blocks(
  bucket: Bucket,
  live: LiveBlock[],
  progressed: () => void,
): AsyncGenerator<{ data: Buffer; hash: number }> {
  for (const { data, hash, key } of live) {
    progressed();
    if (key === undefined) {
      yield { data, hash };
      continue;
    }
    const object = await bucket.get(key, blockTimeout);
    if (!object) throw new Error(`${key}, which the log names, is not in the bucket`);
    yield { data: object.content, hash };
  }
}

/** @returns false when the file has this content already */
async function writeDurably(path: string, content: string | Buffer): Promise<boolean> {
  const present = await fs.readFile(path).catch(() => undefined);
  if (present?.equals(Buffer.from(content))) return false;
  const temporary = `${path}.making`;
  await fs.writeFile(temporary, content, { flush: true });
  await fs.rename(temporary, path);
  return true;
}

async function inParallel<T>(items: Iterable<T>, count: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    for (let next = queue.next(); !next.done && !failed; next = queue.next())
      await work(next.value).catch((error: unknown) => {
        failed = true;
        throw error;
      });
  };
  // What goes on behind a failure would meet the next attempt.
  const ends = await Promise.allSettled(Array.from({ length: count }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
