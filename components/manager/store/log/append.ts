import { Bucket, StoreClock } from "../bucket/bucket";
import { Change } from "./changes";
import { ChangesEntry, encodeEntry, maxEntryBytes } from "./entry";
import { entryKey } from "./keys";

/** The log goes on without this writer: somebody has sealed its epoch. It must not acknowledge anything any more. */
export class Sealed extends Error {
  constructor(epoch: number, position: number) {
    super(`epoch ${epoch} was ended at ${position} by another writer`);
    this.name = "Sealed";
  }
}

/** The writer was closed by its own node: its engine is gone, and whether the last entry is in the log is for the next reader to see. */
export class WriterClosed extends Error {
  constructor() {
    super("this node no longer writes in this epoch");
    this.name = "WriterClosed";
  }
}

/** What one caller wants in the log. */
export interface Submission {
  changes: Change[];
  /** Data of the blocks in `changes`, in order. */
  payload: Buffer[];
}

export interface LogWriterOptions {
  epoch: number;
  /** The first one that this writer appends. */
  position: number;
  nonce: string;
  /** Time of the entry before, milliseconds since 1970. */
  time: number;
  /** An entry is built, and not durable yet: for followers that keep it. Best effort, must not throw. */
  built?: (entry: ChangesEntry, bytes: Buffer) => void;
  /** An entry is durable. Called in order. */
  durable?: (entry: ChangesEntry) => void;
  /** Somebody else has sealed this epoch. Called once, before anybody who waits is told. */
  sealed?: (error: Sealed) => void;
  /** Asked before an attempt is made again; false closes the writer. */
  mayGoOn?: () => boolean;
}

/** What appends have cost so far. */
export interface AppendFigures {
  entries: number;
  bytes: number;
  /** Milliseconds, summed over all entries, from the first attempt to the answer that counted. */
  milliseconds: number;
}

/** Milliseconds that one attempt of an append may take before its bytes are sent again. */
const attemptTimeout = 2000;
/** Milliseconds between two attempts: the first, and the longest. */
const firstPause = 20;
const longestPause = 500;

interface Waiting extends Submission {
  bytes: number;
  since: number;
  resolve: (position: number) => void;
  reject: (error: unknown) => void;
}

/**
 * Appends to one epoch. One entry is on its way at a time; whatever was submitted meanwhile goes into the next one, so an append serves all who wait.
 */
export class LogWriter {
  private readonly waiting: Waiting[] = [];
  private busy = false;
  private ended: Sealed | WriterClosed | undefined;
  private running: Promise<void> = Promise.resolve();
  readonly figures: AppendFigures = { entries: 0, bytes: 0, milliseconds: 0 };
  private next: number;
  private time: number;
  private oldest: number | undefined;
  /** Bytes of the entry that is on its way. */
  private sending = 0;

  constructor(
    private readonly bucket: Bucket,
    private readonly clock: StoreClock,
    private readonly options: LogWriterOptions,
  ) {
    this.next = options.position;
    this.time = options.time;
  }

  get epoch(): number {
    return this.options.epoch;
  }

  /** The position that the next entry will have. */
  get position(): number {
    return this.next;
  }

  /** An entry is on its way: what is submitted now is built after it. */
  get isBusy(): boolean {
    return this.busy;
  }

  /** Milliseconds for which the oldest of those who wait has waited; 0 without one. More than the promised bound: the engine is to be killed. */
  waitingMilliseconds(): number {
    const since = this.oldest ?? this.waiting[0]?.since;
    return since === undefined ? 0 : this.clock.now() - since;
  }

  /** Bytes of those who wait. */
  get waitingBytes(): number {
    return this.waiting.reduce((sum, { bytes }) => sum + bytes, this.sending);
  }

  /**
   * Resolves with the position of the entry that holds all of it, once that is durable; what one caller submits first stands first.
   * @throws Sealed, WriterClosed
   */
  submit(submission: Submission): Promise<number> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      const bytes = submission.payload.reduce((sum, part) => sum + part.length, 0);
      this.waiting.push({ ...submission, bytes, since: this.clock.now(), resolve, reject });
      if (!this.busy) this.running = this.run();
    });
  }

  /**
   * Stops appending. An attempt in flight may still take effect; it is reported to nobody, and readers of the log find it. Resolves when nothing of this writer's runs any more.
   */
  async close(): Promise<void> {
    if (!this.ended) this.fail(new WriterClosed());
    await this.running;
  }

  private async run(): Promise<void> {
    this.busy = true;
    // All that is submitted in this turn of the loop goes together.
    await Promise.resolve();
    while (this.waiting.length > 0 && !this.ended) {
      const group = this.take();
      this.oldest = group[0]!.since;
      const entry = this.build(group);
      this.sending = entry.payload.length;
      try {
        await this.append(entry);
        this.options.durable?.(entry);
        for (const { resolve } of group) resolve(entry.position);
      } catch (error) {
        if (!(error instanceof WriterClosed))
          this.end(error instanceof Sealed ? error : new Sealed(entry.epoch, entry.position));
        for (const { reject } of group) reject(error);
      }
      this.oldest = undefined;
      this.sending = 0;
    }
    this.busy = false;
  }

  private end(error: Sealed): void {
    if (this.ended) return;
    this.ended = error;
    this.options.sealed?.(error);
    this.fail(error);
  }

  private fail(error: Sealed | WriterClosed): void {
    this.ended = error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  /** Those that fit into one entry, at least one. */
  private take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { bytes: more } of this.waiting) {
      if (count > 0 && bytes + more > maxEntryBytes) break;
      bytes += more;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private build(group: Waiting[]): ChangesEntry {
    this.time = Math.max(this.time, this.clock.wall());
    return {
      kind: "changes",
      epoch: this.options.epoch,
      position: this.next,
      nonce: this.options.nonce,
      time: this.time,
      changes: group.flatMap(({ changes }) => changes),
      payload: Buffer.concat(group.flatMap(({ payload }) => payload)),
    };
  }

  /** Number n is resolved before n+1 is built. An attempt of which nothing is known is made again with the same bytes, for as long as it takes: who waits too long is killed from outside. */
  private async append(entry: ChangesEntry): Promise<void> {
    const key = entryKey(entry.epoch, entry.position);
    const bytes = encodeEntry(entry);
    this.options.built?.(entry, bytes);
    const begun = this.clock.now();
    for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
      const outcome = await settle(this.bucket, key, bytes, attemptTimeout);
      // Its node has gone on without it, and may have read this entry already.
      if (this.ended) throw this.ended;
      if (outcome === "ours") break;
      if (outcome === "another's") throw new Sealed(entry.epoch, entry.position);
      if (this.options.mayGoOn?.() === false) this.fail(new WriterClosed());
      await this.clock.sleep(pause);
    }
    this.next = entry.position + 1;
    this.figures.entries++;
    this.figures.bytes += bytes.length;
    this.figures.milliseconds += this.clock.now() - begun;
  }
}

/** Puts an object where there is none, and reads back what stands there otherwise. The answer of a try that failed is unknown: it may take effect later, with the same bytes. */
export async function settle(
  bucket: Bucket,
  key: string,
  bytes: Buffer,
  timeoutMilliseconds: number,
): Promise<"ours" | "another's" | "unknown"> {
  try {
    if ((await bucket.create(key, bytes, timeoutMilliseconds)) === "created") return "ours";
    const present = await bucket.get(key, timeoutMilliseconds);
    if (!present) return "unknown";
    return present.content.equals(bytes) ? "ours" : "another's";
  } catch {
    return "unknown";
  }
}
