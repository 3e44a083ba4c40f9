import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket, FileSum, StoreClock } from "../bucket/bucket";
import { FileRecord } from "../log/changes";
import { fileKey } from "../log/keys";
import { FlushBook } from "../flush/flushBook";
import { parseSstableFile, readMaxSequence, SstableFileName } from "../flush/sstableFile";
import { VolumeBook } from "../volume/book";

/** Milliseconds between two attempts to send a file. */
const uploadPause = 500;

export interface SenderOptions {
  bucket: Bucket;
  clock: StoreClock;
  /** The engine's data directory. */
  directory: string;
  /** Of the writer: it is part of each object's key. */
  epoch: number;
  flushes: FlushBook;
  book: VolumeBook;
  warn: (message: string, fields?: Record<string, unknown>) => void;
}

/** Sends the files of SSTables to the bucket, from the disk, each once and under a key of its own. */
export class SstableSender {
  /** Those whose other half is not sent yet. */
  private readonly halves = new Map<string, { file: FileRecord; maxSequence: number }>();
  private uploads = 0;
  private closed = false;

  constructor(private readonly options: SenderOptions) {}

  /** The engine is gone, and the volume is about to be aligned: what is on its way is not told to the book any more, whose files may be others by then. */
  close(): void {
    this.closed = true;
  }

  /**
   * @param path below the data directory
   * @param length that the file has to have
   * @throws when it has another, or is gone
   */
  async send(
    table: number,
    path: string,
    { id, level, partition, half }: SstableFileName,
    length: number,
  ): Promise<void> {
    const { directory, epoch, flushes, book } = this.options;
    const name = `${table}/${id}/${half}`;
    if (this.halves.get(name)?.file.size === length || flushes.upload(table, id)) return;
    const full = join(directory, path);
    // The book says that it is on the disk, whatever the engine has left to the page cache.
    await syncFile(full);
    const key = fileKey(table, epoch, this.uploads++);
    const sum = await this.upload(key, full);
    if (sum.size !== length) throw new Error(`${path} has ${sum.size} bytes, the engine sent ${length}`);
    const file = { key, ...sum };
    const maxSequence = half === "keys" ? await readMaxSequence(full) : 0;
    if (this.closed) throw new Error("the engine that sent this file is gone");
    await book.add(path, key);
    this.halves.set(name, { file, maxSequence });
    const keys = this.halves.get(`${table}/${id}/keys`);
    const values = this.halves.get(`${table}/${id}/values`);
    if (!keys || !values) return;
    this.halves.delete(`${table}/${id}/keys`);
    this.halves.delete(`${table}/${id}/values`);
    const plain = level === 1 && partition === undefined;
    flushes.uploaded(table, id, { keys: keys.file, values: values.file, maxSequence: keys.maxSequence, plain });
  }

  /** Bytes of a file that was sent; undefined: it was not, or the log does not name it any more. */
  sentBytes(table: number, { id, half }: Pick<SstableFileName, "id" | "half">): number | undefined {
    const one = this.halves.get(`${table}/${id}/${half}`)?.file;
    return (one ?? this.options.flushes.upload(table, id)?.[half])?.size;
  }

  /** An SSTable that the engine has made before its promotion: a replica merges files too, and sends none. One that a merge has taken meanwhile is not there any more, and the next manifest says so. */
  async sendFromDisk(table: number, folder: string, id: number): Promise<void> {
    for (const name of await fs.readdir(join(this.options.directory, folder))) {
      const file = parseSstableFile(name);
      if (file?.id !== id) continue;
      try {
        const { size } = await fs.stat(join(this.options.directory, folder, name));
        await this.send(table, `${folder}/${name}`, file, size);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  }

  /** Tries until it is there: the engine's flush waits, and its WAL with it. */
  private async upload(key: string, path: string): Promise<FileSum> {
    const { bucket, clock, warn } = this.options;
    for (;;) {
      try {
        return await bucket.putFile(key, path);
      } catch (error) {
        if (this.closed || (error as NodeJS.ErrnoException).code === "ENOENT") throw error;
        warn("a file could not be sent yet", { path, error: String(error) });
        await clock.sleep(uploadPause);
      }
    }
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await fs.open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
