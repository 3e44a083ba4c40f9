import { createHash, randomUUID } from "node:crypto";
import { compareValues, narrow, numberOf, textOf, Value } from "../values";

/** Functions over all rows of a group; null is not among the values. */
export const aggregates: Record<string, (values: Value[]) => Value> = {
  COUNT: values => values.length,
  MAX: values => values.reduce((best, value) => (best === null || compareValues(value, best) > 0 ? value : best), null),
  MIN: values => values.reduce((best, value) => (best === null || compareValues(value, best) < 0 ? value : best), null),
  SUM: values => (values.length === 0 ? null : sum(values)),
  AVG: values => (values.length === 0 ? null : (Number(sum(values)) / values.length).toFixed(4)),
  GROUP_CONCAT: values => (values.length === 0 ? null : values.map(textOf).join(",")),
  BIT_XOR: values =>
    narrow(
      BigInt.asUintN(
        64,
        values.reduce((all: bigint, value) => all ^ BigInt(numberOf(value)), 0n),
      ),
    ),
};

function sum(values: Value[]): Value {
  const numbers = values.map(numberOf);
  if (numbers.every(value => typeof value === "bigint" || Number.isInteger(value))) {
    return narrow(numbers.reduce((all: bigint, value) => all + BigInt(value), 0n));
  }
  return numbers.reduce((all: number, value) => all + Number(value), 0);
}

const nullFor =
  (work: (...values: Exclude<Value, null>[]) => Value) =>
  (...values: Value[]): Value =>
    values.some(value => value === null) ? null : work(...(values as Exclude<Value, null>[]));

const hash = (algorithm: string) =>
  nullFor(value =>
    createHash(algorithm)
      .update(Buffer.isBuffer(value) ? value : textOf(value))
      .digest("hex"),
  );

const now = () => formatMoment(new Date());

/** Functions of their parameters alone, or of the time. */
export const scalarFunctions: Record<string, (...values: Value[]) => Value> = {
  NOW: now,
  SYSDATE: now,
  CURRENT_TIMESTAMP: now,
  LOCALTIME: now,
  LOCALTIMESTAMP: now,
  UTC_TIMESTAMP: now,
  CURDATE: () => now().slice(0, 10),
  CURRENT_DATE: () => now().slice(0, 10),
  CURRENT_TIME: () => now().slice(11),
  UNIX_TIMESTAMP: (value = null) => Math.floor((value === null ? Date.now() : Date.parse(`${textOf(value)}Z`)) / 1000),
  UUID: () => randomUUID(),
  RAND: () => Math.random(),
  PI: () => Math.PI,

  CONCAT: nullFor((...values) => values.map(textOf).join("")),
  CONCAT_WS: (separator = null, ...values) =>
    separator === null
      ? null
      : values
          .filter(value => value !== null)
          .map(textOf)
          .join(textOf(separator)),
  LENGTH: nullFor(value => Buffer.byteLength(textOf(value))),
  CHAR_LENGTH: nullFor(value => [...textOf(value)].length),
  UPPER: nullFor(value => textOf(value).toUpperCase()),
  UCASE: nullFor(value => textOf(value).toUpperCase()),
  LOWER: nullFor(value => textOf(value).toLowerCase()),
  LCASE: nullFor(value => textOf(value).toLowerCase()),
  TRIM: nullFor(value => textOf(value).trim()),
  REPEAT: nullFor((value, count) => textOf(value).repeat(Math.max(0, Number(count)))),
  REPLACE: nullFor((value, from, to) => textOf(value).replaceAll(textOf(from), textOf(to))),
  LEFT: nullFor((value, count) => textOf(value).slice(0, Number(count))),
  RIGHT: nullFor((value, count) => textOf(value).slice(-Number(count))),
  SUBSTRING: nullFor(substring),
  SUBSTR: nullFor(substring),
  LPAD: nullFor((value, length, pad) => textOf(value).padStart(Number(length), textOf(pad))),
  HEX: nullFor(value =>
    (typeof value === "number" || typeof value === "bigint"
      ? value.toString(16)
      : Buffer.from(value).toString("hex")
    ).toUpperCase(),
  ),
  UNHEX: nullFor(value => Buffer.from(textOf(value), "hex")),
  MD5: hash("md5"),
  SHA1: hash("sha1"),
  SHA: hash("sha1"),
  SHA2: nullFor((value, bits = 256) =>
    createHash(`sha${Number(bits) || 256}`)
      .update(textOf(value))
      .digest("hex"),
  ),
  CRC32: nullFor(value => crc32(Buffer.from(textOf(value)))),

  IF: (condition = null, then = null, otherwise = null) =>
    condition !== null && Number(numberOf(condition)) !== 0 ? then : otherwise,
  IFNULL: (value = null, otherwise = null) => value ?? otherwise,
  NVL: (value = null, otherwise = null) => value ?? otherwise,
  NULLIF: (a = null, b = null) => (a !== null && b !== null && compareValues(a, b) === 0 ? null : a),
  COALESCE: (...values) => values.find(value => value !== null) ?? null,
  GREATEST: nullFor((...values) => values.reduce((a, b) => (compareValues(a, b) >= 0 ? a : b))),
  LEAST: nullFor((...values) => values.reduce((a, b) => (compareValues(a, b) <= 0 ? a : b))),
  ABS: nullFor(value => Math.abs(Number(numberOf(value)))),
  CEIL: nullFor(value => Math.ceil(Number(numberOf(value)))),
  CEILING: nullFor(value => Math.ceil(Number(numberOf(value)))),
  FLOOR: nullFor(value => Math.floor(Number(numberOf(value)))),
  ROUND: nullFor((value, digits = 0) => Number(Number(numberOf(value)).toFixed(Number(digits)))),
  MOD: nullFor((a, b) => (Number(numberOf(b)) === 0 ? null : Number(numberOf(a)) % Number(numberOf(b)))),

  CAST: nullFor((value, type = "CHAR") => cast(value, textOf(type))),
  CONVERT: nullFor((value, type = "CHAR") => cast(value, textOf(type))),
};

/** A moment as MariaDB writes it, in UTC. */
export function formatMoment(date: Date): string {
  return date.toISOString().replace("T", " ").slice(0, 19);
}

function substring(value: Exclude<Value, null>, from: Exclude<Value, null>, count?: Exclude<Value, null>): Value {
  const text = textOf(value);
  const start = Number(from) < 0 ? text.length + Number(from) : Number(from) - 1;
  return count === undefined ? text.slice(start) : text.slice(start, start + Number(count));
}

function cast(value: Exclude<Value, null>, type: string): Value {
  if (["SIGNED", "UNSIGNED", "INT", "INTEGER"].includes(type)) {
    const number = numberOf(value);
    return typeof number === "bigint" ? number : Math.round(number);
  }
  if (["DECIMAL", "DOUBLE", "FLOAT"].includes(type)) return Number(numberOf(value));
  return type === "BINARY" ? Buffer.from(textOf(value)) : textOf(value);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
