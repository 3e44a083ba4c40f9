import { EngineAnswer } from "../../components/manager/store/gateway/answer";
import { ConnectionMemory, EngineRequest } from "../../components/manager/store/gateway/request";
import { readNumberMap } from "../../components/manager/store/volume/engineFiles";
import { xxh32 } from "../../components/manager/store/wal/xxh32";
import { decodeFile, encodeFrame, fileHeader } from "../engine/formats/frames";
import { decodeManifest, encodeManifest } from "../engine/formats/manifest";
import { decodeSstable, encodeSstable, SstableRow } from "../engine/formats/sstable";
import { decodeWalData, encodeWalData, FamilyWrite, walEnd } from "../engine/formats/writeAheadLog";

import { Random } from "./random";
import { Inode, SimulatedVolume } from "./volume";

/** The reserved end of a WAL that is being written, bytes. */
const reserved = 4000;
/** The engine gives a request up after so long, and acknowledges a commit after three of them. Milliseconds. */
const requestTimeout = 60_000;
const attempts = 3;

/** One row that a commit changes; undefined deletes it. */
export interface RowChange {
  table: string;
  key: string;
  value: string | undefined;
}

/** One commit as its block stands in the WAL. */
export interface WrittenBlock {
  sequence: number;
  hash: number;
}

export type Ask = (
  method: string,
  key: string,
  given: {
    body?: Buffer;
    length?: number;
    connection?: ConnectionMemory;
    /** Of a listing. */
    prefix?: string;
    /** Of an upload in parts. */
    part?: Record<string, string>;
    headers?: Lease;
  },
) => Promise<EngineAnswer>;
type Rows = Map<string, SstableRow>;
type Lease = Pick<EngineRequest, "ifMatch"> & { ifNoneMatch?: boolean };

export interface EngineWorld {
  volume: SimulatedVolume;
  directory: string;
  random: Random;
  /** Larger files are sent in parts of so many bytes. */
  partBytes: number;
  /** Rejects when the time is over; never comes back in a process that is dead. */
  ask: Ask;
  within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined>;
  sleep: (milliseconds: number) => Promise<void>;
}

interface SstableInMemory {
  level: number;
  id: number;
  rows: Rows;
}

/**
 * The engine as its store sees it: real WALs with places that are filled out of order and half written, flushes that overlap, merges, and as a follower the polls of the real one, which passes over what comes
 * late. It talks to the gateway, in the real one's order.
 */
export class EngineModel {
  isPrimary = false;
  /** Of a WAL that was replayed and whose rows were not flushed: point reads in a transaction do not see them. */
  replayedGeneration: number | undefined;
  private readonly memtables = new Map<number, Map<number, Rows>>();
  private readonly manifests = new Map<number, SstableInMemory[]>();
  private readonly names = new Map<number, string>();
  /** What {@link numberOf} has found: it is asked for very often. */
  private readonly numbers = new Map<string, number>();
  /** Bodies of manifests that were taken as a whole, by table. */
  private readonly taken = new Map<number, Buffer>();
  private readonly walEnds = new Map<number, number>();
  /** Flushed, and behind one that is not. */
  private readonly flushed = new Set<number>();
  /** Writers that have not filled their place in a WAL yet. */
  private readonly filling = new Map<number, number>();
  private readonly nextIds = new Map<number, number>();
  /** A table's files are made and published one after the other. */
  private readonly queues = new Map<number, Promise<void>>();
  /** Tables that it would merge though it follows. */
  readonly merging = new Set<number>();
  private generation = 0;
  /** No number is given twice between two starts. */
  private nextNumber = 0;
  /** The highest sequence that was applied, given or loaded. */
  sequence = 0;

  private constructor(private readonly world: EngineWorld) {}

  /** Where its commits stand in its WALs, until they are known to be on the disk. */
  private readonly places = new Map<string, { inode: Inode; at: number }>();

  /** Opens an aligned volume: the disk is all that there is. */
  static open(world: EngineWorld): EngineModel {
    const engine = new EngineModel(world);
    const { volume, directory } = world;
    for (const [number, name] of readNumberMap(volume.read(`${directory}/UNIMAP`).toString())) {
      const { entries, sequence } = decodeManifest(volume.read(`${directory}/${name}/MANIFEST`));
      engine.names.set(number, name);
      const settings = `${directory}/${name}/config.ini`;
      if (volume.has(settings) && merges(volume.read(settings))) engine.merging.add(number);
      engine.nextIds.set(number, sequence);
      engine.manifests.set(number, []);
      for (const { level, id } of entries) {
        const [klog, vlog] = ["klog", "vlog"].map(half => volume.read(`${directory}/${name}/L${level}_${id}.${half}`));
        engine.load(number, level, id, klog!, vlog!);
      }
    }
    const wals = [...volume.list(directory).keys()].filter(name => name.startsWith("uwal_"));
    if (wals.length !== 1) throw new Error(`an aligned volume has one WAL, not ${wals.join()}`);
    engine.generation = Number(/\d+/.exec(wals[0]!)![0]);
    engine.memtables.set(engine.generation, new Map());
    const bytes = volume.read(`${directory}/${wals[0]!}`);
    for (const { sequence, writes } of [...decodeFile(bytes)].map(decodeWalData)) {
      for (const [table, key, value] of writes) engine.put(engine.generation, table, key, { sequence, value });
      engine.sequence = Math.max(engine.sequence, sequence);
    }
    engine.walEnds.set(engine.generation, walEnd(bytes));
    if (engine.hasRowsInMemory) engine.replayedGeneration = engine.generation;
    return engine;
  }

  /** What it asks for before anything else. Without an answer it numbers its tables by itself: what stands under other numbers in its WAL is of other tables then. */
  async readMap(): Promise<void> {
    const { status } = await this.world.ask("GET", "UNIMAP", {});
    if (status === 200) return;
    const byNumber = new Map(this.names);
    const [manifests, nextIds] = [new Map(this.manifests), new Map(this.nextIds)];
    const sorted = [...byNumber].sort(([, a], [, b]) => (a < b ? -1 : 1));
    for (const map of [this.names, this.manifests, this.nextIds, this.numbers]) map.clear();
    for (const [own, [number, name]] of sorted.entries()) {
      this.names.set(own, name);
      this.manifests.set(own, manifests.get(number)!);
      this.nextIds.set(own, nextIds.get(number)!);
    }
  }

  tables(): string[] {
    return [...this.names.values()];
  }

  /** Every row, by `table/key`: a scan. */
  scan(): Map<string, string> {
    const rows = new Map<string, string>();
    for (const [number, name] of this.names) {
      const newest: Rows = new Map();
      for (const source of [...this.files(number), ...this.memory(number)])
        for (const [key, version] of source)
          if ((newest.get(key)?.sequence ?? -1) < version.sequence) newest.set(key, version);
      for (const [key, { value }] of newest) if (value !== null) rows.set(`${name}/${key}`, value);
    }
    return rows;
  }

  /** A row as a point read finds it: in memory first, then in the newest file of the highest level. What stands there first counts, whatever its sequence. */
  point(table: string, key: string): string | undefined {
    return this.points(table)(key);
  }

  /** The same for many rows of one table, as it is now. */
  points(table: string): (key: string) => string | undefined {
    const number = this.numberOf(table);
    if (number === undefined) return () => undefined;
    const sources = [...this.memory(number), ...this.files(number)];
    return key => {
      for (const source of sources) {
        const version = source.get(key);
        if (version) return version.value ?? undefined;
      }
      return undefined;
    };
  }

  private memory(number: number): Rows[] {
    const newestFirst = [...this.memtables].sort(([a], [b]) => b - a);
    return newestFirst.flatMap(([, tables]) => tables.get(number) ?? []);
  }

  private files(number: number): Rows[] {
    const files = [...(this.manifests.get(number) ?? [])];
    return files.sort((a, b) => a.level - b.level || b.id - a.id).map(({ rows }) => rows);
  }

  private numberOf(name: string): number | undefined {
    const known = this.numbers.get(name);
    if (known !== undefined && this.names.get(known) === name) return known;
    for (const [number, present] of this.names) {
      if (present !== name) continue;
      this.numbers.set(name, number);
      return number;
    }
    return undefined;
  }

  /** Whether a commit's block is on the disk. */
  isSynced(block: WrittenBlock): boolean {
    const place = this.places.get(nameOf(block));
    return !place || !place.inode.unsynced.some(({ at }) => at === place.at);
  }

  async promote(): Promise<void> {
    // A replica merges what it has as well, and sends none of it.
    for (const table of this.manifests.keys()) if (this.world.random.chance(0.4)) await this.mergeNow(table, false);
    const shown = await this.ask("HEAD", "_tdb_primary_lease");
    const headers: Lease = shown.status === 200 ? { ifMatch: shown.etag } : { ifNoneMatch: true };
    const { status } = await this.world.ask("PUT", "_tdb_primary_lease", { headers });
    if (status !== 200) throw new Error(`the engine's lease: ${status}`);
    this.isPrimary = true;
  }

  async createTable(name: string): Promise<void> {
    if (this.numberOf(name) !== undefined) return;
    const { volume, directory } = this.world;
    const text = volume.read(`${directory}/UNIMAP`).toString();
    const highest = Math.max(-1, ...text.split("\n").flatMap(line => (line ? [Number(line.split(" ")[0])] : [])));
    const number = Math.max(highest + 1, this.nextNumber);
    this.nextNumber = number + 1;
    // One that has lost its map, and finds it again.
    if (this.world.random.chance(0.1)) await this.send("UNIMAP", Buffer.from(""));
    volume.write(`${directory}/UNIMAP`, Buffer.from(`${text}${number} ${name}\n`));
    this.names.set(number, name);
    this.manifests.set(number, []);
    this.nextIds.set(number, 1);
    volume.makeFolder(`${directory}/${name}`);
    await this.send("UNIMAP", volume.read(`${directory}/UNIMAP`));
    await this.send(`${name}/config.ini`, settingsOf(name));
    await this.publish(number);
  }

  async dropTable(name: string): Promise<void> {
    const number = this.numberOf(name);
    if (number === undefined) throw new Error(`1051 ${name}`);
    const { volume, directory } = this.world;
    await this.world.ask("GET", "", { prefix: `${name}/` });
    this.names.delete(number);
    this.manifests.delete(number);
    volume.remove(`${directory}/${name}`);
    const lines = volume.read(`${directory}/UNIMAP`).toString().split("\n");
    volume.write(`${directory}/UNIMAP`, Buffer.from(lines.filter(line => !line.startsWith(`${number} `)).join("\n")));
    await this.send("UNIMAP", volume.read(`${directory}/UNIMAP`));
  }

  /** RENAME TABLE: files go on under another name, and the map that says so is sent last. */
  async renameTable(from: string, to: string): Promise<void> {
    const number = this.numberOf(from);
    if (number === undefined) throw new Error(`1146 ${from}`);
    const { volume, directory } = this.world;
    await this.inTurn(number, async () => {
      volume.rename(`${directory}/${from}`, `${directory}/${to}`);
      this.names.set(number, to);
      const map = volume.read(`${directory}/UNIMAP`).toString().replace(`${number} ${from}\n`, `${number} ${to}\n`);
      volume.write(`${directory}/UNIMAP`, Buffer.from(map));
      const told = Promise.all([this.send(`${to}/config.ini`, settingsOf(to)), this.publish(number)]);
      await this.send("UNIMAP", Buffer.from(map));
      await told;
    });
  }

  /** Every row of a table. */
  rowsOf(name: string): [string, string][] {
    return [...this.scan()].flatMap(([row, value]): [string, string][] =>
      row.startsWith(`${name}/`) ? [[row.slice(name.length + 1), value]] : [],
    );
  }

  /**
   * One commit.
   * @param waits for the store; otherwise it is acknowledged from the disk
   * @param written told of its block before it is in the WAL
   * @returns its block
   */
  async commit(
    changes: RowChange[],
    waits: boolean,
    written: (block: WrittenBlock) => void = () => undefined,
  ): Promise<WrittenBlock> {
    const { volume, directory, random, sleep } = this.world;
    const writes = changes.map(({ table, key, value }): FamilyWrite => {
      const number = this.numberOf(table);
      if (number === undefined) throw new Error(`1146 ${table}`);
      return [number, key, value ?? null];
    });
    const sequence = ++this.sequence;
    // Who has a number may get a place later than who has a higher one: seldom so late that followers have passed it over.
    if (random.chance(0.2)) await sleep(random.chance(0.02) ? random.between(200, 900) : random.between(0.1, 3));
    const data = encodeWalData(sequence, writes);
    const frame = encodeFrame(data);
    const block = { sequence, hash: xxh32(data) };
    written(block);
    const { generation } = this;
    const at = this.walEnds.get(generation)!;
    this.walEnds.set(generation, at + frame.length);
    this.filling.set(generation, (this.filling.get(generation) ?? 0) + 1);
    const inode = volume.inode(`${directory}/uwal_${generation}.log`);
    if (inode.size < at + frame.length + reserved) volume.resize(inode, at + frame.length + reserved);
    if (random.chance(0.4)) {
      // Its footer is there before its data, or the place stays empty for a moment.
      if (random.chance(0.5)) {
        const half = Buffer.from(frame);
        half.fill(0, 8 + random.below(data.length), frame.length - 8);
        volume.writeAt(inode, at, half);
      }
      await sleep(random.between(0.1, 6));
    }
    volume.writeAt(inode, at, frame);
    this.places.set(nameOf(block), { inode, at });
    for (const [table, key, value] of writes) this.put(generation, table, key, { sequence, value });
    this.filling.set(generation, this.filling.get(generation)! - 1);
    if (random.chance(0.3)) await sleep(random.between(0.1, 10));
    volume.sync(inode);
    if (waits) await this.sendWal(generation);
    return block;
  }

  /** As the real one does it: three failures, and the commit is acknowledged all the same. */
  private async sendWal(generation: number): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const connection: ConnectionMemory = {};
      const length = this.walEnds.get(generation)!;
      const key = `uwal_${generation}.log`;
      const answer = await this.world.within(requestTimeout, this.world.ask("PUT", key, { length, connection }));
      if (answer?.status !== 200) continue;
      const head = await this.world.within(requestTimeout, this.world.ask("HEAD", key, { connection }));
      if (head?.length === length) return;
    }
  }

  /** The newest generation whose flush has begun. */
  get flushedUntil(): number {
    return this.generation - 1;
  }

  get hasRowsInMemory(): boolean {
    return this.memtables.get(this.generation)!.size > 0;
  }

  /** Everything in memory goes into files, one of each table. Several flushes may be on their way. */
  async flush(): Promise<void> {
    if (!this.hasRowsInMemory) return;
    const { volume, directory, random, sleep } = this.world;
    const old = this.generation++;
    this.memtables.set(this.generation, new Map());
    this.walEnds.set(this.generation, fileHeader.length);
    const next = volume.create(`${directory}/uwal_${this.generation}.log`);
    volume.writeAt(next, 0, fileHeader);
    volume.resize(next, fileHeader.length + reserved);
    while ((this.filling.get(old) ?? 0) > 0) await sleep(0.3);
    const memtable = this.memtables.get(old)!;
    await Promise.all(
      [...memtable].map(([table, rows]) =>
        this.inTurn(table, async () => {
          if (random.chance(0.3)) await sleep(random.between(1, 40));
          if (!this.names.has(table)) return;
          await this.makeFile(table, 1, undefined, rows);
          await this.publish(table);
        }),
      ),
    );
    this.forget(old);
    if (this.replayedGeneration === old) this.replayedGeneration = undefined;
    const path = `${directory}/uwal_${old}.log`;
    volume.resize(volume.inode(path), this.walEnds.get(old)!);
    await this.ask("PUT", `uwal_${old}.log`, Buffer.alloc(0), this.walEnds.get(old));
    volume.remove(path);
  }

  /** The real one's files are on the disk before they are sent, in the order of the flushes: a memtable is not read any more when they are, and a later one is never gone before it. */
  private forget(flushed: number): void {
    this.flushed.add(flushed);
    for (const generation of [...this.memtables.keys()].sort((a, b) => a - b)) {
      if (!this.flushed.delete(generation)) return;
      this.memtables.delete(generation);
    }
  }

  private inTurn(table: number, work: () => Promise<void>): Promise<void> {
    const mine = (this.queues.get(table) ?? Promise.resolve()).then(work);
    this.queues.set(
      table,
      mine.catch(() => undefined),
    );
    return mine;
  }

  /** All files of a table become one, without the rows that are deleted in it. */
  async merge(name: string): Promise<void> {
    const table = this.numberOf(name);
    if (table !== undefined) await this.inTurn(table, () => this.mergeNow(table, true));
  }

  /** @param tells the store */
  private async mergeNow(table: number, tells: boolean): Promise<void> {
    const name = this.names.get(table);
    const inputs = [...(this.manifests.get(table) ?? [])];
    if (inputs.length < 2) return;
    const rows: Rows = new Map();
    for (const input of inputs)
      for (const [key, version] of input.rows)
        if ((rows.get(key)?.sequence ?? -1) < version.sequence) rows.set(key, version);
    for (const [key, { value }] of rows) if (value === null) rows.delete(key);
    if (rows.size > 0) {
      await this.makeFile(table, 2, 0, rows, tells);
      if (tells) await this.publish(table);
    }
    const present = this.manifests.get(table);
    if (present) {
      this.manifests.set(
        table,
        present.filter(file => !inputs.includes(file)),
      );
      if (!tells) return;
      await this.publish(table);
      for (const { level, id } of inputs)
        for (const half of ["klog", "vlog"]) await this.ask("DELETE", `${name}/L${level}_${id}.${half}`);
    }
  }

  private async makeFile(
    table: number,
    level: number,
    partition: number | undefined,
    rows: Rows,
    tells = true,
  ): Promise<void> {
    const id = this.nextIds.get(table)!;
    this.nextIds.set(table, id + 1);
    const folder = this.names.get(table)!;
    const name = `${folder}/L${level}${partition === undefined ? "" : `P${partition}`}_${id}`;
    const content = encodeSstable(rows);
    for (const half of ["klog", "vlog"] as const)
      this.world.volume.write(`${this.world.directory}/${name}.${half}`, content[half]);
    if (tells) for (const half of ["klog", "vlog"] as const) await this.sendFile(`${name}.${half}`, content[half]);
    this.manifests.get(table)?.push({ level, id, rows: new Map(rows) });
  }

  private async publish(table: number): Promise<void> {
    const files = this.manifests.get(table);
    const name = this.names.get(table);
    if (!files || name === undefined) return;
    const entries = files.map(({ level, id, rows }) => ({ level, id, entries: rows.size, bytes: 1 }));
    await this.send(`${name}/MANIFEST`, encodeManifest({ entries, sequence: this.nextIds.get(table)! }));
  }

  private put(generation: number, table: number, key: string, version: SstableRow): void {
    const memtable = this.memtables.get(generation)!;
    if (!memtable.has(table)) memtable.set(table, new Map());
    const rows = memtable.get(table)!;
    if ((rows.get(key)?.sequence ?? -1) <= version.sequence) rows.set(key, version);
  }

  private load(number: number, level: number, id: number, klog: Buffer, vlog: Buffer): void {
    const rows = decodeSstable(klog, vlog);
    this.manifests.get(number)!.push({ level, id, rows });
    for (const { sequence } of rows.values()) this.sequence = Math.max(this.sequence, sequence);
  }

  /** One poll of a follower, all on one connection. What fails in it is made good by the next. @returns whether the connection goes on */
  async poll(connection: ConnectionMemory): Promise<boolean> {
    const get = (key: string, prefix?: string) => this.world.ask("GET", key, { connection, prefix });
    const head = (key: string) => this.world.ask("HEAD", key, { connection });
    await head("_tdb_primary_lease");
    const present = keysOf(await get("")).map(key => key.slice(0, -"/MANIFEST".length));
    for (const name of present) if (this.numberOf(name) === undefined) await this.discover(name, get);
    for (const [number, name] of [...this.names]) {
      const path = `${name}/MANIFEST`;
      if ((await head(path)).status !== 200) continue;
      const { body } = await get(path);
      if (body) await this.takeManifest(number, name, body, get);
    }
    for (const key of keysOf(await get("", "uwal_"))) {
      await head(key);
      const { body } = await get(key);
      // The answer was lost on its way: the next poll is another connection's.
      if (body && this.world.random.chance(0.02)) return false;
      if (body) this.replay(body);
    }
    return true;
  }

  private async discover(name: string, get: (key: string) => Promise<EngineAnswer>): Promise<void> {
    const { body: map } = await get("UNIMAP");
    const number = map && [...readNumberMap(map.toString())].find(([, other]) => other === name)?.[0];
    const { body: settings } = await get(`${name}/config.ini`);
    const { body } = await get(`${name}/MANIFEST`);
    if (number === undefined || !body) return;
    if (merges(settings)) this.merging.add(number);
    this.names.set(number, name);
    // What the first manifest names it takes for loaded.
    this.manifests.set(
      number,
      decodeManifest(body).entries.map(({ level, id }) => ({ level, id, rows: new Map() })),
    );
  }

  private async takeManifest(
    number: number,
    name: string,
    body: Buffer,
    get: (key: string) => Promise<EngineAnswer>,
  ): Promise<void> {
    if (this.taken.get(number)?.equals(body)) return;
    this.taken.delete(number);
    const { entries } = decodeManifest(body);
    const files = this.manifests.get(number)!;
    for (const { level, id } of entries) {
      if (files.some(file => file.id === id && file.level === level)) continue;
      const halves: Buffer[] = [];
      for (const half of ["klog", "vlog"]) {
        const answer = await get(`${name}/L${level}_${id}.${half}`);
        const bytes = answer.file && this.world.volume.read(answer.file.path);
        answer.sent?.();
        // It is looked for again by the next poll.
        if (!bytes) return;
        halves.push(bytes);
      }
      this.load(number, level, id, halves[0]!, halves[1]!);
    }
    this.manifests.set(
      number,
      this.manifests.get(number)!.filter(({ level, id }) => entries.some(e => e.id === id && e.level === level)),
    );
    this.taken.set(number, body);
  }

  /** It passes over what is not above all that it has. */
  private replay(bytes: Buffer): void {
    for (const { sequence, writes } of [...decodeFile(bytes)].map(decodeWalData)) {
      if (sequence <= this.sequence) continue;
      for (const [table, key, value] of writes) this.put(this.generation, table, key, { sequence, value });
      this.sequence = sequence;
    }
  }

  /** A large one in parts. */
  private async sendFile(key: string, body: Buffer): Promise<void> {
    const { partBytes, ask } = this.world;
    if (body.length <= partBytes) return this.send(key, body);
    await ask("POST", key, { part: { uploads: "" } });
    for (let at = 0, number = 1; at < body.length; at += partBytes, number++)
      await ask("PUT", key, {
        body: body.subarray(at, at + partBytes),
        part: { partNumber: String(number), uploadId: "whole" },
      });
    await ask("POST", key, { part: { uploadId: "whole" } });
  }

  private async send(key: string, body: Buffer): Promise<void> {
    await this.ask("PUT", key, body);
  }

  private ask(
    method: string,
    key: string,
    body: Buffer = Buffer.alloc(0),
    length = body.length,
  ): Promise<EngineAnswer> {
    return this.world.ask(method, key, { body, length });
  }
}

/** A table's settings, by which its first level is merged from so many files on. */
const settingsOf = (name: string) => Buffer.from(`[${name}]\nl1_file_count_trigger = 1000\n`);

/** Without settings it takes its defaults. */
function merges(settings: Buffer | undefined): boolean {
  return Number(/^l1_file_count_trigger = (\d+)$/m.exec(settings?.toString() ?? "")?.[1] ?? 4) < 1e6;
}

function nameOf({ sequence, hash }: WrittenBlock): string {
  return `${sequence}.${hash}`;
}

function keysOf({ body }: EngineAnswer): string[] {
  return [...(body?.toString() ?? "").matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key!);
}
