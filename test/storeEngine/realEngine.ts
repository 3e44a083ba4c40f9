import { ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as fsp from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as mysql from "mysql2/promise";

/** What the server is told of its object store, and what a test varies. */
export interface EngineStart {
  endpoint: string;
  accessKeyId: string;
  durability: "commit" | "interval";
  /** `1M`. */
  writeBuffer: string;
  /** Further options of mariadbd, the last ones win. */
  options: string[];
}

/** The compaction that docs/engine.md explains: merges that write plain names only. */
export const forcedCompaction = [
  "--tidesdb_default_write_buffer_size=64M",
  "--tidesdb_default_l1_file_count_trigger=1000",
  "--tidesdb_default_min_levels=2",
  "--tidesdb_default_tombstone_density_trigger=1",
  "--tidesdb_default_tombstone_density_min_entries=1",
];

/** A port of this process's own, so that several runs fit on one machine. */
export function port(index: number): number {
  return 20_000 + (process.pid % 2000) * 10 + index;
}

/** A mariadbd with the plugin, as a plain process in a folder of its own. */
export class RealEngine {
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();
  private template = "";

  constructor(
    private readonly prefix: string,
    readonly folder: string,
    private readonly port: number,
  ) {}

  /** The engine's own data. */
  get dataDirectory(): string {
    return join(this.folder, "tidesdb_data");
  }

  /** An empty server's files; copied from `template` when that is there, made there otherwise. */
  async install(template: string): Promise<void> {
    if (!fs.existsSync(template)) {
      await fsp.mkdir(template, { recursive: true });
      execFileSync(
        join(this.prefix, "scripts/mariadb-install-db"),
        [
          "--no-defaults",
          `--basedir=${this.prefix}`,
          `--datadir=${template}`,
          "--auth-root-authentication-method=normal",
          "--skip-test-db",
          "--skip-name-resolve",
          ...(process.getuid?.() === 0 ? ["--user=root"] : []),
        ],
        { stdio: "ignore" },
      );
    }
    await fsp.mkdir(this.folder, { recursive: true });
    this.template = template;
    await this.freshServer();
  }

  /** MariaDB's own data: a folder for each database. */
  get serverDirectory(): string {
    return join(this.folder, "mysql");
  }

  /** Puts an empty server in place, as it was installed. */
  async freshServer(): Promise<void> {
    await fsp.rm(this.serverDirectory, { recursive: true, force: true });
    await fsp.cp(this.template, this.serverDirectory, { recursive: true });
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  /** Starts it as a replica. Resolves when it answers. @throws when it ends or does not answer within three minutes */
  async start({ endpoint, accessKeyId, durability, writeBuffer, options }: EngineStart): Promise<void> {
    const child = spawn(
      join(this.prefix, "bin/mariadbd"),
      [
        "--no-defaults",
        `--basedir=${this.prefix}`,
        `--datadir=${this.serverDirectory}`,
        `--socket=${this.socket}`,
        `--pid-file=${join(this.folder, "pid")}`,
        `--port=${this.port}`,
        "--bind-address=127.0.0.1",
        `--log-error=${join(this.folder, "log.err")}`,
        "--plugin-maturity=gamma",
        "--plugin-load-add=ha_tidesdb.so",
        "--default-storage-engine=TidesDB",
        "--default-tmp-storage-engine=Aria",
        "--skip-log-bin",
        "--skip-name-resolve",
        "--innodb-buffer-pool-size=32M",
        "--performance-schema=OFF",
        "--read-only=ON",
        "--max-connections=200",
        "--tidesdb_object_store_backend=S3",
        `--tidesdb_s3_endpoint=${endpoint}`,
        "--tidesdb_s3_bucket=store",
        "--tidesdb_s3_prefix=",
        "--tidesdb_s3_region=us-east-1",
        "--tidesdb_s3_use_ssl=OFF",
        "--tidesdb_s3_path_style=ON",
        `--tidesdb_s3_access_key=${accessKeyId}`,
        "--tidesdb_s3_secret_key=worthless",
        `--tidesdb_unified_memtable_write_buffer_size=${writeBuffer}`,
        "--tidesdb_block_cache_size=32M",
        "--tidesdb_unified_memtable_sync_mode=FULL",
        `--tidesdb_objstore_wal_sync_on_commit=${durability === "commit" ? "ON" : "OFF"}`,
        // The manager reads the WAL itself.
        "--tidesdb_objstore_wal_sync_threshold=0",
        "--tidesdb_replica_sync_interval=100000",
        "--tidesdb_objstore_local_cache_max=0",
        "--tidesdb_max_open_sstables=4096",
        "--tidesdb_log_level=WARN",
        "--tidesdb_log_to_file=OFF",
        "--tidesdb_replica_mode=ON",
        ...(process.getuid?.() === 0 ? ["--user=root"] : []),
        ...options,
      ],
      { stdio: "ignore" },
    );
    this.child = child;
    this.ended = new Promise(resolve => {
      child.on("exit", () => {
        if (this.child === child) this.child = undefined;
        resolve();
      });
    });
    for (const until = Date.now() + 180_000; ; await delay(20)) {
      if (!this.child) throw new Error(`mariadbd ended: see ${join(this.folder, "log.err")}`);
      try {
        const connection = await this.connect();
        await connection.end();
        return;
      } catch (error) {
        if (Date.now() > until) throw new Error("mariadbd does not answer", { cause: error });
      }
    }
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.child?.kill("SIGKILL");
    await this.ended;
  }

  /** SIGKILL without waiting. */
  killNow(): void {
    this.child?.kill("SIGKILL");
  }

  connect(database?: string): Promise<mysql.Connection> {
    return mysql.createConnection({
      socketPath: this.socket,
      user: "root",
      ...(database && { database }),
      connectTimeout: 10_000,
    });
  }

  /** One statement on a connection of its own. */
  async sql(statement: string): Promise<mysql.RowDataPacket[]> {
    const connection = await this.connect();
    try {
      const [rows] = await connection.query(statement);
      return rows as mysql.RowDataPacket[];
    } finally {
      connection.destroy();
    }
  }

  private get socket(): string {
    return join(this.folder, "sock");
  }
}
