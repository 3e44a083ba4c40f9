import * as fs from "node:fs/promises";
import { join } from "node:path";
import { earlyName } from "./gateway/earlyFiles";
import { VolumeBook } from "./volume/book";

/** Beside the book: the epoch in which this volume's engine has written last. */
const epochFile = "epoch";
/** Which object each file is. */
const bookFile = "book";
/** The database that this volume is of. */
const databaseFile = "database";

/** What a node keeps on the volume beside its engine's files: the book, the epoch of its last writer, scratch files. */
export class OwnFolder {
  private constructor(
    private readonly path: string,
    readonly databaseId: string,
    readonly book: VolumeBook,
    private epoch: number,
  ) {}

  /** @param path is made where there is none */
  static async open(path: string, databaseId: string): Promise<OwnFolder> {
    await fs.mkdir(path, { recursive: true });
    await knowDatabase(path, databaseId);
    const book = await VolumeBook.open(join(path, bookFile));
    const epoch = Number(await fs.readFile(join(path, epochFile), "utf8").catch(() => "-1"));
    return new OwnFolder(path, databaseId, book, epoch);
  }

  /** The epoch in which this volume's engine has written last; -1: it has not. */
  get writtenIn(): number {
    return this.epoch;
  }

  /** This volume's engine is about to write in an epoch. */
  async writesIn(epoch: number): Promise<void> {
    await fs.writeFile(join(this.path, epochFile), String(epoch), { flush: true });
    this.epoch = epoch;
  }

  /** A file that is on the same volume, and means nothing when the process has ended. */
  scratch(name: string): string {
    return join(this.path, name);
  }

  /** Deletes what was on its way to an engine. None runs. */
  async clearEarlyFiles(): Promise<void> {
    for (const name of await fs.readdir(this.path))
      if (name.startsWith(earlyName)) await fs.rm(join(this.path, name), { force: true });
  }

  close(): Promise<void> {
    return this.book.close();
  }
}

/**
 * What is beside the engine's files is of one database. A restored one has the keys and the epochs of the one that it was copied from, and other content as soon as it goes on: a volume that was the other's may
 * be read, file by file, and nothing that it says of itself counts.
 */
async function knowDatabase(own: string, databaseId: string): Promise<void> {
  const path = join(own, databaseFile);
  const known = await fs.readFile(path, "utf8").catch(() => undefined);
  if (known === databaseId) return;
  if (known !== undefined) for (const file of [bookFile, epochFile]) await fs.rm(join(own, file), { force: true });
  await fs.writeFile(path, databaseId, { flush: true });
}
