import { ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection, createConnection } from "mysql2/promise";
import { walGenerationOf, walName } from "../formats/writeAheadLog";
import { MemoryObjectStore } from "../objectStore/memoryObjectStore";
import { S3Server } from "../objectStore/s3Server";

/** A server may take so long to answer; a machine that is busy with other tests is slow. Seconds. */
const startSeconds = 60;
const stopSeconds = 30;
/** The engine's folder in the bucket. */
export const prefix = "data/";

/** Server options, without dashes. A value of undefined leaves a default of the lab's out. */
export type Options = Record<string, string | undefined>;

const defaults: Options = {
  plugin_maturity: "gamma",
  plugin_load_add: "ha_tidesdb.so",
  default_storage_engine: "TidesDB",
  skip_log_bin: "ON",
  skip_networking: "ON",
  skip_name_resolve: "ON",
  innodb_buffer_pool_size: "8M",
  performance_schema: "OFF",
  tidesdb_object_store_backend: "S3",
  tidesdb_s3_bucket: "tests",
  tidesdb_s3_prefix: prefix,
  tidesdb_s3_region: "us-east-1",
  tidesdb_s3_use_ssl: "OFF",
  tidesdb_s3_path_style: "ON",
  tidesdb_s3_access_key: "key",
  tidesdb_s3_secret_key: "secret",
  tidesdb_unified_memtable_write_buffer_size: "8M",
  tidesdb_block_cache_size: "16M",
  tidesdb_unified_memtable_sync_mode: "FULL",
  tidesdb_objstore_wal_sync_threshold: "16",
  tidesdb_replica_sync_interval: "100000",
  tidesdb_objstore_local_cache_max: "0",
  tidesdb_default_l1_file_count_trigger: "1000",
  tidesdb_default_min_levels: "2",
  tidesdb_max_open_sstables: "4096",
  tidesdb_log_level: "WARN",
  tidesdb_log_to_file: "OFF",
  tidesdb_replica_mode: "ON",
};

/** An engine under test: a folder with `bin/mariadbd` and `scripts/mariadb-install-db`, real or simulated. */
export class Lab {
  private readonly nodes: Node[] = [];
  private readonly ends: (() => Promise<void>)[] = [];

  private polled = 0;

  private constructor(
    private readonly folder: string,
    readonly enginePrefix: string,
    private readonly server: S3Server,
  ) {
    server.onRequest(({ method, url = "" }) => {
      if (method === "HEAD" && url.endsWith("_tdb_primary_lease")) this.polled++;
    });
  }

  static async open(enginePrefix: string): Promise<Lab> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "conformance-"));
    return new Lab(folder, enginePrefix, await S3Server.start());
  }

  /** The bucket that all nodes share, with its faults. Keys begin with {@link prefix}. */
  get bucket(): MemoryObjectStore {
    return this.server.store;
  }

  get endpoint(): string {
    return this.server.endpoint;
  }

  /** Names of the engine's objects, without the prefix. */
  objects(beginning = ""): string[] {
    return [...this.bucket.objects.keys()]
      .filter(key => key.startsWith(prefix + beginning))
      .map(key => key.slice(prefix.length))
      .sort();
  }

  object(name: string): Buffer | undefined {
    const body = this.bucket.objects.get(prefix + name)?.body;
    return body && Buffer.from(body);
  }

  /** Waits until each replica has begun two more polls, the first of which it has ended by then, and for what a primary does every 0.1 s. */
  async polls(): Promise<void> {
    await sleep(1000);
    const before = this.polled;
    const followers = this.nodes.filter(node => node.follows).length;
    await until("the replicas have polled", 90, () => this.polled - before >= 3 * followers);
  }

  /** A node with an empty volume, not started. */
  node(): Node {
    const node = new Node(path.join(this.folder, `n${this.nodes.length}`), this);
    this.nodes.push(node);
    return node;
  }

  /** A node that was started as a replica. */
  async replica(options: Options = {}): Promise<Node> {
    const node = this.node();
    await node.start(options);
    return node;
  }

  /** A node that was promoted, with a database `app` and its first flush behind it. */
  async primary(options: Options = {}): Promise<Node> {
    const node = await this.replica(options);
    await node.promote();
    await node.sql("CREATE DATABASE IF NOT EXISTS app");
    return node;
  }

  /** A folder for something else that runs the engine. */
  scratch(name: string): string {
    return path.join(this.folder, name);
  }

  /** Has something ended with the lab. */
  closing(end: () => Promise<void>): void {
    this.ends.push(end);
  }

  async close(): Promise<void> {
    this.bucket.up();
    for (const end of this.ends) await end();
    for (const node of this.nodes) await node.kill();
    this.server.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A server with a volume of its own. */
export class Node {
  private process: ChildProcess | undefined;
  private connections: Connection[] = [];
  private last: Options = {};
  private promoted = false;

  constructor(
    private readonly folder: string,
    private readonly lab: Lab,
  ) {}

  /** Starts it on its volume. An empty one is initialised first, without the plugin. @throws with the end of its log when it does not answer */
  async start(options: Options = this.last): Promise<void> {
    this.last = options;
    const { data } = this;
    if (!fs.existsSync(data)) fs.cpSync(template(this.lab.enginePrefix), data, { recursive: true });
    const file = this.writeConfiguration(options);
    const log = fs.openSync(path.join(this.folder, "log"), "a");
    const child = spawn(
      path.join(this.lab.enginePrefix, "bin/mariadbd"),
      [
        `--defaults-file=${file}`,
        `--basedir=${this.lab.enginePrefix}`,
        `--datadir=${data}`,
        `--socket=${this.socket}`,
        `--pid-file=${this.folder}/pid`,
      ],
      { stdio: ["ignore", log, log] },
    );
    fs.closeSync(log);
    this.process = child;
    this.promoted = false;
    const until = Date.now() + startSeconds * 1000;
    for (;;) {
      const answer = await this.sql("SELECT 1").catch((error: unknown) => error);
      if (Array.isArray(answer)) return;
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > until)
        throw new Error(`the server does not answer: ${String(answer)}\n${this.log().slice(-3000)}`);
      await sleep(50);
    }
  }

  /** Has the installer initialise an empty volume with the plugin loaded, which opens the bucket. */
  async install(options: Options = {}): Promise<void> {
    const file = this.writeConfiguration(options);
    const program = path.join(this.lab.enginePrefix, "scripts/mariadb-install-db");
    const words = [`--defaults-file=${file}`, `--basedir=${this.lab.enginePrefix}`, `--datadir=${this.data}`];
    if (isRoot()) words.push("--user=root");
    const child = spawn(program, words, { stdio: "ignore" });
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) throw new Error(`mariadb-install-db ended with ${code}`);
  }

  /** What the server has written since its first start. */
  log(): string {
    return fs.readFileSync(path.join(this.folder, "log"), "utf8");
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  freeze(): void {
    this.process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.process?.kill("SIGCONT");
  }

  /** Whether it polls the bucket. */
  get follows(): boolean {
    return !this.ended && !this.promoted && this.last.tidesdb_replica_mode !== "OFF";
  }

  /** Whether the process has ended by itself. */
  get ended(): boolean {
    return this.process === undefined || this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Loses the volume. */
  wipe(): void {
    for (const name of ["mysql", "tidesdb_data"])
      fs.rmSync(path.join(this.folder, name), { recursive: true, force: true });
  }

  /** A session of its own, which keeps its variables and its transaction. */
  async session(): Promise<(text: string) => Promise<unknown[]>> {
    const connection = await createConnection({
      socketPath: this.socket,
      user: "root",
      supportBigNumbers: true,
      bigNumberStrings: false,
    });
    connection.on("error", () => undefined);
    this.connections.push(connection);
    return async text => {
      const [rows] = await connection.query({ sql: text, rowsAsArray: true });
      return Array.isArray(rows) ? rows : [];
    };
  }

  /** Runs statements in a session of their own, which ends with them. @returns the last one's rows, each an array */
  async sql(...statements: string[]): Promise<unknown[][]> {
    const query = await this.session();
    const connection = this.connections.at(-1);
    try {
      let rows: unknown[] = [];
      for (const statement of statements) rows = await query(statement);
      return rows as unknown[][];
    } finally {
      connection?.destroy();
      this.connections = this.connections.filter(other => other !== connection);
    }
  }

  /** The error number that a statement fails with; undefined when it does not. */
  async error(...statements: string[]): Promise<number | undefined> {
    return this.sql(...statements).then(
      () => undefined,
      (error: { errno?: number }) => error.errno ?? -1,
    );
  }

  /** A status variable, which may be a second old. */
  async status(name: string): Promise<number> {
    const [row] = await this.sql(`SHOW GLOBAL STATUS LIKE '${name}'`);
    return Number(row?.[1]);
  }

  async promote(): Promise<void> {
    await this.sql("SET GLOBAL tidesdb_promote_primary=ON");
    this.promoted = true;
  }

  /** OPTIMIZE TABLE, which flushes the memtable of all tables. */
  async flush(table: string): Promise<void> {
    await this.sql(`OPTIMIZE TABLE ${table}`);
  }

  /** The engine's files, relative to its folder. */
  files(beginning = ""): string[] {
    const base = path.join(this.folder, "tidesdb_data");
    if (!fs.existsSync(base)) return [];
    return fs
      .readdirSync(base, { withFileTypes: true, recursive: true })
      .filter(entry => entry.isFile())
      .map(entry => path.relative(base, path.join(entry.parentPath, entry.name)))
      .filter(name => name.startsWith(beginning))
      .sort();
  }

  /** Where one of the engine's files is. */
  path(name: string): string {
    return path.join(this.folder, "tidesdb_data", name);
  }

  /** Length of one of the engine's files. */
  size(name: string): number {
    return fs.statSync(this.path(name)).size;
  }

  remove(name: string): void {
    fs.rmSync(this.path(name));
  }

  private get data(): string {
    return path.join(this.folder, "mysql");
  }

  private writeConfiguration(options: Options): string {
    const lines = Object.entries({ ...defaults, tidesdb_s3_endpoint: this.lab.endpoint, ...options })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${value}`);
    const file = path.join(this.folder, "my.cnf");
    fs.mkdirSync(this.folder, { recursive: true });
    fs.writeFileSync(file, ["[mariadbd]", ...(isRoot() ? ["user=root"] : []), ...lines, ""].join("\n"));
    return file;
  }

  private get socket(): string {
    return path.join(this.folder, "s");
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    for (const connection of this.connections.splice(0)) connection.destroy();
    const { process: child } = this;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    child.kill("SIGCONT");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopSeconds * 1000);
    await gone;
    clearTimeout(timer);
  }
}

/** @throws with `what` when it does not hold within so many seconds */
export async function until(what: string, seconds: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      if (await holds()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`not within ${seconds} s: ${what}${last instanceof Error ? ` (${last.message})` : ""}`);
    await sleep(50);
  }
}

/** The WAL of the highest generation among names of files or objects. */
export function newestWal(names: string[]): string {
  const wals = names.map(walGenerationOf).filter(generation => generation !== undefined);
  return walName(Math.max(...wals));
}

const templates = new Map<string, string>();

/** An initialised data directory, made once by each engine. */
function template(enginePrefix: string): string {
  const known = templates.get(enginePrefix);
  if (known) return known;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "conformance-template-"));
  process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  const data = path.join(folder, "mysql");
  execFileSync(
    path.join(enginePrefix, "scripts/mariadb-install-db"),
    [
      "--no-defaults",
      `--basedir=${enginePrefix}`,
      `--datadir=${data}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--skip-name-resolve",
      ...(isRoot() ? ["--user=root"] : []),
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  templates.set(enginePrefix, data);
  return data;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
