/** A value of SQL: times are texts, as MariaDB writes them. */
export type Value = null | number | bigint | string | Buffer;

/** A column of a result, with the type number of the protocol. */
export interface ResultColumn {
  name: string;
  type: number;
  unsigned?: boolean;
  table?: string;
  database?: string;
}

/** What a statement answers. */
export type Result = OkResult | RowsResult;

export interface OkResult {
  kind: "ok";
  affectedRows: number;
  insertId?: number | bigint;
  info?: string;
}

export interface RowsResult {
  kind: "rows";
  columns: ResultColumn[];
  rows: Value[][];
}

export function ok(affectedRows = 0, insertId?: number | bigint): OkResult {
  return { kind: "ok", affectedRows, ...(insertId !== undefined && { insertId }) };
}

/** The value as MariaDB writes it. */
export function textOf(value: Value): string {
  if (value === null) return "NULL";
  return Buffer.isBuffer(value) ? value.toString("utf8") : String(value);
}

/** As a number, as MariaDB reads one: the leading digits of a text, 0 without any. */
export function numberOf(value: Value): number | bigint {
  if (value === null) return 0;
  if (typeof value === "number" || typeof value === "bigint") return value;
  const match = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?/.exec(textOf(value));
  if (!match) return 0;
  return /^\s*[-+]?\d+$/.test(match[0]) ? integerOf(match[0]) : Number(match[0]);
}

/** A whole number: as a number when that is exact. */
export function integerOf(text: string): number | bigint {
  const value = BigInt(text.trim().replace(/^\+/, ""));
  return narrow(value);
}

export function narrow(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** A text as the default collation compares it: without case, without trailing blanks. */
export function collated(text: string): string {
  return text.toLowerCase().replace(/ +$/, "");
}

/** Negative, 0, positive; null comes first. */
export function compareValues(a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a === "string" && typeof b === "string") {
    const [left, right] = [collated(a), collated(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  }
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return Buffer.compare(a, b);
  if (Buffer.isBuffer(a) && typeof b === "string") return Buffer.compare(a, Buffer.from(b));
  if (typeof a === "string" && Buffer.isBuffer(b)) return Buffer.compare(Buffer.from(a), b);
  const [left, right] = [numberOf(a), numberOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Values as JSON, and back: whole numbers beyond 2^53 and bytes included. */
export function encodeValues(values: Value[]): string {
  return JSON.stringify(
    values.map(value => {
      if (typeof value === "bigint") return { n: String(value) };
      return Buffer.isBuffer(value) ? { b: value.toString("base64") } : value;
    }),
  );
}

export function decodeValues(text: string): Value[] {
  const values = JSON.parse(text) as (null | number | string | { n?: string; b?: string })[];
  return values.map(value => {
    if (typeof value !== "object" || value === null) return value;
    return value.n !== undefined ? BigInt(value.n) : Buffer.from(value.b ?? "", "base64");
  });
}
