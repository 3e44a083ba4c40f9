import { managerAccount } from "../../core/accountStatements";
import { podLayout } from "../../core/podLayout";
import { Rows, SqlConnection, SqlValue } from "./sqlConnection";
import { ServerError } from "./sqlPacket";

/**
 * SQL over the pod's own socket. One connection a purpose, so that a heartbeat does not wait behind a promotion; each is made when it is first needed, and dropped when a
 * statement takes longer than it may.
 */
export class LocalSql {
  private readonly connections = new Map<string, Promise<SqlConnection>>();

  /** @param socketPath the server's own socket */
  constructor(
    private readonly password: () => string,
    private readonly socketPath: string = podLayout.socket,
  ) {}

  /** Runs one statement. @throws SqlFailure when it fails or does not answer in time; it may have taken effect then. */
  async query(purpose: string, sql: string, timeoutMilliseconds: number, values?: SqlValue[]): Promise<Rows> {
    const connection = await this.connect(purpose, timeoutMilliseconds);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // First: what waits is rejected by the other with less to say.
        reject(new Error(`no answer in ${timeoutMilliseconds} ms to ${kindOf(sql)} (${purpose})`));
        connection.destroy();
      }, timeoutMilliseconds);
    });
    try {
      return await Promise.race([connection.query(sql, values), tooLate]);
    } catch (error) {
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

  /** One that has ended, for whatever reason, is replaced. */
  private async connect(purpose: string, timeoutMilliseconds: number): Promise<SqlConnection> {
    const known = this.connections.get(purpose);
    const connecting = known ?? this.open(timeoutMilliseconds);
    this.connections.set(purpose, connecting);
    try {
      const connection = await connecting;
      if (connection.isOpen || !known) return connection;
    } catch (error) {
      this.forget(purpose, connecting);
      throw new SqlFailure(error);
    }
    this.forget(purpose, connecting);
    return this.connect(purpose, timeoutMilliseconds);
  }

  private open(timeoutMilliseconds: number): Promise<SqlConnection> {
    const { name: user } = managerAccount;
    return SqlConnection.open({ socketPath: this.socketPath, user, password: this.password() }, timeoutMilliseconds);
  }

  private forget(purpose: string, connection: Promise<SqlConnection>): void {
    if (this.connections.get(purpose) === connection) this.connections.delete(purpose);
  }
}

/** What a statement does, without what it does it with: that may be a password. */
function kindOf(sql: string): string {
  return /^[A-Z]+( [A-Z]+)*/.exec(sql)?.[0] ?? "a statement";
}

/** A failed statement without its text, nor the part of it that a syntax error quotes: that may hold a password. */
export class SqlFailure extends Error {
  /** The server's number of the error; 0 when the failure is not the server's. */
  readonly errno: number;

  constructor(cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause);
    super(cause instanceof ServerError ? `SQL error ${cause.errno} (${cause.sqlState}) ${withoutQuote(text)}` : text);
    this.name = "SqlFailure";
    this.errno = cause instanceof ServerError ? cause.errno : 0;
  }
}

function withoutQuote(message: string): string {
  return message.replace(/ near '.*$/s, "");
}
