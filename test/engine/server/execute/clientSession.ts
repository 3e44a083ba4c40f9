import * as os from "node:os";
import { ClientReply } from "../protocol/handshake";
import { ClientConnection, PreparedText, Session, Transport } from "../protocol/connection";
import { ParsedStatement, parseStatements } from "../sql/parse";
import { SqlError, sqlErrors } from "../sqlError";
import { Account, allPrivileges, grantOption, holds, mayUse, socketPlugin } from "../storage/accounts";
import { provesPassword } from "../storage/passwords";
import { Result, Value } from "../values";
import { execute } from "./dispatch";
import { Scope } from "./evaluate";
import type { Server } from "./server";
import { Transaction } from "./transaction";
import { serverVersion } from "./variables";

/** Undefined where the user has a number only, as in a pod. */
function operatingSystemUser(): string | undefined {
  try {
    return os.userInfo().username;
  } catch {
    return undefined;
  }
}

/** Who executes the init file: the server itself. */
export const bootstrapAccount: Account = {
  user: "root",
  host: "localhost",
  plugin: "",
  secret: "",
  requireTls: false,
  locked: false,
  grants: { "*": [allPrivileges, grantOption] },
};

/** One client: who it is, what it has set, and what it has under way. */
export class ClientSession implements Session {
  readonly id: number;
  account: Account = bootstrapAccount;
  /** As the client called itself. */
  user = "";
  host = "localhost";
  /** Where it comes from, for the process list. */
  address = "localhost";
  database: string | undefined;
  transaction: Transaction | undefined;
  readonly sessionVariables = new Map<string, string>();
  readonly userVariables = new Map<string, Value>();
  lastInsertId: number | bigint = 0;
  /** An UPDATE counts the rows that it found. */
  countsFoundRows = false;
  /** What it is doing; undefined when nothing. */
  statement: string | undefined;
  since = Date.now();
  connection: ClientConnection | undefined;
  /** Its transaction was begun by a statement, and ends with another. */
  begun = false;
  private ended = false;

  constructor(readonly server: Server) {
    this.id = server.register(this);
  }

  get isEnded(): boolean {
    return this.ended;
  }

  get inTransaction(): boolean {
    return this.transaction !== undefined;
  }

  /** Whether it is in a transaction that sees one state of the data: its point reads then miss what was replayed. */
  get readsSnapshots(): boolean {
    const level = this.variable("transaction_isolation");
    return this.inTransaction && this.begun && ["REPEATABLE-READ", "SERIALIZABLE"].includes(level);
  }

  get autocommit(): boolean {
    return this.variable("autocommit") === "ON";
  }

  authenticate(reply: ClientReply, scramble: Buffer, transport: Transport): void {
    const { server } = this;
    this.user = reply.user;
    this.host = transport.address;
    this.address = transport.local ? "localhost" : transport.address;
    const addresses = [transport.address];
    if (["127.0.0.1", "::1"].includes(transport.address) && !server.variables.isOn("skip_name_resolve"))
      addresses.push("localhost");
    if (!transport.tls && !transport.local && server.variables.isOn("require_secure_transport"))
      throw sqlErrors.insecureTransport();
    const account = server.accounts.match(reply.user, addresses);
    const denied = sqlErrors.accessDenied(reply.user, this.host, reply.authentication.length > 0);
    if (!account || account.locked || (account.requireTls && !transport.tls)) throw denied;
    const isProven =
      account.plugin === socketPlugin
        ? transport.local && operatingSystemUser() === reply.user
        : provesPassword(account.secret, scramble, reply.authentication);
    if (!isProven) throw denied;
    this.account = account;
    this.countsFoundRows = (reply.capabilities & 2) !== 0;
    const most = server.variables.number("max_connections");
    if (server.sessions.size > most && !this.mayAdminister("CONNECTION ADMIN")) throw sqlErrors.tooManyConnections();
  }

  useDatabase(name: string): void {
    if (!this.server.hasDatabase(name)) throw sqlErrors.unknownDatabase(name);
    if (name !== "information_schema" && !this.mayUse(name))
      throw sqlErrors.databaseAccessDenied(this.user, this.host, name);
    this.database = name;
  }

  async *query(text: string, multiple: boolean): AsyncIterable<{ result: Result; more: boolean }> {
    const statements = parseStatements(text);
    if (statements.length === 0) throw new SqlError(1065, "42000", "Query was empty");
    if (statements.length > 1 && !multiple) throw sqlErrors.syntax(statements[1]?.text ?? "");
    for (const [i, statement] of statements.entries()) {
      yield { result: await this.run(statement, []), more: i + 1 < statements.length };
    }
  }

  prepare(text: string): PreparedText {
    const [statement, second] = parseStatements(text);
    if (!statement || second) throw sqlErrors.syntax(second?.text ?? text);
    return { parameterCount: statement.parameterCount, run: parameters => this.run(statement, parameters) };
  }

  /** Runs one statement. @throws SqlError */
  async run({ statement, text }: ParsedStatement, parameters: Value[]): Promise<Result> {
    this.server.questions++;
    this.statement = text;
    this.since = Date.now();
    try {
      return await execute(this, statement, parameters);
    } finally {
      this.statement = undefined;
      this.since = Date.now();
    }
  }

  reset(): void {
    this.transaction?.rollback();
    this.transaction = undefined;
    this.sessionVariables.clear();
    this.userVariables.clear();
    this.server.backup.release(this);
  }

  statistics(): string {
    return `Uptime: ${Math.floor((Date.now() - this.server.startedAt) / 1000)}  Threads: ${this.server.sessions.size}`;
  }

  closed(): void {
    this.ended = true;
    this.transaction?.rollback();
    this.server.sessions.delete(this.id);
    this.server.writes.wake();
    this.server.backup.release(this);
  }

  /** Ends the connection, with the error for the client. */
  end(error: SqlError): void {
    this.closed();
    this.connection?.destroy(error);
  }

  async commit(): Promise<void> {
    const { transaction } = this;
    this.transaction = undefined;
    this.begun = false;
    await transaction?.commit();
  }

  /** @throws SqlError when none was begun */
  requireTransaction(): Transaction {
    if (!this.transaction) throw new SqlError(1105, "HY000", "no transaction");
    return this.transaction;
  }

  /** The session's value of a variable. @throws SqlError */
  variable(name: string): string {
    return this.sessionVariables.get(name) ?? this.server.variables.get(name);
  }

  /** @throws SqlError */
  requireDatabase(): string {
    if (this.database === undefined) throw sqlErrors.noDatabaseSelected();
    return this.database;
  }

  /** @throws SqlError when the server is read-only, and this account not one that writes all the same */
  requireWritable(): void {
    if (this.server.variables.isOn("read_only") && !this.mayAdminister("READ_ONLY ADMIN")) throw sqlErrors.readOnly();
  }

  /** @throws SqlError */
  requirePrivilege(privilege: string, database: string, table?: string): void {
    if (holds(this.account, privilege, database, table)) return;
    if (table === undefined) throw sqlErrors.databaseAccessDenied(this.user, this.host, database);
    throw sqlErrors.tableAccessDenied(privilege, this.user, this.host, `\`${database}\`.\`${table}\``);
  }

  /** @throws SqlError */
  requireAdministrator(privilege: string): void {
    if (!this.mayAdminister(privilege)) throw sqlErrors.privilegeNeeded(privilege);
  }

  /** @throws SqlError */
  requireGrantOption(scope: string): void {
    const scopes = ["*", scope, scope.split(".")[0] ?? ""];
    if (!scopes.some(held => (this.account.grants[held] ?? []).includes(grantOption))) {
      throw sqlErrors.accessDenied(this.user, this.host, true);
    }
  }

  mayAdminister(privilege: string): boolean {
    return holds(this.account, privilege) || (privilege !== "READ_ONLY ADMIN" && holds(this.account, "SUPER"));
  }

  mayUse(database: string): boolean {
    return mayUse(this.account, database);
  }

  /** What an expression without a row sees. */
  scope(parameters: Value[]): Scope {
    return {
      column: (name, table) => {
        throw sqlErrors.unknownColumn(table ? `${table}.${name}` : name, "field list");
      },
      variable: (name, scope) => {
        const value = scope === "global" ? this.server.variables.get(name) : this.variable(name);
        return /^-?\d{1,15}$/.test(value) ? Number(value) : value === "ON" ? 1 : value === "OFF" ? 0 : value;
      },
      userVariable: name => this.userVariables.get(name) ?? null,
      parameter: index => parameters[index] ?? null,
      session: name => this.sessionFunctions[name]?.(),
    };
  }

  private readonly sessionFunctions: Record<string, () => Value> = {
    VERSION: () => serverVersion,
    DATABASE: () => this.database ?? null,
    SCHEMA: () => this.database ?? null,
    USER: () => `${this.user}@${this.host}`,
    SESSION_USER: () => `${this.user}@${this.host}`,
    SYSTEM_USER: () => `${this.user}@${this.host}`,
    CURRENT_USER: () => `${this.account.user}@${this.account.host}`,
    CONNECTION_ID: () => this.id,
    LAST_INSERT_ID: () => this.lastInsertId,
    SLEEP: () => 0,
  };
}
