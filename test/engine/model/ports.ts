/** An object as the store holds it. */
export interface StoredObject {
  body: Uint8Array;
  etag: string;
  metadata: Record<string, string>;
}

/** What HEAD answers. */
export interface ObjectHead {
  size: number;
  etag: string;
  metadata: Record<string, string>;
}

/** One line of a listing. */
export interface ListedObject {
  key: string;
  size: number;
}

/** Conditions and metadata of a PUT. */
export interface PutOptions {
  /** Only when no object has the key. */
  ifNoneMatch?: boolean;
  /** Only when the object's ETag is this one. */
  ifMatch?: string;
  /** Sent as `x-amz-meta-<name>`. */
  metadata?: Record<string, string>;
}

/**
 * What the engine needs of an object store. Keys are relative to the engine's prefix. Every call may reject: with {@link PreconditionFailed} where a condition did
 * not hold, with any other error where the store did not answer as it should.
 */
export interface ObjectStore {
  /** Resolves with the new ETag. */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<string>;
  get(key: string): Promise<StoredObject | undefined>;
  head(key: string): Promise<ObjectHead | undefined>;
  /** In the order of the keys' bytes, as S3 lists. */
  list(prefix: string): Promise<ListedObject[]>;
  /** Resolves whether or not there was such an object. */
  delete(key: string): Promise<void>;
  /**
   * Does the work of one of the engine's threads: all that it asks of this store goes over a connection of its own, as each thread of the engine's has one.
   * @param kind of thread: the next one of its kind gets the connection, when it is free
   */
  thread<T>(kind: string, work: () => Promise<T>): Promise<T>;
}

/** A conditional PUT whose condition did not hold. */
export class PreconditionFailed extends Error {
  constructor(key: string) {
    super(`the object ${key} is not what the condition asks for`);
    this.name = "PreconditionFailed";
  }
}

/**
 * The directory `tidesdb_data`. Names are relative to it, with `/` between folders. What a call has written survives the death of the process: the engine syncs its
 * WAL at each commit.
 */
export interface Disk {
  /** The content; it never changes afterwards. */
  read(name: string): Uint8Array | undefined;
  write(name: string, content: Uint8Array): void;
  append(name: string, content: Uint8Array): void;
  /** Gives up what is reserved behind the content for what might be appended: nothing will. */
  trim(name: string): void;
  /** Undefined when there is no such file. Bytes. */
  size(name: string): number | undefined;
  /** A file or a folder with all that is in it; no error when there is none. */
  remove(name: string): void;
  /** All files, in no particular order. */
  list(): string[];
}

/** Time, real or virtual. */
export interface Clock {
  /** Milliseconds since any moment; never goes back. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** In [0, 1). */
export type Random = () => number;

/** One line of the engine's own log. */
export type EngineLog = (level: "info" | "warning" | "error", message: string) => void;

/** All that an engine needs of the world. */
export interface Environment {
  disk: Disk;
  store: ObjectStore;
  clock: Clock;
  random: Random;
  log: EngineLog;
}
