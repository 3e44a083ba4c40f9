import { columnType } from "../protocol/constants";
import { ColumnDefinition } from "../sql/ast";
import { sqlErrors } from "../sqlError";
import { integerOf, ResultColumn, textOf, Value } from "../values";

/** Whole-number types with the bits that they have. */
const integers: Record<string, { bits: number; wire: number }> = {
  TINYINT: { bits: 8, wire: columnType.tiny },
  BOOL: { bits: 8, wire: columnType.tiny },
  BOOLEAN: { bits: 8, wire: columnType.tiny },
  SMALLINT: { bits: 16, wire: columnType.short },
  MEDIUMINT: { bits: 24, wire: columnType.int24 },
  INT: { bits: 32, wire: columnType.long },
  INTEGER: { bits: 32, wire: columnType.long },
  BIGINT: { bits: 64, wire: columnType.longlong },
  BIT: { bits: 64, wire: columnType.longlong },
  YEAR: { bits: 16, wire: columnType.year },
};

const wireTypes: Record<string, number> = {
  FLOAT: columnType.float,
  DOUBLE: columnType.double,
  REAL: columnType.double,
  DECIMAL: columnType.newDecimal,
  NUMERIC: columnType.newDecimal,
  DEC: columnType.newDecimal,
  DATE: columnType.date,
  TIME: columnType.time,
  DATETIME: columnType.datetime,
  TIMESTAMP: columnType.timestamp,
  CHAR: columnType.string,
  TEXT: columnType.blob,
  TINYTEXT: columnType.blob,
  MEDIUMTEXT: columnType.blob,
  LONGTEXT: columnType.blob,
  JSON: columnType.blob,
};

const binaryTypes = ["BINARY", "VARBINARY", "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB"];

export function resultColumn(column: ColumnDefinition, table: string, database: string): ResultColumn {
  const type = integers[column.type]?.wire ?? wireTypes[column.type] ?? columnType.varString;
  return { name: column.name, type, unsigned: column.unsigned, table, database };
}

/** The value as the column keeps it, in strict mode. @throws SqlError when it does not fit */
export function coerce(column: ColumnDefinition, value: Value): Value {
  if (value === null) {
    if (!column.nullable) throw sqlErrors.nullColumn(column.name);
    return null;
  }
  const integer = integers[column.type];
  if (integer) return coerceInteger(column, value, integer.bits);
  switch (column.type) {
    case "FLOAT":
    case "DOUBLE":
    case "REAL": {
      const number = Number(textOf(value));
      if (Number.isNaN(number)) throw sqlErrors.badValue("double", textOf(value), column.name);
      return number;
    }
    case "DECIMAL":
    case "NUMERIC":
    case "DEC": {
      const text = textOf(value);
      if (!/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text))
        throw sqlErrors.badValue("decimal", text, column.name);
      return Number(text).toFixed(column.scale ?? 0);
    }
    case "DATE":
      return moment(column, value).slice(0, 10);
    case "DATETIME":
    case "TIMESTAMP":
      return moment(column, value);
    default:
      return coerceText(column, value);
  }
}

/** The column's type as SHOW COLUMNS writes it. */
export function typeText(column: ColumnDefinition): string {
  const size =
    column.length === undefined ? "" : `(${[column.length, column.scale].filter(n => n !== undefined).join(",")})`;
  return `${column.type.toLowerCase()}${size}${column.unsigned ? " unsigned" : ""}`;
}

function coerceInteger(column: ColumnDefinition, value: Value, bits: number): Value {
  const text = typeof value === "number" ? String(Math.round(value)) : textOf(value).trim();
  if (!/^[-+]?\d+(\.\d+)?$/.test(text)) throw sqlErrors.badValue("integer", text, column.name);
  const integer = text.includes(".") ? Math.round(Number(text)) : integerOf(text);
  const range = 2n ** BigInt(bits);
  const [low, high] = column.unsigned ? [0n, range - 1n] : [-range / 2n, range / 2n - 1n];
  if (BigInt(integer) < low || BigInt(integer) > high) throw sqlErrors.outOfRange(column.name);
  return integer;
}

function coerceText(column: ColumnDefinition, value: Value): Value {
  if (binaryTypes.includes(column.type)) return Buffer.isBuffer(value) ? value : Buffer.from(textOf(value));
  const text = textOf(value);
  if (["VARCHAR", "CHAR"].includes(column.type) && text.length > (column.length ?? 1))
    throw sqlErrors.tooLong(column.name);
  return text;
}

function moment(column: ColumnDefinition, value: Value): string {
  const text = textOf(value).replace("T", " ").replace(/Z$/, "");
  const match = /^(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}(?::\d{2})?)(?:\.(\d+))?)?$/.exec(text);
  if (!match) throw sqlErrors.badValue("datetime", text, column.name);
  const [, date = "", time = "00:00:00", fraction = ""] = match;
  const digits = column.length ?? 0;
  const seconds = time.length === 5 ? `${time}:00` : time;
  return digits > 0 ? `${date} ${seconds}.${fraction.padEnd(digits, "0").slice(0, digits)}` : `${date} ${seconds}`;
}
