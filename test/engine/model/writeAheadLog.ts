import { xxh32 } from "./xxh32";

/** What one transaction did to one key; a value of null deletes it. */
export type FamilyWrite = [familyIndex: number, key: string, value: string | null];

/** One transaction in the WAL. */
export interface WalRecord {
  sequence: number;
  writes: FamilyWrite[];
}

/** Magic number, version 7, padding. An empty WAL is as long as this: 8 bytes, which is why an upload threshold of 8 or less sends it. */
const header = Buffer.from([0x42, 0x44, 0x54, 7, 0, 0, 0, 0]);
/** A block is `[size][checksum][data][size][mark]`, little endian; the data are one transaction. */
const footerMark = 0x42445442;
const frameBytes = 16;
/** Before the entries of a WAL that all column families share. */
const unifiedMark = 0x55aa;
const tombstone = 0x01;
const timeToLive = 0x02;

/** A fresh WAL. */
export const emptyWal: Uint8Array = header;

/** File, and object in the bucket, of one generation. */
export function walName(generation: number): string {
  return `uwal_${generation}.log`;
}

/** The generation of a WAL's file or object; undefined for any other name. */
export function walGenerationOf(name: string): number | undefined {
  const match = /^uwal_(\d+)\.log$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** One transaction as it is appended: a block. */
export function encodeWalRecord({ sequence, writes }: WalRecord): Uint8Array {
  const bytes: Buffer[] = [Buffer.from([unifiedMark >> 8, unifiedMark & 0xff])];
  for (const [family, key, value] of writes) {
    const [keyBytes, valueBytes] = [Buffer.from(key), Buffer.from(value ?? "")];
    const numbers = [...variable(keyBytes.length), ...variable(valueBytes.length), ...variable(sequence)];
    const head = Buffer.alloc(5);
    head.writeUInt32BE(family, 0);
    head[4] = value === null ? tombstone : 0;
    bytes.push(head, Buffer.from(numbers), keyBytes, valueBytes);
  }
  const data = Buffer.concat(bytes);
  const block = Buffer.alloc(frameBytes + data.length);
  block.writeUInt32LE(data.length, 0);
  block.writeUInt32LE(xxh32(data), 4);
  data.copy(block, 8);
  block.writeUInt32LE(data.length, 8 + data.length);
  block.writeUInt32LE(footerMark, 12 + data.length);
  return block;
}

/** Where the last whole block ends: behind it there may be zeros, or what a torn append has left. Bytes. */
export function walEnd(bytes: Buffer): number {
  let end = header.length;
  for (let next = blockEnd(bytes, end); next !== undefined; next = blockEnd(bytes, end)) end = next;
  return Math.min(end, bytes.length);
}

/** The whole blocks, as they are. */
export function walBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let offset = header.length;
  for (let end = blockEnd(bytes, offset); end !== undefined; end = blockEnd(bytes, offset)) {
    blocks.push(bytes.subarray(offset, end));
    offset = end;
  }
  return blocks;
}

/**
 * Reads WALs. It remembers what it has read of each, since a replica reads all of them at every poll, and each is mostly what it was the last time with some records
 * behind it.
 */
export class WalReader {
  private readonly known = new Map<
    string,
    { content: Uint8Array; bytes: Buffer; complete: number; records: WalRecord[] }
  >();

  /** All whole records; what a torn append has left at the end is passed over. */
  read(name: string, content: Uint8Array): WalRecord[] {
    const before = this.known.get(name);
    if (before?.content === content) return before.records;
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const goesOn =
      before !== undefined &&
      bytes.length >= before.complete &&
      bytes.compare(before.bytes, 0, before.complete, 0, before.complete) === 0;
    const records = goesOn ? before.records : [];
    let complete = goesOn ? before.complete : header.length;
    for (let end = blockEnd(bytes, complete); end !== undefined; end = blockEnd(bytes, complete)) {
      records.push(decodeWalRecord(bytes.subarray(complete + 8, end - 8)));
      complete = end;
    }
    this.known.set(name, { content, bytes, complete, records });
    return records;
  }
}

/** Where the block at `offset` ends; undefined when there is no whole one. */
function blockEnd(bytes: Buffer, offset: number): number | undefined {
  if (offset + frameBytes > bytes.length) return undefined;
  const size = bytes.readUInt32LE(offset);
  const end = offset + frameBytes + size;
  if (size === 0 || end > bytes.length) return undefined;
  return bytes.readUInt32LE(end - 8) === size && bytes.readUInt32LE(end - 4) === footerMark ? end : undefined;
}

function decodeWalRecord(data: Buffer): WalRecord {
  const writes: FamilyWrite[] = [];
  let sequence = 0;
  let offset = 2;
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = data[offset++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (offset < data.length) {
    const family = data.readUInt32BE(offset);
    const flags = data[offset + 4] ?? 0;
    offset += 5;
    const [keyBytes, valueBytes] = [number(), number()];
    sequence = number();
    if (flags & timeToLive) offset += 8;
    const key = data.toString("utf8", offset, offset + keyBytes);
    offset += keyBytes;
    const value = data.toString("utf8", offset, offset + valueBytes);
    offset += valueBytes;
    writes.push([family, key, flags & tombstone ? null : value]);
  }
  return { sequence, writes };
}

/** Seven bits a byte, the lowest first. */
function variable(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
