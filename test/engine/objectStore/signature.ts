import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** A key that a server knows. */
export interface KnownKey {
  secretAccessKey: string;
  /** A role's: must come with each request. */
  sessionToken?: string;
  /** Wall clock, milliseconds since 1970. */
  expiresAt?: number;
}

/** A request as it came. */
export interface SignedRequest {
  method: string;
  /** Path and query, as they were sent. */
  url: string;
  headers: IncomingHttpHeaders;
  body: Uint8Array;
}

/** A refusal as S3 words it. */
export interface SignatureRefusal {
  status: 400 | 403;
  code: string;
}

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
/** A request may be so old, or so far ahead. Milliseconds. */
const clockSkew = 15 * 60_000;

/**
 * Judges a request's signature by the rules of Signature Version 4 for S3 ("Authenticating Requests: Using the Authorization Header"). Written from the rules, not from the signer that the
 * manager uses.
 * @param keyOf a key by its id
 * @returns undefined when it is right
 */
export function signatureProblem(
  request: SignedRequest,
  keyOf: (accessKeyId: string) => KnownKey | undefined,
  now = Date.now(),
): SignatureRefusal | undefined {
  const { headers, body } = request;
  const match = form.exec(headers.authorization ?? "");
  if (!match) return { status: 403, code: "AccessDenied" };
  const [, accessKeyId, day, region, service, names, signature] = match as unknown as string[];
  const key = keyOf(accessKeyId!);
  if (!key) return { status: 403, code: "InvalidAccessKeyId" };
  if (key.sessionToken !== headerOf(headers, "x-amz-security-token")) return { status: 400, code: "InvalidToken" };
  if (key.expiresAt !== undefined && now >= key.expiresAt) return { status: 400, code: "ExpiredToken" };
  const moment = headerOf(headers, "x-amz-date") ?? "";
  const sentAt = Date.parse(moment.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!moment.startsWith(day!) || !(Math.abs(now - sentAt) <= clockSkew))
    return { status: 403, code: "RequestTimeTooSkewed" };
  const signed = names!.split(";");
  const mustBeSigned = Object.keys(headers).filter(name => name === "host" || name.startsWith("x-amz-"));
  if (mustBeSigned.some(name => !signed.includes(name))) return { status: 403, code: "AccessDenied" };
  const payload = headerOf(headers, "x-amz-content-sha256") ?? "";
  if (payload !== "UNSIGNED-PAYLOAD" && payload !== sha256(body))
    return { status: 400, code: "XAmzContentSHA256Mismatch" };
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", moment, scope, sha256(canonicalRequest(request, signed, payload))].join("\n");
  const signingKey = [day!, region!, service!, "aws4_request"].reduce<Buffer>(
    (before, part) => hmac(before, part),
    Buffer.from(`AWS4${key.secretAccessKey}`),
  );
  const isRight = timingSafeEqual(hmac(signingKey, toSign), Buffer.from(signature!, "hex"));
  return isRight ? undefined : { status: 403, code: "SignatureDoesNotMatch" };
}

function canonicalRequest({ method, url, headers }: SignedRequest, signed: string[], payload: string): string {
  const [path = "", query = ""] = url.split("?");
  const parameters = query
    .split("&")
    .filter(part => part !== "")
    .map(part => (part.includes("=") ? part : `${part}=`))
    .map(part => {
      const at = part.indexOf("=");
      return [part.slice(0, at), part.slice(at + 1)].map(text => encoded(decodeURIComponent(text)));
    })
    .sort(([a], [b]) => (a! < b! ? -1 : 1))
    .map(pair => pair.join("="));
  return [
    method,
    path
      .split("/")
      .map(part => encoded(decodeURIComponent(part)))
      .join("/"),
    parameters.join("&"),
    ...signed.map(name => `${name}:${(headerOf(headers, name) ?? "").trim().replace(/ +/g, " ")}`),
    "",
    signed.join(";"),
    payload,
  ].join("\n");
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

/** Everything but letters, digits, "-", ".", "_" and "~" as %XX. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
