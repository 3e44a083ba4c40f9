import { fileKey, FileKey, parseFileKey } from "../log/keys";
import { PackedRecords } from "../log/packedRecords";
import { parseSstableFile, SstableFileName } from "../flush/sstableFile";

/** Where the fields of a record begin, behind the file's name. Bytes. */
const field = { table: 12, epoch: 16, upload: 20 } as const;
/** Of a record. Bytes. */
const width = 28;
/** A level, and a partition, that a record has room for. */
const levels = 64;
const partitions = 2 ** 23;

/** A file in the engine's data directory, and the object that it is. */
export interface KnownFile {
  name: SstableFileName;
  object: FileKey;
}

/** Which object each file of an SSTable is, by the path below the engine's data directory: 28 bytes each, beside the heap. */
export class KnownFiles {
  private readonly byFolder = new Map<string, PackedRecords>();

  /** @param expected how many files of a folder there may be */
  constructor(private readonly expected: (folder: string) => number = () => 0) {}

  get size(): number {
    let size = 0;
    for (const files of this.byFolder.values()) size += files.size;
    return size;
  }

  folders(): string[] {
    return [...this.byFolder.keys()];
  }

  /** @returns undefined when it is not known */
  get(path: string): FileKey | undefined {
    const [folder, name] = taken(path);
    const files = this.byFolder.get(folder);
    if (!files || !name) return undefined;
    const index = files.find(...name);
    return index < 0 ? undefined : objectAt(files, index);
  }

  /** Nothing is known of a file, or with a key, of another form: it is read when that matters. */
  set(path: string, key: string): void {
    const [folder, name] = taken(path);
    const object = parseFileKey(key);
    if (!name || !object) return;
    let files = this.byFolder.get(folder);
    if (!files) {
      this.byFolder.set(folder, (files = new PackedRecords(width)));
      files.reserve(this.expected(folder));
    }
    const at = files.place(...name);
    files.data.setUint32(at + field.table, object.table);
    files.data.setUint32(at + field.epoch, object.epoch);
    files.data.setFloat64(at + field.upload, object.upload);
  }

  delete(path: string): void {
    const [folder, name] = taken(path);
    if (name) this.byFolder.get(folder)?.remove(...name);
  }

  /** Those in a folder; they must not change while somebody walks through them. */
  *in(folder: string): Generator<KnownFile> {
    const files = this.byFolder.get(folder);
    for (let index = 0; index < (files?.size ?? 0); index++)
      yield { name: nameAt(files!, index), object: objectAt(files!, index) };
  }
}

/** The name of a file on the volume, also of one that a merge has split. */
export function fileName({ level, partition, id, half }: SstableFileName): string {
  const split = partition === undefined ? "" : `P${partition}`;
  return `L${level}${split}_${id}.${half === "keys" ? "klog" : "vlog"}`;
}

/** The key of an object, as the log has it. */
export function keyOf({ table, epoch, upload }: FileKey): string {
  return fileKey(table, epoch, upload);
}

/** A path's folder, and the two numbers that its name is kept by; undefined: it is none of an SSTable. */
function taken(path: string): [folder: string, name: [number, number] | undefined] {
  const slash = path.indexOf("/");
  const name = parseSstableFile(path.slice(slash + 1));
  const folder = path.slice(0, slash);
  if (!name || name.level >= levels || (name.partition ?? 0) >= partitions) return [folder, undefined];
  const { level, partition = -1, id, half } = name;
  return [folder, [((partition + 1) * levels + level) * 2 + (half === "keys" ? 0 : 1), id]];
}

function nameAt(files: PackedRecords, index: number): SstableFileName {
  const [major, id] = files.name(index);
  const partition = Math.floor(major / (2 * levels)) - 1;
  return {
    level: (major >>> 1) % levels,
    ...(partition >= 0 && { partition }),
    id,
    half: major % 2 === 0 ? "keys" : "values",
  };
}

function objectAt(files: PackedRecords, index: number): FileKey {
  const { data } = files;
  const at = files.at(index);
  return {
    table: data.getUint32(at + field.table),
    epoch: data.getUint32(at + field.epoch),
    upload: data.getFloat64(at + field.upload),
  };
}
