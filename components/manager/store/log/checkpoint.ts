import * as fs from "node:fs/promises";
import { Bucket } from "../bucket/bucket";
import { UnreadableEntry } from "./entry";
import { readInPieces } from "./fileReader";
import { checkpointKey } from "./keys";
import { CheckpointPointer } from "./owner";
import { RetiredObject } from "./retired";
import { NamedSstable, SstableList } from "./sstableList";
import { blockName, DatabaseState, LiveBlock, Seal, TableState } from "./state";

/** Version of a checkpoint's format. */
const checkpointVersion = 1;
/** SSTables, or retired objects, in one record: no step of writing or reading is longer than that takes. */
const filesInRecord = 200;

type CheckpointRecord =
  | {
      type: "head";
      version: number;
      position: number;
      epoch: number;
      time: number;
      generation: number;
      flushed: number;
      /** Absent in a checkpoint of a build that deleted nothing. */
      swept?: number;
      seals: Seal[];
    }
  | ({ type: "table" } & Omit<TableState, "files" | "changed" | "frozen">)
  | { type: "files"; table: number; files: NamedSstable[] }
  | ({ type: "block" } & Omit<LiveBlock, "data">)
  | { type: "retired"; objects: RetiredObject[] }
  | { type: "definition"; table: string; file: string }
  | { type: "end" };

/**
 * Writes all that a reader needs to begin at a snapshot's position. It is written to a scratch file first and streamed from there, so neither memory nor the loop grows with the database.
 * @param scratch is overwritten, and gone afterwards
 */
export async function writeCheckpoint(
  bucket: Bucket,
  snapshot: DatabaseState,
  scratch: string,
): Promise<CheckpointPointer> {
  const file = await fs.open(scratch, "w");
  try {
    for (const [record, payload] of records(snapshot)) await file.write(frame(record, payload));
  } finally {
    await file.close();
  }
  try {
    const sum = await bucket.putFile(checkpointKey(snapshot.position), scratch);
    return { position: snapshot.position, ...sum, time: snapshot.time };
  } finally {
    await fs.rm(scratch, { force: true });
  }
}

/** @throws UnreadableEntry when it is missing, damaged, or of a newer build */
export async function readCheckpoint(
  bucket: Bucket,
  pointer: CheckpointPointer,
  scratch: string,
): Promise<DatabaseState> {
  const key = checkpointKey(pointer.position);
  const sum = await bucket.getFile(key, scratch);
  try {
    if (!sum) throw new UnreadableEntry(key, "is missing");
    if (sum.size !== pointer.size || sum.crc32 !== pointer.crc32) throw new UnreadableEntry(key, "is damaged");
    const state = new DatabaseState();
    let complete = false;
    await readFrames(key, scratch, (record, payload) => {
      if (record.type === "end") complete = true;
      else restore(key, state, record, payload);
    });
    if (!complete) throw new UnreadableEntry(key, "is cut off");
    return state;
  } finally {
    await fs.rm(scratch, { force: true });
  }
}

function* records(state: DatabaseState): Generator<[CheckpointRecord, Buffer]> {
  const none = Buffer.alloc(0);
  const { position, epoch, time, seals, highestGeneration: generation, flushedGeneration: flushed } = state;
  const swept = state.sweptUntil;
  yield [{ type: "head", version: checkpointVersion, position, epoch, time, generation, flushed, swept, seals }, none];
  for (const { number, name, dropped, configuration, nextId, files } of state.tables.values()) {
    yield [{ type: "table", number, name, dropped, configuration, nextId }, none];
    for (const some of inLots(files.values())) yield [{ type: "files", table: number, files: some }, none];
  }
  for (const { data, ...block } of state.blocks.values()) yield [{ type: "block", ...block }, data];
  for (const some of inLots(state.retired)) yield [{ type: "retired", objects: some }, none];
  for (const [table, file] of state.definitions) yield [{ type: "definition", table, file }, none];
  yield [{ type: "end" }, none];
}

function* inLots<T>(items: Iterable<T>): Generator<T[]> {
  let some: T[] = [];
  for (const item of items) {
    some.push(item);
    if (some.length < filesInRecord) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

function restore(key: string, state: DatabaseState, record: CheckpointRecord, payload: Buffer): void {
  switch (record.type) {
    case "head":
      if (record.version > checkpointVersion)
        throw new UnreadableEntry(key, `has format ${record.version}: update this manager`);
      state.position = record.position;
      state.epoch = record.epoch;
      state.time = record.time;
      state.highestGeneration = record.generation;
      state.flushedGeneration = record.flushed;
      state.sweptUntil = record.swept ?? 0;
      state.seals.push(...record.seals);
      break;
    case "table": {
      const { type: _, ...table } = record;
      state.tables.set(record.number, { ...table, files: new SstableList(record.number), changed: -1, frozen: false });
      break;
    }
    case "files": {
      const table = state.tables.get(record.table);
      if (!table) throw new UnreadableEntry(key, `names files of table ${record.table} before the table`);
      table.files.add(record.files);
      break;
    }
    case "block": {
      const { type: _, ...block } = record;
      state.blocks.set(blockName(block), { ...block, data: payload });
      state.heldBytes += payload.length;
      break;
    }
    case "retired":
      for (const object of record.objects) state.retired.add(object);
      break;
    case "definition":
      state.definitions.set(record.table, record.file);
      break;
    case "end":
      break;
  }
}

/** Two lengths, the record in JSON, its payload. */
function frame(record: CheckpointRecord, payload: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(record));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(payload.length, 4);
  return Buffer.concat([lengths, text, payload]);
}

/** @throws UnreadableEntry when the last record is not whole */
async function readFrames(
  key: string,
  path: string,
  read: (record: CheckpointRecord, payload: Buffer) => void,
): Promise<void> {
  const left = await readInPieces(path, bytes => {
    let offset = 0;
    while (bytes.length - offset >= 8) {
      const textEnd = offset + 8 + bytes.readUInt32BE(offset);
      const end = textEnd + bytes.readUInt32BE(offset + 4);
      if (end > bytes.length) break;
      const record = JSON.parse(bytes.toString("utf8", offset + 8, textEnd)) as CheckpointRecord;
      read(record, Buffer.from(bytes.subarray(textEnd, end)));
      offset = end;
    }
    return offset;
  });
  if (left > 0) throw new UnreadableEntry(key, "is cut off");
}
