import * as fs from "node:fs/promises";
import { crc32 } from "node:zlib";
import { FileSum } from "../bucket/bucket";

const chunkBytes = 128 * 1024;

/** Size and CRC-32 of a file, read in pieces. @param sync makes it durable first @param progressed told of each piece */
export async function fileSum(
  path: string,
  { sync, progressed = () => undefined }: { sync: boolean; progressed?: () => void },
): Promise<FileSum> {
  const file = await fs.open(path, "r");
  try {
    if (sync) await file.sync();
    const chunk = Buffer.alloc(chunkBytes);
    const sum: FileSum = { size: 0, crc32: 0 };
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunkBytes, sum.size);
      if (bytesRead === 0) return sum;
      sum.crc32 = crc32(chunk.subarray(0, bytesRead), sum.crc32);
      sum.size += bytesRead;
      progressed();
    }
  } finally {
    await file.close();
  }
}
