import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { fileHeader, frameBytes, writeFrame } from "./frame";

const walName = /^uwal_(\d+)\.log$/;

/** The file, and the object, of a WAL. */
export function walFileName(generation: number): string {
  return `uwal_${generation}.log`;
}

/** Generation of a WAL by its name; undefined: it is none. */
export function walGeneration(name: string): number | undefined {
  const digits = walName.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Writes one WAL of blocks that stand behind one another without a hole, durable when it resolves.
 * @param blocks in order of sequence; read one at a time
 */
export async function writeWal(
  path: string,
  blocks: Iterable<{ data: Buffer; hash: number }> | AsyncIterable<{ data: Buffer; hash: number }>,
): Promise<void> {
  const temporary = `${path}.making`;
  const file = await fs.open(temporary, "w");
  try {
    await file.write(fileHeader);
    for await (const { data, hash } of blocks) await file.write(writeFrame(data, hash));
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, path);
  await syncFolder(dirname(path));
}

/** A WAL's bytes, for an engine that asks for it. */
export function walBytes(blocks: readonly { data: Buffer; hash: number }[]): Buffer {
  const bytes = Buffer.allocUnsafe(walLength(blocks));
  let end = fileHeader.copy(bytes);
  for (const { data, hash } of blocks) end += writeFrame(data, hash, bytes.subarray(end)).length;
  return bytes;
}

/** How many bytes {@link walBytes} gives. */
export function walLength(blocks: readonly { data: Buffer }[]): number {
  return blocks.reduce((sum, { data }) => sum + frameBytes + data.length, fileHeader.length);
}

/** Makes names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
