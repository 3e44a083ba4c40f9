import * as http from "node:http";
import { AddressInfo, Socket } from "node:net";
import { EngineAnswer, writeAnswer } from "./answer";
import { OverlongUploads } from "./overlongUploads";
import { ConnectionMemory, EngineRequest, hasKey, readRequest } from "./request";

/** Answers the engine's requests. One that never answers holds the engine's thread, and what waits for it. */
export interface EngineHandler {
  handle(request: EngineRequest): Promise<EngineAnswer>;
  /** A request came on this connection: what was sent on it before has arrived. */
  arrived?(connection: ConnectionMemory): void;
}

export interface GatewayOptions {
  /** That the engine is told. */
  bucket: string;
  /** The throw-away key of the engine that runs now. */
  accessKeyId(): string;
  /** Who answers now. */
  handler(): EngineHandler;
  /** What a WAL's PUT brought could not be put into the log, and no answer is given: the engine must die before it takes that for a failure, which it would acknowledge. */
  lost: (error: unknown) => void;
  /** A request that was refused or could not be answered, for the log and the counters. */
  failed: (what: string, error?: unknown) => void;
  /** The server itself has failed: the engine must not go on with one that nobody listens to. */
  broken: (error: Error) => void;
}

interface Connection extends ConnectionMemory {
  /** The request that is not answered yet. */
  message?: http.IncomingMessage;
  /** More has come than that request's body. */
  isOverlong?: boolean;
  /** It will not be answered: the engine is being killed. */
  isGivenUp?: boolean;
}

/**
 * The object store that mariadbd is told: on loopback, without TLS. It has no time limit of its own: a commit waits as long as its entry needs, and the manager kills the engine when that is too long. An answer
 * that cannot be given is never given as a failure to a WAL: the engine acknowledges a commit after three of those.
 */
export class Gateway {
  private readonly server = http.createServer();
  private readonly connections = new Map<Socket, Connection>();
  private readonly overlong = new OverlongUploads();
  /** Requests by method since the start. */
  readonly requests = new Map<string, number>();

  private constructor(private readonly options: GatewayOptions) {
    Object.assign(this.server, { timeout: 0, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
    this.server.on("connection", (socket: Socket) => {
      socket.setNoDelay(true);
      this.connections.set(socket, {});
      socket.on("close", () => this.connections.delete(socket));
      socket.on("error", () => undefined);
    });
    this.server.on("request", (message, response) => void this.take(message, response));
    this.server.on("clientError", (_, socket) => this.unreadable(socket as Socket));
    this.server.on("error", error => options.broken(error));
  }

  /** @param port 0: any */
  static async listen(options: GatewayOptions, port = 0): Promise<Gateway> {
    const gateway = new Gateway(options);
    await new Promise<void>((resolve, reject) => {
      gateway.server.once("error", reject);
      gateway.server.listen({ port, host: "127.0.0.1" }, () => resolve());
    });
    return gateway;
  }

  /** Host and port, as `tidesdb_s3_endpoint` takes them. */
  get endpoint(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Only when no engine runs any more: a connection that breaks looks like a failure to it. */
  close(): void {
    this.server.close();
    for (const socket of this.connections.keys()) socket.destroy();
  }

  private async take(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const method = message.method ?? "";
    this.requests.set(method, (this.requests.get(method) ?? 0) + 1);
    if (!hasKey(message, this.options.accessKeyId())) {
      this.options.failed("a request with a wrong key was refused");
      return writeAnswer(response, false, { status: 403 });
    }
    const connection: Connection = this.connections.get(message.socket) ?? {};
    const request = readRequest(message, this.options.bucket, connection);
    if (!request) return writeAnswer(response, false, { status: 404 });
    connection.message = message;
    this.overlong.arrived(request);
    const handler = this.options.handler();
    const answer = await serve(request, this.options);
    if (answer === undefined) {
      // Whoever waits for a WAL waits on: its engine is killed first, and the connection ends with it.
      connection.isGivenUp = true;
      message.socket.resume();
      return;
    }
    delete connection.message;
    if (connection.isOverlong) {
      const isCurrent = () => handler === this.options.handler();
      return this.overlong.answer({ socket: message.socket, request, answer, isCurrent });
    }
    try {
      await writeAnswer(response, method === "HEAD", answer);
    } catch (error) {
      this.options.failed(`${method} ${request.key}`, error);
      if (!response.headersSent) await writeAnswer(response, false, { status: 500 }).catch(() => undefined);
    }
  }

  /** What came on a connection is no request. Behind an upload it is left unread, until that is answered. */
  private unreadable(socket: Socket): void {
    const connection = this.connections.get(socket);
    const { message } = connection ?? {};
    if (!connection || message?.method !== "PUT" || !message.complete) return void socket.destroy();
    connection.isOverlong = true;
    if (!connection.isGivenUp) socket.pause();
  }
}

/** Answers one request of the engine. @returns undefined when no answer may be given: what a WAL's PUT brought is not in the log */
export async function serve(
  request: EngineRequest,
  { handler: current, lost, failed }: Pick<GatewayOptions, "handler" | "lost" | "failed">,
): Promise<EngineAnswer | undefined> {
  const handler = current();
  const { method, key, connection } = request;
  try {
    handler.arrived?.(connection);
    const answer = await handler.handle(request);
    if (method === "PUT" && !request.query.has("partNumber")) connection.sent = { key, length: request.length };
    await request.drain();
    return answer;
  } catch (error) {
    failed(`${method} ${key}`, error);
    if (!isWal(request)) return { status: 500 };
    // Of an engine that is gone nobody waits.
    if (handler === current()) lost(error);
    return undefined;
  }
}

function isWal({ method, key }: EngineRequest): boolean {
  return method === "PUT" && key.startsWith("uwal_");
}
