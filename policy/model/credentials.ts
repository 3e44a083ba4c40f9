/** A credential, or what looks like one. Its value is not kept. */
export interface Credential {
  /** What gave it away: "a value under the name password", "an AWS access key id". */
  sign: string;
  /** Line in the text, from 1. */
  line: number;
}

/** Formats of credentials that a service gives out. Each expression is linear in the text. */
const issuedShapes: readonly (readonly [sign: string, shape: RegExp])[] = [
  ["an AWS access key id", /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g],
  ["a private key", /-----BEGIN (?:[A-Z]{1,10} )?PRIVATE KEY-----(?:\\n|\s){1,4}[A-Za-z0-9+/=]{32}/g],
  ["a GitHub token", /\bgh[pousr]_[A-Za-z0-9]{36}/g],
  ["a Slack token", /\bxox[abprs]-[A-Za-z0-9-]{10,}/g],
  ["a JSON Web Token", /(?<![\w-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10}/g],
];

/** How people write a password down for a program. The text of a program, with its messages and templates, looks like it. */
const writtenShapes: readonly (readonly [sign: string, shape: RegExp])[] = [
  ["a password in a URL", /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"'`$<>{}]{1,100}:[^\s/:@"'`$<>{}*]{3,100}@/g],
  [
    "a password in SQL",
    /\bIDENTIFIED\s{1,4}(?:BY|WITH\s{1,4}\w{1,40}\s{1,4}(?:BY|AS))\s{1,4}(?:PASSWORD\s{1,4})?\\?['"](?![$%{<]|\\?['"])/gi,
  ],
  ["a password on a command line", /\b(?:mariadb|mysql)[\w-]{0,20}\s[^;|&]{0,200}?\s-p["']?(?=[^\s"'$-])/g],
  [
    "a password on a command line",
    /(?:^|[\s"'])--(?:password|passwd|token|secret-key|access-key)[=\s]["']?(?=[^\s"'$<{/-])/g,
  ],
];

/** Words that end the name of a value that is a credential, whatever it looks like. */
const credentialName =
  /(?:^|_)(?:password|passwd|pwd|passphrase|secret_?key|secret_access_key|access_key|private_key|api_?key|auth_?token|access_?token|bearer_?token|client_?secret)$/;
/** Words that end the name of a credential, or of a Kubernetes Secret that holds one. */
const credentialOrItsName = /(?:^|_)(?:secret|token|credentials?)$/;

/** `MYSQL_ROOT_PASSWORD`, `mysqlRootPassword` and `mysql-root-password` are all `mysql_root_password`. */
function words(name: string): string {
  return name
    .slice(-200)
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
}

/** Why a value under this name is a credential; undefined when it is not one, or only refers to one. */
export function credentialByName(name: string, value: string): string | undefined {
  const normal = words(name);
  if (isReference(value)) return undefined;
  if (credentialName.test(normal)) return `a value under the name ${name.slice(-60)}`;
  if (credentialOrItsName.test(normal) && !isObjectName(value)) return `a value under the name ${name.slice(-60)}`;
  return undefined;
}

/** Variables, templates, files, and names of other places where the value is; and values that mean "none". */
function isReference(value: string): boolean {
  return (
    value === "" ||
    /^(?:\$|\{\{|%\(|<%|\*+$|\/|\.\.?\/|file:|arn:|vault:|env:|secretRef|ref\+)/.test(value) ||
    /^(?:true|false|null|none|nil|yes|no|on|off|undefined|redacted|~|\{|\[|\||>)$/i.test(value) ||
    /^(?:process\.env|os\.environ|System\.getenv|valueFrom)\b/.test(value)
  );
}

/** A name that Kubernetes would accept for an object, and that no generator of passwords makes. */
function isObjectName(value: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(value) && !(value.length >= 20 && looksRandom(value));
}

/** Names under which random-looking text is expected: digests, identifiers, public keys. */
const publicName =
  /checksum|hash|digest|sha\d*|revision|fingerprint|uuid|etag|version|image|certificate|crt|public|nonce|arn|url|endpoint|host/;

/** Why a whole value is a credential by its randomness, whatever its name. */
export function credentialByRandomness(name: string, value: string): string | undefined {
  return !publicName.test(words(name)) && looksRandom(value) ? "a long random value" : undefined;
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
  return changesOfClass(value) >= value.length / 3 && bitsPerCharacter(value) >= randomBitsPerCharacter;
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

/** Credentials in the text of a program: those that a service gave out. */
export function credentialsInProgram(text: string): Credential[] {
  return found(text, issuedShapes);
}

function found(text: string, shapes: typeof issuedShapes): Credential[] {
  return shapes.flatMap(([sign, shape]) => {
    const [first] = text.matchAll(shape);
    return first ? [{ sign, line: lineAt(text, first.index) }] : [];
  });
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let found = text.indexOf("\n"); found >= 0 && found < position; found = text.indexOf("\n", found + 1)) line += 1;
  return line;
}

/** Longer lines are data or code made by a program, not configuration that a person wrote. */
const longestConfigurationLine = 2000;
/** More than a reader wants to hear of one text. */
const mostCredentials = 20;
/** `name: value`, `name = "value"`, `- name: value`, `export name=value`, in whatever language. */
const assignment =
  /^\s{0,200}(?:export\s{1,4}|set\s{1,4}|-\s{1,4})?["']?([A-Za-z_][\w.-]{0,100})["']?\s{0,20}[:=]\s{0,20}(.*)$/;
/** `"name": "value"` anywhere in a line of JSON. */
const jsonMember = /"([A-Za-z_][\w.-]{0,100})"\s{0,5}:\s{0,5}"((?:[^"\\]|\\.){0,1000})"/g;

/** Credentials in a configuration file or a script: by format, and by the names of what is assigned. */
export function credentialsInText(text: string): Credential[] {
  const credentials = found(text, [...issuedShapes, ...writtenShapes]);
  for (const [index, line] of text.split("\n").entries()) {
    if (line.length > longestConfigurationLine || !/[:=]/.test(line)) continue;
    if (credentials.length >= mostCredentials) break;
    for (const [name, value] of assignmentsIn(line)) {
      const sign = credentialByName(name, value) ?? credentialByRandomness(name, value);
      if (sign) credentials.push({ sign, line: index + 1 });
    }
  }
  return credentials;
}

function assignmentsIn(line: string): [string, string][] {
  const members = [...line.matchAll(jsonMember)].map(([, name, value]) => [name!, value!] as [string, string]);
  const [, name, rest] = assignment.exec(line) ?? [];
  return name === undefined || rest === undefined ? members : [...members, [name, unquoted(rest)]];
}

/** The value of an assignment without quotes, a trailing comma or a comment. */
function unquoted(rest: string): string {
  const [, , quoted] = /^(["'])(.*?)\1/.exec(rest) ?? [];
  return quoted ?? rest.replace(/(?:^|\s)#.*$/, "").replace(/[,;]?\s{0,20}$/, "");
}

/** Whether a file is a program made by a bundler or a compiler, whose text assigns what is no configuration. */
export function isProgramFile(name: string): boolean {
  return /\.(?:[cm]?js|map|wasm|css|html)$/.test(name);
}

/** Values that the published guide writes as an example, and that are known to everyone who read it. */
export const exampleValues: readonly string[] = [
  "M0nitor!Pass9",
  "YourStrongPassword!2026",
  "REPLACE_WITH_ACCESS_KEY",
  "REPLACE_WITH_SECRET_KEY",
];
