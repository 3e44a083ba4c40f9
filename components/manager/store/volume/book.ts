import * as fs from "node:fs/promises";
import { FileRecord } from "../log/changes";

interface BookLine {
  /** Path below the engine's data directory. */
  path: string;
  /** Undefined: it is gone. */
  file?: FileRecord;
}

/**
 * Which object of the bucket each file on the volume is. A line is written, and synced, after the file it speaks of was: what the book does not name is not trusted. The book stands beside the engine's
 * data directory, never in it.
 */
export class VolumeBook {
  private constructor(
    private readonly path: string,
    private readonly files: Map<string, FileRecord>,
    private file: fs.FileHandle,
  ) {}

  static async open(path: string): Promise<VolumeBook> {
    const files = await readBook(path);
    const book = new VolumeBook(path, files, await fs.open(path, "a"));
    await book.rewrite();
    return book;
  }

  get(path: string): FileRecord | undefined {
    return this.files.get(path);
  }

  entries(): IterableIterator<[string, FileRecord]> {
    return this.files.entries();
  }

  /** @param file is on the volume, synced */
  async add(path: string, file: FileRecord): Promise<void> {
    this.files.set(path, file);
    await this.write({ path, file });
  }

  async remove(path: string): Promise<void> {
    if (this.files.delete(path)) await this.write({ path });
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async write(line: BookLine): Promise<void> {
    await this.file.appendFile(`${JSON.stringify(line)}\n`);
    await this.file.datasync();
  }

  /** Without what is gone. */
  private async rewrite(): Promise<void> {
    const lines = [...this.files].map(([path, file]) => `${JSON.stringify({ path, file })}\n`);
    const temporary = `${this.path}.new`;
    await fs.writeFile(temporary, lines.join(""), { flush: true });
    await fs.rename(temporary, this.path);
    await this.file.close();
    this.file = await fs.open(this.path, "a");
  }
}

/** What a book says, which may be in use. Empty when there is none. */
export async function readBook(path: string): Promise<Map<string, FileRecord>> {
  const files = new Map<string, FileRecord>();
  const text = await fs.readFile(path, "utf8").catch(() => "");
  for (const line of text.split("\n")) {
    // A last line that was cut off says nothing.
    const parsed = parseLine(line);
    if (!parsed) continue;
    if (parsed.file) files.set(parsed.path, parsed.file);
    else files.delete(parsed.path);
  }
  return files;
}

function parseLine(line: string): BookLine | undefined {
  try {
    return JSON.parse(line) as BookLine;
  } catch {
    return undefined;
  }
}
