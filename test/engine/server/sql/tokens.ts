import { sqlErrors } from "../sqlError";

export type TokenKind =
  "word" | "name" | "string" | "number" | "bytes" | "symbol" | "variable" | "userVariable" | "parameter" | "end";

export interface Token {
  kind: TokenKind;
  /** A word as written; a name, a string or a variable without its quotes; bytes as hexadecimal digits. */
  text: string;
  /** Where it starts in the request. */
  at: number;
  /** Where it ends. */
  end: number;
}

const symbols = ["<=>", "<>", "!=", ">=", "<=", "||", "&&", ":="];

/** Cuts a request into tokens. What stands in an executable comment counts, other comments do not. @throws SqlError */
export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (kind: TokenKind, content: string, length: number) => {
    tokens.push({ kind, text: content, at, end: at + length });
    at += length;
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 64);
    const skipped = blankAt(text, at);
    if (skipped > 0) at += skipped;
    else if (text[at] === "'" || text[at] === '"') {
      const { content, length } = quoted(text, at);
      push("string", content, length);
    } else if (text[at] === "`") {
      const { content, length } = quotedName(text, at);
      push("name", content, length);
    } else if (/^0x[0-9a-f]/i.test(rest)) {
      const digits = match(/0x([0-9a-f]+)/iy, text, at);
      push("bytes", digits.slice(2), digits.length);
    } else if (/^x'/i.test(rest)) {
      const digits = match(/x'([0-9a-f]*)'/iy, text, at);
      push("bytes", digits.slice(2, -1), digits.length);
    } else if (/^(\d|\.\d)/.test(rest)) {
      const number = match(/\d*\.?\d+(e[-+]?\d+)?|\d+\.?/iy, text, at);
      push("number", number, number.length);
    } else if (/^@@/.test(rest)) {
      const name = match(/@@[\w.`]+/y, text, at);
      push("variable", name.slice(2).replaceAll("`", ""), name.length);
    } else if (/^@[\w`'"$]/.test(rest)) {
      if (/^@[`'"]/.test(rest)) {
        const { content, length } = text[at + 1] === "`" ? quotedName(text, at + 1) : quoted(text, at + 1);
        push("userVariable", content, length + 1);
      } else {
        const name = match(/@[\w.$]+/y, text, at);
        push("userVariable", name.slice(1), name.length);
      }
    } else if (/^[\p{L}_$]/u.test(rest)) {
      const word = match(/[\p{L}\p{N}_$]+/uy, text, at);
      push("word", word, word.length);
    } else if (text[at] === "?") push("parameter", "?", 1);
    else {
      const symbol = symbols.find(candidate => rest.startsWith(candidate)) ?? text[at] ?? "";
      push("symbol", symbol, symbol.length);
    }
  }
  tokens.push({ kind: "end", text: "", at: text.length, end: text.length });
  return tokens;
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  const found = pattern.exec(text)?.[0];
  if (found === undefined) throw sqlErrors.syntax(text.slice(at));
  return found;
}

/** Length of the white space or the comment here; 0 without one. */
function blankAt(text: string, at: number): number {
  if (/\s/.test(text[at] ?? "")) return 1;
  const two = text.slice(at, at + 2);
  if (two === "*/") return 2;
  if (text[at] === "#" || (two === "--" && !/\S/.test(text[at + 2] ?? " "))) {
    const end = text.indexOf("\n", at);
    return (end === -1 ? text.length : end + 1) - at;
  }
  if (two !== "/*") return 0;
  const executable = /^\/\*M?!\d*/.exec(text.slice(at, at + 12));
  if (executable) return executable[0].length;
  const end = text.indexOf("*/", at + 2);
  if (end === -1) throw sqlErrors.syntax(text.slice(at));
  return end + 2 - at;
}

const escapes: Record<string, string> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "0": "\0",
  b: "\b",
  Z: "\x1a",
  "%": "\\%",
  _: "\\_",
};

function quoted(text: string, at: number): { content: string; length: number } {
  const quote = text[at] ?? "";
  const plain = quote === "'" ? /[^'\\]+/y : /[^"\\]+/y;
  const parts: string[] = [];
  for (let i = at + 1; i < text.length;) {
    plain.lastIndex = i;
    const run = plain.exec(text)?.[0] ?? "";
    parts.push(run);
    i += run.length;
    if (text[i] === "\\") {
      const escaped = text[i + 1] ?? "";
      parts.push(escapes[escaped] ?? escaped);
      i += 2;
    } else if (text[i + 1] === quote) {
      parts.push(quote);
      i += 2;
    } else if (text[i] === quote) return { content: parts.join(""), length: i + 1 - at };
  }
  throw sqlErrors.syntax(text.slice(at));
}

function quotedName(text: string, at: number): { content: string; length: number } {
  let content = "";
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] !== "`") content += text[i];
    else if (text[i + 1] === "`") content += text[i++];
    else return { content, length: i + 1 - at };
  }
  throw sqlErrors.syntax(text.slice(at));
}
