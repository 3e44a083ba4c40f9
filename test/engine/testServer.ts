import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as mariadb from "mariadb";
import * as mysql2 from "mysql2/promise";
import { MemoryDisk } from "./disk/memoryDisk";
import { Engine } from "./model/engine";
import { MemoryObjectStore } from "./objectStore/memoryObjectStore";
import { readConfiguration } from "./server/configuration/configuration";
import { runInitFile } from "./server/initFile";
import { install } from "./server/installation";
import { Listening, listen } from "./server/listeners";
import { Server } from "./server/execute/server";
import { Accounts } from "./server/storage/accounts";
import { LocalTables } from "./server/storage/localTables";

export const administrator = { user: "admin", password: "Admin-123" };

/** A server in this process, on a temporary data directory, with an engine in memory that is primary already. */
export class TestServer {
  readonly log: string[] = [];
  crashes = 0;
  private listening: Listening | undefined;
  private readonly open: (() => void)[] = [];

  private constructor(
    readonly directory: string,
    readonly server: Server,
    readonly engine: Engine,
    readonly store: MemoryObjectStore,
  ) {}

  /** @param options lines of the configuration; @param replica leaves the engine a replica */
  static async start(options: string[] = [], replica = false): Promise<TestServer> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "engine-"));
    const dataDirectory = path.join(directory, "mysql");
    install({ dataDirectory, rootWithoutPassword: true, testDatabase: false, serverParameters: [] });
    const file = path.join(directory, "my.cnf");
    const lines = [
      "[mariadbd]",
      "plugin_load_add=ha_tidesdb.so",
      "default_storage_engine=TidesDB",
      "port=0",
      ...options,
    ];
    fs.writeFileSync(file, `${lines.join("\n")}\n`);
    const configuration = readConfiguration([
      `--defaults-file=${file}`,
      `--datadir=${dataDirectory}`,
      `--socket=${path.join(directory, "s")}`,
      "--bind-address=127.0.0.1",
    ]);
    const store = new MemoryObjectStore();
    const clock = {
      now: () => performance.now(),
      sleep: (ms: number) => new Promise<void>(done => setTimeout(done, ms)),
    };
    const environment = { disk: new MemoryDisk(), store, clock, random: Math.random, log: () => undefined };
    const engine = await Engine.open(environment, { replicaMode: true, walSyncThresholdBytes: 16 });
    if (!replica) await engine.promote();
    const host = {
      log: (_level: string, message: string) => void started.log.push(message),
      shutdown: () => undefined,
      crash: () => void started.crashes++,
    };
    const server = new Server(
      configuration,
      Accounts.open(dataDirectory)!,
      new LocalTables(dataDirectory),
      engine,
      host,
    );
    const started = new TestServer(directory, server, engine, store);
    server.loadCertificate();
    await started.run(
      `CREATE USER ${administrator.user}@'%' IDENTIFIED BY '${administrator.password}';
       GRANT ALL PRIVILEGES ON *.* TO ${administrator.user}@'%' WITH GRANT OPTION;
       CREATE DATABASE app;`,
    );
    started.listening = await listen(server);
    return started;
  }

  get port(): number {
    return this.listening?.port ?? 0;
  }

  get socket(): string {
    return path.join(this.directory, "s");
  }

  /** Runs statements as an init file. */
  async run(text: string): Promise<void> {
    const file = path.join(this.directory, "init.sql");
    fs.writeFileSync(file, text);
    await runInitFile(this.server, file);
  }

  /** A connection of the client that the manager uses, over the socket. */
  async local(options: Partial<mariadb.ConnectionConfig> = {}): Promise<mariadb.Connection> {
    const connection = await mariadb.createConnection({
      socketPath: this.socket,
      ...administrator,
      bigIntAsNumber: true,
      insertIdAsNumber: true,
      ...options,
    });
    connection.on("error", () => undefined);
    this.open.push(() => connection.destroy());
    return connection;
  }

  /** A connection of the other client, over TCP. */
  async remote(options: Partial<mysql2.ConnectionOptions> = {}): Promise<mysql2.Connection> {
    const connection = await mysql2.createConnection({
      host: "127.0.0.1",
      port: this.port,
      ...administrator,
      ...options,
    });
    connection.on("error", () => undefined);
    this.open.push(() => connection.destroy());
    return connection;
  }

  stop(): void {
    for (const close of this.open) close();
    this.listening?.close();
    this.server.stop();
    this.engine.kill();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The error number that a query fails with; undefined when it does not. */
export async function errorOf(query: Promise<unknown>): Promise<number | undefined> {
  return query.then(
    () => undefined,
    (error: { errno?: number }) => error.errno ?? -1,
  );
}
