import { words } from "./credential";
import { decoded } from "./encoding";

/** Names under which random-looking text is expected: digests, identifiers, public keys. */
const publicName =
  /checksum|hash|digest|integrity|sha\d*|revision|commit|fingerprint|thumbprint|signature|uuid|etag|serial|version|image|certificate|crt|cert|ca_?bundle|public|nonce|arn|url|uri|endpoint|host|client_id|key_id|account_id/;

/** Why a whole value is a credential by its randomness, whatever its name. */
export function credentialByRandomness(name: string, value: string): string | undefined {
  if (publicName.test(words(name)) || !looksRandom(value)) return undefined;
  // What is readable when it is decoded is judged by what it says: the header of a token, a certificate, a configuration.
  return decoded(value) === undefined ? "a long random value" : undefined;
}

/** Shortest text that is judged by its randomness: shorter ones cannot be told from identifiers. */
const shortestRandomLength = 24;
/** Bits per character. A random base64 text of 24 characters has about 4.3, an English identifier 3.5, hexadecimal at most 4. */
const randomBitsPerCharacter = 3.9;

/** Text of upper case, lower case and digits in no order. Digests and UUIDs, which are hexadecimal, are not it. */
export function looksRandom(value: string): boolean {
  if (value.length < shortestRandomLength || value.length > 200 || !/^[A-Za-z0-9+/_=.~!@#$%^&*-]+$/.test(value))
    return false;
  if (!/[A-Z]/.test(value) || !/[a-z]/.test(value) || !/\d/.test(value)) return false;
  return (
    changesOfClass(value) >= value.length / 3 &&
    bitsPerCharacter(value) >= randomBitsPerCharacter &&
    shareOfWords(value) < mostWords
  );
}

/** Of a name in camel case nearly all is words, of one random base64 text in a hundred three quarters. */
const mostWords = 0.75;

/** How much of a text is words that begin with a capital: `KafkaRestartedInTheLast5Minutes`. */
function shareOfWords(value: string): number {
  return (value.match(/[A-Z][a-z]{2,}/g) ?? []).join("").length / value.length;
}

/**
 * Random text changes between lower case, upper case, digits and symbols at every second character; words and paths do so seldom. What separates words does not
 * count.
 */
function changesOfClass(value: string): number {
  let changes = 0;
  for (const part of value.split(/[-/._]/)) {
    for (let index = 1; index < part.length; index++) {
      if (classOf(part.charCodeAt(index)) !== classOf(part.charCodeAt(index - 1))) changes += 1;
    }
  }
  return changes;
}

function classOf(code: number): "lower" | "upper" | "digit" | "symbol" {
  if (code >= 97 && code <= 122) return "lower";
  if (code >= 65 && code <= 90) return "upper";
  return code >= 48 && code <= 57 ? "digit" : "symbol";
}

function bitsPerCharacter(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}
