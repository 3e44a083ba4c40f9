import { asBuffer, encodeFrame, fileHeader, frameData, frameEnd } from "./frames";

/** What one transaction did to one key; a value of null deletes it. */
export type FamilyWrite = [familyIndex: number, key: string, value: string | null];

/** One transaction in the WAL. */
export interface WalRecord {
  sequence: number;
  writes: FamilyWrite[];
}

/** One entry of a block as it is written: with any bytes, and with a time to live or without. */
export type WalEntry = readonly [
  familyIndex: number,
  key: string,
  value: string | Uint8Array | null,
  timeToLive?: boolean,
];

/** Before the entries of a WAL that all column families share. */
const unifiedMark = 0x55aa;
const tombstone = 0x01;
const timeToLiveFlag = 0x02;
const timeToLiveBytes = 8;

/** A fresh WAL. It is 8 bytes long, which is why an upload threshold of 8 or less sends it. */
export const emptyWal: Uint8Array = fileHeader;

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
export function encodeWalRecord({ sequence, writes }: WalRecord): Buffer {
  return encodeFrame(encodeWalData(sequence, writes));
}

/** What is in a transaction's block: a mark, then entries of `[family][flags][key's length][value's length][sequence][time to live, if flagged][key][value]`. */
export function encodeWalData(sequence: number, entries: readonly WalEntry[]): Buffer {
  const bytes: Buffer[] = [Buffer.from([unifiedMark >> 8, unifiedMark & 0xff])];
  for (const [family, key, value, hasTimeToLive] of entries) {
    const keyBytes = Buffer.from(key);
    const valueBytes = typeof value === "string" ? Buffer.from(value) : Buffer.from(value ?? []);
    const numbers = [...variable(keyBytes.length), ...variable(valueBytes.length), ...variable(sequence)];
    const head = Buffer.alloc(5);
    head.writeUInt32BE(family, 0);
    head[4] = (value === null ? tombstone : 0) | (hasTimeToLive ? timeToLiveFlag : 0);
    bytes.push(head, Buffer.from(numbers));
    if (hasTimeToLive) bytes.push(Buffer.alloc(timeToLiveBytes));
    bytes.push(keyBytes, valueBytes);
  }
  return Buffer.concat(bytes);
}

/** Reads what {@link encodeWalData} has written. */
export function decodeWalData(data: Buffer): WalRecord {
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
    if (flags & timeToLiveFlag) offset += timeToLiveBytes;
    const key = data.toString("utf8", offset, offset + keyBytes);
    offset += keyBytes;
    const value = data.toString("utf8", offset, offset + valueBytes);
    offset += valueBytes;
    writes.push([family, key, flags & tombstone ? null : value]);
  }
  return { sequence, writes };
}

/** Where the last whole block ends: behind it there may be zeros, or what a torn append has left. Bytes. */
export function walEnd(bytes: Buffer): number {
  let end = fileHeader.length;
  for (let next = frameEnd(bytes, end); next !== undefined; next = frameEnd(bytes, end)) end = next;
  return Math.min(end, bytes.length);
}

/** The whole blocks, as they are. */
export function walBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let offset = fileHeader.length;
  for (let end = frameEnd(bytes, offset); end !== undefined; end = frameEnd(bytes, offset)) {
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
    const bytes = asBuffer(content);
    const goesOn =
      before !== undefined &&
      bytes.length >= before.complete &&
      bytes.compare(before.bytes, 0, before.complete, 0, before.complete) === 0;
    const records = goesOn ? before.records : [];
    let complete = goesOn ? before.complete : fileHeader.length;
    for (let end = frameEnd(bytes, complete); end !== undefined; end = frameEnd(bytes, complete)) {
      records.push(decodeWalData(frameData(bytes, complete, end)));
      complete = end;
    }
    this.known.set(name, { content, bytes, complete, records });
    return records;
  }
}

/** Seven bits a byte, the lowest first. */
function variable(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
