import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as aws4 from "aws4";
import { XMLParser } from "fast-xml-parser";
import { ListedObject, ObjectStore, PreconditionFailed } from "../model/ports";

/** Where the engine's objects are: the `tidesdb_s3_*` variables. */
export interface S3Location {
  /** Host, and port when it is not the scheme's default. */
  endpoint: string;
  bucket: string;
  region: string;
  /** Put before each key as it is. */
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
  useTls: boolean;
  pathStyle: boolean;
  /** PEM file. */
  authorityFile?: string;
  verifyTls: boolean;
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** The engine gives up connecting after this; it waits for an answer as long as it takes. Milliseconds. */
const connectTimeout = 15_000;
const mostConnections = 16;
const metadataPrefix = "x-amz-meta-";

/** A bucket over the S3 protocol. Redirects are not followed, and an absent object must answer 404: as the engine has it. */
export function s3ObjectStore(location: S3Location): ObjectStore {
  const { bucket, endpoint, prefix, region, useTls, pathStyle } = location;
  const authority = location.authorityFile && readFileSync(location.authorityFile);
  const connections = (maxSockets: number) =>
    useTls
      ? new https.Agent({
          keepAlive: true,
          maxSockets,
          rejectUnauthorized: location.verifyTls,
          ...(authority && { ca: authority }),
        })
      : new http.Agent({ keepAlive: true, maxSockets });
  const shared = connections(mostConnections);
  /** Connections of threads that have come to their end, by the kind of thread: the last one is taken first. */
  const idle = new Map<string, http.Agent[]>();
  const current = new AsyncLocalStorage<http.Agent>();
  const host = pathStyle ? endpoint : `${bucket}.${endpoint}`;
  const folder = pathStyle ? `/${bucket}` : "";
  const url = new URL(`${useTls ? "https" : "http"}://${host}`);
  const xml = new XMLParser({ parseTagValue: false, isArray: name => name === "Contents" });

  async function call(
    method: string,
    key: string,
    extra: { query?: string; body?: Uint8Array; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const path = `${folder}/${key.split("/").map(encodeURIComponent).join("/")}${extra.query ? `?${extra.query}` : ""}`;
    const body = Buffer.from(extra.body ?? []);
    const signed = aws4.sign(
      { host, path, method, region, service: "s3", body, headers: { "Content-Length": body.length, ...extra.headers } },
      { accessKeyId: location.accessKeyId, secretAccessKey: location.secretAccessKey },
    );
    const options = {
      method,
      path,
      agent: current.getStore() ?? shared,
      hostname: url.hostname,
      port: url.port || undefined,
      headers: signed.headers as http.OutgoingHttpHeaders,
    };
    return send(useTls ? https.request : http.request, options, body);
  }

  function expect(answer: Answer, what: string, ...accepted: number[]): Answer {
    if (accepted.includes(answer.status)) return answer;
    throw new Error(`${what}: the object store answered ${answer.status}`);
  }

  return {
    async put(key, body, options = {}) {
      const headers: Record<string, string> = {};
      if (options.ifNoneMatch) headers["If-None-Match"] = "*";
      if (options.ifMatch !== undefined) headers["If-Match"] = options.ifMatch;
      for (const [name, value] of Object.entries(options.metadata ?? {})) headers[metadataPrefix + name] = value;
      const answer = await call("PUT", prefix + key, { body, headers });
      // S3 answers 409 to one of two conditional writes that meet.
      if (answer.status === 412 || answer.status === 409) throw new PreconditionFailed(key);
      return expect(answer, `writing ${key}`, 200).headers.etag ?? "";
    },

    async get(key) {
      const answer = expect(await call("GET", prefix + key), `reading ${key}`, 200, 404);
      if (answer.status === 404) return undefined;
      return { body: answer.body, etag: answer.headers.etag ?? "", metadata: metadata(answer) };
    },

    async head(key) {
      const answer = expect(await call("HEAD", prefix + key), `looking at ${key}`, 200, 404);
      if (answer.status === 404) return undefined;
      const { etag = "", "content-length": size } = answer.headers;
      return { size: Number(size), etag, metadata: metadata(answer) };
    },

    async list(under) {
      const objects: ListedObject[] = [];
      let token = "";
      do {
        const continuation = token && `continuation-token=${encodeURIComponent(token)}&`;
        const query = `${continuation}list-type=2&prefix=${encodeURIComponent(prefix + under)}`;
        const answer = expect(await call("GET", "", { query }), "listing the bucket", 200);
        const { ListBucketResult: result } = xml.parse(answer.body.toString("utf8")) as ListAnswer;
        for (const { Key, Size } of result.Contents ?? []) {
          objects.push({ key: Key.slice(prefix.length), size: Number(Size) });
        }
        token = result.IsTruncated === "true" ? (result.NextContinuationToken ?? "") : "";
      } while (token);
      return objects;
    },

    async delete(key) {
      expect(await call("DELETE", prefix + key), `deleting ${key}`, 200, 204, 404);
    },

    async thread(kind, work) {
      const free = idle.get(kind) ?? [];
      idle.set(kind, free);
      const connection = free.pop() ?? connections(1);
      try {
        return await current.run(connection, work);
      } finally {
        free.push(connection);
      }
    },
  };
}

interface ListAnswer {
  ListBucketResult: {
    Contents?: { Key: string; Size: string }[];
    IsTruncated?: string;
    NextContinuationToken?: string;
  };
}

function metadata(answer: Answer): Record<string, string> {
  const own = Object.entries(answer.headers).filter(([name]) => name.startsWith(metadataPrefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(metadataPrefix.length), String(value)]));
}

/** A kept connection that the server has closed meanwhile is no failure: the request goes out again on a new one. */
function send(
  request: typeof http.request,
  options: https.RequestOptions,
  body: Buffer,
  mayRepeat = true,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(options, response => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on("socket", socket => {
      if (!socket.connecting) return;
      socket.setTimeout(connectTimeout, () => outgoing.destroy(new Error("connect timeout")));
      socket.once("connect", () => socket.setTimeout(0));
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      if (mayRepeat && outgoing.reusedSocket && error.code === "ECONNRESET") {
        resolve(send(request, options, body, false));
      } else reject(error);
    });
    outgoing.end(body);
  });
}
