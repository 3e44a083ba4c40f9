import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { TestCertificate } from "../../engine/testCertificate";

/** A request as the server received it. */
export interface ReceivedRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface ScriptedAnswer {
  status: number;
  body?: string;
  headers?: http.OutgoingHttpHeaders;
}

/** An HTTP server on this machine that answers what it is told to, and remembers what it was asked. */
export class ScriptedHttpServer {
  readonly received: ReceivedRequest[] = [];
  /** Answers a request; undefined: none, the connection stays open. */
  answer: (request: ReceivedRequest) => ScriptedAnswer | undefined = () => ({ status: 200 });

  port = 0;

  private constructor(private readonly server: http.Server | https.Server) {}

  /** @param certificate for `localhost`: makes it speak HTTPS */
  static async start(certificate?: TestCertificate): Promise<ScriptedHttpServer> {
    const server = certificate
      ? https.createServer({ cert: certificate.certificate, key: certificate.key })
      : http.createServer();
    const started = new ScriptedHttpServer(server);
    server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
      void started.handle(request, response);
    });
    server.listen(0, "localhost");
    await once(server, "listening");
    started.port = (server.address() as AddressInfo).port;
    return started;
  }

  /** Method and path of what it was asked. */
  get asked(): string[] {
    return this.received.map(({ method, path }) => `${method} ${path}`);
  }

  /** The last request. */
  get last(): ReceivedRequest {
    const last = this.received.at(-1);
    if (!last) throw new Error("nothing was asked");
    return last;
  }

  /** Breaks all connections. */
  breakConnections(): void {
    this.server.closeAllConnections();
  }

  stop(): void {
    this.server.close();
    this.breakConnections();
  }

  private async handle(incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = incoming;
    const request = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
    this.received.push(request);
    const answer = this.answer(request);
    if (answer) response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}
