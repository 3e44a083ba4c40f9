import * as mariadb from "mariadb";
import { managerAccount } from "../core/accountStatements";
import { podLayout } from "../core/podLayout";

export type Rows = Record<string, unknown>[];

/**
 * SQL over the pod's own socket. One connection a purpose, so that a heartbeat does not wait behind a promotion; each is made when it is first needed, and dropped when a
 * statement takes longer than it may.
 */
export class LocalSql {
  private connections = new Map<string, Promise<mariadb.Connection>>();

  constructor(private readonly password: () => string) {}

  /** Runs one statement. @throws when it fails or does not answer in time; it may have taken effect then. */
  async query(purpose: string, sql: string, timeoutMilliseconds: number, values?: unknown[]): Promise<Rows> {
    const connection = await this.connect(purpose, timeoutMilliseconds);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.drop(purpose, connection);
        reject(new Error(`no answer in ${timeoutMilliseconds} ms: ${sql.slice(0, 60)}`));
      }, timeoutMilliseconds);
    });
    try {
      return (await Promise.race([connection.query(sql, values), tooLate])) as Rows;
    } catch (error) {
      if (!connection.isValid()) this.drop(purpose, connection);
      throw new SqlFailure(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Forgets all connections: their server is gone. */
  reset(): void {
    const old = [...this.connections.values()];
    this.connections.clear();
    for (const connection of old) connection.then(c => c.destroy()).catch(() => undefined);
  }

  private async connect(purpose: string, timeoutMilliseconds: number): Promise<mariadb.Connection> {
    const known = this.connections.get(purpose);
    const connecting = known ?? this.open(purpose, timeoutMilliseconds);
    this.connections.set(purpose, connecting);
    try {
      return await connecting;
    } catch (error) {
      this.connections.delete(purpose);
      throw new SqlFailure(error);
    }
  }

  private async open(purpose: string, timeoutMilliseconds: number): Promise<mariadb.Connection> {
    const connection = await mariadb.createConnection({
      socketPath: podLayout.socket,
      user: managerAccount.name,
      password: this.password(),
      connectTimeout: timeoutMilliseconds,
      bigIntAsNumber: true,
      insertIdAsNumber: true,
    });
    connection.on("error", () => this.drop(purpose, connection));
    return connection;
  }

  private drop(purpose: string, connection: mariadb.Connection): void {
    this.connections.delete(purpose);
    connection.destroy();
  }
}

/** A failed statement without its text: that may hold a password. */
export class SqlFailure extends Error {
  readonly errno: number;

  constructor(cause: unknown) {
    const error = cause as { errno?: number; code?: string; sqlMessage?: string; message?: string };
    const text = error.sqlMessage ?? (error.errno ? "" : (error.message ?? String(cause)));
    super(error.errno ? `SQL error ${error.errno} ${error.code ?? ""} ${text}`.trim() : text);
    this.name = "SqlFailure";
    this.errno = error.errno ?? 0;
  }
}
