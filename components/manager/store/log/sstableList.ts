import { PackedRecords } from "./packedRecords";
import { FileRecord, SstableName, SstableRecord } from "./changes";
import { fileKey, FileKey, parseFileKey } from "./keys";

/** An SSTable, and the position since which the log names it. Absent in a checkpoint of an earlier build. */
export interface NamedSstable extends SstableRecord {
  since?: number;
}

/** Where the fields of a record begin, behind its level and number. Bytes. */
const field = { entries: 12, bytes: 20, maxSequence: 28, since: 36, keys: 44, values: 68 } as const;
/** Within a half: the epoch and the number of its upload, its size and its checksum. */
const half = { epoch: 0, upload: 4, size: 12, crc32: 20 } as const;
/** Of a record. Bytes. */
const width = 92;

/**
 * The released SSTables of one table, by level and number: 92 bytes each, beside the heap. A record is made of them when it is asked for. They must not change while somebody walks through them.
 */
export class SstableList {
  private highest: number | undefined = 0;

  /** @param table its number, which all keys of its objects have */
  constructor(
    private readonly table: number,
    private readonly packed = new PackedRecords(width),
  ) {}

  get size(): number {
    return this.packed.size;
  }

  get({ level, id }: SstableName): NamedSstable | undefined {
    const index = this.packed.find(level, id);
    return index < 0 ? undefined : this.record(index);
  }

  has({ level, id }: SstableName): boolean {
    return this.packed.find(level, id) >= 0;
  }

  /** Whether an object is that half of an SSTable. */
  isHalf({ level, id }: SstableName, which: "keys" | "values", { table, epoch, upload }: FileKey): boolean {
    const index = this.packed.find(level, id);
    if (index < 0 || table !== this.table) return false;
    const { data } = this.packed;
    const at = this.packed.at(index) + field[which];
    return data.getUint32(at + half.epoch) === epoch && data.getFloat64(at + half.upload) === upload;
  }

  /** The one of this number, on whichever level: a number is given once in a table. */
  ofNumber(id: number): NamedSstable | undefined {
    for (let next = 0; next < this.size;) {
      const [level] = this.packed.name(next);
      const index = this.packed.find(level, id);
      if (index >= 0) return this.record(index);
      next = -1 - this.packed.find(level, Infinity);
    }
    return undefined;
  }

  /** All of them, by level and number. */
  *values(): Generator<NamedSstable> {
    for (let index = 0; index < this.size; index++) yield this.record(index);
  }

  /** Those of some objects that are halves of SSTables in it. */
  *filesAmong(objects: readonly FileKey[]): Generator<FileRecord> {
    const uploads = new Map<number, Set<number>>();
    for (const { epoch, upload } of objects) {
      const ofEpoch = uploads.get(epoch);
      if (ofEpoch) ofEpoch.add(upload);
      else uploads.set(epoch, new Set([upload]));
    }
    const { data } = this.packed;
    for (let index = 0; index < this.size; index++)
      for (const which of [field.keys, field.values]) {
        const at = this.packed.at(index) + which;
        if (uploads.get(data.getUint32(at + half.epoch))?.has(data.getFloat64(at + half.upload)))
          yield this.readHalf(at);
      }
  }

  /** The names of all. */
  *names(): Generator<SstableName> {
    for (let index = 0; index < this.size; index++) {
      const [level, id] = this.packed.name(index);
      yield { level, id };
    }
  }

  /** What a manifest says of each. */
  *manifest(): Generator<SstableName & { entries: number; bytes: number }> {
    const { data } = this.packed;
    for (let index = 0; index < this.size; index++) {
      const at = this.packed.at(index);
      const [level, id] = this.packed.name(index);
      yield {
        level,
        id,
        entries: data.getFloat64(at + field.entries),
        bytes: data.getFloat64(at + field.bytes),
      };
    }
  }

  /** The deepest level that one stands in; 0 without any. */
  get deepest(): number {
    return this.size === 0 ? 0 : this.packed.name(this.size - 1)[0];
  }

  /** The highest sequence in any of them; 0 without one. */
  get highestSequence(): number {
    if (this.highest === undefined) {
      this.highest = 0;
      const { data } = this.packed;
      for (let index = 0; index < this.size; index++)
        this.highest = Math.max(this.highest, data.getFloat64(this.packed.at(index) + field.maxSequence));
    }
    return this.highest;
  }

  /** Adds some, or puts them in the place of those of the same names. @throws when a key is not that of an object of this table */
  add(records: readonly NamedSstable[]): void {
    this.packed.reserve(records.length);
    for (const { level, id, entries, bytes, maxSequence, since, keys, values } of records) {
      const [keysUpload, valuesUpload] = [this.uploadOf(keys), this.uploadOf(values)];
      const before = this.size;
      const at = this.packed.place(level, id);
      if (this.size === before) this.highest = undefined;
      const { data } = this.packed;
      data.setFloat64(at + field.entries, entries);
      data.setFloat64(at + field.bytes, bytes);
      data.setFloat64(at + field.maxSequence, maxSequence);
      data.setFloat64(at + field.since, since ?? NaN);
      this.writeHalf(at + field.keys, keysUpload, keys);
      this.writeHalf(at + field.values, valuesUpload, values);
      if (this.highest !== undefined) this.highest = Math.max(this.highest, maxSequence);
    }
  }

  remove({ level, id }: SstableName): void {
    if (this.packed.remove(level, id)) this.highest = undefined;
  }

  /** The same ones, to be changed by itself. */
  copy(): SstableList {
    const copy = new SstableList(this.table, this.packed.copy());
    copy.highest = this.highest;
    return copy;
  }

  private record(index: number): NamedSstable {
    const { data } = this.packed;
    const at = this.packed.at(index);
    const [level, id] = this.packed.name(index);
    const record: NamedSstable = {
      level,
      id,
      entries: data.getFloat64(at + field.entries),
      bytes: data.getFloat64(at + field.bytes),
      maxSequence: data.getFloat64(at + field.maxSequence),
      keys: this.readHalf(at + field.keys),
      values: this.readHalf(at + field.values),
    };
    const since = data.getFloat64(at + field.since);
    if (!Number.isNaN(since)) record.since = since;
    return record;
  }

  private uploadOf({ key }: FileRecord): FileKey {
    const upload = parseFileKey(key);
    if (upload?.table !== this.table) throw new Error(`the log names ${key} as a file of table ${this.table}`);
    return upload;
  }

  private writeHalf(at: number, { epoch, upload }: FileKey, { size, crc32 }: FileRecord): void {
    const { data } = this.packed;
    data.setUint32(at + half.epoch, epoch);
    data.setFloat64(at + half.upload, upload);
    data.setFloat64(at + half.size, size);
    data.setUint32(at + half.crc32, crc32);
  }

  private readHalf(at: number): FileRecord {
    const { data } = this.packed;
    return {
      key: fileKey(this.table, data.getUint32(at + half.epoch), data.getFloat64(at + half.upload)),
      size: data.getFloat64(at + half.size),
      crc32: data.getUint32(at + half.crc32),
    };
  }
}
