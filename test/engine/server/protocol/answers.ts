import { SqlError } from "../sqlError";
import { ResultColumn, RowsResult, textOf, Value } from "../values";
import { characterSet, columnType } from "./constants";
import { PacketWriter } from "./packets";

/** Longest value that a column of text announces. Bytes. */
const longestText = 0xffffff;
const unsignedFlag = 32;
const binaryFlag = 128;

export function okPacket(affectedRows: number, insertId: number | bigint, status: number, info = ""): Buffer {
  const packet = new PacketWriter()
    .integer(0, 1)
    .lengthEncodedInteger(affectedRows)
    .lengthEncodedInteger(Number(insertId));
  packet.integer(status, 2).integer(0, 2);
  return packet.bytes(Buffer.from(info)).toBuffer();
}

export function eofPacket(status: number): Buffer {
  return new PacketWriter().integer(0xfe, 1).integer(0, 2).integer(status, 2).toBuffer();
}

export function errorPacket({ errno, sqlState, message }: SqlError): Buffer {
  return new PacketWriter()
    .integer(0xff, 1)
    .integer(errno, 2)
    .bytes(Buffer.from(`#${sqlState}${message}`))
    .toBuffer();
}

export function columnPacket(column: ResultColumn): Buffer {
  const numeric = !textTypes.includes(column.type);
  return new PacketWriter()
    .lengthEncoded("def")
    .lengthEncoded(column.database ?? "")
    .lengthEncoded(column.table ?? "")
    .lengthEncoded(column.table ?? "")
    .lengthEncoded(column.name)
    .lengthEncoded(column.name)
    .integer(12, 1)
    .integer(numeric ? characterSet.binary : characterSet.utf8mb4, 2)
    .integer(longestText, 4)
    .integer(column.type, 1)
    .integer((column.unsigned ? unsignedFlag : 0) | (numeric ? binaryFlag : 0), 2)
    .integer(column.type === columnType.double ? 31 : 0, 1)
    .zeros(2)
    .toBuffer();
}

const textTypes: number[] = [columnType.varString, columnType.string, columnType.blob];

/** A result as packets: of the text protocol, or of the binary one, which answers a prepared statement. */
export function rowsPackets({ columns, rows }: RowsResult, status: number, binary: boolean): Buffer[] {
  const row = binary ? binaryRow : textRow;
  return [
    new PacketWriter().lengthEncodedInteger(columns.length).toBuffer(),
    ...columns.map(columnPacket),
    eofPacket(status),
    ...rows.map(values => row(columns, values)),
    eofPacket(status),
  ];
}

function textRow(_columns: ResultColumn[], values: Value[]): Buffer {
  const packet = new PacketWriter();
  for (const value of values) {
    if (value === null) packet.integer(0xfb, 1);
    else packet.lengthEncoded(Buffer.isBuffer(value) ? value : textOf(value));
  }
  return packet.toBuffer();
}

function binaryRow(columns: ResultColumn[], values: Value[]): Buffer {
  const nulls = Buffer.alloc((columns.length + 9) >> 3);
  const fields = new PacketWriter();
  columns.forEach(({ type }, i) => {
    const value = values[i] ?? null;
    if (value === null) nulls[(i + 2) >> 3]! |= 1 << ((i + 2) & 7);
    else binaryField(fields, type, value);
  });
  return new PacketWriter().integer(0, 1).bytes(nulls).bytes(fields.toBuffer()).toBuffer();
}

function binaryField(packet: PacketWriter, type: number, value: Value): void {
  const integerBytes = integerSizes[type];
  if (type === columnType.longlong) packet.bigInteger(BigInt(textOf(value)));
  else if (integerBytes !== undefined) {
    const field = Buffer.alloc(4);
    field.writeInt32LE(Number(value) | 0);
    packet.bytes(field.subarray(0, integerBytes));
  } else if (type === columnType.double) packet.double(Number(value));
  else if (type === columnType.float) {
    const field = Buffer.alloc(4);
    field.writeFloatLE(Number(value));
    packet.bytes(field);
  } else if (dateTypes.includes(type)) binaryDate(packet, textOf(value));
  else packet.lengthEncoded(Buffer.isBuffer(value) ? value : textOf(value));
}

const integerSizes: Record<number, number> = {
  [columnType.tiny]: 1,
  [columnType.short]: 2,
  [columnType.year]: 2,
  [columnType.long]: 4,
  [columnType.int24]: 4,
};

const dateTypes: number[] = [columnType.date, columnType.datetime, columnType.timestamp];

function binaryDate(packet: PacketWriter, text: string): void {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (text.match(/\d+/g) ?? []).map(Number);
  packet.integer(7, 1).integer(year, 2).integer(month, 1).integer(day, 1);
  packet.integer(hour, 1).integer(minute, 1).integer(second, 1);
}
