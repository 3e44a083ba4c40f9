import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket, StoreClock } from "../bucket/bucket";
import { FileRecord } from "../log/changes";

/** Bytes of files that wait for the engine at most. */
const mostBytes = 128 * 1024 * 1024;
/** Files that are fetched at once. */
const mostAtOnce = 4;
/** What the engine has not asked for within so long it knows. Milliseconds. */
const patience = 60_000;

/** Names of what is on its way begin so. It means nothing when the process has ended. */
export const earlyName = "sending-";
/** Files that this process has named: another engine's may still be coming. */
let named = 0;

interface EarlyFile {
  file: FileRecord;
  since: number;
  /** Where it is; undefined when it is not what the log says. Absent: it is not being fetched yet. */
  path?: Promise<string | undefined>;
}

export interface EarlyFilesOptions {
  bucket: Bucket;
  clock: StoreClock;
  /** A folder for them. */
  scratch: string;
  warn: (message: string, fields?: Record<string, unknown>) => void;
}

/**
 * Files on their way to a running engine. They are fetched when the log names them, some at once: the engine asks for them a look later, one after the other, and shows nothing new until it has them all.
 */
export class EarlyFiles {
  private readonly files = new Map<string, EarlyFile>();
  private bytes = 0;
  private fetching = 0;
  private ended = false;

  constructor(private readonly options: EarlyFilesOptions) {}

  /** The engine will ask for these. */
  add(files: readonly FileRecord[]): void {
    const since = this.options.clock.now();
    for (const [key, early] of this.files) if (since - early.since > patience) this.drop(key, early);
    for (const file of files) {
      if (this.ended || this.files.has(file.key) || this.bytes + file.size > mostBytes) continue;
      this.files.set(file.key, { file, since });
      this.bytes += file.size;
    }
    this.fetchMore();
  }

  /** A file that the engine asks for now, to be removed by who takes it. @returns undefined when it is not what the log says @throws when it cannot be fetched */
  async take(file: FileRecord): Promise<string | undefined> {
    const early = this.files.get(file.key);
    this.forget(file.key);
    const path = await early?.path?.catch(() => undefined);
    return path ?? this.fetch(file);
  }

  /** The engine is gone. */
  end(): void {
    this.ended = true;
    for (const [key, early] of this.files) this.drop(key, early);
  }

  private drop(key: string, { path }: EarlyFile): void {
    this.forget(key);
    void this.remove(path);
  }

  private async remove(path: EarlyFile["path"]): Promise<void> {
    const fetched = await path?.catch(() => undefined);
    if (fetched !== undefined) await fs.rm(fetched, { force: true }).catch(() => undefined);
  }

  private forget(key: string): void {
    this.bytes -= this.files.get(key)?.file.size ?? 0;
    this.files.delete(key);
  }

  private fetchMore(): void {
    for (const early of this.files.values()) {
      if (this.fetching >= mostAtOnce) return;
      if (early.path) continue;
      this.fetching++;
      early.path = this.fetch(early.file).finally(() => {
        this.fetching--;
        this.fetchMore();
      });
      // Who asks for it fetches it then.
      early.path.catch(() => undefined);
    }
  }

  private async fetch({ key, crc32 }: FileRecord): Promise<string | undefined> {
    const { bucket, scratch, warn } = this.options;
    const path = join(scratch, `${earlyName}${named++}`);
    const sum = await bucket.getFile(key, path);
    if (sum?.crc32 === crc32) return path;
    warn("an object does not match the log's record of it", { key });
    await fs.rm(path, { force: true });
    return undefined;
  }
}
