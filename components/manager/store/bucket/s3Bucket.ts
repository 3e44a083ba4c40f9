import { createReadStream, createWriteStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import * as aws4 from "aws4";
import { FileSum, RestorableBucket, SourceFolder, StoredContent, StoredSize } from "./bucket";
import { copyWithin } from "./copying";
import { putParts } from "./multipart";

/** Where the bucket is. */
export interface BucketLocation {
  /** Host, and port when it is not the scheme's. */
  endpoint: string;
  bucket: string;
  region: string;
  /** Ends with a slash. */
  prefix: string;
  useTls: boolean;
  pathStyle: boolean;
  /** PEM of the store's own authority. */
  ca?: Buffer;
}

export interface BucketCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of a role's. */
  sessionToken?: string;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** Files from this size on are sent in parts, bytes. */
export const multipartFrom = 64 * 1024 * 1024;
/** Milliseconds without a byte after which a transfer of a file has failed. */
const stalled = 30_000;
const userAgent = "tidesql-manager";

/** Whose requests they are. */
export interface Signer {
  /** Asked for each request: a role's change. @throws when there are none that hold */
  current(): Promise<BucketCredentials>;
  /** The store took them for ended. */
  refused?(accessKeyId: string): void;
}

/**
 * A bucket over the S3 protocol, signed by `aws4`. Not AWS's client: docs/store.md has its size, and its retries would have to be turned off, since an answer that was lost is this store's to resolve.
 */
export function s3Bucket(location: BucketLocation, signer: Signer): RestorableBucket {
  return new S3Bucket(location, signer);
}

/** One signed request; `body` is a file's stream when it is one. */
export interface BucketRequest {
  method: string;
  key: string;
  query?: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
  stream?: { open(): Readable; size: number };
  /** Milliseconds for all of it; without it only a stall ends it. */
  timeoutMilliseconds?: number;
  /** Takes the body of a good answer. */
  receive?: (incoming: http.IncomingMessage) => Promise<void>;
}

class S3Bucket implements RestorableBucket {
  private readonly agent: http.Agent | https.Agent;

  constructor(
    private readonly location: BucketLocation,
    private readonly signer: Signer,
  ) {
    const options = { keepAlive: true, maxSockets: 16 };
    this.agent = location.useTls
      ? new https.Agent({ ...options, ...(location.ca && { ca: location.ca }) })
      : new http.Agent(options);
  }

  async get(key: string, timeoutMilliseconds: number): Promise<StoredContent | undefined> {
    const answer = await this.request({ method: "GET", key, timeoutMilliseconds });
    if (answer.status === 404) return undefined;
    return { content: expect(answer, `reading ${key}`, 200).body, etag: answer.headers.etag ?? "" };
  }

  async create(key: string, body: Uint8Array, timeoutMilliseconds: number): Promise<"created" | "taken"> {
    const headers = { "if-none-match": "*" };
    const answer = await this.request({ method: "PUT", key, headers, body, timeoutMilliseconds });
    return expect(answer, `creating ${key}`, 200, 412).status === 412 ? "taken" : "created";
  }

  async replace(
    key: string,
    body: Uint8Array,
    etag: string | undefined,
    timeoutMilliseconds: number,
  ): Promise<string | undefined> {
    const headers: Record<string, string> = etag === undefined ? { "if-none-match": "*" } : { "if-match": etag };
    const answer = await this.request({ method: "PUT", key, headers, body, timeoutMilliseconds });
    // With If-Match an object that is gone answers 404.
    return [404, 412].includes(answer.status) ? undefined : (expect(answer, `writing ${key}`, 200).headers.etag ?? "");
  }

  async putFile(key: string, path: string): Promise<FileSum> {
    const { size } = await fs.stat(path);
    if (size >= multipartFrom) return putParts(request => this.request(request), key, path, size);
    const sum = new Sum();
    const stream = { size, open: () => sum.of(createReadStream(path, { end: Math.max(0, size - 1) })) };
    const answer = await this.request({
      method: "PUT",
      key,
      ...(size > 0 ? { stream } : { body: Buffer.alloc(0) }),
    });
    expect(answer, `sending ${key}`, 200);
    if (sum.size !== size) throw new Error(`${path} changed while it was sent`);
    return { size, crc32: sum.crc32 };
  }

  async getFile(key: string, path: string, progressed?: () => void): Promise<FileSum | undefined> {
    const sum = new Sum();
    let expected = -1;
    const answer = await this.request({
      method: "GET",
      key,
      receive: async incoming => {
        expected = Number(incoming.headers["content-length"] ?? -1);
        await pipeline(incoming, sum.counting(progressed), createWriteStream(path, { flush: true }));
      },
    });
    if (answer.status === 404) return undefined;
    expect(answer, `fetching ${key}`, 200);
    if (expected >= 0 && expected !== sum.size) throw new Error(`${key} was truncated at ${sum.size} bytes`);
    return { size: sum.size, crc32: sum.crc32 };
  }

  async list(folder: string, after: string, limit: number, timeoutMilliseconds: number): Promise<string[]> {
    const text = await this.listing(folder, after, limit, timeoutMilliseconds);
    return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => this.ownKey(key!));
  }

  private ownKey(key: string): string {
    return unescapeXml(key).slice(this.location.prefix.length);
  }

  private async listing(folder: string, after: string, limit: number, timeoutMilliseconds: number): Promise<string> {
    const { prefix } = this.location;
    const parameters = [
      "list-type=2",
      `max-keys=${Math.min(limit, 1000)}`,
      `prefix=${encode(prefix + folder)}`,
      ...(after ? [`start-after=${encode(prefix + after)}`] : []),
    ];
    const answer = await this.request({ method: "GET", key: "", query: parameters.join("&"), timeoutMilliseconds });
    return expect(answer, `listing ${folder}`, 200).body.toString();
  }

  async sizes(folder: string, after: string, limit: number, timeoutMilliseconds: number): Promise<StoredSize[]> {
    const text = await this.listing(folder, after, limit, timeoutMilliseconds);
    return [...text.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, object]) => ({
      key: this.ownKey(/<Key>([^<]*)<\/Key>/.exec(object!)![1]!),
      size: Number(/<Size>(\d+)<\/Size>/.exec(object!)?.[1] ?? NaN),
    }));
  }

  copyFrom({ bucket, prefix }: SourceFolder, key: string, size: number): Promise<boolean> {
    const source = `/${[bucket, ...(prefix + key).split("/")].map(encode).join("/")}`;
    return copyWithin(request => this.request(request), source, key, size);
  }

  async delete(key: string, timeoutMilliseconds: number): Promise<void> {
    expect(await this.request({ method: "DELETE", key, timeoutMilliseconds }), `deleting ${key}`, 200, 204, 404);
  }

  private async request({ method, key, query, headers, body, stream, timeoutMilliseconds, receive }: BucketRequest) {
    const { signer } = this;
    const { endpoint, bucket, region, prefix, useTls, pathStyle } = this.location;
    const host = pathStyle ? endpoint : `${bucket}.${endpoint}`;
    const folder = pathStyle ? `/${bucket}` : "";
    // A listing is of the bucket, everything else below the prefix.
    const object = key === "" ? "" : (prefix + key).split("/").map(encode).join("/");
    const path = `${folder}/${object}${query ? `?${query}` : ""}`;
    const unsigned: aws4.Request = { host, path, method, region, service: "s3", headers: { ...headers } };
    // Signed with its hash where it is small; what is streamed is not read twice, and its frames carry checksums.
    unsigned.headers!["X-Amz-Content-Sha256"] = stream ? "UNSIGNED-PAYLOAD" : undefined!;
    if (!stream) delete unsigned.headers!["X-Amz-Content-Sha256"];
    if (body) unsigned.body = body as unknown as string;
    const credentials = await this.signer.current();
    const signed = aws4.sign(unsigned, credentials);
    const size = stream?.size ?? body?.length;
    return new Promise<Answer>((resolve, reject) => {
      const outgoing = (useTls ? https : http).request(
        `${useTls ? "https" : "http"}://${host}${path}`,
        {
          method,
          agent: this.agent,
          headers: {
            "user-agent": userAgent,
            ...(signed.headers as http.OutgoingHttpHeaders),
            ...(size !== undefined && { "content-length": size }),
          },
        },
        incoming => void take(incoming).catch(fail),
      );
      const timer =
        timeoutMilliseconds === undefined
          ? undefined
          : setTimeout(() => fail(new Error(`no answer in ${timeoutMilliseconds} ms`)), timeoutMilliseconds);
      function fail(error: Error) {
        clearTimeout(timer);
        outgoing.destroy();
        reject(new Error(`${method} ${key}: ${error.message}`));
      }
      async function take(incoming: http.IncomingMessage) {
        const status = incoming.statusCode ?? 0;
        const chunks: Buffer[] = [];
        if (receive && status === 200) await receive(incoming);
        else for await (const chunk of incoming) chunks.push(chunk as Buffer);
        clearTimeout(timer);
        const answer = { status, headers: incoming.headers, body: Buffer.concat(chunks) };
        if (saysEnded(answer)) signer.refused?.(credentials.accessKeyId);
        resolve(answer);
      }
      outgoing.on("error", fail);
      outgoing.setTimeout(stalled, () => fail(new Error(`no data for ${stalled} ms`)));
      if (stream) pipeline(stream.open(), outgoing).catch(fail);
      else outgoing.end(body);
    });
  }
}

/** S3 answers so to a session token whose time is over, by its clock. */
function saysEnded({ status, body }: Answer): boolean {
  return (status === 400 || status === 403) && body.includes("<Code>ExpiredToken</Code>");
}

/** @throws when the answer is none of the accepted ones: it is not known whether the request took effect */
export function expect(answer: Answer, what: string, ...accepted: number[]): Answer {
  if (accepted.includes(answer.status)) return answer;
  const code = /<Code>([^<]*)<\/Code>/.exec(answer.body.toString())?.[1] ?? "";
  throw new Error(`${what}: the object store answered ${answer.status} ${code}`.trim());
}

/** Size and CRC-32 of what flows through. */
export class Sum {
  size = 0;
  crc32 = 0;

  /** A stream with the same content, counted; it fails when the source does. */
  of(source: Readable): Readable {
    const counted = this.counting();
    source.on("error", error => counted.destroy(error));
    return source.pipe(counted);
  }

  counting(progressed: () => void = () => undefined): Transform {
    return new Transform({
      transform: (chunk: Buffer, _, done) => {
        progressed();
        this.size += chunk.length;
        this.crc32 = crc32(chunk, this.crc32);
        done(null, chunk);
      },
    });
  }
}

/** As a signature wants it: everything but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function unescapeXml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
