import { IncomingMessage } from "node:http";
import { timingSafeEqual } from "node:crypto";

/** What a connection remembers: the engine's threads keep one each, and ask back on it what they have sent. */
export interface ConnectionMemory {
  /** Length of the last PUT, by key. */
  sent?: { key: string; length: number };
  /** For the handler's use: what the engine sees on this connection. */
  cut?: unknown;
}

/** One of the dozen requests that the engine makes. */
export interface EngineRequest {
  method: string;
  /** Below the engine's prefix, decoded; empty for the bucket itself. */
  key: string;
  query: URLSearchParams;
  connection: ConnectionMemory;
  /** Of the body, as the engine says. */
  length: number;
  ifMatch?: string;
  ifNoneMatch: boolean;
  /** The engine's epoch that a PUT carries. */
  epoch: number;
  /** The whole body. @throws when it is larger than `limit` bytes */
  body(limit: number): Promise<Buffer>;
  /** Reads the body to its end and forgets it: what is in it is on the disk as well. */
  drain: () => Promise<void>;
}

/** @param bucket that the engine was told @returns undefined when the request is for something else */
export function readRequest(
  message: IncomingMessage,
  bucket: string,
  connection: ConnectionMemory,
): EngineRequest | undefined {
  const url = new URL(message.url ?? "/", "http://engine");
  const [, name, ...rest] = url.pathname.split("/");
  if (name !== bucket) return undefined;
  const { headers } = message;
  return {
    method: message.method ?? "GET",
    key: rest.map(decodeURIComponent).join("/"),
    query: url.searchParams,
    connection,
    length: Number(headers["content-length"] ?? 0),
    ...(headers["if-match"] !== undefined && { ifMatch: headers["if-match"] }),
    ifNoneMatch: headers["if-none-match"] === "*",
    epoch: Number(headers["x-amz-meta-epoch"] ?? 0),
    async body(limit) {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of message) {
        size += (chunk as Buffer).length;
        if (size > limit) throw new Error(`the engine sent more than ${limit} bytes for ${url.pathname}`);
        chunks.push(chunk as Buffer);
      }
      return Buffer.concat(chunks);
    },
    async drain() {
      if (message.readableEnded || message.destroyed) return;
      await new Promise<void>((resolve, reject) => {
        message.on("end", resolve).on("error", reject).on("close", resolve);
        message.resume();
      });
    },
  };
}

/**
 * Whether the request carries the key that this pod's engine was started with. It is made at each start, 128 bits of chance, and is worth nothing anywhere else; the signature over it is not computed, since
 * who knows one half has read both (`SHOW VARIABLES`), and the port is on loopback.
 */
export function hasKey(message: IncomingMessage, accessKeyId: string): boolean {
  const given = /^AWS4-HMAC-SHA256 Credential=([^/]+)\//.exec(message.headers.authorization ?? "")?.[1] ?? "";
  const [a, b] = [Buffer.from(given), Buffer.from(accessKeyId)];
  return a.length === b.length && timingSafeEqual(a, b);
}
