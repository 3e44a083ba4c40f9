import { narrow, Value } from "../values";
import { columnType } from "./constants";
import { PacketReader } from "./packets";

const unsignedBit = 0x8000;

/**
 * Values of a prepared statement's parameters, as COM_STMT_EXECUTE carries them behind its head.
 * @param types those of the last execution: a client sends them once. Set to the ones of this one.
 * @param longData by the parameter's number, what came ahead of the execution
 */
export function readParameters(
  reader: PacketReader,
  count: number,
  types: number[],
  longData: ReadonlyMap<number, Buffer>,
): Value[] {
  if (count === 0) return [];
  const nulls = reader.bytes((count + 7) >> 3);
  if (reader.integer(1) === 1) for (let i = 0; i < count; i++) types[i] = reader.integer(2);
  return Array.from({ length: count }, (_, i) => {
    const long = longData.get(i);
    if (long) return long.toString("utf8");
    if (nulls[i >> 3]! & (1 << (i & 7))) return null;
    return readParameter(reader, types[i] ?? columnType.varString);
  });
}

function readParameter(reader: PacketReader, declared: number): Value {
  const unsigned = (declared & unsignedBit) !== 0;
  switch (declared & 0xff) {
    case columnType.null:
      return null;
    case columnType.tiny:
      return signed(reader.integer(1), 8, unsigned);
    case columnType.short:
    case columnType.year:
      return signed(reader.integer(2), 16, unsigned);
    case columnType.long:
    case columnType.int24:
      return signed(reader.integer(4), 32, unsigned);
    case columnType.longlong: {
      const value = reader.bytes(8).readBigUInt64LE();
      return narrow(unsigned ? value : BigInt.asIntN(64, value));
    }
    case columnType.float:
      return reader.bytes(4).readFloatLE();
    case columnType.double:
      return reader.bytes(8).readDoubleLE();
    case columnType.date:
    case columnType.datetime:
    case columnType.timestamp:
      return readDate(reader);
    case columnType.blob:
      return bytesOrText(reader.lengthEncodedBytes());
    default:
      return reader.lengthEncodedBytes().toString("utf8");
  }
}

function signed(value: number, bits: number, unsigned: boolean): number {
  return unsigned || value < 2 ** (bits - 1) ? value : value - 2 ** bits;
}

/** Bytes stay bytes where they are no text. */
function bytesOrText(bytes: Buffer): Value {
  const text = bytes.toString("utf8");
  return text.includes("\ufffd") ? Buffer.from(bytes) : text;
}

function readDate(reader: PacketReader): string {
  const length = reader.integer(1);
  if (length === 0) return "0000-00-00 00:00:00";
  const pad = (value: number, width = 2) => String(value).padStart(width, "0");
  const date = `${pad(reader.integer(2), 4)}-${pad(reader.integer(1))}-${pad(reader.integer(1))}`;
  if (length === 4) return date;
  const time = `${pad(reader.integer(1))}:${pad(reader.integer(1))}:${pad(reader.integer(1))}`;
  return length > 7 ? `${date} ${time}.${pad(reader.integer(4), 6)}` : `${date} ${time}`;
}
