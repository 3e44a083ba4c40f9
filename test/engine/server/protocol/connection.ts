import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import { SecureContext, TLSSocket } from "node:tls";
import { SqlError, sqlErrors } from "../sqlError";
import { ok, Result, Value } from "../values";
import { columnPacket, eofPacket, errorPacket, okPacket, rowsPackets } from "./answers";
import { readParameters } from "./binaryParameters";
import { capability, columnType, command, statusFlag } from "./constants";
import { ClientReply, greeting, nativePassword, parseChangeUser, parseReply, switchRequest } from "./handshake";
import { framePayload, PacketReader, PacketStream, PacketWriter } from "./packets";

/** Where a connection comes from, and how. */
export interface Transport {
  /** Over the local socket. */
  local: boolean;
  /** The client's address; `localhost` over the local socket. */
  address: string;
  tls: boolean;
}

/** A statement that was prepared: how many parameters it has is known, what it does is not looked at before it runs. */
export interface PreparedText {
  parameterCount: number;
  run(parameters: Value[]): Promise<Result>;
}

/** What stands behind a connection. Each method may throw a SqlError, which the client gets. */
export interface Session {
  /** Called once the client has said who it is; with another user's name when the client changes it. */
  authenticate(reply: ClientReply, scramble: Buffer, transport: Transport): void;
  useDatabase(name: string): void;
  /** Statements of one request, in order: several where the client asked for that. */
  query(text: string, multiple: boolean): AsyncIterable<{ result: Result; more: boolean }>;
  prepare(text: string): PreparedText;
  reset(): void;
  statistics(): string;
  readonly inTransaction: boolean;
  readonly autocommit: boolean;
  closed(): void;
}

export interface ServerIdentity {
  version: string;
  /** Undefined: the server offers no TLS. */
  secureContext(): SecureContext | undefined;
}

/** Stands for the statement that was prepared last. */
const lastStatement = 0xffffffff;

/** One client's connection: the MySQL protocol, server side. */
export class ClientConnection {
  private stream = new PacketStream();
  private sequence = 0;
  private readonly scramble = Buffer.from(randomBytes(20).map(byte => (byte & 0x7f) + (byte & 0x7f ? 0 : 1)));
  private reply: ClientReply | undefined;
  private awaitsSwitch = false;
  private authenticated = false;
  private multiStatements = false;
  private working: Promise<void> = Promise.resolve();
  private readonly statements = new Map<
    number,
    { text: PreparedText; types: number[]; longData: Map<number, Buffer> }
  >();
  private nextStatement = 1;

  constructor(
    private socket: Socket,
    private readonly session: Session,
    private readonly identity: ServerIdentity,
    connectionId: number,
    private readonly transport: Transport,
  ) {
    this.attach(socket);
    this.send(greeting(identity.version, connectionId, this.scramble, identity.secureContext() !== undefined));
  }

  /** Ends it at once, as KILL and a stopping server do. */
  destroy(error?: SqlError): void {
    if (error && this.socket.writable) this.send(errorPacket(error));
    this.socket.destroySoon();
  }

  /** Refuses a client before it has said anything. */
  refuse(error: SqlError): void {
    this.sequence = 0;
    this.destroy(error);
  }

  private attach(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      this.stream.push(bytes);
      this.take();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (socket === this.socket) this.session.closed();
    });
  }

  private take(): void {
    for (let packet = this.stream.next(); packet; packet = this.stream.next()) {
      const { payload, sequence } = packet;
      if (!this.reply && this.isTlsRequest(payload, sequence)) return;
      this.working = this.working
        .then(async () => {
          this.sequence = sequence + 1;
          await (this.authenticated ? this.command(payload) : this.greet(payload));
        })
        .catch((error: unknown) => this.fail(error));
    }
  }

  private isTlsRequest(payload: Buffer, sequence: number): boolean {
    const secureContext = this.identity.secureContext();
    if (!secureContext || this.transport.tls || payload.length < 32 || !parseReply(payload).asksForTls) return false;
    this.sequence = sequence + 1;
    const plain = this.socket;
    plain.pause();
    plain.removeAllListeners("data");
    plain.removeAllListeners("close");
    const rest = this.stream.takeRest();
    if (rest.length > 0) plain.unshift(rest);
    this.transport.tls = true;
    this.socket = new TLSSocket(plain, { isServer: true, secureContext });
    this.attach(this.socket);
    return true;
  }

  private async greet(payload: Buffer): Promise<void> {
    if (this.awaitsSwitch && this.reply) {
      this.awaitsSwitch = false;
      return this.authenticate({ ...this.reply, authentication: payload, plugin: nativePassword });
    }
    if (payload.length < 33) throw sqlErrors.badHandshake();
    this.reply = parseReply(payload);
    return this.authenticate(this.reply);
  }

  private async authenticate(reply: ClientReply): Promise<void> {
    this.reply = reply;
    if (reply.plugin !== "" && reply.plugin !== nativePassword) {
      this.awaitsSwitch = true;
      this.authenticated = false;
      return this.send(switchRequest(this.scramble));
    }
    this.authenticated = false;
    this.session.authenticate(reply, this.scramble, this.transport);
    if (reply.database) this.session.useDatabase(reply.database);
    this.authenticated = true;
    this.multiStatements = (reply.capabilities & capability.multiStatements) !== 0;
    this.answer(ok());
    return Promise.resolve();
  }

  private fail(error: unknown): void {
    const known =
      error instanceof SqlError ? error : new SqlError(1105, "HY000", error instanceof Error ? error.message : "?");
    if (this.authenticated) this.send(errorPacket(known));
    else this.destroy(known);
  }

  private async command(payload: Buffer): Promise<void> {
    const reader = new PacketReader(payload);
    switch (reader.integer(1)) {
      case command.quit:
        this.socket.end();
        return;
      case command.initDatabase:
        this.session.useDatabase(reader.toEnd().toString("utf8"));
        return this.answer(ok());
      case command.query:
        for await (const { result, more } of this.session.query(
          reader.toEnd().toString("utf8"),
          this.multiStatements,
        )) {
          this.answer(result, more);
        }
        return;
      case command.ping:
      case command.setOption:
        if (payload.length === 3) this.multiStatements = reader.integer(2) === 0;
        return payload.length === 3 ? this.send(eofPacket(this.status())) : this.answer(ok());
      case command.statistics:
        return this.send(Buffer.from(this.session.statistics()));
      case command.fieldList:
        return this.send(eofPacket(this.status()));
      case command.changeUser:
        this.session.reset();
        return this.authenticate(parseChangeUser(reader, this.reply?.capabilities ?? 0));
      case command.resetConnection:
        this.session.reset();
        return this.answer(ok());
      case command.prepare:
        return this.prepare(reader.toEnd().toString("utf8"));
      case command.execute:
        return this.execute(reader);
      case command.sendLongData:
        return this.longData(reader);
      case command.closeStatement:
        this.statements.delete(reader.integer(4));
        return;
      case command.resetStatement:
        this.statement(reader.integer(4)).longData.clear();
        return this.answer(ok());
      default:
        throw sqlErrors.unknownCommand();
    }
  }

  private prepare(query: string): void {
    const text = this.session.prepare(query);
    const id = this.nextStatement++;
    this.statements.set(id, { text, types: [], longData: new Map() });
    // The columns of its result are told when it runs.
    const head = new PacketWriter().integer(0, 1).integer(id, 4).integer(0, 2).integer(text.parameterCount, 2);
    this.send(head.zeros(1).integer(0, 2).toBuffer());
    if (text.parameterCount === 0) return;
    for (let i = 0; i < text.parameterCount; i++) this.send(columnPacket({ name: "?", type: columnType.varString }));
    this.send(eofPacket(this.status()));
  }

  private async execute(reader: PacketReader): Promise<void> {
    const { text, types, longData } = this.statement(reader.integer(4));
    reader.bytes(5);
    const parameters = readParameters(reader, text.parameterCount, types, longData);
    longData.clear();
    this.answer(await text.run(parameters), false, true);
  }

  private longData(reader: PacketReader): void {
    const { longData } = this.statement(reader.integer(4));
    const parameter = reader.integer(2);
    longData.set(parameter, Buffer.concat([longData.get(parameter) ?? Buffer.alloc(0), reader.toEnd()]));
  }

  /** Clients that send PREPARE and EXECUTE together name the last statement so. */
  private statement(id: number) {
    const statement = this.statements.get(id === lastStatement ? this.nextStatement - 1 : id);
    if (!statement) throw sqlErrors.unknownStatement(id);
    return statement;
  }

  private status(more = false): number {
    return (
      (this.session.inTransaction ? statusFlag.inTransaction : 0) |
      (this.session.autocommit ? statusFlag.autocommit : 0) |
      (more ? statusFlag.moreResults : 0)
    );
  }

  private answer(result: Result, more = false, binary = false): void {
    const status = this.status(more);
    if (result.kind === "ok") {
      this.send(okPacket(result.affectedRows, result.insertId ?? 0, status, result.info));
      return;
    }
    const packets: Buffer[] = [];
    for (const payload of rowsPackets(result, status, binary)) packets.push(this.frame(payload));
    this.socket.write(Buffer.concat(packets));
  }

  private send(payload: Buffer): void {
    this.socket.write(this.frame(payload));
  }

  private frame(payload: Buffer): Buffer {
    const { bytes, sequence } = framePayload(payload, this.sequence);
    this.sequence = sequence & 0xff;
    return bytes;
  }
}
