import * as fs from "node:fs/promises";
import { join } from "node:path";
import { EngineHandler } from "../../../components/manager/store/gateway/gateway";
import { readNumberMap } from "../../../components/manager/store/volume/engineFiles";
import { decodeFile, fileHeader } from "../../engine/formats/frames";
import { decodeManifest, encodeManifest } from "../../engine/formats/manifest";
import { decodeSstable, encodeSstable, SstableRow } from "../../engine/formats/sstable";
import { decodeWalData, encodeWalRecord, FamilyWrite, walEnd } from "../../engine/formats/writeAheadLog";
import { engineRequest } from "./engineRequest";

type Rows = Map<string, SstableRow>;

/** The reserved end of a WAL that is being written, bytes. */
const reserved = 50_000;

/**
 * An engine of one file: it opens what is on the disk, commits into a WAL of the real format, flushes into files that end with real metadata, and sends all that as the real one does, in its order. It can be
 * killed between any two requests: `die` throws there.
 */
export class ScriptedEngine {
  /** By table's number: rows of the memtable of each generation, and of each file. */
  private readonly memtables = new Map<number, Map<number, Rows>>();
  private readonly manifests = new Map<number, { level: number; id: number; rows: Rows }[]>();
  private readonly names = new Map<number, string>();
  private generation = 0;
  private sequence = 0;
  private nextId = 1;
  private walBytes = 0;

  private constructor(
    private readonly directory: string,
    private readonly handler: EngineHandler,
    /** Called before each request; throws when the engine is killed there. */
    private readonly step: (what: string) => void,
  ) {}

  /** Opens an aligned volume: the disk is all that there is. */
  static async open(directory: string, handler: EngineHandler, step: (what: string) => void): Promise<ScriptedEngine> {
    const engine = new ScriptedEngine(directory, handler, step);
    for (const [number, name] of readNumberMap(await fs.readFile(join(directory, "UNIMAP"), "utf8"))) {
      engine.names.set(number, name);
      const folder = join(directory, name);
      const { entries, sequence } = decodeManifest(await fs.readFile(join(folder, "MANIFEST")));
      engine.nextId = Math.max(engine.nextId, sequence);
      const files = [];
      for (const { level, id } of entries) {
        const half = (name: string) => fs.readFile(join(folder, `L${level}_${id}.${name}`));
        const rows = decodeSstable(await half("klog"), await half("vlog"));
        files.push({ level, id, rows });
        for (const { sequence } of rows.values()) engine.sequence = Math.max(engine.sequence, sequence);
      }
      engine.manifests.set(number, files);
    }
    const wals = (await fs.readdir(directory)).filter(name => name.startsWith("uwal_"));
    if (wals.length !== 1) throw new Error(`an aligned volume has one WAL, not ${wals.join()}`);
    engine.generation = Number(/\d+/.exec(wals[0]!)![0]);
    engine.memtables.set(engine.generation, new Map());
    const bytes = await fs.readFile(join(directory, wals[0]!));
    for (const { sequence, writes } of [...decodeFile(bytes)].map(decodeWalData)) {
      for (const [table, key, value] of writes) engine.put(table, key, { sequence, value });
      engine.sequence = Math.max(engine.sequence, sequence);
    }
    engine.walBytes = walEnd(bytes);
    return engine;
  }

  /** Every row, by `table/key`: a scan. */
  scan(): Map<string, string> {
    const rows = new Map<string, string>();
    for (const [number, name] of this.names) {
      const newest: Rows = new Map();
      const sources = [...(this.manifests.get(number) ?? []).map(({ rows }) => rows)];
      for (const memtable of this.memtables.values())
        sources.push(memtable.get(number) ?? new Map<string, SstableRow>());
      for (const source of sources)
        for (const [key, version] of source)
          if ((newest.get(key)?.sequence ?? -1) < version.sequence) newest.set(key, version);
      for (const [key, { value }] of newest) if (value !== null) rows.set(`${name}/${key}`, value);
    }
    return rows;
  }

  /** Every row as point reads find it: in memory first, then in the newest file of the highest level. What stands there first counts, whatever its sequence. */
  points(): Map<string, string> {
    const rows = new Map<string, string>();
    for (const [number, name] of this.names) {
      const files = [...(this.manifests.get(number) ?? [])].sort((a, b) => a.level - b.level || b.id - a.id);
      const memory = [...this.memtables].sort(([a], [b]) => b - a).map(([, memtable]) => memtable.get(number));
      const found = new Set<string>();
      for (const source of [...memory, ...files.map(({ rows }) => rows)])
        for (const [key, { value }] of source ?? []) {
          if (!found.has(key) && value !== null) rows.set(`${name}/${key}`, value);
          found.add(key);
        }
    }
    return rows;
  }

  async createTable(name: string): Promise<void> {
    const number = Math.max(-1, ...readEvery(await fs.readFile(join(this.directory, "UNIMAP"), "utf8"))) + 1;
    await fs.appendFile(join(this.directory, "UNIMAP"), `${number} ${name}\n`);
    this.names.set(number, name);
    this.manifests.set(number, []);
    await fs.mkdir(join(this.directory, name), { recursive: true });
    await this.send("UNIMAP", await fs.readFile(join(this.directory, "UNIMAP")));
    await this.send(`${name}/config.ini`, Buffer.from(`[${name}]\n`));
    await this.publish(number);
  }

  /** One commit to several tables. Resolves when it is acknowledged. */
  async commit(changes: { table: string; key: string; value: string | undefined }[], synced: boolean): Promise<void> {
    const sequence = ++this.sequence;
    const writes = changes.map(({ table, key, value }): FamilyWrite => [this.numberOf(table), key, value ?? null]);
    const frame = encodeWalRecord({ sequence, writes });
    const generation = this.generation;
    await this.writeWal(generation, this.walBytes, frame);
    this.walBytes += frame.length;
    if (!synced) {
      this.step("commit");
      await this.send(`uwal_${generation}.log`, Buffer.alloc(this.walBytes));
    }
    for (const [table, key, value] of writes) this.put(table, key, { sequence, value });
  }

  /** Everything in memory goes into files, one of each table. */
  async flush(): Promise<void> {
    const old = this.generation;
    const length = this.walBytes;
    const memtable = this.memtables.get(old)!;
    this.generation++;
    this.memtables.set(this.generation, new Map());
    this.walBytes = fileHeader.length;
    await this.writeWal(this.generation, 0, fileHeader);
    for (const [table, rows] of memtable) {
      if (!this.names.has(table)) continue;
      await this.makeFile(table, 1, undefined, rows);
      await this.publish(table);
    }
    this.memtables.delete(old);
    await fs.truncate(join(this.directory, `uwal_${old}.log`), length);
    await this.send(`uwal_${old}.log`, Buffer.alloc(length));
    await fs.rm(join(this.directory, `uwal_${old}.log`));
  }

  /** All files of a table become one, without the rows that are deleted in it. */
  async merge(name: string): Promise<void> {
    const table = this.numberOf(name);
    const inputs = [...this.manifests.get(table)!];
    if (inputs.length < 2) return;
    const rows: Rows = new Map();
    for (const input of inputs)
      for (const [key, version] of input.rows)
        if ((rows.get(key)?.sequence ?? -1) < version.sequence) rows.set(key, version);
    for (const [key, { value }] of rows) if (value === null) rows.delete(key);
    if (rows.size > 0) {
      await this.makeFile(table, 2, 0, rows);
      await this.publish(table);
    }
    this.manifests.set(
      table,
      this.manifests.get(table)!.filter(file => !inputs.includes(file)),
    );
    await this.publish(table);
    for (const { level, id } of inputs)
      for (const half of ["klog", "vlog"]) await this.ask("DELETE", `${name}/L${level}_${id}.${half}`);
  }

  private async makeFile(table: number, level: number, partition: number | undefined, rows: Rows): Promise<void> {
    const id = this.nextId++;
    const name = `${this.names.get(table)!}/L${level}${partition === undefined ? "" : `P${partition}`}_${id}`;
    for (const [half, content] of Object.entries(encodeSstable(rows))) {
      await fs.writeFile(join(this.directory, `${name}.${half}`), content);
      await this.send(`${name}.${half}`, content);
    }
    this.manifests.get(table)!.push({ level, id, rows: new Map(rows) });
  }

  private async publish(table: number): Promise<void> {
    const entries = this.manifests
      .get(table)!
      .map(({ level, id, rows }) => ({ level, id, entries: rows.size, bytes: 1 }));
    await this.send(`${this.names.get(table)!}/MANIFEST`, encodeManifest({ entries, sequence: this.nextId }));
  }

  private put(table: number, key: string, version: SstableRow): void {
    const memtable = this.memtables.get(this.generation)!;
    if (!memtable.has(table)) memtable.set(table, new Map());
    memtable.get(table)!.set(key, version);
  }

  private numberOf(name: string): number {
    for (const [number, present] of this.names) if (present === name) return number;
    throw new Error(`there is no table ${name}`);
  }

  private async writeWal(generation: number, at: number, bytes: Buffer): Promise<void> {
    const path = join(this.directory, `uwal_${generation}.log`);
    const file = await fs.open(path, at === 0 ? "w+" : "r+");
    await file.write(bytes, 0, bytes.length, at);
    if ((await file.stat()).size < at + bytes.length + reserved) await file.truncate(at + bytes.length + reserved);
    await file.close();
  }

  private send(key: string, body: Buffer): Promise<void> {
    return this.ask("PUT", key, body);
  }

  private async ask(method: string, key: string, body?: Buffer): Promise<void> {
    this.step(`${method} ${key}`);
    const { status } = await this.handler.handle(engineRequest({}, method, key, body));
    this.step(`after ${method} ${key}`);
    if (status >= 300) throw new Error(`${method} ${key} was answered ${status}`);
  }
}

/** Every number of a map, taken or not. */
function readEvery(text: string): number[] {
  return text.split("\n").flatMap(line => (line ? [Number(line.split(" ")[0])] : []));
}
