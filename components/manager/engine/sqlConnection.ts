import { createHash } from "node:crypto";
import { connect, Socket } from "node:net";
import { quoteText } from "../../core/accountStatements";
import { Column, Packet, ServerError } from "./sqlPacket";

export type Rows = Record<string, unknown>[];

/** What may take the place of a question mark: a whole number or a text. */
export type SqlValue = number | bigint | string;

/** Where and as whom. */
export interface SqlConnectionOptions {
  socketPath: string;
  user: string;
  password: string;
}

/** Of the protocol's capability flags: client of MySQL's own kind, protocol 4.1, transactions' state, authentication by plugins. */
const capabilities = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x80000;
/** utf8mb4_general_ci: the connection's character set is the first thing that it says. */
const utf8mb4 = 45;
const authentication = "mysql_native_password";
/** A longer packet would be continued in another one. */
const longestPacket = 0xffffff;
const nothing = Buffer.alloc(0);

interface Statement {
  sql: string;
  resolve: (rows: Rows) => void;
  reject: (error: Error) => void;
}

/**
 * One connection over the server's own socket, in MariaDB's client protocol ("Client/Server Protocol" in MariaDB's documentation): one statement after another in text form, each
 * with at most one result. The public drivers do far more, and take several MB of the manager's memory for it.
 */
export class SqlConnection {
  private readonly socket: Socket;
  private received: Buffer = nothing;
  private sequence = 0;
  private state: "greeting" | "login" | "ready" | "closed" = "greeting";
  private readonly waiting: Statement[] = [];
  /** Of the result that is being read. */
  private columns: Column[] | undefined;
  private columnsLeft = 0;
  private rows: Rows = [];

  private constructor(
    private readonly options: SqlConnectionOptions,
    private readonly opened: () => void,
    private readonly failed: (error: Error) => void,
  ) {
    this.socket = connect(options.socketPath);
    this.socket.on("data", data => this.receive(data));
    this.socket.on("error", error => this.end(error));
    this.socket.on("close", () => this.end(new Error("the server has closed the connection")));
  }

  /** @throws ServerError when the server refuses, Error when there is none or it does not answer in time */
  static async open(options: SqlConnectionOptions, timeoutMilliseconds: number): Promise<SqlConnection> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => connection.end(new Error("the server sent no greeting")), timeoutMilliseconds);
      const connection = new SqlConnection(
        options,
        () => {
          clearTimeout(timer);
          resolve(connection);
        },
        error => {
          clearTimeout(timer);
          reject(error);
        },
      );
    });
  }

  get isOpen(): boolean {
    return this.state === "ready";
  }

  /**
   * Runs one statement, behind those that wait already. Integers and floating-point numbers come as numbers, integers beyond 2^53 as bigints, NULL as null, all else as text.
   * @param values take the place of the question marks
   * @throws ServerError when it fails, Error when the connection ends before its answer
   */
  query(sql: string, values: SqlValue[] = []): Promise<Rows> {
    return new Promise((resolve, reject) => {
      if (this.state !== "ready") return reject(new Error("the connection is closed"));
      this.waiting.push({ sql: withValues(sql, values), resolve, reject });
      if (this.waiting.length === 1) this.sendNext();
    });
  }

  /** Ends it at once; what waits is rejected. */
  destroy(): void {
    this.end(new Error("the connection was abandoned"));
  }

  private sendNext(): void {
    const next = this.waiting[0];
    if (!next) return;
    this.sequence = 0;
    this.send(Buffer.concat([Buffer.from([3]), Buffer.from(next.sql)]));
  }

  private send(payload: Buffer): void {
    if (payload.length >= longestPacket) return this.end(new Error("the statement is too long"));
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    header[3] = this.sequence++;
    this.socket.write(Buffer.concat([header, payload]));
  }

  private receive(data: Buffer): void {
    this.received = this.received.length === 0 ? data : Buffer.concat([this.received, data]);
    try {
      while (this.state !== "closed" && this.received.length >= 4) {
        const length = this.received.readUIntLE(0, 3);
        if (length === longestPacket) throw new Error("the server's answer is too long");
        if (this.received.length < 4 + length) return;
        const payload = this.received.subarray(4, 4 + length);
        this.sequence = (this.received[3] ?? 0) + 1;
        // What is left of nothing would keep the whole buffer.
        this.received = this.received.length === 4 + length ? nothing : this.received.subarray(4 + length);
        this.handle(new Packet(payload));
      }
    } catch (error) {
      this.end(error as Error);
    }
  }

  private handle(packet: Packet): void {
    if (this.state === "greeting") return this.answerGreeting(packet);
    if (packet.first === 0xff) return this.fail(packet.error());
    if (this.state === "login") return this.logIn(packet);
    this.readResult(packet);
  }

  private answerGreeting(packet: Packet): void {
    // A server with too many connections answers with an error instead.
    if (packet.first === 0xff) return this.end(packet.error());
    const { user, password } = this.options;
    const response = scrambled(password, packet.scramble());
    const head = Buffer.alloc(32);
    head.writeUInt32LE(capabilities, 0);
    head.writeUInt32LE(longestPacket, 4);
    head[8] = utf8mb4;
    this.state = "login";
    this.send(Buffer.concat([head, text(user), Buffer.from([response.length]), response, text(authentication)]));
  }

  private logIn(packet: Packet): void {
    if (packet.first === 0) {
      this.state = "ready";
      this.opened();
    } else if (packet.first === 0xfe) {
      // The account's own plugin, with a challenge of its own.
      const { plugin, challenge } = packet.switchRequest();
      if (plugin !== authentication) throw new Error(`the account needs ${plugin}, not ${authentication}`);
      this.send(scrambled(this.options.password, challenge));
    } else throw new Error("the server needs more than a password to log in");
  }

  private readResult(packet: Packet): void {
    if (!this.columns) {
      if (packet.first === 0) return this.finish([]);
      if (packet.first === 0xfb) throw new Error("the server asks for a file");
      this.columns = [];
      // The columns, and the packet that ends them.
      this.columnsLeft = packet.length() + 1;
      this.rows = [];
    } else if (this.columnsLeft > 0) {
      if (--this.columnsLeft > 0) this.columns.push(packet.column());
    } else if (packet.endsRows) this.finish(this.rows);
    else this.rows.push(packet.row(this.columns));
  }

  private finish(rows: Rows): void {
    this.columns = undefined;
    this.waiting.shift()?.resolve(rows);
    this.sendNext();
  }

  private fail(error: ServerError): void {
    if (this.state === "login") return this.end(error);
    const statement = this.waiting.shift();
    // Said unasked: the server ends the session.
    if (!statement) return this.end(error);
    this.columns = undefined;
    statement.reject(error);
    this.sendNext();
  }

  private end(error: Error): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.socket.destroy();
    this.failed(error);
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

/** What `mysql_native_password` sends instead of a password: SHA1(password) XOR SHA1(challenge, SHA1(SHA1(password))). */
function scrambled(password: string, challenge: Buffer): Buffer {
  if (password === "") return Buffer.alloc(0);
  const sha1 = (...parts: (Buffer | string)[]) => {
    const hash = createHash("sha1");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const once = sha1(password);
  const mask = sha1(challenge, sha1(once));
  return Buffer.from(once.map((byte, i) => byte ^ (mask[i] ?? 0)));
}

/** A statement with its values in place. @throws when their number is not that of the question marks, or one cannot be written */
function withValues(sql: string, values: SqlValue[]): string {
  const pieces = sql.split("?");
  if (values.length === 0) return sql;
  // Without the statement: it may hold a password.
  if (pieces.length !== values.length + 1)
    throw new Error(`${values.length} values for ${pieces.length - 1} question marks`);
  return pieces.map((piece, i) => piece + (i < values.length ? literal(values[i] ?? "") : "")).join("");
}

function literal(value: SqlValue): string {
  if (typeof value === "string") return quoteText(value);
  if (typeof value === "bigint") return String(value);
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not a whole number`);
  return String(value);
}
