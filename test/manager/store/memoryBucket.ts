import * as fs from "node:fs/promises";
import { crc32 } from "node:zlib";
import {
  FileSum,
  RestorableBucket,
  SourceFolder,
  StoreClock,
  StoredContent,
  StoredSize,
} from "../../../components/manager/store/bucket/bucket";

/** What becomes of one call: it works, fails before or after its effect, or takes effect only after its caller was told that it failed. */
export type Fate = "works" | "fails" | "answer lost" | "late";

/** A bucket in memory whose calls can go wrong, on a clock that moves when somebody sleeps. */
export class MemoryBucket implements RestorableBucket {
  readonly objects = new Map<string, Buffer>();
  /** Each write that took effect, in order. */
  readonly written: string[] = [];
  fate: (operation: string, key: string) => Fate = () => "works";
  private readonly late: (() => void)[] = [];

  /** Lets requests take effect that were given up. */
  arrive(): void {
    this.late.splice(0).forEach(effect => effect());
  }

  get(key: string): Promise<StoredContent | undefined> {
    return this.call("get", key, () => {
      const content = this.objects.get(key);
      return content && { content, etag: etagOf(content) };
    });
  }

  create(key: string, content: Uint8Array): Promise<"created" | "taken"> {
    return this.call("create", key, () => {
      if (this.objects.has(key)) return "taken";
      this.put(key, content);
      return "created";
    });
  }

  replace(key: string, content: Uint8Array, etag: string | undefined): Promise<string | undefined> {
    return this.call("replace", key, () => {
      const present = this.objects.get(key);
      if ((present && etagOf(present)) !== etag) return undefined;
      this.put(key, content);
      return etagOf(this.objects.get(key)!);
    });
  }

  async putFile(key: string, path: string): Promise<FileSum> {
    const content = await fs.readFile(path);
    return this.call("putFile", key, () => {
      this.put(key, content);
      return { size: content.length, crc32: crc32(content) };
    });
  }

  async getFile(key: string, path: string): Promise<FileSum | undefined> {
    const content = await this.call("getFile", key, () => this.objects.get(key));
    if (!content) return undefined;
    await fs.writeFile(path, content);
    return { size: content.length, crc32: crc32(content) };
  }

  list(folder: string, after: string, limit: number): Promise<string[]> {
    return this.call("list", folder, () =>
      [...this.objects.keys()]
        .filter(key => key.startsWith(folder) && key > after)
        .sort()
        .slice(0, limit),
    );
  }

  sizes(folder: string, after: string, limit: number): Promise<StoredSize[]> {
    return this.list(folder, after, limit).then(keys =>
      keys.map(key => ({ key, size: this.objects.get(key)?.length ?? 0 })),
    );
  }

  /** Copies of `source` go through the same fates. */
  source: MemoryBucket | undefined;

  copyFrom(_: SourceFolder, key: string): Promise<boolean> {
    return this.call("copyFrom", key, () => {
      const content = this.source?.objects.get(key);
      if (content) this.put(key, content);
      return content !== undefined;
    });
  }

  delete(key: string): Promise<void> {
    return this.call("delete", key, () => void this.objects.delete(key));
  }

  private put(key: string, content: Uint8Array): void {
    this.objects.set(key, Buffer.from(content));
    this.written.push(key);
  }

  private async call<T>(operation: string, key: string, effect: () => T): Promise<T> {
    await Promise.resolve();
    switch (this.fate(operation, key)) {
      case "works":
        return effect();
      case "answer lost":
        effect();
        break;
      case "late":
        this.late.push(() => void effect());
        break;
      case "fails":
        break;
    }
    throw new Error(`${operation} ${key}: no answer`);
  }
}

function etagOf(content: Buffer): string {
  return `"${crc32(content)}-${content.length}"`;
}

/** A clock that stands still until somebody sleeps. `ahead`: by so much the wall clock is wrong, milliseconds. */
export function steppedClock(): StoreClock & { at: number; ahead: number } {
  return {
    at: 0,
    ahead: 0,
    now() {
      return this.at;
    },
    wall() {
      return 1_800_000_000_000 + this.at + this.ahead;
    },
    async sleep(milliseconds) {
      this.at += milliseconds;
      await new Promise(resolve => setImmediate(resolve));
    },
  };
}
