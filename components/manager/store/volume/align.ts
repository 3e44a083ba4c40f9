import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket } from "../bucket/bucket";
import { DatabaseState, LiveBlock, TableState } from "../log/state";
import { FileRecord } from "../log/changes";
import { sstableFile } from "../flush/sstableFile";
import { writeManifest } from "../flush/manifestFile";
import { syncFolder, walFileName, writeWal } from "../wal/files";
import { VolumeBook } from "./book";
import { fileSum } from "./fileSum";
import { configurationFor, numberMapText } from "./engineFiles";

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

/**
 * Brings the engine's data directory to exactly one position of the log: the files that the manifests name and no others, configurations, number map, and one WAL of all blocks that no flush covers. No
 * engine runs on it meanwhile. What the book says is there is not read again; the rest is fetched.
 *
 * It can be interrupted at any point and started again: until the WAL is in place the directory has none, and an engine that were started on it would show the released files only.
 */
export async function align(
  bucket: Bucket,
  state: DatabaseState,
  directory: string,
  book: VolumeBook,
): Promise<Alignment> {
  await fs.mkdir(directory, { recursive: true });
  for (const name of await fs.readdir(directory)) {
    // One that was being made when this was broken off, too: an engine may take it for a WAL by its beginning.
    if (name.startsWith("uwal_")) await fs.rm(join(directory, name));
  }
  await syncFolder(directory);
  const wanted = new Map<string, FileRecord>();
  for (const table of state.liveTables()) {
    for (const { level, id, keys, values } of table.files.values()) {
      wanted.set(join(table.name, sstableFile(level, id, "keys")), keys);
      wanted.set(join(table.name, sstableFile(level, id, "values")), values);
    }
  }
  const result: Alignment = { generation: Math.max(1, state.highestGeneration + 1), fetched: 0, kept: 0, removed: 0 };
  await moveKnown(directory, wanted, book);
  result.removed = await removeOthers(state, directory, wanted, book);
  for (const table of state.liveTables()) await fs.mkdir(join(directory, table.name), { recursive: true });
  await inParallel([...wanted], fetches, async ([path, file]) => {
    if (await isThere(directory, path, file, book)) result.kept++;
    else {
      await fetch(bucket, directory, path, file, book);
      result.fetched++;
    }
  });
  await inParallel(state.liveTables(), fetches, table => writeTable(directory, table));
  await writeDurably(join(directory, "UNIMAP"), numberMapText(state.tables.values()));
  await syncFolder(directory);
  await writeWal(join(directory, walFileName(result.generation)), blocks(bucket, state.blocksToReplay()));
  return result;
}

async function writeTable(directory: string, table: TableState): Promise<void> {
  const folder = join(directory, table.name);
  const entries = [...table.files.values()].map(({ level, id, entries, bytes }) => ({ level, id, entries, bytes }));
  const nextId = entries.reduce((next, { id }) => Math.max(next, id + 1), table.nextId);
  const wrote = [await writeDurably(join(folder, "MANIFEST"), writeManifest({ entries, nextId }))];
  if (table.configuration)
    wrote.push(await writeDurably(join(folder, "config.ini"), configurationFor(table.name, table.configuration)));
  if (wrote.includes(true)) await syncFolder(folder);
}

/** A file that is there under another name: a table was renamed, or a merge gave it a name that no reader looks for. */
async function moveKnown(directory: string, wanted: Map<string, FileRecord>, book: VolumeBook): Promise<void> {
  const places = new Map([...wanted].map(([path, { key }]) => [key, path]));
  for (const [path, file] of [...book.entries()]) {
    const place = places.get(file.key);
    if (place === undefined || place === path || book.get(place)?.key === file.key) continue;
    // Another's place was this one's, where tables have exchanged their names: what is here now is that one's file.
    if (book.get(path)?.key !== file.key) continue;
    await fs.mkdir(join(directory, place, ".."), { recursive: true });
    try {
      await fs.rename(join(directory, path), join(directory, place));
    } catch {
      continue;
    }
    await syncFolder(join(directory, place, ".."));
    await book.remove(path);
    await book.add(place, file);
  }
}

/** Everything in the data directory that the state does not name. */
async function removeOthers(
  state: DatabaseState,
  directory: string,
  wanted: Map<string, FileRecord>,
  book: VolumeBook,
): Promise<number> {
  const tables = new Set(state.liveTables().map(({ name }) => name));
  let removed = 0;
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) {
      // The engine's own lock and log stay.
      if (entry.name.startsWith("UNIMAP") || entry.name.startsWith("_tdb") || entry.name.includes(".tmp"))
        await fs.rm(path);
    } else if (!tables.has(entry.name)) {
      await fs.rm(path, { recursive: true });
      removed++;
    } else {
      for (const name of await fs.readdir(path)) {
        if (wanted.has(join(entry.name, name)) || name === "config.ini" || name === "MANIFEST") continue;
        await fs.rm(join(path, name), { recursive: true });
        removed++;
      }
    }
  }
  for (const [path] of [...book.entries()]) if (!wanted.has(path)) await book.remove(path);
  return removed;
}

/** The book says so, and the size agrees; or it is not in the book and its content is right. */
async function isThere(directory: string, path: string, file: FileRecord, book: VolumeBook): Promise<boolean> {
  const full = join(directory, path);
  const size = await fs.stat(full).then(
    ({ size }) => size,
    () => undefined,
  );
  const known = book.get(path);
  if (size !== file.size) return false;
  if (known?.key === file.key) return true;
  const sum = await fileSum(full, { sync: true });
  if (sum.crc32 !== file.crc32) return false;
  await book.add(path, file);
  return true;
}

async function fetch(
  bucket: Bucket,
  directory: string,
  path: string,
  file: FileRecord,
  book: VolumeBook,
): Promise<void> {
  const full = join(directory, path);
  const temporary = `${full}.fetching`;
  const sum = await bucket.getFile(file.key, temporary);
  if (!sum) throw new Error(`${file.key}, which the log names, is not in the bucket`);
  if (sum.size !== file.size || sum.crc32 !== file.crc32) {
    await fs.rm(temporary);
    throw new Error(`${file.key} does not have the content that was uploaded`);
  }
  await fs.rename(temporary, full);
  await syncFolder(join(full, ".."));
  await book.add(path, file);
}

async function* blocks(bucket: Bucket, live: LiveBlock[]): AsyncGenerator<{ data: Buffer; hash: number }> {
  for (const { data, hash, key } of live) {
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

async function inParallel<T>(items: T[], count: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
