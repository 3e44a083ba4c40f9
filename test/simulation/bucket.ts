import { createHash } from "node:crypto";
import { ListedObject, ObjectHead, PreconditionFailed, PutOptions, StoredObject } from "../engine/model/ports";

/** A bucket in memory, as S3 behaves when nothing is wrong: what is wrong is the network's. Every call takes effect at once. */
export class SimulatedBucket {
  private readonly objects = new Map<string, SimulatedObject>();
  /** Keys in the order of a listing; undefined after a change. */
  private sorted: string[] | undefined;
  private versions = 0;

  /** @throws PreconditionFailed */
  put(key: string, body: Uint8Array, options: PutOptions = {}): string {
    const present = this.objects.get(key);
    if (options.ifNoneMatch && present) throw new PreconditionFailed(key);
    if (options.ifMatch !== undefined && present?.etag !== options.ifMatch) throw new PreconditionFailed(key);
    // A WAL is sent ten times a second, and nobody compares its ETag with anything but itself.
    const etag = key.includes("uwal_") ? `v${++this.versions}` : createHash("md5").update(body).digest("hex");
    this.objects.set(key, { body, etag, size: body.length, metadata: options.metadata ?? {} });
    if (!present) this.sorted = undefined;
    return etag;
  }

  get(key: string): StoredObject | undefined {
    return this.objects.get(key);
  }

  head(key: string): ObjectHead | undefined {
    return this.objects.get(key);
  }

  list(prefix: string): (ListedObject & { etag: string })[] {
    this.sorted ??= [...this.objects.keys()].sort();
    const found: (ListedObject & { etag: string })[] = [];
    for (const key of this.sorted) {
      if (!key.startsWith(prefix)) continue;
      const { size, etag } = this.objects.get(key)!;
      found.push({ key, size, etag });
    }
    return found;
  }

  delete(key: string): void {
    if (this.objects.delete(key)) this.sorted = undefined;
  }
}

interface SimulatedObject extends StoredObject {
  size: number;
}
