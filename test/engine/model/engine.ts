import { commit, sendGrownWal } from "./commit";
import { ColumnFamily } from "./columnFamily";
import { mergeByShape, mergeRange } from "./compaction";
import * as definitions from "./definitions";
import { KnownTable, TableName } from "./definitions";
import { NoSuchTable } from "./errors";
import { flushMemtable, rotate } from "./flush";
import { Environment } from "./ports";
import { promote } from "./promotion";
import { readRow, scanRows } from "./reading";
import { openState } from "./recovery";
import { overtakenRow, pollBucket } from "./replication";
import { defaultEngineSettings, defaultFamilySettings, EngineSettings, FamilySettings } from "./settings";
import { schemaFamilyName, type EngineState } from "./state";
import { EngineStatus, statusOf } from "./status";
import { FamilyWrite } from "../formats/writeAheadLog";

/** The reaper wakes up so often. Milliseconds. */
export const reaperIntervalMilliseconds = 100;

/** What a transaction does to one row; a value of null deletes it. Keys and values are the SQL layer's own. */
export interface RowWrite extends TableName {
  /** Of an index's entry: the index. */
  index?: string;
  key: string;
  value: string | null;
}

/**
 * A model of TidesDB 9.3.14 on an object store, as TideSQL 4.5.7 drives it, with the hazards that were measured on it or read in its source: it loses what the engine
 * loses. It has no timers: {@link tick} and {@link poll} are called from outside, by a server's timers or by a simulation's virtual clock.
 */
export class Engine {
  private ticking: Promise<void> | undefined;

  private discovering: boolean;

  private constructor(private readonly state: EngineState) {
    this.discovering = state.families.has(schemaFamilyName);
  }

  /** Opens the engine on a disk that may hold an earlier engine's files, and on a bucket that may not answer: it opens all the same. */
  static async open(environment: Environment, settings: Partial<EngineSettings>): Promise<Engine> {
    return new Engine(await openState(environment, { ...defaultEngineSettings, ...settings }));
  }

  get settings(): EngineSettings {
    return this.state.settings;
  }

  /** Whether it refuses writes at this moment. */
  get replicaMode(): boolean {
    return this.state.replicaMode;
  }

  /** False once it was killed or closed. */
  get alive(): boolean {
    return this.state.alive;
  }

  /** The reaper's round: to be called every {@link reaperIntervalMilliseconds}. A call during a long round does nothing. */
  tick(): Promise<void> {
    this.ticking ??= this.reap().finally(() => (this.ticking = undefined));
    return this.ticking;
  }

  /** The replica's look at the bucket: to be called `replicaSyncIntervalMilliseconds` after the last one ended. Does nothing where the node does not follow. */
  poll(): Promise<void> {
    const { state } = this;
    if (!state.syncThreadRuns) return Promise.resolve();
    state.polling ??= state.store
      .thread("follower", () => pollBucket(state))
      .finally(() => (state.polling = undefined));
    return state.polling;
  }

  /** The plugin then makes the column family of definitions, where there is none. @throws PromotionFailed */
  async promote(): Promise<void> {
    await promote(this.state);
    await definitions.ensureSchemaFamily(this.state);
    this.discovering = true;
  }

  /** @throws ReadOnlyReplica, NoSuchTable */
  commit(writes: RowWrite[]): Promise<void> {
    return commit(
      this.state,
      writes.map((write): FamilyWrite => [this.family(write, write.index).index, write.key, write.value]),
    );
  }

  /**
   * A point read.
   * @param snapshot in a transaction of REPEATABLE READ or SERIALIZABLE
   * @throws NoSuchTable, CorruptTable, EngineCrashed
   */
  get(table: TableName, key: string, snapshot = false): string | undefined {
    return readRow(this.state, this.family(table), key, snapshot);
  }

  /** Whether a poll has passed over a version of this row that this replica had never seen: the one before may stay, though its SSTables say otherwise. */
  isOvertaken(table: TableName, key: string): boolean {
    return this.state.overtaken.has(overtakenRow(this.family(table).index, key));
  }

  /** All rows, in no order. @param snapshot in such a transaction, in the order of the key @throws NoSuchTable, CorruptTable, EngineCrashed */
  scan(table: TableName, snapshot = false): Map<string, string> {
    return scanRows(this.state, this.family(table), snapshot);
  }

  /**
   * @param indexes the names of its secondary indexes
   * @param former the table that is renamed to it: the same commit removes its definition
   * @throws ReadOnlyReplica, TableExists
   */
  async createTable(
    name: TableName,
    definition: string,
    settings: Partial<FamilySettings> = {},
    indexes: string[] = [],
    former?: TableName,
  ): Promise<void> {
    const all = { ...defaultFamilySettings, ...settings };
    await definitions.createTable(this.state, name, definition, all, former);
    for (const index of indexes) await definitions.createIndex(this.state, name, index, all);
  }

  /** Makes a secondary index, with nothing in it. @throws ReadOnlyReplica */
  createIndex(name: TableName, index: string, settings: Partial<FamilySettings> = {}): Promise<void> {
    return definitions.createIndex(this.state, name, index, { ...defaultFamilySettings, ...settings });
  }

  /**
   * ALTER TABLE, where the rows stay as they are.
   * @param stored the definition that goes to the bucket
   * @throws ReadOnlyReplica
   */
  redefineTable(name: TableName, stored: string): Promise<void> {
    return definitions.redefineTable(this.state, name, stored);
  }

  /** @throws ReadOnlyReplica, NoSuchTable */
  dropTable(name: TableName): Promise<void> {
    return definitions.dropTable(this.state, name);
  }

  /** What CREATE TABLE said; undefined where the table is not, or not yet, known. */
  definition(name: TableName): string | undefined {
    return definitions.findTable(this.state, name)?.definition;
  }

  /** Whether this node looks for definitions at all: its column family of definitions was there when it opened, or it was promoted since. */
  get discovers(): boolean {
    return this.discovering;
  }

  /** Tables whose definitions have arrived, with or without their rows. */
  tables(): KnownTable[] {
    return definitions.knownTables(this.state);
  }

  /**
   * OPTIMIZE TABLE: flushes the memtable of all tables, waits for it, and merges this one's SSTables where the tree's shape asks for it. A replica does it too, and
   * harms itself and the bucket: its SSTables take the numbers of the primary's next ones, and its own WAL goes to the bucket over the primary's.
   */
  async optimize(name: TableName): Promise<void> {
    const family = this.family(name);
    await rotate(this.state);
    await Promise.all(this.state.immutables.map(memtable => memtable.untilFlushed()));
    await mergeByShape(this.state, family);
  }

  /** What `tidesdb_compact_after_range_delete_min_rows` starts: a targeted merge of the SSTables that hold keys of the range. */
  compactRange(name: TableName, range: [string, string]): Promise<void> {
    return mergeRange(this.state, this.family(name), range);
  }

  /**
   * A clean stop: flushes, sends what is in the queue, and tries once more what was parked. A replica flushes nothing and deletes its WAL, even one that it took
   * over from an earlier life of this node as primary and that holds rows which are nowhere else.
   */
  async close(): Promise<void> {
    const { state } = this;
    await this.ticking;
    if (!state.replicaMode && !state.active.isEmpty) await flushMemtable(state, state.active);
    await Promise.all(state.immutables.map(memtable => memtable.untilFlushed()));
    state.syncThreadRuns = false;
    await state.polling;
    await state.uploader.drain();
    if (state.active.wal !== undefined) state.disk.remove(state.active.wal);
    state.alive = false;
  }

  /** SIGKILL: nothing more is written; what was sent already may still arrive in the bucket. */
  kill(): void {
    this.state.alive = false;
  }

  /** As it is now. The server's status variables are up to a second old. */
  status(): EngineStatus {
    return statusOf(this.state);
  }

  private async reap(): Promise<void> {
    sendGrownWal(this.state);
    await this.state.uploader.retryParked();
  }

  /** Whoever knows a table's definition from before reads it, whatever has become of that. */
  private family(table: TableName, index?: string): ColumnFamily {
    const name = index === undefined ? definitions.familyName(table) : definitions.indexFamilyName(table, index);
    const family = this.state.families.get(name);
    if (!family) throw new NoSuchTable(name);
    return family;
  }
}
