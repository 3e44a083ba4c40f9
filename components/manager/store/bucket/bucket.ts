/**
 * What the store needs of a bucket. Keys are relative to the deployment's prefix. Every call rejects with any other error when it is not known whether it took effect: a time-out, a reset, an answer of
 * 409 or 5xx. The caller decides what that means; nothing in here tries a write again.
 */
export interface Bucket {
  /** Content of an object, undefined when there is none. For small ones: an entry, a checkpoint's head, the owner's record. */
  get(key: string, timeoutMilliseconds: number): Promise<StoredContent | undefined>;
  /** Creates an object. `taken`: there is one under this key already, and nothing was written. */
  create(key: string, content: Uint8Array, timeoutMilliseconds: number): Promise<"created" | "taken">;
  /** Replaces the object whose ETag is `etag`, or creates it (`etag` undefined). @returns the new ETag, undefined when the condition does not hold */
  replace(
    key: string,
    content: Uint8Array,
    etag: string | undefined,
    timeoutMilliseconds: number,
  ): Promise<string | undefined>;
  /** Sends a file, streamed; in parts when it is large. @returns its size and CRC-32 as they were sent */
  putFile(key: string, path: string): Promise<FileSum>;
  /** Fetches an object into a file that is not there yet, streamed, and syncs it. @param progressed told of each piece that came @returns its size and CRC-32; undefined when there is no such object */
  getFile(key: string, path: string, progressed?: () => void): Promise<FileSum | undefined>;
  /** Keys below a folder that come after `after`, in order, at most `limit`. For `check`, restore and the garbage of dead writers: nothing else lists. */
  list(folder: string, after: string, limit: number, timeoutMilliseconds: number): Promise<string[]>;
  /** Deletes an object. One that is not there is no error. */
  delete(key: string, timeoutMilliseconds: number): Promise<void>;
}

/** What a restore and `tidesql check` need of a bucket beside. */
export interface RestorableBucket extends Bucket {
  /** Keys and sizes below a folder that come after `after`, in order, at most `limit`. */
  sizes(folder: string, after: string, limit: number, timeoutMilliseconds: number): Promise<StoredSize[]>;
  /** Has the store copy the object of this key from another folder of its. It can be done twice. @returns false when there is no such object */
  copyFrom(source: SourceFolder, key: string, size: number): Promise<boolean>;
}

export interface StoredSize {
  key: string;
  size: number;
}

/** Another deployment's folder in the same store. */
export interface SourceFolder {
  bucket: string;
  /** Ends with a slash. */
  prefix: string;
}

export interface StoredContent {
  content: Buffer;
  etag: string;
}

/** Size in bytes and CRC-32 of a file. */
export interface FileSum {
  size: number;
  crc32: number;
}

/** Time as the store uses it; the manager's clock fits. */
export interface StoreClock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Wall clock in milliseconds since 1970: for `history` and for people, never for a decision. */
  wall(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Calls back again and again. Absent: a timer of the process does. @returns what ends it */
  every?: (milliseconds: number, run: () => void) => () => void;
}

/** Calls back again and again, and does not keep the process alive. @returns what ends it */
export function everyByTimer(milliseconds: number, run: () => void): () => void {
  const timer = setInterval(run, milliseconds);
  timer.unref();
  return () => clearInterval(timer);
}
