import { createHash } from "node:crypto";
import { Change } from "./changes";

/** The version of the format that this build writes, and the highest that it reads. */
export const formatVersion = 1;
/** No entry is larger, in bytes: larger blocks go into objects of their own first. */
export const maxEntryBytes = 8 * 1024 * 1024;

const magic = Buffer.from("TSQL");
const prefixBytes = 9;
/** Of the checksum behind an entry, or behind whatever is packed like one. */
export const digestBytes = 32;

/** What every entry says. */
interface EntryHead {
  epoch: number;
  position: number;
  /** Of the process that wrote it, made at its start. */
  nonce: string;
  /** Milliseconds since 1970 by the writer's clock; never lower than in the entry before. */
  time: number;
}

/** Something happened in the database. */
export interface ChangesEntry extends EntryHead {
  kind: "changes";
  changes: Change[];
  /** Data of the blocks, in order. */
  payload: Buffer;
}

/** The end of an epoch. Whoever put it there, and nobody else, appends to the next one. */
export interface SealEntry extends EntryHead {
  kind: "seal";
  /** Always the sealed one and one. */
  nextEpoch: number;
  /** For people. */
  author: string;
  /** Of the author's deployment: two that write to one log by mistake are told apart by it. Absent: an earlier build wrote it, or the author does not know. */
  cluster?: string;
}

export type Entry = ChangesEntry | SealEntry;

/** The log cannot be read on: an entry is damaged, or of a build that says more than this one understands. */
export class UnreadableEntry extends Error {
  constructor(key: string, reason: string) {
    super(`${key} ${reason}; nothing is written until it is repaired`);
    this.name = "UnreadableEntry";
  }
}

/**
 * An entry's bytes: `TSQL`, one byte of version, four bytes of length, a head in JSON, the payload, and SHA-256 of all before. The same entry always gives the same bytes.
 * @throws when it is larger than {@link maxEntryBytes} and a frame's allowance
 */
export function encodeEntry(entry: Entry): Buffer {
  const { payload, head } = apart(entry);
  return packed(magic, head, [payload]);
}

/** A head in JSON and a payload behind a mark, with a checksum. @throws when it is too large */
export function packed(mark: Buffer, head: object, payload: readonly Buffer[]): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const bytes = Buffer.concat([mark, Buffer.from([formatVersion]), length(text.length), text, ...payload]);
  if (bytes.length > 2 * maxEntryBytes) throw new Error(`an entry of ${bytes.length} bytes is too large`);
  return Buffer.concat([bytes, createHash("sha256").update(bytes).digest()]);
}

/** Whether bytes begin with a mark. */
export function isOfKind(mark: Buffer, bytes: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}

/** What was read of these very bytes: an entry that is pushed is looked at when it comes, and applied later. */
const decoded = new WeakMap<Buffer, Entry>();

/** @param bytes are not changed afterwards, and neither is the entry @throws UnreadableEntry */
export function decodeEntry(key: string, bytes: Buffer, epoch: number, position: number): Entry {
  let entry = decoded.get(bytes);
  if (!entry) decoded.set(bytes, (entry = decodeNew(key, bytes)));
  if (entry.epoch !== epoch || entry.position !== position)
    throw new UnreadableEntry(key, `says that it is entry ${entry.epoch}/${entry.position}`);
  return entry;
}

function decodeNew(key: string, bytes: Buffer): Entry {
  const { head, payload } = unpacked(magic, key, bytes);
  const read = head as SealEntry | Omit<ChangesEntry, "payload">;
  return read.kind === "seal" ? read : { ...read, payload };
}

/** The reverse of {@link packed}. @throws UnreadableEntry */
export function unpacked(mark: Buffer, key: string, bytes: Buffer): { head: unknown; payload: Buffer } {
  if (bytes.length < prefixBytes + digestBytes || !isOfKind(mark, bytes))
    throw new UnreadableEntry(key, "is not an entry of this log");
  const version = bytes[4]!;
  if (version > formatVersion)
    throw new UnreadableEntry(key, `has format ${version}, this manager reads up to ${formatVersion}: update it`);
  const body = bytes.subarray(0, bytes.length - digestBytes);
  if (!createHash("sha256").update(body).digest().equals(bytes.subarray(body.length)))
    throw new UnreadableEntry(key, "has a wrong checksum");
  const headEnd = prefixBytes + bytes.readUInt32BE(5);
  if (headEnd > body.length) throw new UnreadableEntry(key, "is cut off");
  const head: unknown = JSON.parse(body.toString("utf8", prefixBytes, headEnd));
  return { head, payload: body.subarray(headEnd) };
}

/** What stands before and behind the payload of an entry's bytes: who has the payload makes the entry of them. */
export interface EntryFrame {
  front: Buffer;
  digest: Buffer;
}

/** @param bytes of an entry */
export function frameOf(bytes: Buffer): EntryFrame {
  return {
    front: bytes.subarray(0, prefixBytes + bytes.readUInt32BE(5)),
    digest: bytes.subarray(bytes.length - digestBytes),
  };
}

/**
 * An entry's bytes, of its frame and of the data of its blocks.
 * @param payloadOf finds them by the entry's changes; undefined: it does not know all of them
 * @returns undefined when they are not known, or are not those of this entry
 */
export function assembled(
  { front, digest }: EntryFrame,
  payloadOf: (changes: readonly Change[]) => readonly Buffer[] | undefined,
): Buffer | undefined {
  const head = JSON.parse(front.toString("utf8", prefixBytes)) as Omit<ChangesEntry, "payload">;
  const parts = payloadOf(head.changes);
  if (!parts) return undefined;
  const bytes = Buffer.concat([front, ...parts, digest]);
  const end = bytes.length - digestBytes;
  if (!createHash("sha256").update(bytes.subarray(0, end)).digest().equals(digest)) return undefined;
  decoded.set(bytes, { ...head, payload: bytes.subarray(front.length, end) });
  return bytes;
}

function apart(entry: Entry): { head: object; payload: Buffer } {
  if (entry.kind === "seal") return { head: entry, payload: Buffer.alloc(0) };
  const { payload, ...head } = entry;
  return { head, payload };
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
