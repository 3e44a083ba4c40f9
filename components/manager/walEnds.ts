import * as fs from "node:fs/promises";

/** What the engine writes at the beginning of each of its files. Bytes. */
const headerBytes = 8;
/** A block is `[size][checksum][data][size][mark]`, in little endian. Bytes before, and after, its data. */
const blockHeadBytes = 8;
const blockFootBytes = 8;
const blockMark = 0x42445442;
/** Of a block's data, so much holds the sequence of its commit: a mark of 2 bytes, the number of the first entry's column family (4), flags (1), two lengths and the sequence itself. */
const sequenceWithin = 2 + 4 + 1 + 3 * 10;
const lengthsAt = 2 + 4 + 1;
/** Read at once. Bytes. */
const pieceBytes = 256 * 1024;

interface Known {
  inode: number;
  end: number;
  /** Where the last block begins, and what stands there: the engine may truncate a file and write it again. */
  lastBlock: number;
  lastHead: Buffer;
  /** The highest sequence of a commit in it so far. */
  highest: number;
  isDisordered: boolean;
}

/** What a WAL holds that the engine will read. */
export interface WalContent {
  /** From the file's beginning to the end of its last whole block. */
  bytes: number;
  /** A commit stands behind one with a higher sequence: followers pass over it (docs/engine.md). */
  isDisordered: boolean;
}

/**
 * Where the last whole block of a WAL ends, and whether its commits stand in order. The file is preallocated with zeros, 64 MiB at first, so its length says nothing; what the engine sends to the bucket ends here. A block that is
 * still being written, and what stands behind it, is left out until it is whole.
 */
export class WalEnds {
  private readonly known = new Map<string, Known>();

  /** @returns undefined when there is no such file. Each call goes on where the last one ended */
  async of(path: string): Promise<WalContent | undefined> {
    let file: fs.FileHandle;
    try {
      file = await fs.open(path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      this.known.delete(path);
      return undefined;
    }
    try {
      const { ino, size } = await file.stat();
      const before = this.known.get(path);
      const goesOn = before?.inode === ino && (await stillStands(file, before));
      const nothing = { end: 0, lastBlock: 0, lastHead: Buffer.alloc(0), highest: 0, isDisordered: false };
      const from: Known = goesOn ? before : { inode: ino, ...nothing };
      const after = await walk(file, from, size);
      this.known.set(path, after);
      return { bytes: after.end, isDisordered: after.isDisordered };
    } finally {
      await file.close();
    }
  }
}

async function stillStands(file: fs.FileHandle, { lastBlock, lastHead }: Known): Promise<boolean> {
  return (await readAt(file, lastBlock, lastHead.length)).equals(lastHead);
}

async function walk(file: fs.FileHandle, from: Known, size: number): Promise<Known> {
  let { end, lastBlock, lastHead, highest, isDisordered } = from;
  if (end < headerBytes) {
    end = Math.min(headerBytes, size);
    lastBlock = 0;
    lastHead = await readAt(file, 0, end);
  }
  // Small blocks are found many at a time, a large one is passed over unread.
  let piece: Buffer = Buffer.alloc(0);
  let pieceAt = 0;
  const read = async (at: number, length: number) => {
    if (at < pieceAt || at + length > pieceAt + piece.length) {
      piece = await readAt(file, at, pieceBytes);
      pieceAt = at;
    }
    return piece.subarray(at - pieceAt, at - pieceAt + length);
  };
  while (end + blockHeadBytes + blockFootBytes <= size) {
    const head = await read(end, blockHeadBytes);
    const dataBytes = head.length < blockHeadBytes ? 0 : head.readUInt32LE(0);
    const footAt = end + blockHeadBytes + dataBytes;
    if (dataBytes === 0 || footAt + blockFootBytes > size) break;
    const foot = await read(footAt, blockFootBytes);
    if (foot.length < blockFootBytes || foot.readUInt32LE(0) !== dataBytes || foot.readUInt32LE(4) !== blockMark) break;
    lastBlock = end;
    lastHead = Buffer.from(head);
    const sequence = sequenceOf(await read(end + blockHeadBytes, Math.min(dataBytes, sequenceWithin)));
    isDisordered ||= sequence < highest;
    highest = Math.max(highest, sequence);
    end = footAt + blockFootBytes;
  }
  return { inode: from.inode, end, lastBlock, lastHead, highest, isDisordered };
}

/** The sequence of a block's first entry, which is that of all: the third of three numbers of seven bits a byte, the lowest first. */
function sequenceOf(data: Buffer): number {
  let offset = lengthsAt;
  let value = 0;
  for (let number = 0; number < 3; number++) {
    value = 0;
    for (let scale = 1; offset < data.length; scale *= 128) {
      const byte = data[offset++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
  }
  return value;
}

async function readAt(file: fs.FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}
