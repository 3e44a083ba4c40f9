import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket, everyByTimer, StoreClock } from "./bucket/bucket";
import { LogWriter, Sealed } from "./log/append";
import { ChangesEntry, Entry } from "./log/entry";
import { checkpoint, checkpointDue, collectGarbage } from "./log/keeping";
import { deleteUnnamed } from "./log/deadWriters";
import { HistoryRules } from "./log/history";
import { Election, followSeal, PushedEntries, seal } from "./log/seal";
import { blockName, DatabaseState, LiveBlock } from "./log/state";
import { LogReader, openLog } from "./log/tail";
import { DraftBox, DraftLine } from "./wal/drafts";
import { readLeftovers } from "./wal/leftovers";
import { FoundBlock } from "./wal/scanner";
import { Shipper } from "./wal/shipper";
import { submitBlocks } from "./wal/submit";
import { FlushBook } from "./flush/flushBook";
import { align, Alignment } from "./volume/align";
import { VolumeBook } from "./volume/book";
import { FollowerFeed } from "./view/feed";
import { EngineHandler } from "./gateway/gateway";
import { FollowingRequests } from "./gateway/followingRequests";
import { OpeningRequests } from "./gateway/openingRequests";
import { WriterRequests } from "./gateway/writerRequests";

export interface StoreNodeOptions {
  bucket: Bucket;
  clock: StoreClock;
  /** The engine's data directory. */
  directory: string;
  /** A directory on the same volume, for the book and for scratch files. */
  own: string;
  /** Of this node, for people. */
  name: string;
  /** The engine acknowledges a commit when it is in the log (`commit`), or when it is on its disk (`interval`). */
  durability: "commit" | "interval";
  warn: (message: string, fields?: Record<string, unknown>) => void;
  /** This node's epoch was ended by another: its engine must die before anything is answered. */
  sealed: (error: Sealed) => void;
  /**
   * A commit has waited for longer than `boundMilliseconds`: the engine must die before it takes that for a failure, which it would acknowledge. The bucket does not answer, or a writer has left a place in the
   * WAL that nobody will fill.
   */
  overdue(milliseconds: number): void;
  /** At most 20,000: the engine gives a request up after 60 s without a byte, and one that is given up is sent again at once. */
  boundMilliseconds: number;
  /** An entry is built and not durable yet: for the other nodes. */
  built?: (epoch: number, position: number, bytes: Buffer) => void;
  /** In `interval`: a draft of what this node's writer has found and no entry holds yet, for the other nodes. */
  drafted?: (epoch: number, bytes: Buffer) => void;
  /** An entry of this node's is durable, and applied to its state. */
  durable?: (epoch: number, position: number) => void;
  /** Asked before an attempt of a takeover is made again; false ends it. Default: it never ends by itself. */
  mayTakeOver?: () => boolean;
}

/** A writing engine's side of the store. */
export interface Writing {
  handler: WriterRequests;
  log: LogWriter;
  shipper: Shipper;
  flushes: FlushBook;
  /** Reads what the engine has written, and tells the other nodes of it; it goes into the log when that is asked for. */
  peek: () => Promise<void>;
  /** Milliseconds for which the oldest commit has waited. */
  waitingMilliseconds: () => number;
  /** Resolves when the flush of this generation was released. */
  released: (generation: number) => Promise<void>;
  /** Ends the reading of the engine's files, and the appending of what they hold. The engine is gone. */
  close(): Promise<void>;
}

const longestBound = 20_000;
/** Beside the book: the epoch in which this volume's engine has written last. */
const epochFile = "epoch";
/** Which object each file is. */
const bookFile = "book";
/** The database that this volume is of. */
const databaseFile = "database";

/**
 * One node's store: the state of the log, the aligned volume, and what its engine is shown. In order: {@link open}, {@link catchUp} or {@link takeOver}, {@link align}, {@link opening} while the engine starts,
 * then {@link follow} or {@link write}.
 */
export class StoreNode {
  private alignment: Alignment | undefined;
  private aligned: LiveBlock[] = [];
  private feed: FollowerFeed | undefined;
  /** Entries that the state has and the view has not. */
  private readonly unfed: Entry[] = [];
  private waiters: (() => void)[] = [];
  private since = { entries: 0, bytes: 0, at: 0 };
  private checkpointing: Promise<void> | undefined;

  /** Checkpoints that this node has written, oldest first, and when: garbage goes by their age. */
  private readonly checkpoints: { position: number; at: number }[] = [];

  /** When this node began to write. */
  private writesSince = 0;
  /** The epoch in which it has deleted what dead writers had left. */
  private unnamedGone = -1;

  private constructor(
    private readonly options: StoreNodeOptions,
    private readonly reader: LogReader,
    private readonly book: VolumeBook,
    readonly databaseId: string,
    private ownEpoch: number,
  ) {
    this.since.at = options.clock.now();
  }

  /** Reads the newest checkpoint. @throws ForeignPrefix, UnreadableEntry */
  static async open(options: StoreNodeOptions): Promise<StoreNode> {
    await fs.mkdir(options.own, { recursive: true });
    const { owner, state } = await openLog(options.bucket, join(options.own, "checkpoint.reading"));
    await knowDatabase(options.own, owner.owner.databaseId);
    const book = await VolumeBook.open(join(options.own, bookFile));
    const ownEpoch = Number(await fs.readFile(join(options.own, epochFile), "utf8").catch(() => "-1"));
    return new StoreNode(options, new LogReader(options.bucket, state), book, owner.owner.databaseId, ownEpoch);
  }

  get state(): DatabaseState {
    return this.reader.state;
  }

  /** Whether this volume is the last writer's: what its engine has acknowledged and nobody has brought into the log is on it. */
  get isLastWriters(): boolean {
    return this.ownEpoch === this.state.epoch;
  }

  /** Applies what is in the log by now. Only of a node that does not write. @returns how many entries @throws BehindHorizon, UnreadableEntry */
  async catchUp(): Promise<number> {
    await this.feedOn();
    let count = 0;
    for (let entry = await this.reader.next(); entry; entry = await this.reader.next()) {
      count++;
      this.unfed.push(entry);
      await this.feedOn();
    }
    return count;
  }

  /** Applies the next entry, which came another way and is durable. Only of a node that does not write. @throws UnreadableEntry */
  async apply(bytes: Buffer): Promise<void> {
    await this.feedOn();
    const entry = await this.reader.next(bytes);
    if (entry) this.unfed.push(entry);
    await this.feedOn();
  }

  /** Tells the follower's view of what the state has taken already; what cannot be fetched of it now is told first the next time. */
  private async feedOn(): Promise<void> {
    if (!this.feed) this.unfed.length = 0;
    for (let entry = this.unfed[0]; entry; entry = this.unfed[0]) {
      await this.feed?.take(entry, key => this.large(key));
      this.unfed.shift();
      this.wake();
    }
  }

  /** Whether the entries from this node's position on are still kept. @throws BehindHorizon */
  async assertKept(): Promise<void> {
    await this.reader.assertKept();
  }

  /**
   * Seals the epoch that the log is in, with what was pushed of it. No engine of this node's runs.
   * @param drafts what its writer had not put into entries
   * @returns undefined when another was elected
   * @throws WriterClosed: it may not go on
   */
  async takeOver(pushed?: PushedEntries, insist = false, drafts?: DraftBox): Promise<Election | undefined> {
    const { bucket, clock, name, mayTakeOver } = this.options;
    await this.appendLeftovers();
    return seal(bucket, clock, this.reader, {
      nonce: randomBytes(16).toString("hex"),
      author: name,
      ...(pushed && { pushed }),
      insist,
      appendMore: async () => {
        const blocks = drafts?.usable(this.state, this.reader.last) ?? [];
        if (blocks.length === 0) return false;
        // A candidate that has slept may find its number free because the entry there was deleted.
        await this.reader.assertKept();
        await this.appendBlocks(blocks);
        return true;
      },
      ...(mayTakeOver && { mayGoOn: mayTakeOver }),
    });
  }

  /**
   * What this volume's engine has acknowledged and nobody has brought into the log, when its epoch is open still: it goes there first. After another's seal it is lost, as with the node. In `commit` it
   * is what was not acknowledged: brought along all the same, so that a commit that others have seen before is not gone where it need not be. No engine of this node's runs.
   */
  async appendLeftovers(): Promise<void> {
    this.feed = undefined;
    await this.catchUp();
    while (this.isLastWriters) {
      const { blocks, flushedGeneration } = this.state;
      const found = await readLeftovers(this.options.directory, flushedGeneration);
      if (await this.appendBlocks(found.filter(block => !blocks.has(blockName(block))))) return;
      await this.catchUp();
    }
  }

  /**
   * Appends blocks behind the state's position, in the name of a writer that is gone, or is to be: its next attempt meets them.
   * @returns false when something else stands there: an entry that was on its way, or a seal
   */
  private async appendBlocks(found: FoundBlock[]): Promise<boolean> {
    const { bucket, clock, mayTakeOver } = this.options;
    const { position, time, epoch } = this.state;
    const log = new LogWriter(bucket, clock, {
      epoch,
      position: position + 1,
      nonce: randomBytes(16).toString("hex"),
      time,
      ...(mayTakeOver && { mayGoOn: mayTakeOver }),
    });
    try {
      const handed = await submitBlocks(found, { bucket, clock, epoch, submit: submission => log.submit(submission) });
      await handed.durable;
      return true;
    } catch (error) {
      if (!(error instanceof Sealed)) throw error;
      return false;
    }
  }

  /** Brings the volume to the state's position. No engine runs on it. */
  async align(): Promise<Alignment> {
    const { bucket, directory } = this.options;
    this.feed = undefined;
    this.aligned = this.state.blocksToReplay();
    this.alignment = await align(bucket, this.state, directory, this.book);
    return this.alignment;
  }

  /** What the engine is shown while it opens the aligned volume. */
  opening(): EngineHandler {
    return new OpeningRequests(this.state.snapshot());
  }

  /** What a running engine is shown from the position of the alignment on. */
  follow(levels = 5): { handler: FollowingRequests; feed: FollowerFeed } {
    if (!this.alignment) throw new Error("the volume was not aligned");
    const { bucket, clock, own, warn } = this.options;
    const starting = new Map([...this.state.tables].map(([number, { files }]) => [number, deepest(files.values())]));
    const feed = new FollowerFeed(
      this.state.snapshot(),
      table => Math.max(levels, starting.get(table.number) ?? 0),
      this.alignment.generation,
    );
    this.feed = feed;
    const news = async (milliseconds: number) => {
      const position = feed.position;
      const woken = new Promise<void>(resolve => this.waiters.push(resolve));
      if (feed.position === position && feed.heldBlocks === 0) await Promise.race([woken, clock.sleep(milliseconds)]);
    };
    return { handler: new FollowingRequests({ bucket, clock, feed, scratch: own, news, warn }), feed };
  }

  /** The engine is about to be promoted. Only after {@link takeOver} and {@link align}, once for each. */
  async write({ epoch, position }: Election): Promise<Writing> {
    await fs.writeFile(join(this.options.own, epochFile), String(epoch), { flush: true });
    this.ownEpoch = epoch;
    this.writesSince = this.options.clock.now();
    const { alignment, options, book } = this;
    if (!alignment || this.state.epoch !== epoch || this.state.position !== position - 1)
      throw new Error("the volume was not aligned to the seal");
    this.alignment = undefined;
    const { bucket, clock, directory, durability, warn, boundMilliseconds } = options;
    if (!(boundMilliseconds > 0 && boundMilliseconds <= longestBound))
      throw new Error(`boundMilliseconds is from 1 to ${longestBound}: the engine gives up after 60 s`);
    const nonce = randomBytes(16).toString("hex");
    const { drafted } = options;
    // In `commit` nobody has an answer before the log has the commit.
    const drafts =
      drafted && durability === "interval"
        ? new DraftLine(epoch, nonce, position - 1, bytes => drafted(epoch, bytes))
        : undefined;
    const log = new LogWriter(bucket, clock, {
      epoch,
      position,
      nonce,
      time: this.state.time,
      built: (entry, bytes) => {
        drafts?.built(entry);
        options.built?.(entry.epoch, entry.position, bytes);
      },
      durable: entry => this.appended(entry),
      sealed: options.sealed,
    });
    const flushes = new FlushBook(
      alignment.generation,
      this.state.liveTables().map(({ number, files }) => ({ number, files: files.values() })),
      this.aligned,
    );
    const shipper = new Shipper(bucket, clock, {
      directory,
      epoch,
      known: new Set(this.aligned.map(({ sequence, hash }) => `${sequence}.${hash}`)),
      sync: durability === "interval",
      submit: submission => log.submit(submission),
      seen: (blocks, isHeld) => drafts?.found(blocks, isHeld || log.isBusy),
      found: (generation, blocks) => flushes.found(generation, blocks),
    });
    let done = alignment.generation - 1;
    let waiting: { generation: number; resolve(): void }[] = [];
    const released = (generation: number) => {
      done = generation;
      waiting.filter(one => one.generation <= done).forEach(one => one.resolve());
      waiting = waiting.filter(one => one.generation > done);
    };
    const handler = new WriterRequests({
      bucket,
      clock,
      directory,
      state: this.state,
      log,
      shipper,
      flushes,
      book,
      warn,
      released,
    });
    const waitingMilliseconds = () => Math.max(log.waitingMilliseconds(), shipper.waitingMilliseconds());
    const endWatch = (clock.every ?? everyByTimer)(Math.min(250, boundMilliseconds / 4), () => {
      const waited = waitingMilliseconds();
      if (waited <= boundMilliseconds) return;
      endWatch();
      options.overdue(waited);
    });
    void followSeal(bucket, { epoch, position }).catch((error: unknown) =>
      warn("owner.json could not be updated after the seal yet", { error: String(error) }),
    );
    return {
      handler,
      log,
      shipper,
      flushes,
      peek: () => shipper.peek(),
      waitingMilliseconds,
      released: generation =>
        generation <= done
          ? Promise.resolve()
          : new Promise(resolve => waiting.push({ generation, resolve: () => resolve() })),
      close: async () => {
        endWatch();
        handler.close();
        await shipper.close();
        await log.close();
      },
    };
  }

  /** No engine runs, and nothing is written any more. */
  close(): Promise<void> {
    return this.book.close();
  }

  private appended(entry: ChangesEntry): void {
    this.state.apply(entry);
    this.options.durable?.(entry.epoch, entry.position);
    this.since.entries++;
    this.since.bytes += entry.payload.length;
    const { clock, bucket, own, warn } = this.options;
    const milliseconds = clock.now() - this.since.at;
    if (this.checkpointing || !checkpointDue({ ...this.since, milliseconds })) return;
    this.since = { entries: 0, bytes: 0, at: clock.now() };
    const snapshot = this.state.snapshot();
    this.checkpointing = checkpoint(bucket, snapshot, join(own, "checkpoint.writing"))
      .then(() => void this.checkpoints.push({ position: snapshot.position, at: clock.now() }))
      .catch((error: unknown) => warn("a checkpoint could not be written", { error: String(error) }))
      .finally(() => (this.checkpointing = undefined));
  }

  /** Resolves when no checkpoint is being written. */
  async checkpointed(): Promise<void> {
    await this.checkpointing;
  }

  /**
   * Deletes what no kept position needs, slowly. Only of a node that writes. The checkpoint that the horizon is raised to has to be older than `keepMilliseconds`, so that who reads an older state of the
   * database has so long to come to its end.
   * @returns how many objects went
   */
  async collectGarbage(
    { log }: Writing,
    { keepMilliseconds, rules }: { keepMilliseconds: number; rules: HistoryRules },
    stillWriter: () => boolean,
  ): Promise<number> {
    const { bucket, clock } = this.options;
    const { deleted, swept } = await collectGarbage(bucket, clock, {
      state: this.state.snapshot(),
      now: Math.min(clock.wall(), this.state.time),
      rules,
      latest: this.checkpoints.findLast(({ at }) => clock.now() - at >= keepMilliseconds)?.position ?? -1,
      youngMilliseconds: keepMilliseconds,
      stillWriter,
    });
    if (swept && stillWriter()) await log.submit({ changes: [swept], payload: [] });
    // Once in an epoch, and not at once: what a dead writer has on its way has arrived, or never will.
    if (this.unnamedGone === log.epoch || clock.now() - this.writesSince < keepMilliseconds) return deleted;
    const unnamed = await deleteUnnamed(bucket, clock, this.state.snapshot(), stillWriter);
    if (stillWriter()) this.unnamedGone = log.epoch;
    return deleted + unnamed;
  }

  private wake(): void {
    this.waiters.splice(0).forEach(resolve => resolve());
  }

  private async large(key: string): Promise<Buffer> {
    const object = await this.options.bucket.get(key, 60_000);
    if (!object) throw new Error(`${key}, which the log names, is not in the bucket`);
    return object.content;
  }
}

/**
 * What is beside the engine's files is of one database. A restored one has the keys and the epochs of the one that it was copied from, and other content as soon as it goes on: a volume that was the other's may
 * be read, file by file, and nothing that it says of itself counts.
 */
async function knowDatabase(own: string, databaseId: string): Promise<void> {
  const path = join(own, databaseFile);
  const known = await fs.readFile(path, "utf8").catch(() => undefined);
  if (known === databaseId) return;
  if (known !== undefined) for (const file of [bookFile, epochFile]) await fs.rm(join(own, file), { force: true });
  await fs.writeFile(path, databaseId, { flush: true });
}

function deepest(files: Iterable<{ level: number }>): number {
  let level = 1;
  for (const file of files) level = Math.max(level, file.level);
  return level;
}
