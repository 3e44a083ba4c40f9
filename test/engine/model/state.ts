import { ColumnFamily } from "./columnFamily";
import { EngineStopped } from "./errors";
import { Memtable } from "./memtable";
import { Mutex } from "./mutex";
import { Clock, Disk, EngineLog, Environment, ObjectStore, Random } from "./ports";
import { EngineSettings } from "./settings";
import { Uploader } from "./uploads";
import { WalReader, WalRecord } from "../formats/writeAheadLog";

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
  /** The last sequence in each WAL object when the last poll read it; 0 where there was none. Undefined before the first poll. */
  polledWalEnds: Map<string, number> | undefined;
  /** How many records of each WAL object have been read, of which reading. */
  readonly replayedRecords = new Map<string, { records: WalRecord[]; count: number }>();
  /** Rows, by family and key, of which a poll has passed over versions that this node had never seen. */
  readonly overtaken = new Set<string>();

  readonly families = new Map<string, ColumnFamily>();
  /** UNIMAP: column family by the prefix of its keys. */
  readonly familyIndexes = new Map<string, number>();
  /** The object that the map above was read from, as long as it is what the disk has. */
  indexesReadFrom: Uint8Array | undefined;
  nextFamilyIndex = 0;

  constructor(
    environment: Environment,
    readonly settings: EngineSettings,
    active: { generation: number; wal: string },
  ) {
    const { disk, store, clock } = environment;
    const alive = () => this.checkAlive();
    this.disk = guardedDisk(disk, alive);
    this.store = guardedStore(store, alive);
    this.clock = guardedClock(clock, alive);
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
    for (const family of this.families.values()) if (family.index === index) return family;
    return undefined;
  }
}

/** The same disk, which ends in {@link EngineStopped} once the engine is dead. */
function guardedDisk(disk: Disk, alive: () => void): Disk {
  return {
    read: name => (alive(), disk.read(name)),
    write: (name, content) => (alive(), disk.write(name, content)),
    append: (name, content) => (alive(), disk.append(name, content)),
    trim: name => (alive(), disk.trim(name)),
    size: name => (alive(), disk.size(name)),
    remove: name => (alive(), disk.remove(name)),
    list: () => (alive(), disk.list()),
  };
}

/** The same store, whose calls end in {@link EngineStopped} in a dead engine: before they begin, and when their answer comes too late. */
function guardedStore(store: ObjectStore, alive: () => void): ObjectStore {
  return {
    put: (key, body, options) => answered(() => store.put(key, body, options), alive),
    get: key => answered(() => store.get(key), alive),
    head: key => answered(() => store.head(key), alive),
    list: prefix => answered(() => store.list(prefix), alive),
    delete: key => answered(() => store.delete(key), alive),
    thread: (kind, work) => store.thread(kind, work),
  };
}

function guardedClock(clock: Clock, alive: () => void): Clock {
  return { now: () => (alive(), clock.now()), sleep: milliseconds => answered(() => clock.sleep(milliseconds), alive) };
}

async function answered<T>(call: () => Promise<T>, alive: () => void): Promise<T> {
  alive();
  try {
    return await call();
  } finally {
    alive();
  }
}
