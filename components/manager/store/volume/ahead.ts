import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket } from "../bucket/bucket";
import { sstableFile } from "../flush/sstableFile";
import { FileRecord, SstableName } from "../log/changes";
import { DatabaseState } from "../log/state";
import { VolumeBook } from "./book";
import { fetchFile } from "./fetchFile";

export interface AheadOptions {
  bucket: Bucket;
  /** The engine's data directory. */
  directory: string;
  book: VolumeBook;
  /** The log's. */
  state: () => DatabaseState;
  warn: (message: string, fields?: Record<string, unknown>) => void;
}

/**
 * Fetches files beside a running engine that does not know them: the volume has them when it is aligned next. One at a time, each to the place that it will have. What is missing then is fetched by the
 * alignment.
 */
export class Ahead {
  private readonly queue: { table: number; name: SstableName }[] = [];
  private running = false;
  private ended = false;

  constructor(private readonly options: AheadOptions) {}

  add(table: number, names: readonly SstableName[]): void {
    for (const name of names) this.queue.push({ table, name });
    if (!this.running && !this.ended) void this.run();
  }

  /** Nothing is being fetched. */
  get isIdle(): boolean {
    return !this.running;
  }

  /** Nothing is put in place from now on. */
  end(): void {
    this.ended = true;
    this.queue.length = 0;
  }

  private async run(): Promise<void> {
    this.running = true;
    for (let next = this.queue.shift(); next && !this.ended; next = this.queue.shift()) {
      const { table, name } = next;
      try {
        for (const half of ["keys", "values"] as const) await this.fetch(table, name, half);
      } catch (error) {
        if (!this.ended) this.options.warn("a file could not be fetched ahead", { table, error: String(error) });
      }
    }
    this.running = false;
  }

  private async fetch(number: number, name: SstableName, half: "keys" | "values"): Promise<void> {
    const { bucket, directory, book } = this.options;
    const file = this.wanted(number, name, half);
    const folder = this.options.state().tables.get(number)?.name;
    if (!file || folder === undefined || this.ended) return;
    const path = join(folder, sstableFile(name.level, name.id, half));
    const full = join(directory, path);
    // It is another's, which the engine has open.
    if (await exists(full)) return;
    const mayPlace = () => !this.ended && this.wanted(number, name, half)?.key === file.key;
    const outcome = await fetchFile(bucket, file, full, { temporary: `${full}.ahead`, mayPlace });
    if (outcome === "placed" && !this.ended) await book.add(path, file.key);
  }

  /** Later merges may have put others in its place. */
  private wanted(number: number, name: SstableName, half: "keys" | "values"): FileRecord | undefined {
    const table = this.options.state().tables.get(number);
    return table?.dropped ? undefined : table?.files.get(name)?.[half];
  }
}

function exists(path: string): Promise<boolean> {
  return fs.stat(path).then(
    () => true,
    () => false,
  );
}
