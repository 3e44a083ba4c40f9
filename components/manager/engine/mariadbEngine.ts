import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import {
  accountStatements,
  AccountStatement,
  initFileText,
  managerAccount,
  managerDatabase,
  quoteText,
} from "../../core/accountStatements";
import { ManagerConfiguration } from "../../core/managerConfiguration";
import { podLayout } from "../../core/podLayout";
import { systemClock } from "../base/clock";
import { EngineProcess, ProcessLayout } from "./engineProcess";
import { LocalSql, SqlFailure } from "./localSql";
import { Engine, Log } from "../base/ports";

const heartbeatTable = `${managerDatabase}.heartbeat`;
const pollEvery = 50;
const accountTimeout = 10_000;
const holdTimeout = 2000;
/** Error numbers of MariaDB: no such database, no such table. */
const absent = [1049, 1146];

/** Where its files are. */
export type EngineLayout = ProcessLayout & Record<"usersSecretDirectory" | "engineConfiguration", string>;

/**
 * mariadbd with the TideSQL plugin, over its process, its socket and its files.
 * @param storeLines how it reaches its object store: lines of its configuration, which win over `engine.cnf`; asked for at each start
 */
export function mariadbEngine(
  configuration: ManagerConfiguration,
  storeLines: () => string[],
  log: Log,
  layout: EngineLayout = podLayout,
): Engine {
  const server = new EngineProcess(configuration.mariadbPrefix, layout);
  let password = "";
  let statements: AccountStatement[] = [];
  const sql = new LocalSql(() => password, layout.socket);
  server.onExit(() => sql.reset());

  /** Passwords and keys go into memory-backed files that only this user can read. */
  async function writeFiles(): Promise<void> {
    password = `${randomBytes(24).toString("base64url")}aA1!`;
    const passwords = new Map(
      configuration.users.map(({ name }) => [name, readSecret(`${layout.usersSecretDirectory}/${name}`)]),
    );
    statements = accountStatements(configuration, passwords, password);
    await fs.writeFile(layout.initFile, initFileText(statements), { mode: 0o600 });
    const lines = [`!include ${layout.engineConfiguration}`, "[mariadbd]", ...storeLines()];
    await fs.writeFile(layout.serverConfiguration, `${lines.join("\n")}\n`, { mode: 0o600 });
  }

  async function waitUntilItAnswers(timeoutMilliseconds: number): Promise<void> {
    const until = systemClock.now() + timeoutMilliseconds;
    let last: unknown;
    while (server.pid !== 0) {
      try {
        await sql.query("control", "SELECT 1", 2000);
        return;
      } catch (error) {
        last = error;
      }
      if (systemClock.now() > until) throw new Error(`no answer in ${timeoutMilliseconds} ms: ${String(last)}`);
      await systemClock.sleep(pollEvery);
    }
    throw new Error("mariadbd ended before it answered: see the reason in its log above");
  }

  /** Every account of the server that may log in, and how. */
  async function accounts() {
    const rows = await sql.query(
      "control",
      "SELECT User AS user, Host AS host, plugin, authentication_string AS secret FROM mysql.user WHERE is_role = 'N'",
      accountTimeout,
    );
    return rows as { user: string; host: string; plugin: string; secret: string }[];
  }

  /** Drops what nobody declared: leftovers of the installation, users of an earlier configuration. */
  async function dropUndeclared(): Promise<void> {
    const declared = new Set(configuration.users.map(({ name, host }) => `${name}@${host}`));
    declared.add(`${managerAccount.name}@${managerAccount.host}`).add("mariadb.sys@localhost");
    for (const { user, host } of await accounts()) {
      if (declared.has(`${user}@${host}`)) continue;
      log("warning", "dropping an undeclared account", { user, host });
      await sql.query("control", `DROP USER IF EXISTS ${quoteText(user)}@${quoteText(host)}`, accountTimeout);
    }
  }

  async function missing(): Promise<string[]> {
    const present = await accounts();
    const names = new Set(
      present
        .filter(({ plugin, secret }) => plugin !== "mysql_native_password" || secret !== "")
        .map(a => `${a.user}@${a.host}`),
    );
    const schemata = await sql.query(
      "control",
      "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA",
      accountTimeout,
    );
    const databases = new Set(schemata.map(row => String(row.name)));
    return [
      ...configuration.users
        .filter(({ name, host }) => !names.has(`${name}@${host}`))
        .map(({ name }) => `user ${name}`),
      ...configuration.databases.filter(name => !databases.has(name)).map(name => `database ${name}`),
    ];
  }

  return {
    async start(timeout, onSpawn) {
      await writeFiles();
      server.start();
      onSpawn(server.pid);
      await waitUntilItAnswers(timeout);
    },
    onExit: listener => server.onExit(listener),
    kill: () => void server.end(),
    end: () => server.end(),
    pid: () => server.pid,

    async reloadCertificate(timeout) {
      if (server.pid !== 0) await sql.query("control", "FLUSH SSL", timeout);
    },

    async checkAccounts() {
      // A failing statement ends the reading of an init file while the server starts all the same: look, then mend statement by statement.
      if ((await missing()).length > 0) {
        for (const { makes, sql: statement } of statements.slice(2)) {
          await sql.query("control", statement, accountTimeout).catch((error: unknown) => {
            log("error", `${makes} could not be created`, { error: String(error) });
          });
        }
        const still = await missing();
        if (still.length > 0) throw new Error(`not in place: ${still.join(", ")}`);
      }
      await dropUndeclared();
    },

    async version() {
      const rows = await sql.query(
        "control",
        "SELECT PLUGIN_AUTH_VERSION AS version FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'TidesDB'",
        accountTimeout,
      );
      const version = typeof rows[0]?.version === "string" ? rows[0].version : "";
      return /^\d+\.\d+\.\d+/.exec(version)?.[0];
    },

    async setReadOnly(on, timeout) {
      await sql.query("control", `SET GLOBAL read_only=${on ? "ON" : "OFF"}`, timeout);
    },

    async endSessions(timeout) {
      // A session that is being opened has no account yet: it may be the manager's own.
      const rows = await sql.query(
        "sessions",
        `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER NOT IN ('${managerAccount.name}', 'system user', 'event_scheduler', 'unauthenticated user')`,
        timeout,
      );
      for (const { id } of rows) {
        // A session that ends by itself in the meantime is no failure.
        await sql.query("sessions", `KILL CONNECTION ${Number(id)}`, timeout).catch((error: unknown) => {
          if (!(error instanceof SqlFailure && error.errno === 1094)) throw error;
        });
      }
    },

    async promote(timeout) {
      await sql.query("control", "SET GLOBAL tidesdb_promote_primary=ON", timeout);
    },

    async writeHeartbeat({ epoch, beat }, timeout) {
      const write = () =>
        sql.query("heartbeat", `REPLACE INTO ${heartbeatTable} (id, epoch, beat) VALUES (1, ?, ?)`, timeout, [
          epoch,
          beat,
        ]);
      try {
        await write();
      } catch (error) {
        if (!isAbsent(error)) throw error;
        const columns = "id INT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, beat BIGINT NOT NULL";
        await sql.query(
          "heartbeat",
          `CREATE TABLE IF NOT EXISTS ${heartbeatTable} (${columns}) ENGINE=TidesDB`,
          timeout,
        );
        await write();
      }
    },

    async ping(timeout) {
      await sql.query("ping", "SELECT 1", timeout);
    },

    async holdCommits(milliseconds) {
      // Ends with its connection, should this process end.
      await sql.query("hold", "BACKUP STAGE START", holdTimeout);
      try {
        await sql.query("hold", "BACKUP STAGE BLOCK_COMMIT", holdTimeout);
        await systemClock.sleep(milliseconds);
      } finally {
        await sql.query("hold", "BACKUP STAGE END", holdTimeout);
      }
    },

    async flush(timeout) {
      await sql.query("flush", `OPTIMIZE TABLE ${heartbeatTable}`, timeout);
    },

    async reopenTables(tables, timeout) {
      // Whoever wants the table next waits behind this statement, so it does not wait long itself.
      const seconds = Math.ceil(timeout / 1000);
      await sql.query("definitions", `SET SESSION lock_wait_timeout=${seconds}`, timeout);
      await sql.query("definitions", `FLUSH TABLES ${tables.map(quoteTable).join(", ")}`, 2 * timeout);
    },
  };
}

/** A Secret's file without the newline that a person's editor may have put at its end. */
export function readSecret(file: string): string {
  return readFileSync(file, "utf8").replace(/\r?\n$/, "");
}

/** A table by the name of its file, in which `@002d` stands for a hyphen. @throws for the codes of two letters that some alphabets have */
function quoteTable(file: string): string {
  const names = file
    .split("/")
    .map(name => name.replace(/@([0-9a-f]{4})/g, (_, code) => String.fromCharCode(parseInt(code as string, 16))));
  if (names.some(name => name.includes("@"))) throw new Error(`the name of ${file} is not known`);
  return names.map(name => `\`${name.replaceAll("`", "``")}\``).join(".");
}

function isAbsent(error: unknown): boolean {
  return error instanceof SqlFailure && absent.includes(error.errno);
}
