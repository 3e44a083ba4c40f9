import * as fs from "node:fs/promises";
import { footerMark } from "../wal/frame";

/** An SSTable's file, taken apart by its name. */
export interface SstableFileName {
  level: number;
  /** Of a merge that split its output; undefined without. */
  partition?: number;
  id: number;
  half: "keys" | "values";
}

const pattern = /^L(\d+)(?:P(\d+))?_(\d+)\.(klog|vlog)$/;

/** @returns undefined when the name is none of an SSTable */
export function parseSstableFile(name: string): SstableFileName | undefined {
  const match = pattern.exec(name);
  if (!match) return undefined;
  return {
    level: Number(match[1]),
    ...(match[2] !== undefined && { partition: Number(match[2]) }),
    id: Number(match[3]),
    half: match[4] === "klog" ? "keys" : "values",
  };
}

/** The name under which every reader looks for it: by the level that the manifest says, without a partition. */
export function sstableFile(level: number, id: number, half: "keys" | "values"): string {
  return `L${level}_${id}.${half === "keys" ? "klog" : "vlog"}`;
}

const footBytes = 8;
const headBytes = 8;
const metadataMagic = 0x5353544d;
/** Where the metadata say the highest sequence. */
const maxSequenceOffset = 4 + 8 * 8;

/**
 * The highest sequence in an SSTable: its metadata are the last frame of the file of its keys.
 * @throws when the file does not end with one
 */
export async function readMaxSequence(path: string): Promise<number> {
  const file = await fs.open(path, "r");
  try {
    const { size } = await file.stat();
    const foot = await read(file, size - footBytes, footBytes);
    if (!foot.subarray(4).equals(footerMark)) throw new Error(`${path} does not end with a frame`);
    const start = size - footBytes - foot.readUInt32LE(0);
    const metadata = await read(file, start, Math.min(size - footBytes - start, maxSequenceOffset + 8));
    if (start < headBytes || metadata.readUInt32LE(0) !== metadataMagic)
      throw new Error(`${path} does not end with an SSTable's metadata`);
    return Number(metadata.readBigUInt64LE(maxSequenceOffset));
  } finally {
    await file.close();
  }
}

async function read(file: fs.FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  if (position < 0 || (await file.read(bytes, 0, length, position)).bytesRead < length)
    throw new Error("the file of an SSTable is too short");
  return bytes;
}
