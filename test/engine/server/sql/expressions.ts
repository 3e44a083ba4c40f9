import { integerOf } from "../values";
import { Expression } from "./ast";
import { Cursor } from "./cursor";

/** OR, XOR, AND, NOT, comparisons, sums, products, signs: from the loosest to the tightest. */
export function parseExpression(cursor: Cursor): Expression {
  let left = parseAnd(cursor);
  for (;;) {
    const operator = cursor.acceptSymbol("||") ? "or" : cursor.acceptOneOf("OR", "XOR")?.toLowerCase();
    if (operator === undefined) return left;
    left = { type: "binary", operator, left, right: parseAnd(cursor) };
  }
}

function parseAnd(cursor: Cursor): Expression {
  let left = parseNot(cursor);
  while (cursor.accept("AND") || cursor.acceptSymbol("&&")) {
    left = { type: "binary", operator: "and", left, right: parseNot(cursor) };
  }
  return left;
}

function parseNot(cursor: Cursor): Expression {
  if (cursor.accept("NOT")) return { type: "unary", operator: "not", operand: parseNot(cursor) };
  return parseComparison(cursor);
}

function parseComparison(cursor: Cursor): Expression {
  let left = parseSum(cursor);
  for (;;) {
    const operator = cursor.acceptSymbol("<=>", "<=", ">=", "<>", "!=", "=", "<", ">");
    if (operator !== undefined) {
      left = { type: "binary", operator: operator === "!=" ? "<>" : operator, left, right: parseSum(cursor) };
      continue;
    }
    const predicate = parsePredicate(cursor, left);
    if (!predicate) return left;
    left = predicate;
  }
}

function parsePredicate(cursor: Cursor, operand: Expression): Expression | undefined {
  if (cursor.accept("IS")) {
    const not = cursor.accept("NOT");
    const what = cursor.acceptOneOf("NULL", "TRUE", "FALSE", "UNKNOWN")?.toLowerCase();
    if (what === undefined) throw cursor.syntax();
    return { type: "is", operand, what: what === "unknown" ? "null" : (what as "null" | "true" | "false"), not };
  }
  const not =
    ["IN", "BETWEEN", "LIKE", "REGEXP", "RLIKE"].some(word => cursor.peek("NOT", word)) && cursor.accept("NOT");
  if (cursor.accept("IN")) {
    const list = cursor.inParentheses(() => cursor.list(() => parseExpression(cursor)));
    return { type: "in", operand, list, not };
  }
  if (cursor.accept("BETWEEN")) {
    const low = parseSum(cursor);
    cursor.expect("AND");
    return { type: "between", operand, low, high: parseSum(cursor), not };
  }
  if (cursor.accept("LIKE")) return { type: "like", operand, pattern: parseSum(cursor), not, regular: false };
  if (cursor.acceptOneOf("REGEXP", "RLIKE")) {
    return { type: "like", operand, pattern: parseSum(cursor), not, regular: true };
  }
  return undefined;
}

function parseSum(cursor: Cursor): Expression {
  let left = parseProduct(cursor);
  for (let operator = cursor.acceptSymbol("+", "-"); operator; operator = cursor.acceptSymbol("+", "-")) {
    left = { type: "binary", operator, left, right: parseProduct(cursor) };
  }
  return left;
}

function parseProduct(cursor: Cursor): Expression {
  let left = parseSign(cursor);
  for (;;) {
    const operator = cursor.acceptSymbol("*", "/", "%") ?? cursor.acceptOneOf("DIV", "MOD");
    if (operator === undefined) return left;
    left = { type: "binary", operator: operator === "MOD" ? "%" : operator, left, right: parseSign(cursor) };
  }
}

function parseSign(cursor: Cursor): Expression {
  const operator = cursor.acceptSymbol("-", "+", "!");
  if (operator === "!") return { type: "unary", operator: "not", operand: parseSign(cursor) };
  if (operator !== undefined) return { type: "unary", operator: operator as "-" | "+", operand: parseSign(cursor) };
  if (cursor.accept("BINARY")) return parseSign(cursor);
  const operand = parsePrimary(cursor);
  if (cursor.accept("COLLATE")) cursor.nameOrString();
  return operand;
}

/** Values that are written as a word. */
const constants: Record<string, Expression> = {
  NULL: { type: "literal", value: null },
  TRUE: { type: "literal", value: 1 },
  FALSE: { type: "literal", value: 0 },
};

/** Functions that need no parentheses. */
const bareFunctions = [
  "CURRENT_TIMESTAMP",
  "CURRENT_DATE",
  "CURRENT_TIME",
  "CURRENT_USER",
  "LOCALTIME",
  "LOCALTIMESTAMP",
  "UTC_TIMESTAMP",
];

function parsePrimary(cursor: Cursor): Expression {
  const { token } = cursor;
  if (token.kind === "symbol") return cursor.inParentheses(() => parseExpression(cursor));
  switch (token.kind) {
    case "string": {
      let value = cursor.string();
      while (cursor.token.kind === "string") value += cursor.string();
      return { type: "literal", value };
    }
    case "number":
      cursor.next();
      return { type: "literal", value: /^\d+$/.test(token.text) ? integerOf(token.text) : Number(token.text) };
    case "bytes":
      cursor.next();
      return {
        type: "literal",
        value: Buffer.from(token.text.padStart(token.text.length + (token.text.length % 2), "0"), "hex"),
      };
    case "variable":
      cursor.next();
      return variable(token.text);
    case "userVariable":
      cursor.next();
      return { type: "userVariable", name: token.text.toLowerCase() };
    case "parameter":
      cursor.next();
      return { type: "parameter", index: cursor.parameters++ };
    case "word":
      return parseWord(cursor);
    case "name":
      return parseColumn(cursor);
    default:
      throw cursor.syntax();
  }
}

function parseWord(cursor: Cursor): Expression {
  const word = cursor.token.text.toUpperCase();
  const constant = constants[word];
  if (constant) {
    cursor.next();
    return constant;
  }
  if (word === "CASE") return parseCase(cursor);
  if (cursor.accept("DEFAULT")) {
    if (cursor.acceptSymbol("(")) {
      cursor.name();
      cursor.expectSymbol(")");
    }
    return { type: "default" };
  }
  // A character set before a string.
  if (/^_(utf8|latin1|binary)/i.test(word)) {
    cursor.next();
    return parsePrimary(cursor);
  }
  const start = cursor.token;
  const column = parseColumn(cursor);
  if (column.type !== "column" || column.table !== undefined) return column;
  if (cursor.peekSymbol("(") && start.kind === "word") return parseCall(cursor, column.name.toUpperCase());
  if (!bareFunctions.includes(word)) return column;
  return { type: "call", name: word, parameters: [], distinct: false, star: false };
}

function parseCall(cursor: Cursor, name: string): Expression {
  return cursor.inParentheses(() => {
    const call = {
      type: "call" as const,
      name,
      parameters: [] as Expression[],
      distinct: cursor.accept("DISTINCT"),
      star: false,
    };
    if (cursor.acceptSymbol("*")) return { ...call, star: true };
    if (cursor.peekSymbol(")")) return call;
    call.parameters.push(parseExpression(cursor));
    if (name === "CAST" || name === "CONVERT") {
      if (cursor.accept("USING")) cursor.name();
      else {
        if (!cursor.accept("AS")) cursor.expectSymbol(",");
        call.parameters.push({ type: "literal", value: parseCastType(cursor) });
      }
      return call;
    }
    while (cursor.acceptSymbol(",")) call.parameters.push(parseExpression(cursor));
    return call;
  });
}

function parseCastType(cursor: Cursor): string {
  const type = cursor.name().toUpperCase();
  if (cursor.peekSymbol("(")) cursor.inParentheses(() => cursor.list(() => cursor.next()));
  cursor.accept("INTEGER");
  return type;
}

function parseCase(cursor: Cursor): Expression {
  cursor.expect("CASE");
  const subject = cursor.peek("WHEN") ? undefined : parseExpression(cursor);
  const branches: { when: Expression; then: Expression }[] = [];
  while (cursor.accept("WHEN")) {
    const when = parseExpression(cursor);
    cursor.expect("THEN");
    branches.push({ when, then: parseExpression(cursor) });
  }
  const otherwise = cursor.accept("ELSE") ? parseExpression(cursor) : undefined;
  cursor.expect("END");
  return { type: "case", branches, ...(subject && { subject }), ...(otherwise && { otherwise }) };
}

/** `name`, `table.name` or `database.table.name`. */
function parseColumn(cursor: Cursor): Expression {
  const parts = [cursor.name()];
  while (cursor.acceptSymbol(".")) parts.push(cursor.name());
  const name = parts.at(-1) ?? "";
  return { type: "column", name, ...(parts.length > 1 && { table: parts.at(-2) ?? "" }) };
}

function variable(text: string): Expression {
  const match = /^(?:(global|session|local)\.)?(.+)$/i.exec(text);
  const scope = match?.[1]?.toLowerCase();
  const name = (match?.[2] ?? text).toLowerCase();
  return { type: "variable", name, ...(scope !== undefined && { scope: scope === "global" ? "global" : "session" }) };
}
