import * as fs from "node:fs";
import * as path from "node:path";
import { Disk } from "../model/ports";
import { walEnd, walGenerationOf } from "../formats/writeAheadLog";

/** A WAL's file is made longer by so much at once, with zeros, when something is appended. Bytes. */
const preallocated = 64 * 1024 * 1024;

/**
 * A folder. Each write is with the operating system when the call returns, so it survives the death of the process; a power cut is nothing that tests do. As the engine's, the files of WALs are
 * preallocated: what is read of them here ends with their last block.
 * @param folder made when it is not there
 */
export function fileDisk(folder: string): Disk {
  fs.mkdirSync(folder, { recursive: true });
  const full = (name: string) => path.join(folder, name);
  const isWal = (name: string) => walGenerationOf(name) !== undefined;
  /** Of the WALs. */
  const ends = new Map<string, number>();
  const endOf = (name: string) => {
    const known = ends.get(name) ?? walEnd(fs.readFileSync(full(name)));
    ends.set(name, known);
    return known;
  };

  return {
    read(name) {
      return absentAsUndefined(() => (isWal(name) ? readFirst(full(name), endOf(name)) : fs.readFileSync(full(name))));
    },

    write(name, content) {
      fs.mkdirSync(path.dirname(full(name)), { recursive: true });
      // Never half there: a reader in another process compares it with the bucket.
      const temporary = `${full(name)}.tmp`;
      fs.writeFileSync(temporary, content);
      if (isWal(name)) ends.set(name, content.length);
      fs.renameSync(temporary, full(name));
    },

    append(name, content) {
      if (!isWal(name)) return fs.appendFileSync(full(name), content);
      const end = endOf(name);
      const file = fs.openSync(full(name), "r+");
      try {
        if (fs.fstatSync(file).size < end + content.length)
          fs.ftruncateSync(file, Math.ceil((end + content.length) / preallocated) * preallocated);
        fs.writeSync(file, content, 0, content.length, end);
      } finally {
        fs.closeSync(file);
      }
      ends.set(name, end + content.length);
    },

    trim(name) {
      if (isWal(name)) fs.truncateSync(full(name), endOf(name));
    },

    size(name) {
      return absentAsUndefined(() => {
        const { size } = fs.statSync(full(name));
        return isWal(name) ? endOf(name) : size;
      });
    },

    remove(name) {
      ends.delete(name);
      fs.rmSync(full(name), { recursive: true, force: true });
    },

    list() {
      const entries = fs.readdirSync(folder, { withFileTypes: true, recursive: true });
      return entries
        .filter(entry => entry.isFile() && !entry.name.endsWith(".tmp"))
        .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)));
    },
  };
}

function readFirst(file: string, length: number): Buffer {
  const content = Buffer.alloc(length);
  const descriptor = fs.openSync(file, "r");
  try {
    fs.readSync(descriptor, content, 0, length, 0);
  } finally {
    fs.closeSync(descriptor);
  }
  return content;
}

function absentAsUndefined<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
