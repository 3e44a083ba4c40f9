import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { FollowerView } from "./followerView";
import { EngineHandler } from "./gateway/gateway";
import { FollowingRequests } from "./gateway/followingRequests";
import { OpeningRequests } from "./gateway/openingRequests";
import { LogWriter, Sealed } from "./log/append";
import { decodeEntry, SealEntry } from "./log/entry";
import { HistoryRules } from "./log/history";
import { entryKey } from "./log/keys";
import { Election, PushedEntries, seal } from "./log/seal";
import { blockName, DatabaseState, LiveBlock } from "./log/state";
import { LogReader, openLog } from "./log/tail";
import { StoreNodeOptions } from "./nodeOptions";
import { OwnFolder } from "./ownFolder";
import { Upkeep } from "./upkeep";
import { FollowerFeed } from "./view/feed";
import { Ahead } from "./volume/ahead";
import { align, Alignment } from "./volume/align";
import { placeDefinitions } from "./volume/definitionFiles";
import { DefinitionWatch, FoundDefinition } from "./wal/definitionWatch";
import { numberOfDefinitions } from "./wal/definitionWrites";
import { DraftBox } from "./wal/drafts";
import { readLeftovers } from "./wal/leftovers";
import { FoundBlock } from "./wal/scanner";
import { submitBlocks } from "./wal/submit";
import { startWriting, Writing } from "./writing";

/** Milliseconds that reading a seal may take. */
const sealTimeout = 5000;

/**
 * One node's store: the state of the log, the aligned volume, and what its engine is shown. In order: {@link open}, {@link catchUp} or {@link takeOver}, {@link align}, {@link opening} while the engine starts,
 * then {@link follow} or {@link write}.
 */
export class StoreNode {
  private alignment: Alignment | undefined;
  /** What stands in the WAL of the aligned volume. */
  private aligned: LiveBlock[] = [];
  private readonly view: FollowerView;
  private readonly upkeep: Upkeep;
  private readSeal: SealEntry | undefined;

  private constructor(
    private readonly options: StoreNodeOptions,
    private readonly reader: LogReader,
    private readonly own: OwnFolder,
  ) {
    const { bucket, clock, warn, server, directory } = options;
    const ahead = () => new Ahead({ bucket, directory, book: own.book, state: () => reader.state, warn });
    this.view = new FollowerView({ bucket, clock, scratch: options.own, server, warn, ahead });
    this.upkeep = new Upkeep({ bucket, clock, scratch: own.scratch("checkpoint.writing"), warn });
  }

  /** Reads the newest checkpoint. @throws ForeignPrefix, UnreadableEntry */
  static async open(options: StoreNodeOptions): Promise<StoreNode> {
    const { bucket } = options;
    await fs.mkdir(options.own, { recursive: true });
    const { owner, state } = await openLog(bucket, join(options.own, "checkpoint.reading"));
    return new StoreNode(
      options,
      new LogReader(bucket, state),
      await OwnFolder.open(options.own, owner.owner.databaseId),
    );
  }

  get databaseId(): string {
    return this.own.databaseId;
  }

  get state(): DatabaseState {
    return this.reader.state;
  }

  /** Whether this volume is the last writer's: what its engine has acknowledged and nobody has brought into the log is on it. */
  get isLastWriters(): boolean {
    return this.own.writtenIn === this.state.epoch;
  }

  /** A running follower takes no more entries now: its engine is to fetch what waits for it. */
  get isFull(): boolean {
    return this.view.isFull;
  }

  /** Applies what is in the log by now, as far as the engine that follows can take it. Only of a node that does not write. @returns how many entries @throws BehindHorizon, UnreadableEntry */
  async catchUp(): Promise<number> {
    await this.view.goOn();
    let count = 0;
    while (!this.view.isFull) {
      const entry = await this.reader.next();
      if (!entry) break;
      count++;
      this.options.progressed?.();
      await this.view.take(entry);
    }
    return count;
  }

  /** Applies the next entry, which came another way and is durable. Only of a node that does not write. @throws UnreadableEntry */
  async apply(bytes: Buffer): Promise<void> {
    await this.view.goOn();
    const entry = await this.reader.next(bytes);
    if (entry) await this.view.take(entry);
  }

  /** The seal that began the present epoch; undefined: the database was restored, and has none yet. */
  async lastSeal(): Promise<SealEntry | undefined> {
    const seal = this.state.seals.at(-1);
    if (!seal) return undefined;
    const { last } = this.reader;
    // Its own, or one that was just read.
    if (last?.kind === "seal") this.readSeal = last;
    if (this.readSeal?.position === seal.position) return this.readSeal;
    const key = entryKey(seal.epoch, seal.position);
    const object = await this.options.bucket.get(key, sealTimeout);
    const entry = object && decodeEntry(key, object.content, seal.epoch, seal.position);
    this.readSeal = entry?.kind === "seal" ? entry : undefined;
    return this.readSeal;
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
    const { bucket, clock, name, cluster, mayTakeOver } = this.options;
    await this.appendLeftovers();
    return seal(bucket, clock, this.reader, {
      nonce: randomBytes(16).toString("hex"),
      author: name,
      ...(cluster !== undefined && { cluster }),
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
    this.view.end();
    await this.catchUp();
    while (this.isLastWriters) {
      const { blocks, flushedGeneration, definitions } = this.state;
      const found = await readLeftovers(this.options.directory, flushedGeneration, this.options.progressed);
      const left = found.filter(block => !blocks.has(blockName(block)));
      const watch = DefinitionWatch.of(this.options, this.state, false);
      watch.begin([...blocks.values(), ...left], definitions);
      if (await this.appendBlocks(left, await watch.look())) return;
      await this.catchUp();
    }
  }

  /**
   * Appends blocks behind the state's position, in the name of a writer that is gone, or is to be: its next attempt meets them.
   * @returns false when something else stands there: an entry that was on its way, or a seal
   */
  private async appendBlocks(found: FoundBlock[], defined: FoundDefinition[] = []): Promise<boolean> {
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
      const handed = await submitBlocks(found, {
        bucket,
        clock,
        epoch,
        submit: submission => log.submit(submission),
        definitionsNumber: numberOfDefinitions(this.state),
        defined,
      });
      await handed.durable;
      return true;
    } catch (error) {
      if (!(error instanceof Sealed)) throw error;
      return false;
    }
  }

  /** Brings the volume to the state's position. No engine runs on it. @param role of the engine that will run on it */
  async align(role: "follows" | "writes"): Promise<Alignment> {
    const { bucket, directory, clock, progressed } = this.options;
    this.view.end();
    await this.own.clearEarlyFiles();
    this.aligned = this.state.blocksToReplay();
    this.alignment = await align(bucket, this.state, directory, this.own.book, clock, role === "follows", progressed);
    return this.alignment;
  }

  /** Puts the definitions in place that the engine does not store. Before it starts, and after an empty server was put in place. */
  placeDefinitions(): Promise<void> {
    return placeDefinitions(this.options.server, this.state.definitions);
  }

  /** What the engine is shown while it opens the aligned volume. */
  opening(): EngineHandler {
    return new OpeningRequests(this.state.snapshot());
  }

  /**
   * What a running engine is shown from the position of the alignment on.
   * @param reopen has the server read tables' definitions anew, by `database/table`; rejects when it does not soon
   * @param levels that its trees have from the start, at least
   */
  follow(reopen: (tables: string[]) => Promise<void>, levels = 5): { handler: FollowingRequests; feed: FollowerFeed } {
    if (!this.alignment) throw new Error("the volume was not aligned");
    return this.view.begin(this.state, levels, this.alignment.generation, reopen);
  }

  /** The engine is about to be promoted. Only after {@link takeOver} and {@link align}, once for each. */
  async write(election: Election): Promise<Writing> {
    const { epoch, position } = election;
    await this.own.writesIn(epoch);
    this.upkeep.began();
    const { alignment, options, state, aligned: blocks } = this;
    if (!alignment || state.epoch !== epoch || state.position !== position - 1)
      throw new Error("the volume was not aligned to the seal");
    this.alignment = undefined;
    const { generation } = alignment;
    return startWriting(options, election, { state, book: this.own.book, generation, blocks }, entry => {
      state.apply(entry);
      options.durable?.(entry.epoch, entry.position);
      this.upkeep.appended(entry, state);
    });
  }

  /** No engine runs, and nothing is written any more. */
  close(): Promise<void> {
    return this.own.close();
  }

  /** Resolves when no checkpoint is being written. */
  async checkpointed(): Promise<void> {
    await this.upkeep.checkpointed();
  }

  /** Deletes what no kept position needs, slowly. Only of a node that writes: as {@link Upkeep.collectGarbage}. */
  collectGarbage(
    { log }: Writing,
    rules: { keepMilliseconds: number; rules: HistoryRules },
    stillWriter: () => boolean,
  ): Promise<number> {
    return this.upkeep.collectGarbage(log, this.state, rules, stillWriter);
  }
}
