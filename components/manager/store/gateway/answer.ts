import { createReadStream } from "node:fs";
import { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

/** What the engine is told. */
export interface EngineAnswer {
  status: number;
  etag?: string;
  /** The engine's epoch that an object carries. */
  epoch?: number;
  body?: Buffer;
  /** A file that is the body. */
  file?: { path: string; size: number };
  /** Of the body that a HEAD does not bring. */
  length?: number;
  /** Called when it was sent or the connection is gone. */
  sent?(): void;
}

export const notFound: EngineAnswer = { status: 404 };

export async function writeAnswer(response: ServerResponse, head: boolean, answer: EngineAnswer): Promise<void> {
  const { status, etag, epoch, body, file, length } = answer;
  response.writeHead(status, {
    "content-length": length ?? file?.size ?? body?.length ?? 0,
    ...(etag !== undefined && { etag }),
    ...(epoch !== undefined && { "x-amz-meta-epoch": String(epoch) }),
  });
  try {
    if (head || !file) response.end(head ? undefined : body);
    else await pipeline(createReadStream(file.path), response);
  } finally {
    answer.sent?.();
  }
}

/** A listing of all there is. The engine reads keys and sizes, and asks again when it says that there is more. */
export function listing(objects: Iterable<{ key: string; size: number }>): Buffer {
  const contents = [...objects].map(
    ({ key, size }) => `<Contents><Key>${escape(key)}</Key><Size>${size}</Size></Contents>`,
  );
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`,
  );
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
