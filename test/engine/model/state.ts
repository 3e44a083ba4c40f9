import { ColumnFamily } from "./columnFamily";
import { EngineStopped } from "./errors";
import { Memtable } from "./memtable";
import { Mutex } from "./mutex";
import { Clock, Disk, EngineLog, Environment, ObjectStore, Random } from "./ports";
import { EngineSettings } from "./settings";
import { Uploader } from "./uploads";
import { WalReader } from "./writeAheadLog";

/** The table definitions' own column family. */
export const schemaFamilyName = "__tidesql_schema";

/**
 * All that an open engine holds, for the functions that work on it. Of the disk, the store and the clock it has copies that end whatever still runs in an engine
 * that was killed: a dead process writes nothing, though what it had sent may still arrive.
 */
export class EngineState {
  readonly disk: Disk;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EngineLog;
  readonly uploader: Uploader;
  readonly walReader = new WalReader();

  alive = true;
  /** Whether it refuses writes and uploads no SSTables: what promotion and self-demotion change. */
  replicaMode: boolean;
  /** Whether the thread that polls the bucket runs. A node that demoted itself has none: its reads stay as they are for ever. */
  syncThreadRuns = false;
  polling: Promise<void> | undefined;

  /** Whether the store was proven to enforce conditional writes. Without it manifests are published unfenced. */
  fencing = false;
  /** Epoch of the engine's own lease that this node took; 0: none. */
  primaryEpoch = 0;
  leaseEtag = "";
  seenEpoch = 0;
  /** Renewing the lease and publishing a manifest under it are one piece of work. */
  readonly publishing = new Mutex();

  /** The sequence that the next commit gets. */
  nextSequence = 1;
  /** With `walSyncOnCommit` one commit is sent after another. */
  readonly committing = new Mutex();
  active: Memtable;
  /** Oldest first. */
  immutables: Memtable[] = [];
  /** Generation of the newest WAL that this node knows of: on a replica, of the primary's. The next rotation goes one beyond. */
  walGeneration: number;
  /** So long was the active WAL when the reaper sent it last. Bytes. */
  lastWalSyncBytes = 0;
  /** ETag of each WAL object when the last poll read it. */
  polledWalEtags = new Map<string, string>();

  readonly families = new Map<string, ColumnFamily>();
  /** UNIMAP: column family by the prefix of its keys. */
  readonly familyIndexes = new Map<string, number>();
  nextFamilyIndex = 0;

  constructor(
    environment: Environment,
    readonly settings: EngineSettings,
    active: { generation: number; wal: string },
  ) {
    const { disk, store, clock } = environment;
    const alive = () => this.checkAlive();
    this.disk = guarded(disk, alive);
    this.store = guarded(store, alive);
    this.clock = guarded(clock, alive);
    this.random = environment.random;
    this.log = environment.log;
    this.replicaMode = settings.replicaMode;
    this.active = new Memtable(active.generation, active.wal);
    this.walGeneration = active.generation;
    this.uploader = new Uploader(
      this,
      settings.replicaMode ? Math.max(1, settings.maxConcurrentUploads - 1) : settings.maxConcurrentUploads,
    );
  }

  /** @throws EngineStopped in an engine that was killed: whatever catches a call's failure asks this first. */
  checkAlive(): void {
    if (!this.alive) throw new EngineStopped();
  }

  /** Has something done that nobody waits for. */
  inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!(error instanceof EngineStopped)) throw error;
    });
  }

  family(index: number): ColumnFamily | undefined {
    return [...this.families.values()].find(family => family.index === index);
  }
}

/** The same object, whose methods end in {@link EngineStopped} once the engine is dead: before the call, and when its answer comes too late. */
function guarded<T extends object>(target: T, alive: () => void): T {
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property);
      if (typeof member !== "function") return member;
      return (...parameters: unknown[]): unknown => {
        alive();
        const result: unknown = Reflect.apply(member, object, parameters);
        if (!(result instanceof Promise)) return result;
        return result.then(
          value => {
            alive();
            return value as unknown;
          },
          error => {
            alive();
            throw error;
          },
        );
      };
    },
  });
}
