import { createHash, createHmac } from "node:crypto";

/** A fingerprint of texts by name. It changes when one of them does, and not with their order. For texts that anybody may read. */
export function configurationHash(texts: Record<string, string>): string {
  return createHash("sha256").update(canonical(texts)).digest("hex");
}

/**
 * The same for secrets. A plain hash of a weak password can be guessed offline by anyone who may read the pod's annotations; without the key, this one cannot.
 * @param key random, kept as a secret
 */
export function secretHash(key: string, secrets: Record<string, string>): string {
  return createHmac("sha256", key).update(canonical(secrets)).digest("hex");
}

function canonical(texts: Record<string, string>): string {
  return JSON.stringify(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
