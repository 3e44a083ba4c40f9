import * as fs from "node:fs";
import { createSecureContext, SecureContext } from "node:tls";
import { KnownTable, TableName } from "../../model/definitions";
import { Engine } from "../../model/engine";
import { EngineCrashed } from "../../model/errors";
import { EngineStatus } from "../../model/status";
import { Configuration } from "../configuration/configuration";
import { StartRefused } from "../configuration/optionFiles";
import { SqlError } from "../sqlError";
import { Accounts } from "../storage/accounts";
import { LocalTables } from "../storage/localTables";
import { BackupLock } from "./backupLock";
import { TableLocks, WriteGate } from "./locks";
import type { ClientSession } from "./clientSession";
import { Variables } from "./variables";

/** The plugin refreshes its status variables so often. Milliseconds. */
const statusRefreshInterval = 1000;

/** What a program around the server does for it. */
export interface Host {
  log(level: "Note" | "Warning" | "ERROR", message: string): void;
  /** Ends the process in order. */
  shutdown(): void;
  /** Ends the process as a segmentation fault does. */
  crash(reason: string): void;
}

/** All that the sessions share. */
export class Server {
  readonly variables: Variables;
  readonly locks = new TableLocks();
  readonly writes = new WriteGate();
  readonly backup = new BackupLock();
  readonly sessions = new Map<number, ClientSession>();
  readonly startedAt = Date.now();
  questions = 0;
  connections = 0;
  secureContext: SecureContext | undefined;
  private nextConnection = 1;
  private engineStatus: EngineStatus | undefined;
  private readonly refresher: NodeJS.Timeout | undefined;

  constructor(
    readonly configuration: Configuration,
    readonly accounts: Accounts,
    readonly localTables: LocalTables,
    /** Undefined where the engine's plugin is not loaded. */
    readonly engine: Engine | undefined,
    readonly host: Host,
  ) {
    this.variables = new Variables(configuration);
    if (engine) {
      this.engineStatus = engine.status();
      this.refresher = setInterval(() => {
        if (engine.alive) this.engineStatus = engine.status();
      }, statusRefreshInterval);
    }
  }

  /** The engine's figures, up to a second old: as its status variables are. */
  get cachedEngineStatus(): EngineStatus | undefined {
    return this.engineStatus;
  }

  /** Whether the engine refuses writes at this moment. */
  get isReplica(): boolean {
    return this.engine?.replicaMode ?? false;
  }

  get defaultEngine(): string {
    return this.variables.get("default_storage_engine");
  }

  register(session: ClientSession): number {
    const id = this.nextConnection++;
    this.connections++;
    this.sessions.set(id, session);
    return id;
  }

  /** Tables whose definitions have arrived. None where they cannot be read: the plugin finds no table then, and says nothing. */
  engineTables(): KnownTable[] {
    try {
      return this.engine?.discovers ? this.engine.tables() : [];
    } catch (error) {
      this.noticeCrash(error);
      return [];
    }
  }

  /** A TidesDB table as this node has seen it first: MariaDB keeps what it has discovered, whatever becomes of it. Undefined where it is not known, or cannot be read. */
  engineDefinition(name: TableName): string | undefined {
    const kept = this.localTables.keptDefinition(name.database, name.table);
    if (kept !== undefined) return kept;
    try {
      const definition = this.engine?.discovers ? this.engine.definition(name) : undefined;
      if (definition !== undefined) this.localTables.keepDefinition(name.database, name.table, definition);
      return definition;
    } catch (error) {
      this.noticeCrash(error);
      return undefined;
    }
  }

  /** Databases of this node; a replica makes the folder of one as soon as it knows of a table in it. */
  databases(): string[] {
    const known = new Set(this.localTables.databases());
    for (const { database } of this.engineTables()) {
      if (!known.has(database)) this.localTables.createDatabase(database);
      known.add(database);
    }
    return ["information_schema", ...[...known].sort()];
  }

  hasDatabase(name: string): boolean {
    return this.localTables.hasDatabase(name) || this.databases().includes(name);
  }

  /** Ends the process where the engine has crashed. @returns the error, for whoever threw it */
  noticeCrash(error: unknown): unknown {
    if (error instanceof EngineCrashed) this.host.crash(error.message);
    return error;
  }

  /** Ends all sessions, with an error for those that can still read it. */
  disconnectAll(error: SqlError): void {
    for (const session of [...this.sessions.values()]) session.end(error);
  }

  /** Reads the certificate that the variables name: at the start, and when FLUSH SSL asks for it. Without one there is no TLS. @throws StartRefused */
  loadCertificate(): void {
    const [cert, key, ca] = ["ssl_cert", "ssl_key", "ssl_ca"].map(name => this.variables.get(name));
    if (!cert || !key) return;
    try {
      const read = (file: string) => fs.readFileSync(file);
      this.secureContext = createSecureContext({ cert: read(cert), key: read(key), ...(ca && { ca: read(ca) }) });
    } catch (error) {
      throw new StartRefused(`Failed to setup SSL: ${error instanceof Error ? error.message : "?"}`);
    }
  }

  stop(): void {
    clearInterval(this.refresher);
  }
}
