import * as fs from "node:fs/promises";

/** Of a file that are read at a time. */
const chunkBytes = 64 * 1024;

/**
 * Reads a file from its beginning, in one piece of memory that is used again and again: as many new ones would wait for the collection of the heap's garbage, beside the heap, until they are more than the heap is.
 * @param take gets what was read and not taken yet; it is valid until the call returns. @returns how many of these bytes it is done with
 * @returns bytes at the end that were not taken
 * @throws ENOENT
 */
export async function readInPieces(path: string, take: (bytes: Buffer) => number): Promise<number> {
  const file = await fs.open(path, "r");
  try {
    let buffer = Buffer.alloc(2 * chunkBytes);
    let held = 0;
    for (let position = 0; ;) {
      if (buffer.length - held < chunkBytes) buffer = Buffer.concat([buffer, Buffer.alloc(buffer.length)]);
      const { bytesRead } = await file.read(buffer, held, chunkBytes, position);
      if (bytesRead === 0) return held;
      position += bytesRead;
      held += bytesRead;
      const taken = take(buffer.subarray(0, held));
      buffer.copyWithin(0, taken, held);
      held -= taken;
    }
  } finally {
    await file.close();
  }
}
