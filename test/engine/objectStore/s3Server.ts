import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { AddressInfo } from "node:net";
import { PreconditionFailed, PutOptions } from "../model/ports";
import { TestCertificate } from "../testCertificate";
import { MemoryObjectStore } from "./memoryObjectStore";
import { SignedRequest } from "./signature";

const metadataPrefix = "x-amz-meta-";

/** An S3 server in this process, for tests of what speaks the protocol: path style, one bucket, whatever the signature says as long as there is one. */
export class S3Server {
  /** Judges signatures, or refuses what a test wants refused. */
  judge: (request: SignedRequest) => { status: number; code: string } | undefined = () => undefined;
  private readonly sockets = new Set<Socket>();
  /** Parts of uploads that were begun, by the upload's ID. */
  private readonly uploads = new Map<string, Map<number, Buffer>>();

  private constructor(
    private readonly server: http.Server | https.Server,
    readonly bucket: string,
    /** What the bucket holds; its faults are the server's: a call that throws is answered 503. */
    readonly store: MemoryObjectStore,
  ) {
    server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => {
      // Who has gone is not answered.
      this.handle(request, response).catch(() => response.destroy());
    });
  }

  /**
   * @param certificate makes it speak HTTPS
   * @param store of its own; in memory by default
   */
  static async start(
    bucket = "tests",
    certificate?: TestCertificate,
    store = new MemoryObjectStore(),
  ): Promise<S3Server> {
    const server = certificate
      ? https.createServer({ cert: certificate.certificate, key: certificate.key })
      : http.createServer();
    const started = new S3Server(server, bucket, store);
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return started;
  }

  /** Called with each request, before it is answered. */
  onRequest(listener: (request: http.IncomingMessage) => void): void {
    this.server.on("request", listener);
  }

  /** Host and port. */
  get endpoint(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://s3");
    const [, bucket = "", ...rest] = url.pathname.split("/");
    const key = rest.map(decodeURIComponent).join("/");
    const answer = (status: number, headers: http.OutgoingHttpHeaders = {}, body: Uint8Array = Buffer.alloc(0)) => {
      response.writeHead(status, { ...headers, "content-length": headers["content-length"] ?? body.length });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    try {
      if (!request.headers.authorization?.startsWith("AWS4-HMAC-SHA256")) return answer(403);
      const { method = "", url: asked = "", headers } = request;
      const refusal = this.judge({ method, url: asked, headers, body: Buffer.concat(chunks) });
      if (refusal) return answer(refusal.status, {}, Buffer.from(`<Error><Code>${refusal.code}</Code></Error>`));
      if (bucket !== this.bucket) return answer(404);
      const part = await this.inParts(request.method ?? "", key, url.searchParams, Buffer.concat(chunks));
      if (part) return answer(part.status, part.headers, part.body);
      switch (request.method) {
        case "PUT": {
          const source = request.headers["x-amz-copy-source"];
          if (typeof source === "string") {
            const from = decodeURIComponent(source)
              .replace(/^\//, "")
              .slice(bucket.length + 1);
            const etag = await this.copy(from, key, request.headers);
            if (etag === undefined) return answer(404);
            return answer(200, {}, Buffer.from(`<CopyObjectResult><ETag>${etag}</ETag></CopyObjectResult>`));
          }
          return answer(200, { etag: await this.store.put(key, Buffer.concat(chunks), putOptions(request.headers)) });
        }
        case "DELETE":
          await this.store.delete(key);
          return answer(204);
        case "HEAD": {
          const head = await this.store.head(key);
          return head ? answer(200, { ...metadataHeaders(head), "content-length": head.size }) : answer(404);
        }
        default:
          if (key === "") return answer(200, { "content-type": "application/xml" }, await this.list(url.searchParams));
          break;
      }
      const object = await this.store.get(key);
      return object ? answer(200, metadataHeaders(object), object.body) : answer(404);
    } catch (error) {
      answer(error instanceof PreconditionFailed ? 412 : 503);
    }
  }

  /** An upload in parts: begun, sent, put together or given up. @returns undefined when the request is of no such upload */
  private async inParts(
    method: string,
    key: string,
    query: URLSearchParams,
    content: Buffer,
  ): Promise<{ status: number; headers?: http.OutgoingHttpHeaders; body?: Buffer } | undefined> {
    if (method === "POST" && query.has("uploads")) {
      const id = `upload-${this.uploads.size + 1}`;
      this.uploads.set(id, new Map());
      return { status: 200, body: Buffer.from(`<Result><UploadId>${id}</UploadId></Result>`) };
    }
    const id = query.get("uploadId");
    if (id === null) return undefined;
    const parts = this.uploads.get(id);
    if (!parts) return { status: 404 };
    if (method === "PUT") {
      parts.set(Number(query.get("partNumber")), content);
      return { status: 200, headers: { etag: `"part-${query.get("partNumber")}"` } };
    }
    if (method === "POST") {
      const whole = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
      await this.store.put(key, Buffer.concat(whole), {});
    }
    parts.clear();
    return { status: method === "POST" ? 200 : 204 };
  }

  /** @returns undefined when there is nothing to copy */
  private async copy(from: string, to: string, headers: http.IncomingHttpHeaders): Promise<string | undefined> {
    const object = await this.store.get(from);
    if (!object) return undefined;
    const replaced = headers["x-amz-metadata-directive"] === "REPLACE";
    return this.store.put(to, object.body, replaced ? putOptions(headers) : { metadata: object.metadata });
  }

  private async list(query: URLSearchParams): Promise<Buffer> {
    const most = Number(query.get("max-keys") ?? 1000);
    const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
    const objects = (await this.store.list(query.get("prefix") ?? "")).filter(({ key }) => key > after);
    const page = objects.slice(0, most);
    const contents = page.map(({ key, size }) => {
      const etag = this.store.objects.get(key)?.etag.replaceAll('"', "&quot;") ?? "";
      return `<Contents><Key>${key}</Key><Size>${size}</Size><ETag>${etag}</ETag></Contents>`;
    });
    const truncated = objects.length > page.length;
    const token = truncated ? `<NextContinuationToken>${page.at(-1)?.key ?? ""}</NextContinuationToken>` : "";
    return Buffer.from(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${truncated}</IsTruncated>${token}${contents.join("")}</ListBucketResult>`,
    );
  }
}

function putOptions(headers: http.IncomingHttpHeaders): PutOptions {
  const metadata = Object.entries(headers)
    .filter(([name]) => name.startsWith(metadataPrefix))
    .map(([name, value]) => [name.slice(metadataPrefix.length), String(value)]);
  return {
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    ...(headers["if-none-match"] === "*" && { ifNoneMatch: true }),
    ...(headers["if-match"] !== undefined && { ifMatch: headers["if-match"] }),
  };
}

function metadataHeaders({
  etag,
  metadata,
}: {
  etag: string;
  metadata: Record<string, string>;
}): http.OutgoingHttpHeaders {
  return {
    etag,
    ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [metadataPrefix + name, value])),
  };
}
