import { StoredContent } from "../../components/manager/store/bucket/bucket";
import { Judge } from "./judge";
import type { SimulatedNode } from "./node";

/** A bucket in memory, as S3 behaves when nothing is wrong: what is wrong is the network's. Every call takes effect at once, and the judge sees each. */
export class SimulatedBucket {
  readonly all = new Map<string, StoredContent>();
  private versions = 0;
  judge: Judge | undefined;

  get(key: string): StoredContent | undefined {
    return this.all.get(key);
  }

  /** @param by who sends it */
  create(key: string, content: Uint8Array, by: SimulatedNode): "created" | "taken" {
    if (this.all.has(key)) return "taken";
    this.put(key, content, by);
    return "created";
  }

  replace(key: string, content: Uint8Array, etag: string | undefined, by?: SimulatedNode): string | undefined {
    if (this.all.get(key)?.etag !== etag) return undefined;
    return this.put(key, content, by);
  }

  /** @param by absent: a person */
  put(key: string, content: Uint8Array, by?: SimulatedNode): string {
    const etag = `"${++this.versions}"`;
    // Nobody changes what was sent: a copy of it would only cost time.
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content);
    this.all.set(key, { content: bytes, etag });
    this.judge?.written(key, bytes, by);
    return etag;
  }

  list(folder: string, after: string, limit: number): string[] {
    const keys = [...this.all.keys()].filter(key => key.startsWith(folder) && key > after);
    return keys.sort().slice(0, limit);
  }

  delete(key: string): void {
    if (this.all.has(key)) this.judge?.deleted(key);
    this.all.delete(key);
  }
}
