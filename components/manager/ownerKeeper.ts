import { ManagerConfiguration } from "../core/managerConfiguration";
import { isProbe } from "./conditionalWriteProbe";
import { Ports } from "./ports";
import { Monotonic, OwnerRecord, Refusal } from "./view";

const callTimeout = 1000;
/** The first look at a prefix lists it whole, and writes to it. Milliseconds. */
const claimTimeout = 4000;

/** The owner's record with the ETag that its next write must match. */
export interface StoredOwner {
  record: OwnerRecord;
  etag: string;
}

/** Knows what the bucket says about its owner (rule 10), and claims an empty prefix for this database. */
export class OwnerKeeper {
  stored: StoredOwner | undefined;
  readAt: Monotonic = -Infinity;
  /** Of this node. */
  private writes = 0;
  /** When the bucket did not answer last. */
  failedAt: Monotonic = -Infinity;

  constructor(
    private readonly configuration: ManagerConfiguration,
    private readonly ports: Ports,
  ) {}

  /** What this node has just written. */
  set(stored: StoredOwner): void {
    this.writes++;
    this.saw(stored);
  }

  private saw(stored: StoredOwner): void {
    this.stored = stored;
    this.readAt = this.ports.clock.now();
  }

  /** Everything that was ever acknowledged is in the bucket. */
  async markClean(): Promise<void> {
    if (!this.stored) throw new Error("owner.json was never read");
    const record = { ...this.stored.record, clean: true };
    this.set({ record, etag: await this.ports.store.writeOwner(record, this.stored.etag, callTimeout) });
  }

  /** Reads the record, or writes the first one. Answers why this database must not touch the prefix, if so. */
  async read(): Promise<Refusal | undefined> {
    const { writes } = this;
    const found = await this.look();
    // Written meanwhile: what was read may be what stood there before.
    if (this.writes !== writes) return undefined;
    if ("reason" in found) return found;
    const { databaseId, objectStore } = this.configuration;
    if (found.record.databaseId !== databaseId) {
      return {
        reason: "ForeignData",
        message: `s3://${objectStore.bucket}/${objectStore.prefix} belongs to database ${found.record.databaseId}, this one is ${databaseId}: give this database another prefix, or set databaseId to attach that data`,
      };
    }
    this.saw(found);
    return undefined;
  }

  private async look(): Promise<StoredOwner | Refusal> {
    try {
      return (await this.ports.store.readOwner(callTimeout)) ?? (await this.claim());
    } catch (error) {
      // A bucket that does not answer now is none to start an engine on, or to be promoted on.
      this.readAt = -Infinity;
      this.failedAt = this.ports.clock.now();
      throw error;
    }
  }

  /** Before any engine has touched the prefix: afterwards nobody can tell an old database from a new one. */
  private async claim(): Promise<StoredOwner | Refusal> {
    const { store, log } = this.ports;
    const { bucket, prefix, endpoint } = this.configuration.objectStore;
    // Other nodes of this database look at the same prefix now, and one that died has left its probe.
    if ((await store.list(claimTimeout)).some(({ key }) => !isProbe(key))) {
      const appeared = await store.readOwner(callTimeout);
      const message = `s3://${bucket}/${prefix} holds data without owner.json, and is not overwritten. Give this database an empty prefix`;
      return appeared ?? { reason: "UnknownData", message };
    }
    if (!(await store.supportsConditionalWrites(claimTimeout))) {
      const message = `${endpoint} ignores If-None-Match or If-Match: two primaries could not be kept apart. Use a store with conditional writes`;
      return { reason: "NoConditionalWrites", message };
    }
    const record: OwnerRecord = {
      databaseId: this.configuration.databaseId,
      epoch: 0,
      holder: "",
      volumeId: "",
      clean: false,
    };
    const etag = await store.writeOwner(record, undefined, callTimeout);
    log("info", "claimed an empty prefix", { bucket, prefix });
    return { record, etag };
  }
}
