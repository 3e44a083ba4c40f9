import * as fs from "node:fs";
import * as path from "node:path";
import { Disk } from "../model/ports";

/**
 * A folder. Each write is with the operating system when the call returns, so it survives the death of the process; a power cut is nothing that tests do.
 * @param folder made when it is not there
 */
export function fileDisk(folder: string): Disk {
  fs.mkdirSync(folder, { recursive: true });
  const full = (name: string) => path.join(folder, name);

  return {
    read(name) {
      return absentAsUndefined(() => fs.readFileSync(full(name)));
    },

    write(name, content) {
      fs.mkdirSync(path.dirname(full(name)), { recursive: true });
      // Never half there: a reader in another process compares it with the bucket.
      const temporary = `${full(name)}.tmp`;
      fs.writeFileSync(temporary, content);
      fs.renameSync(temporary, full(name));
    },

    append(name, content) {
      fs.appendFileSync(full(name), content);
    },

    size(name) {
      return absentAsUndefined(() => fs.statSync(full(name)).size);
    },

    remove(name) {
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

function absentAsUndefined<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
