import * as fs from "node:fs/promises";
import { join } from "node:path";
import { RestorableBucket } from "./bucket/bucket";
import { readCheckpoint } from "./log/checkpoint";
import { entryKey } from "./log/keys";
import { sizesBelow } from "./log/listing";
import { CheckpointPointer, ForeignPrefix, LogOwner, readOwner } from "./log/owner";
import { objectsOf } from "./log/namedObjects";
import { isNeeded } from "./log/retired";
import { DatabaseState, TableState } from "./log/state";
import { LogReader } from "./log/tail";
import { sstableFile } from "./flush/sstableFile";
import { readBook } from "./volume/book";
import { fileSum } from "./volume/fileSum";
import { keyOf } from "./volume/knownFiles";

/** Milliseconds that a small request may take. */
const timeout = 10_000;
/** Problems that are told one by one. */
const mostProblems = 50;

/** What a check has found. */
export interface CheckReport {
  databaseId: string;
  /** Where the log ended. */
  epoch: number;
  position: number;
  /** The first position that was read. */
  from: number;
  entries: { read: number; bytes: number; seals: number };
  /** Those that were compared with what the entries make, and those of single days, which were read. */
  checkpoints: { compared: number; read: number };
  /** Everything that a kept position names. */
  objects: { named: number; bytes: number };
  /** What nothing names: what dead writers have sent, and what is being sent now. Not a problem. */
  unnamed: { objects: number; bytes: number };
  /** Of a node's volume, when it was asked for: files that are what the book says. */
  volume?: { compared: number; bytes: number };
  /** What is wrong; empty: nothing is. */
  problems: string[];
}

/** The volume of a node, beside its engine's data. */
export interface CheckedVolume {
  directory: string;
  own: string;
}

export interface CheckOptions {
  bucket: RestorableBucket;
  /** A file that checkpoints go through; gone afterwards. */
  scratch: string;
  /** Compares its files too, by content: it reads all of them. */
  volume?: CheckedVolume;
  progress?: (text: string) => void;
}

/**
 * Compares the log, the bucket and, when asked, a volume. It only reads, beside a database that runs: entries in one line, each with its checksum; each checkpoint what the entries before it make; everything that a
 * kept position names there, as large as it should be.
 * Memory grows with the number of SSTables, some hundred bytes for each, never with what they hold: it is meant to run in a process of its own.
 * @throws ForeignPrefix when there is no log; errors of the network
 */
export async function checkStore({
  bucket,
  scratch,
  volume,
  progress = () => undefined,
}: CheckOptions): Promise<CheckReport> {
  const owner = (await readOwner(bucket, timeout))?.owner;
  if (!owner) throw new ForeignPrefix("there is no log under this prefix");
  const report: CheckReport = {
    databaseId: owner.databaseId,
    epoch: 0,
    position: -1,
    from: 0,
    entries: { read: 0, bytes: 0, seals: 0 },
    checkpoints: { compared: 0, read: 0 },
    objects: { named: 0, bytes: 0 },
    unnamed: { objects: 0, bytes: 0 },
    problems: [],
  };
  const wrong = (problem: string) => {
    if (report.problems.length < mostProblems) report.problems.push(problem);
    else if (report.problems.length === mostProblems) report.problems.push("and more");
  };
  const named = new Map<string, number | undefined>();
  progress("reads the log");
  const reader = await readLog(bucket, owner, scratch, report, wrong);
  const kept = owner.history.filter(({ position }) => position < owner.horizon);
  for (const pointer of kept) {
    progress(`reads the checkpoint at ${pointer.position}`);
    const state = await readOr(bucket, pointer, scratch, wrong);
    if (state) report.checkpoints.read++;
    for (const { key, size } of state ? objectsOf(state) : []) named.set(key, size);
  }
  const positions = kept.map(({ position }) => position);
  for (const object of reader.state.retired)
    if (isNeeded(object, owner.horizon, positions) && object.since !== object.position && !named.has(object.key))
      named.set(object.key, undefined);
  for (const { key, size } of objectsOf(reader.state)) named.set(key, size);
  progress("compares the bucket");
  await compareBucket(bucket, reader, named, report, wrong);
  if (volume) {
    progress("reads the volume");
    report.volume = await compareVolume(volume, reader.state, wrong);
  }
  return report;
}

/** Reads every entry from the horizon on, and compares each checkpoint on the way. */
async function readLog(
  bucket: RestorableBucket,
  owner: LogOwner,
  scratch: string,
  report: CheckReport,
  wrong: (problem: string) => void,
): Promise<LogReader> {
  const pointers = [...owner.checkpoints, ...owner.history]
    .filter(({ position }) => position >= owner.horizon)
    .reverse();
  const [first] = pointers;
  const begin = owner.horizon > 0 && first ? await readOr(bucket, first, scratch, wrong) : undefined;
  if (owner.horizon > 0 && first?.position !== owner.horizon)
    wrong(`no checkpoint stands at ${owner.horizon}, where the kept positions begin`);
  const reader = new LogReader(bucket, begin ?? new DatabaseState(), entry => {
    report.entries.read++;
    if (entry.kind === "seal") report.entries.seals++;
    else report.entries.bytes += entry.payload.length;
  });
  report.from = reader.state.position + 1;
  if (owner.horizon > 0 && !begin) return reader;
  let time = 0;
  try {
    for (const pointer of pointers) {
      while (reader.state.position < pointer.position) {
        const entry = await reader.next();
        if (!entry) {
          wrong(`the log ends at ${reader.state.position}, before the checkpoint at ${pointer.position}`);
          return reader;
        }
        if (entry.time < time) wrong(`entry ${entry.position} is of an earlier time than the one before it`);
        if (entry.kind === "seal" && entry.nextEpoch !== entry.epoch + 1)
          wrong(`the seal at ${entry.position} leads from epoch ${entry.epoch} to ${entry.nextEpoch}`);
        ({ time } = entry);
      }
      if (begin && pointer === first) continue;
      const state = await readOr(bucket, pointer, scratch, wrong);
      if (!state) continue;
      report.checkpoints.compared++;
      const difference = differenceOf(reader.state, state);
      if (difference !== undefined)
        wrong(`the checkpoint at ${pointer.position} has other ${difference} than the entries make`);
    }
    await reader.catchUp();
  } catch (error) {
    wrong((error as Error).message);
  }
  report.epoch = reader.state.epoch;
  report.position = reader.state.position;
  return reader;
}

async function readOr(
  bucket: RestorableBucket,
  pointer: CheckpointPointer,
  scratch: string,
  wrong: (problem: string) => void,
): Promise<DatabaseState | undefined> {
  try {
    return await readCheckpoint(bucket, pointer, scratch);
  } catch (error) {
    wrong((error as Error).message);
    return undefined;
  }
}

/** What differs between two states, in a word. */
function differenceOf(a: DatabaseState, b: DatabaseState): string | undefined {
  if (a.position !== b.position || a.epoch !== b.epoch) return "positions";
  if (JSON.stringify(a.seals) !== JSON.stringify(b.seals)) return "seals";
  if (a.tables.size !== b.tables.size) return "tables";
  for (const [number, table] of a.tables) {
    const other = b.tables.get(number);
    if (!other) return "tables";
    if (described(table) !== described(other)) return `names or numbers of table ${number}`;
    const { files } = table;
    const { files: otherFiles } = other;
    if (files.size !== otherFiles.size) return `files of table ${number}`;
    for (const file of files.values()) {
      const otherFile = otherFiles.get(file);
      if (otherFile?.keys.key !== file.keys.key || otherFile.values.key !== file.values.key)
        return `files of table ${number}`;
    }
  }
  if (a.definitions.size !== b.definitions.size) return "definitions";
  for (const [table, file] of a.definitions) if (b.definitions.get(table) !== file) return "definitions";
  if (a.blocks.size !== b.blocks.size) return "blocks to replay";
  for (const [name, { data }] of a.blocks) if (!b.blocks.get(name)?.data.equals(data)) return "blocks to replay";
  return undefined;
}

/** All of a table but its files. */
function described({ number, name, dropped, configuration, nextId }: TableState): string {
  return JSON.stringify([number, name, dropped, configuration, nextId]);
}

async function compareBucket(
  bucket: RestorableBucket,
  reader: LogReader,
  named: Map<string, number | undefined>,
  report: CheckReport,
  wrong: (problem: string) => void,
): Promise<void> {
  const unnamed = new Map<string, number>();
  for await (const { key, size } of sizesBelow(bucket, "data/")) {
    if (!named.has(key)) {
      unnamed.set(key, size);
      continue;
    }
    const expected = named.get(key);
    if (expected !== undefined && expected !== size) wrong(`${key} has ${size} bytes, the log says ${expected}`);
    report.objects.named++;
    report.objects.bytes += size;
    named.delete(key);
  }
  for (const key of named.keys()) wrong(`${key} is missing, which the log names`);
  // The writer goes on meanwhile: what it has named since is no garbage.
  const { problems } = report;
  if (problems.length === 0) {
    const { epoch, position } = reader.state;
    await reader.catchUp();
    for (const { key } of objectsOf(reader.state)) unnamed.delete(key);
    for (const { key } of reader.state.retired) unnamed.delete(key);
    if (reader.state.epoch === epoch && reader.state.position === position) {
      const next = entryKey(epoch, position + 1);
      const [later] = await bucket.list(`log/${next.split("/")[1]}/`, entryKey(epoch, position), 1, timeout);
      if (later !== undefined && later !== next) wrong(`${later} follows a gap: the log ends at ${position}`);
    }
  }
  for (const size of unnamed.values()) {
    report.unnamed.objects++;
    report.unnamed.bytes += size;
  }
}

/** The files of the position that the log is at, as far as the volume has them and its book says so. An engine that runs has newer ones, and may have deleted some. */
async function compareVolume(
  { directory, own }: CheckedVolume,
  state: DatabaseState,
  wrong: (problem: string) => void,
): Promise<NonNullable<CheckReport["volume"]>> {
  const result = { compared: 0, bytes: 0 };
  const { known } = await readBook(join(own, "book"));
  for (const { name, files } of state.liveTables())
    for (const { level, id, keys, values } of files.values())
      for (const [half, file] of [
        ["keys", keys],
        ["values", values],
      ] as const) {
        const path = join(name, sstableFile(level, id, half));
        const object = known.get(path);
        if (!object || keyOf(object) !== file.key) continue;
        const full = join(directory, path);
        if (!(await fs.stat(full).catch(() => undefined))) continue;
        const sum = await fileSum(full, { sync: false }).catch(() => undefined);
        if (!sum) continue;
        result.compared++;
        result.bytes += sum.size;
        if (sum.size !== file.size || sum.crc32 !== file.crc32)
          wrong(`${path} on the volume has other content than was sent`);
      }
  return result;
}
