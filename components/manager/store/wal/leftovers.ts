import * as fs from "node:fs/promises";
import { join } from "node:path";
import { fileHeader, frameBytes, readFrame } from "./frame";
import { readCommit } from "./commit";
import { walGeneration } from "./files";
import { FoundBlock } from "./scanner";

const chunkBytes = 256 << 10;

/**
 * The blocks in the WALs of an engine that has ended, in order of sequence: what it had acknowledged in `interval` and its manager had not brought into the log. Places that its writers had reserved and
 * not filled are passed over. A WAL is read up to the end of what was written: the engine reserves several times that.
 * @param after the newest generation whose flush was released: what older WALs hold must never be replayed again
 * @param progressed told of each piece of a file
 */
export async function readLeftovers(directory: string, after: number, progressed?: () => void): Promise<FoundBlock[]> {
  const blocks: FoundBlock[] = [];
  const names = await fs.readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  for (const name of names) {
    const generation = walGeneration(name);
    if (generation === undefined || generation <= after) continue;
    for (const { data, hash } of wholeBlocks(await readWithoutReserve(join(directory, name), progressed)))
      blocks.push({ generation, ...readCommit(data), hash, data });
  }
  return blocks.sort((a, b) => a.sequence - b.sequence);
}

/** What a file holds up to its last byte that is not zero, and some zeros behind it. */
export async function readWithoutReserve(file: string, progressed: () => void = () => undefined): Promise<Buffer> {
  const handle = await fs.open(file);
  try {
    const [chunk, zeros] = [Buffer.alloc(chunkBytes), Buffer.alloc(chunkBytes)];
    let written = 0;
    for (let at = 0; ;) {
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes, at);
      if (bytesRead === 0) break;
      progressed();
      at += bytesRead;
      if (!chunk.subarray(0, bytesRead).equals(zeros.subarray(0, bytesRead))) written = at;
    }
    const bytes = Buffer.alloc(written);
    let filled = 0;
    while (filled < written) {
      const { bytesRead } = await handle.read(bytes, filled, written - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

/** The whole blocks of a file that nobody writes any more. */
export function wholeBlocks(bytes: Buffer): { data: Buffer; hash: number }[] {
  const blocks: { data: Buffer; hash: number }[] = [];
  for (let offset = fileHeader.length; offset + frameBytes <= bytes.length;) {
    const frame = readFrame(bytes, offset);
    if (typeof frame !== "string") {
      blocks.push(frame);
      offset = frame.end;
    } else if (frame === "zero") {
      const next = firstFrameBehindZeros(bytes, offset);
      if (next === undefined) break;
      offset = next;
    } else {
      // Half a block. Its head says where the next one begins; nothing within it is taken for a block.
      offset += bytes.readUInt32LE(offset) + frameBytes;
    }
  }
  return blocks;
}

/** A block begins with its length, whose lowest bytes can be zero: at the first byte that is not, or up to three before it. */
function firstFrameBehindZeros(bytes: Buffer, from: number): number | undefined {
  let first = from;
  for (const step = 4096, zeros = Buffer.alloc(step); ; first += step) {
    if (first >= bytes.length) return undefined;
    const part = bytes.subarray(first, first + step);
    if (part.equals(zeros.subarray(0, part.length))) continue;
    first += part.findIndex(byte => byte !== 0);
    break;
  }
  const starts = [0, 1, 2, 3].map(before => first - before).filter(start => start >= from);
  const whole = starts.find(start => typeof readFrame(bytes, start) !== "string");
  return whole ?? first;
}
