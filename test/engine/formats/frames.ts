import { xxh32 } from "../../../components/manager/store/wal/xxh32";

/*
 * The engine's files of blocks (WALs, manifests, SSTables): a header, then frames of `[size][checksum][data][size][mark]`, little endian. Written apart from the store's readers, so that a mistake in one
 * is not made in the other; the checksum is the store's, which is held to its published values.
 */

/** Magic number, version 7, padding. A file with nothing in it is as long as this: 8 bytes. */
export const fileHeader: Buffer = Buffer.from([0x42, 0x44, 0x54, 7, 0, 0, 0, 0]);
const footerMark = 0x42445442;
const headBytes = 8;
/** Of a frame, beside its data. */
const frameBytes = 16;

/** One frame. */
export function encodeFrame(data: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(frameBytes + data.length);
  putFrame(frame, 0, data);
  return frame;
}

/** A file of nothing but these frames. */
export function encodeFile(...frames: Buffer[]): Buffer {
  const file = Buffer.allocUnsafe(frames.reduce((sum, data) => sum + frameBytes + data.length, fileHeader.length));
  fileHeader.copy(file);
  let offset = fileHeader.length;
  for (const data of frames) offset = putFrame(file, offset, data);
  return file;
}

/** Where the frame at `offset` ends; undefined when there is no whole one. Its checksum is not looked at. */
export function frameEnd(bytes: Buffer, offset: number): number | undefined {
  if (offset + frameBytes > bytes.length) return undefined;
  const size = bytes.readUInt32LE(offset);
  const end = offset + frameBytes + size;
  if (size === 0 || end > bytes.length) return undefined;
  return bytes.readUInt32LE(end - 8) === size && bytes.readUInt32LE(end - 4) === footerMark ? end : undefined;
}

/** The data of a frame from `offset` to `end`. */
export function frameData(bytes: Buffer, offset: number, end: number): Buffer {
  return bytes.subarray(offset + headBytes, end - (frameBytes - headBytes));
}

/** The data of all whole frames of a file. */
export function* decodeFile(file: Uint8Array): Generator<Buffer> {
  const bytes = asBuffer(file);
  let offset = fileHeader.length;
  for (let end = frameEnd(bytes, offset); end !== undefined; end = frameEnd(bytes, offset)) {
    yield frameData(bytes, offset, end);
    offset = end;
  }
}

/** The same bytes, as a buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function putFrame(into: Buffer, offset: number, data: Buffer): number {
  into.writeUInt32LE(data.length, offset);
  into.writeUInt32LE(xxh32(data), offset + 4);
  data.copy(into, offset + headBytes);
  const foot = offset + headBytes + data.length;
  into.writeUInt32LE(data.length, foot);
  into.writeUInt32LE(footerMark, foot + 4);
  return foot + (frameBytes - headBytes);
}
