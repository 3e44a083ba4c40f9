import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as aws4 from "aws4";
import { ObjectStoreLocation } from "../core/managerConfiguration";
import { parseListing } from "./bucketListing";
import { newProbeKey } from "./conditionalWriteProbe";
import { httpRequest, HttpResponse } from "./httpRequest";
import { Conflict, Store, StoredObject } from "./ports";
import { type RequestKind } from "./usage";
import { OwnerRecord } from "./view";

export interface StoreCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** PEM file of the store's own authority, when it has one. */
  caFile?: string;
}

const ownerKey = "owner.json";
const engineLeaseKey = "data/_tdb_primary_lease";
/** No object has it. */
const etagOfNothing = `"${"0".repeat(32)}"`;

/**
 * The deployment's folder in the bucket, over the S3 protocol. Keys are relative to the prefix.
 * @param count is told of each request
 */
export function objectStore(
  location: ObjectStoreLocation,
  credentials: StoreCredentials,
  count: (kind: RequestKind) => void = () => undefined,
): Store {
  const { endpoint, bucket, region, prefix, useTls, pathStyle } = location;
  const agent = useTls
    ? new https.Agent({
        keepAlive: true,
        maxSockets: 8,
        ...(credentials.caFile && { ca: readFileSync(credentials.caFile) }),
      })
    : new http.Agent({ keepAlive: true, maxSockets: 8 });
  const host = pathStyle ? endpoint : `${bucket}.${endpoint}`;
  const folder = pathStyle ? `/${bucket}` : "";

  async function call(
    method: string,
    key: string,
    timeoutMilliseconds: number,
    options: { query?: string; body?: string | Buffer; headers?: Record<string, string> } = {},
  ): Promise<HttpResponse> {
    count(kindOf(method, key));
    const path = `${folder}/${key.split("/").map(encodeURIComponent).join("/")}${options.query ? `?${options.query}` : ""}`;
    const unsigned = { host, path, method, region, service: "s3", body: options.body, headers: { ...options.headers } };
    const signed = aws4.sign(unsigned, credentials);
    const headers = Object.fromEntries(
      Object.entries(signed.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    delete headers["Content-Length"];
    const url = new URL(`${useTls ? "https" : "http"}://${host}${path}`);
    return httpRequest({ method, url, headers, body: options.body, timeoutMilliseconds, agent });
  }

  function expect(response: HttpResponse, what: string, ...accepted: number[]): HttpResponse {
    if (accepted.includes(response.status)) return response;
    throw new Error(`${what}: the object store answered ${response.status} ${errorCode(response)}`.trim());
  }

  async function put(
    key: string,
    body: string | Buffer,
    headers: Record<string, string>,
    timeout: number,
  ): Promise<string> {
    const type = typeof body === "string" ? "application/json" : "application/octet-stream";
    const response = await call("PUT", prefix + key, timeout, { body, headers: { ...headers, "content-type": type } });
    // With If-Match an object that is not there is 404: somebody has deleted it.
    const hasGone =
      response.status === 404 && headers["if-match"] !== undefined && errorCode(response) !== "NoSuchBucket";
    if (response.status === 412 || response.status === 409 || hasGone) throw new Conflict(key);
    return expect(response, `writing ${key}`, 200).headers.etag ?? "";
  }

  /** Copies an object. The store answers 200 before it begins, to keep the connection; only the body says how it went. */
  async function copyObject(to: string, headers: Record<string, string>, what: string, timeout: number): Promise<void> {
    const response = expect(await call("PUT", prefix + to, timeout, { headers }), what, 200);
    if (!response.body.includes("<CopyObjectResult"))
      throw new Error(`${what}: the object store answered 200, and then ${errorCode(response) || "no result"}`);
  }

  const copySource = (key: string) => `/${bucket}/${prefix}${key}`.split("/").map(encodeURIComponent).join("/");

  async function epochOf(key: string, timeout: number): Promise<number> {
    const response = expect(await call("HEAD", prefix + key, timeout), `looking at ${key}`, 200, 404);
    return response.status === 404 ? 0 : Number(response.headers["x-amz-meta-epoch"] ?? 0);
  }

  return {
    async readOwner(timeout) {
      const response = expect(await call("GET", prefix + ownerKey, timeout), `reading ${ownerKey}`, 200, 404);
      if (response.status === 404) return undefined;
      return { record: parseOwner(response.body), etag: response.headers.etag ?? "" };
    },

    writeOwner(record, etag, timeout) {
      const body = `${JSON.stringify(record, null, 2)}\n`;
      return put(ownerKey, body, etag === undefined ? { "if-none-match": "*" } : { "if-match": etag }, timeout);
    },

    async list(timeout, inFolder = "") {
      const objects: StoredObject[] = [];
      let token = "";
      do {
        // The order of the parameters is part of the signature.
        const query = `${token && `continuation-token=${encodeURIComponent(token)}&`}list-type=2&max-keys=1000&prefix=${encodeURIComponent(prefix + inFolder)}`;
        const response = expect(await call("GET", "", timeout, { query }), "listing the bucket", 200);
        const page = parseListing(response.body);
        objects.push(...page.objects.map(object => ({ ...object, key: object.key.slice(prefix.length) })));
        token = page.continuationToken;
      } while (token);
      return objects;
    },

    async size(key, timeout) {
      const response = expect(await call("HEAD", prefix + key, timeout), `looking at ${key}`, 200, 404);
      return response.status === 404 ? undefined : Number(response.headers["content-length"]);
    },

    async put(key, content, { ifAbsent, ifMatch, epoch }, timeout) {
      const headers = {
        ...(ifAbsent && { "if-none-match": "*" }),
        ...(ifMatch !== undefined && { "if-match": `"${ifMatch}"` }),
        ...(epoch !== undefined && { "x-amz-meta-epoch": String(epoch) }),
      };
      await put(key, Buffer.from(content.buffer, content.byteOffset, content.byteLength), headers, timeout);
    },

    async delete(key, timeout) {
      expect(await call("DELETE", prefix + key, timeout), `deleting ${key}`, 200, 204, 404);
    },

    async copy(from, to, timeout) {
      const headers = { "x-amz-copy-source": copySource(from) };
      await copyObject(to, headers, `copying ${from}`, timeout);
    },

    epochOf,

    readEngineEpoch: timeout => epochOf(engineLeaseKey, timeout),

    async stampEpoch(key, epoch, timeout) {
      const headers = {
        "x-amz-copy-source": copySource(key),
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-meta-epoch": String(epoch),
      };
      await copyObject(key, headers, `stamping ${key}`, timeout);
    },

    async supportsConditionalWrites(timeout) {
      const key = newProbeKey();
      const refuses = async (condition: Record<string, string>) => {
        try {
          await put(key, "{}", condition, timeout);
          return false;
        } catch (error) {
          if (error instanceof Conflict) return true;
          throw error;
        }
      };
      await put(key, "{}", {}, timeout);
      try {
        return (await refuses({ "if-none-match": "*" })) && (await refuses({ "if-match": etagOfNothing }));
      } finally {
        // One that stays behind is known for what it is.
        await call("DELETE", prefix + key, timeout).catch(() => undefined);
      }
    },
  };
}

/** @param key empty where the bucket itself is asked */
function kindOf(method: string, key: string): RequestKind {
  if (method === "PUT") return "put";
  if (method === "DELETE") return "delete";
  return key === "" ? "list" : "get";
}

/** The code of S3's errors, empty where there is none. */
function errorCode({ body }: HttpResponse): string {
  return /<Code>([^<]*)<\/Code>/.exec(body)?.[1] ?? "";
}

/** @throws when the object is none of ours, or of a later manager that says more than this one understands. */
function parseOwner(text: string): OwnerRecord {
  const record = JSON.parse(text) as Partial<OwnerRecord>;
  if (typeof record.databaseId !== "string" || !Number.isInteger(record.epoch))
    throw new Error(`${ownerKey} is not a valid owner record`);
  return {
    databaseId: record.databaseId,
    epoch: record.epoch ?? 0,
    holder: record.holder ?? "",
    volumeId: record.volumeId ?? "",
    clean: record.clean === true,
    ...(record.engineVersion && { engineVersion: record.engineVersion }),
    ...(record.lastBeat && { lastBeat: record.lastBeat }),
  };
}
