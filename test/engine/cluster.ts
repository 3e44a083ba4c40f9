import { MemoryDisk } from "./disk/memoryDisk";
import { Engine, RowWrite } from "./model/engine";
import { Environment } from "./model/ports";
import { EngineSettings, FamilySettings } from "./model/settings";
import { MemoryObjectStore } from "./objectStore/memoryObjectStore";

/** The table that most tests write to. */
export const items = { database: "app", table: "items" };

/** One engine on a disk that outlives it. */
export class Node {
  engine!: Engine;

  constructor(
    private readonly environment: Environment,
    readonly disk: MemoryDisk,
    private readonly settings: Partial<EngineSettings>,
  ) {}

  /** Starts, or starts again, on its disk. */
  async start(settings: Partial<EngineSettings> = {}): Promise<this> {
    this.engine = await Engine.open(this.environment, { ...this.settings, ...settings });
    return this;
  }

  async put(key: string, value: string, table = items): Promise<void> {
    await this.engine.commit([{ ...table, key, value }]);
  }

  async remove(key: string): Promise<void> {
    await this.engine.commit([{ ...items, key, value: null }]);
  }

  /** One transaction for each row. */
  async putAll(rows: Record<string, string>): Promise<void> {
    for (const [key, value] of Object.entries(rows)) await this.put(key, value);
  }

  commit(writes: RowWrite[]): Promise<void> {
    return this.engine.commit(writes);
  }

  /** Keys that a scan finds, in order. */
  keys(table = items): string[] {
    return [...this.engine.scan(table).keys()].sort();
  }

  /** The reaper's round, and the uploads that it has started. */
  async tick(): Promise<void> {
    await this.engine.tick();
    await settle();
  }

  async flush(table = items): Promise<void> {
    await this.engine.optimize(table);
    await settle();
  }

  files(): string[] {
    return this.disk.list().sort();
  }
}

/** Engines that share a bucket, on a clock that jumps ahead whenever somebody sleeps. */
export class Cluster {
  readonly store = new MemoryObjectStore();
  now = 0;
  /** About what the engines' dice show; never the same twice. */
  dice = 0.5;
  private draws = 0;

  constructor(private readonly settings: Partial<EngineSettings> = {}) {}

  /** A node with an empty disk, not started. */
  node(settings: Partial<EngineSettings> = {}): Node {
    const disk = new MemoryDisk();
    const environment: Environment = {
      disk,
      store: this.store,
      clock: {
        now: () => this.now,
        sleep: milliseconds => {
          this.now += milliseconds;
          return Promise.resolve();
        },
      },
      random: () => (this.dice + this.draws++ * 1e-6) % 1,
      log: () => undefined,
    };
    // As a deployment sets it: everything that is new is sent at each tick.
    const defaults: Partial<EngineSettings> = {
      replicaMode: true,
      walSyncThresholdBytes: 16,
      skipLastWalProbability: 0,
    };
    return new Node(environment, disk, { ...defaults, ...this.settings, ...settings });
  }

  /** A started replica on an empty disk. */
  replica(settings: Partial<EngineSettings> = {}): Promise<Node> {
    return this.node(settings).start();
  }

  /** A promoted node with the table. */
  async primary(table: Partial<FamilySettings> = {}, settings: Partial<EngineSettings> = {}): Promise<Node> {
    const node = await this.replica(settings);
    await node.engine.promote();
    await node.engine.createTable(items, "items", table);
    await node.tick();
    return node;
  }

  /** Names of the objects that match. */
  objects(pattern: RegExp): string[] {
    return [...this.store.objects.keys()].filter(key => pattern.test(key)).sort();
  }
}

/** Lets everything run that waits for nothing but itself. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
