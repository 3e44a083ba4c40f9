import { xxh32 } from "./xxh32";

/*
 * The engine's files of blocks (WALs, manifests, SSTables): eight bytes of header, then frames of `[size][xxHash32][data][size][mark]`, little endian.
 */

/** Magic number, version 7, padding. */
export const fileHeader = Buffer.from([0x42, 0x44, 0x54, 0x07, 0, 0, 0, 0]);
/** The last four bytes of a frame. */
export const footerMark = Buffer.from([0x42, 0x54, 0x44, 0x42]);
const headBytes = 8;
const footBytes = 8;
/** Bytes of a frame beside its data. */
export const frameBytes = headBytes + footBytes;

export interface Frame {
  data: Buffer;
  hash: number;
  /** Offset of what follows it. */
  end: number;
}

/**
 * The frame that begins at `offset`.
 * @returns "zero": nothing was written there yet; "cut off": it goes on beyond the buffer; "broken": it is not whole, or not right
 */
export function readFrame(bytes: Buffer, offset: number): Frame | "zero" | "cut off" | "broken" {
  if (offset + headBytes > bytes.length) return "cut off";
  const size = bytes.readUInt32LE(offset);
  const hash = bytes.readUInt32LE(offset + 4);
  if (size === 0 && hash === 0) return "zero";
  const end = offset + headBytes + size + footBytes;
  if (end > bytes.length) return "cut off";
  if (bytes.readUInt32LE(end - footBytes) !== size || !bytes.subarray(end - 4, end).equals(footerMark)) return "broken";
  const data = bytes.subarray(offset + headBytes, end - footBytes);
  // A block can be read while it is being written: its footer is there, its data are not.
  return xxh32(data) === hash ? { data, hash, end } : "broken";
}

/** @param hash of the data, when it is known @param room for it and perhaps more; it begins there */
export function writeFrame(
  data: Buffer,
  hash = xxh32(data),
  room = Buffer.allocUnsafe(frameBytes + data.length),
): Buffer {
  const frame = room.subarray(0, frameBytes + data.length);
  frame.writeUInt32LE(data.length, 0);
  frame.writeUInt32LE(hash, 4);
  data.copy(frame, headBytes);
  frame.writeUInt32LE(data.length, headBytes + data.length);
  footerMark.copy(frame, frame.length - 4);
  return frame;
}
