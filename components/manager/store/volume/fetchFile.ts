import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket } from "../bucket/bucket";
import { FileRecord } from "../log/changes";
import { syncFolder } from "../wal/files";

export interface FetchFileOptions {
  /** Where it is while it comes, on the same volume. */
  temporary: string;
  progressed?: () => void;
  /** Asked when all of it is there; false: it is not wanted any more. */
  mayPlace?: () => boolean;
}

/** Fetches an object to its place on the volume. Only with the content that was uploaded it is put there, synced, and its name durable. */
export async function fetchFile(
  bucket: Bucket,
  file: FileRecord,
  full: string,
  { temporary, progressed, mayPlace = () => true }: FetchFileOptions,
): Promise<"placed" | "missing" | "other content" | "unwanted"> {
  const sum = await bucket.getFile(file.key, temporary, progressed);
  const isRight = sum?.size === file.size && sum.crc32 === file.crc32;
  if (!isRight || !mayPlace()) {
    await fs.rm(temporary, { force: true });
    if (!sum) return "missing";
    return isRight ? "unwanted" : "other content";
  }
  await fs.rename(temporary, full);
  await syncFolder(join(full, ".."));
  return "placed";
}
