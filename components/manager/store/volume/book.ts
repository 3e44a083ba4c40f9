import * as fs from "node:fs/promises";
import { readInPieces } from "../log/fileReader";
import { KnownFiles, fileName, keyOf } from "./knownFiles";

interface BookLine {
  /** Path below the engine's data directory. */
  path: string;
  /** Of the object that it is. Absent: it is gone. */
  key?: string;
}

/** Lines that are written at a time: no step is longer than that takes. */
const linesAtOnce = 500;
/** A book with fewer lines is not written anew, whatever it says. */
const shortBook = 1000;

/**
 * Which object of the bucket each file on the volume is. A line is written, and synced, after the file it speaks of was: what the book does not name is not trusted. The book stands beside the engine's
 * data directory, never in it. While an engine runs it is on the disk alone: it is read to align a volume.
 */
export class VolumeBook {
  private constructor(
    private readonly path: string,
    private file: fs.FileHandle,
  ) {}

  static async open(path: string): Promise<VolumeBook> {
    const file = await fs.open(path, "a");
    // Behind a line that was cut off nothing else would be read.
    await file.appendFile("\n");
    return new VolumeBook(path, file);
  }

  /** What it says. One that is longer than need be is written anew. @param expected how many files of a folder there may be: it need not be right */
  async read(expected?: (folder: string) => number): Promise<KnownFiles> {
    const { known, lines } = await readBook(this.path, expected);
    if (lines > Math.max(shortBook, 2 * known.size)) await this.rewrite(known);
    return known;
  }

  /** @param key of the object that the file is; the file is on the volume, synced */
  async add(path: string, key: string): Promise<void> {
    await this.write([{ path, key }]);
    await this.file.datasync();
  }

  /** Files that are gone, or will be. It is durable with the next {@link add}: a line too many says something of a file that is not there. */
  async forget(paths: readonly string[]): Promise<void> {
    if (paths.length > 0) await this.write(paths.map(path => ({ path })));
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async write(lines: BookLine[]): Promise<void> {
    await this.file.appendFile(textOf(lines));
  }

  /** Without what is gone. */
  private async rewrite(known: KnownFiles): Promise<void> {
    const temporary = `${this.path}.new`;
    const file = await fs.open(temporary, "w");
    try {
      let lines: BookLine[] = [];
      for (const folder of known.folders())
        for (const { name, object } of known.in(folder)) {
          lines.push({ path: `${folder}/${fileName(name)}`, key: keyOf(object) });
          if (lines.length < linesAtOnce) continue;
          await file.appendFile(textOf(lines));
          lines = [];
        }
      await file.appendFile(textOf(lines));
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, this.path);
    await this.file.close();
    this.file = await fs.open(this.path, "a");
  }
}

/** What a book says, which may be in use, and in how many lines. Nothing when there is none. */
export async function readBook(
  path: string,
  expected?: (folder: string) => number,
): Promise<{ known: KnownFiles; lines: number }> {
  const known = new KnownFiles(expected);
  let lines = 0;
  const take = (bytes: Buffer) => {
    const end = bytes.lastIndexOf("\n") + 1;
    for (const line of bytes.toString("utf8", 0, end).split("\n")) {
      const parsed = parseLine(line);
      if (!parsed) continue;
      lines++;
      if (typeof parsed.key === "string") known.set(parsed.path, parsed.key);
      else known.delete(parsed.path);
    }
    return end;
  };
  // A last line that was cut off says nothing.
  await readInPieces(path, take).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  });
  return { known, lines };
}

function parseLine(line: string): BookLine | undefined {
  try {
    const parsed = JSON.parse(line) as Partial<BookLine>;
    return typeof parsed.path === "string" ? (parsed as BookLine) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(lines: readonly BookLine[]): string {
  return lines.map(line => `${JSON.stringify(line)}\n`).join("");
}
