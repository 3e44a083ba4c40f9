import * as fs from "node:fs/promises";
import { join } from "node:path";
import { fileHeader, frameBytes, readFrame } from "./frame";
import { readCommit } from "./commit";
import { walGeneration } from "./files";
import { FoundBlock } from "./scanner";

/**
 * The blocks in the WALs of an engine that has ended, in order of sequence: what it had acknowledged in `interval` and its manager had not brought into the log. Places that its writers had reserved and
 * not filled are passed over. A WAL is read as a whole: it is a write buffer long, and this happens once.
 * @param after the newest generation whose flush was released: what older WALs hold must never be replayed again
 */
export async function readLeftovers(directory: string, after: number): Promise<FoundBlock[]> {
  const blocks: FoundBlock[] = [];
  const names = await fs.readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  for (const name of names) {
    const generation = walGeneration(name);
    if (generation === undefined || generation <= after) continue;
    for (const { data, hash } of wholeBlocks(await fs.readFile(join(directory, name))))
      blocks.push({ generation, ...readCommit(data), hash, data });
  }
  return blocks.sort((a, b) => a.sequence - b.sequence);
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
