import { assignmentsIn } from "./assignments";
import { type Credential } from "./credential";
import { decoded } from "./encoding";
import { issuedCredentials } from "./issued";
import { credentialByName } from "./names";
import { credentialByRandomness } from "./randomness";
import { isEncodedLogin, writtenCredentials } from "./written";

/** More than a reader wants to hear of one text. */
const mostCredentials = 20;
/** Encodings within encodings that are looked into: base64 of a file that has base64 in it. */
const deepestEncoding = 3;

/** Longer lines, and longer programs, are made by a bundler. */
const longestWrittenLine = 300;
const longestWrittenProgram = 20_000;

/** Credentials in the text of a program: those that a service gave out and, where a person wrote it, literals with a digit under the name of a credential. */
export function credentialsInProgram(text: string): Credential[] {
  const isByHand =
    text.length <= longestWrittenProgram && text.split("\n").every(line => line.length <= longestWrittenLine);
  const literals = isByHand ? [...assignmentsIn(text)].filter(({ value }) => /^(?=.*\d)[^\s()]{6,}$/.test(value)) : [];
  const named = literals.flatMap(({ name, value, line }) => {
    const sign = credentialByName(name, value);
    return sign === undefined ? [] : [{ sign, line }];
  });
  return [...issuedCredentials(text), ...distinct(named)];
}

/** Credentials in a configuration file or a script: by format, by how they are written, and by the names of what is assigned. */
export function credentialsInText(text: string): Credential[] {
  return search(text, 0);
}

/** A text without any of these is a single value: no name stands beside it, and no form of writing is it. Most inputs are such. */
const moreThanAValue = /[\s:=<"'(|]/;

function search(text: string, depth: number): Credential[] {
  if (!moreThanAValue.test(text)) return issuedCredentials(text);
  const found: Credential[] = [...issuedCredentials(text), ...writtenCredentials(text, credentialByName)];
  for (const { name, value, line } of assignmentsIn(text)) {
    if (found.length >= mostCredentials) break;
    const sign = signOf(name, value);
    if (sign) found.push({ sign, line });
    else for (const inner of encoded(value, depth)) found.push({ sign: `${inner.sign}, in base64`, line });
  }
  return distinct(found);
}

/** One finding for a line and a sign, however many ways lead to it; a way of writing says more than a name. */
function distinct(found: readonly Credential[]): Credential[] {
  const byLine = new Map<string, Credential>();
  for (const one of found) {
    const key = `${one.line} ${one.sign.replace(/^.*?(?:name|--)\s?/, "")}`;
    if (!byLine.has(key)) byLine.set(key, one);
  }
  return [...byLine.values()].sort((one, other) => one.line - other.line);
}

/** Why a value under a name is a credential, by either of them. */
export function signOf(name: string, value: string): string | undefined {
  if (/auth$/i.test(name) && isEncodedLogin(value)) return "a login in base64";
  return credentialByName(name, value) ?? credentialByRandomness(name, value);
}

function encoded(value: string, depth: number): Credential[] {
  if (depth >= deepestEncoding) return [];
  const inner = decoded(value);
  return inner === undefined ? [] : search(inner, depth + 1);
}

/** Credentials in a value that stands under a name: a file's content, an environment variable, an annotation. */
export function credentialsUnder(name: string, text: string): Credential[] {
  if (isProgramFile(name)) return credentialsInProgram(text);
  if (isDocument(name)) return issuedCredentials(text);
  const value = text.trim();
  if (value.includes("\n")) return [...ofFile(name, text), ...search(text, 0)];
  const ofPlace = ofFile(name, text);
  if (ofPlace.length > 0) return ofPlace;
  const sign = signOf(name, value);
  if (sign) return [{ sign, line: 1 }];
  const inner = encoded(value, 0).map(({ sign: within }) => ({ sign: `${within}, in base64`, line: 1 }));
  return [...inner, ...search(text, 0)].slice(0, mostCredentials);
}

/** Files whose lines are credentials by their place. */
const linesOfFile: readonly (readonly [file: RegExp, sign: string, line: RegExp])[] = [
  [/(?:^|[./])pgpass(?:\.conf)?$/i, "a password in a password file", /^[^#:\n]*:[^:\n]*:[^:\n]*:[^:\n]*:\S+$/m],
  [/(?:^|[./])htpasswd$/i, "a password hash", /^[^:\s#]+:\S{8,}$/m],
  [/(?:^|\/)userlist\.txt$/i, "a password in a password file", /^"[^"\n]+"\s+"[^"\n]+"/m],
  [/(?:^|[./_])netrc$/i, "a password in a password file", /\bpassword\s+\S+/],
];

function ofFile(name: string, text: string): Credential[] {
  return linesOfFile.flatMap(([file, sign, line]) => {
    const found = file.test(name) ? line.exec(text) : null;
    return found ? [{ sign, line: text.slice(0, found.index).split("\n").length }] : [];
  });
}

/** Whether a file is a program made by a bundler or a compiler, whose text assigns what is no configuration. */
export function isProgramFile(name: string): boolean {
  return /\.(?:[cm]?js|map|wasm|css|html)$/.test(name);
}

/** Whether a file is for people: a README, the texts of a user interface. */
export function isDocument(name: string): boolean {
  return (
    /\.(?:md|markdown|rst|adoc|po|pot|resx|strings)$|^(?:README|NOTES|CHANGELOG|LICENSE)\b/i.test(name) ||
    /(?:^|[./_-])(?:locales?|i18n|l10n|messages|translations?)(?:[./_-]|$)/i.test(name) ||
    /(?:^|[._/-])(?:en|de|fr|es|it|pt|nl|pl|ru|ja|zh|ko|sv|da|fi|tr|cs)(?:[_-][A-Z]{2})?\.(?:json|ya?ml|properties)$/.test(
      name,
    )
  );
}
