import * as fs from "node:fs/promises";
import { fileHeader, frameBytes, readFrame } from "./frame";
import { readCommit } from "./commit";

/** A block that was found in a WAL, whole and right. */
export interface FoundBlock {
  generation: number;
  sequence: number;
  tables: number[];
  hash: number;
  data: Buffer;
}

/** Bytes behind an open place that are looked at. */
const openBytes = 64 * 1024;
const nothing = Buffer.alloc(openBytes);
/** Bytes that are read at once where nothing is known of what is there. */
const chunkBytes = 64 * 1024;

/**
 * Reads one WAL while the engine writes it, block by block, up to the first that is not whole: several writers reserve their places and fill them at the same time. What stands behind such a place waits for
 * it, a moment as a rule. To look for blocks behind it would be a guess: within a block that is half written a row can look like one.
 */
export class WalScanner {
  private position = fileHeader.length;
  /** Before the last look. */
  private former = fileHeader.length;
  /** The last look found nothing: most of the time nobody writes. */
  private isIdle = false;

  private constructor(
    private readonly file: fs.FileHandle,
    readonly generation: number,
  ) {}

  /** Keeps the file open, so that it can be read to its end after the engine has deleted it. */
  static async open(path: string, generation: number): Promise<WalScanner> {
    return new WalScanner(await fs.open(path, "r"), generation);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Makes durable on the disk what a look has found. */
  sync(): Promise<void> {
    return this.file.datasync();
  }

  /** The offset up to which every block was found. */
  get readUntil(): number {
    return this.position;
  }

  /** Size of the file in bytes, with what the engine has reserved for later. */
  async size(): Promise<number> {
    return (await this.file.stat()).size;
  }

  /** Every block that is whole by now, up to the first that is not. Each is found once. */
  async look(): Promise<FoundBlock[]> {
    const found: FoundBlock[] = [];
    this.former = this.position;
    if (this.isIdle && (await this.isEmpty())) return found;
    this.isIdle = false;
    for (let wanted = chunkBytes; ;) {
      const bytes = await this.read(wanted);
      let offset = 0;
      let frame = readFrame(bytes, offset);
      for (; typeof frame !== "string"; frame = readFrame(bytes, offset)) {
        found.push({ generation: this.generation, ...readCommit(frame.data), hash: frame.hash, data: frame.data });
        offset = frame.end;
      }
      this.position += offset;
      this.isIdle = frame === "zero" && found.length === 0;
      if (frame !== "cut off" || bytes.length < wanted) return found;
      // The next one is longer than what was read of it, or says so before it is whole.
      wanted = chunkBytes;
      if (bytes.length - offset >= 8) wanted = Math.max(wanted, bytes.readUInt32LE(offset) + frameBytes);
      if (offset === 0 && wanted <= bytes.length) return found;
      if (wanted > chunkBytes && this.position + wanted > (await this.size())) return found;
    }
  }

  /** What the last look has found is for the next one. */
  undo(): void {
    this.position = this.former;
    this.isIdle = false;
  }

  /** Whether something was written behind the first place that is not whole, as far as a committer's place goes that is no larger than {@link openBytes}. */
  async isOpen(): Promise<boolean> {
    const bytes = await this.read(openBytes);
    return !bytes.equals(nothing.subarray(0, bytes.length));
  }

  /** Whether nothing was written since: a few bytes tell, dozens of times a second. */
  private async isEmpty(): Promise<boolean> {
    return readFrame(await this.read(frameBytes), 0) === "zero";
  }

  private async read(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.file.read(bytes, filled, length - filled, this.position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }
}
