import { createHash } from "node:crypto";
import { ListedObject, ObjectHead, ObjectStore, PreconditionFailed, PutOptions, StoredObject } from "../model/ports";

/** One call, before it has an effect. */
export interface StoreCall {
  operation: "put" | "get" | "head" | "list" | "delete";
  /** The prefix, of a listing. */
  key: string;
}

/**
 * Decides what happens to a call: throw for a failure without effect, return a promise for a delay. `lost` lets the call take effect and its answer be lost.
 * Undefined: nothing is wrong.
 */
export type StoreFault = (call: StoreCall) => Promise<void> | "lost" | void;

/** A bucket in memory that several engines may share. The default is one that works; `fault` makes it fail. */
export class MemoryObjectStore implements ObjectStore {
  readonly objects = new Map<string, StoredObject>();
  /** Every call that was made. */
  readonly calls: StoreCall[] = [];
  fault: StoreFault = () => undefined;
  /** False: like a store that takes conditional writes for unconditional ones. */
  enforcesConditions = true;

  /** Every call fails from now on, until {@link up}. */
  down(): void {
    this.fault = () => {
      throw new Error("connection refused");
    };
  }

  up(): void {
    this.fault = () => undefined;
  }

  put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<string> {
    return this.call({ operation: "put", key }, () => {
      const present = this.objects.get(key);
      const refused =
        (options.ifNoneMatch && present) || (options.ifMatch !== undefined && present?.etag !== options.ifMatch);
      if (refused && this.enforcesConditions) throw new PreconditionFailed(key);
      const etag = `"${createHash("md5").update(body).digest("hex")}"`;
      this.objects.set(key, { body, etag, metadata: { ...options.metadata } });
      return etag;
    });
  }

  get(key: string): Promise<StoredObject | undefined> {
    return this.call({ operation: "get", key }, () => this.objects.get(key));
  }

  head(key: string): Promise<ObjectHead | undefined> {
    return this.call({ operation: "head", key }, () => {
      const object = this.objects.get(key);
      return object && { size: object.body.length, etag: object.etag, metadata: object.metadata };
    });
  }

  list(prefix: string): Promise<ListedObject[]> {
    return this.call({ operation: "list", key: prefix }, () =>
      [...this.objects.keys()]
        .filter(key => key.startsWith(prefix))
        .sort()
        .map(key => ({ key, size: this.objects.get(key)!.body.length })),
    );
  }

  delete(key: string): Promise<void> {
    return this.call({ operation: "delete", key }, () => void this.objects.delete(key));
  }

  thread<T>(_kind: string, work: () => Promise<T>): Promise<T> {
    return work();
  }

  private async call<T>(call: StoreCall, effect: () => T): Promise<T> {
    this.calls.push(call);
    const verdict = this.fault(call);
    if (verdict === "lost") {
      effect();
      throw new Error("the answer was lost");
    }
    if (verdict) await verdict;
    return effect();
  }
}
