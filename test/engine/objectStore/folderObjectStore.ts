import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { StoredObject } from "../model/ports";
import { MemoryObjectStore, StoreCall } from "./memoryObjectStore";

/** From this size on an object is a file. Bytes. */
const fileBytes = 64 * 1024;

/** The least that it can be told to do. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** A bucket whose large objects are compressed files, for one that holds more than a machine's memory, or its disk. */
export class FolderObjectStore extends MemoryObjectStore {
  override readonly objects = new FolderMap<StoredObject>();
  override readonly calls: StoreCall[] = new Forgetful();

  constructor(folder: string) {
    super();
    this.objects.folder = folder;
    mkdirSync(folder, { recursive: true });
  }
}

/** What has a large body is kept without it. */
class FolderMap<T extends StoredObject> extends Map<string, T> {
  folder = "";
  private files = 0;
  private readonly paths = new Map<string, string>();

  override set(key: string, object: T): this {
    const former = this.paths.get(key);
    this.paths.delete(key);
    if (object.body.length >= fileBytes) {
      const path = join(this.folder, String(this.files++));
      writeFileSync(path, zstdCompressSync(object.body, options));
      this.paths.set(key, path);
      const { body: _, ...rest } = object;
      super.set(key, Object.defineProperty(rest as T, "body", { get: () => zstdDecompressSync(readFileSync(path)) }));
    } else super.set(key, object);
    if (former !== undefined) rmSync(former, { force: true });
    return this;
  }

  override delete(key: string): boolean {
    const path = this.paths.get(key);
    if (path !== undefined) rmSync(path, { force: true });
    this.paths.delete(key);
    return super.delete(key);
  }
}

/** Nobody looks at the calls of a long run. */
class Forgetful extends Array<StoreCall> {
  override push(): number {
    return 0;
  }
}
