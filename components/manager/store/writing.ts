import { randomBytes } from "node:crypto";
import { everyByTimer } from "./bucket/bucket";
import { FlushBook } from "./flush/flushBook";
import { WriterRequests } from "./gateway/writerRequests";
import { LogWriter } from "./log/append";
import { ChangesEntry } from "./log/entry";
import { epochOfObject } from "./log/keys";
import { Election, followSeal } from "./log/seal";
import { blockName, DatabaseState, LiveBlock } from "./log/state";
import { StoreNodeOptions } from "./nodeOptions";
import { VolumeBook } from "./volume/book";
import { encodeBrief } from "./wal/briefEntry";
import { DefinitionWatch } from "./wal/definitionWatch";
import { DraftLine } from "./wal/drafts";
import { Shipper } from "./wal/shipper";

/** The longest time that a commit may wait: the engine gives up after 60 s. Milliseconds. */
const longestBound = 20_000;

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

/** A volume that was aligned to the seal of this node. */
export interface AlignedVolume {
  state: DatabaseState;
  book: VolumeBook;
  /** Of the one WAL. */
  generation: number;
  /** What stands in it. */
  blocks: LiveBlock[];
}

/** @param durable is told of each entry first, once it is @throws when the bound is out of range */
export function startWriting(
  options: StoreNodeOptions,
  { epoch, position }: Election,
  { state, book, generation, blocks }: AlignedVolume,
  durable: (entry: ChangesEntry) => void,
): Writing {
  const { bucket, clock, directory, durability, warn, boundMilliseconds } = options;
  if (!(boundMilliseconds > 0 && boundMilliseconds <= longestBound))
    throw new Error(`boundMilliseconds is from 1 to ${longestBound}: the engine gives up after 60 s`);
  const nonce = randomBytes(16).toString("hex");
  const drafts = draftLine(options, epoch, nonce, position);
  const log = new LogWriter(bucket, clock, {
    epoch,
    position,
    nonce,
    time: state.time,
    built: (entry, bytes) => {
      const told = drafts?.built(entry);
      options.built?.(entry.epoch, entry.position, bytes, told && encodeBrief(entry, bytes, told));
    },
    durable,
    sealed: options.sealed,
  });
  const flushes = flushBook(state, epoch, generation, blocks);
  const definitions = DefinitionWatch.of(options, state, durability === "commit");
  definitions.begin(blocks, state.definitions);
  const shipper = new Shipper(bucket, clock, {
    directory,
    epoch,
    known: new Set(blocks.map(blockName)),
    sync: durability === "interval",
    submit: submission => log.submit(submission),
    definitions,
    // A draft has no definitions: what was written under a new one waits for its entry.
    seen: (blocks, isHeld) => drafts?.found(blocks, (isHeld || log.isBusy) && !definitions.isPressing),
    found: (generation, blocks) => flushes.found(generation, blocks),
  });
  const releases = new Releases(generation - 1);
  const released = (generation: number) => releases.until(generation);
  const handler = new WriterRequests({ bucket, clock, directory, state, log, shipper, flushes, book, warn, released });
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
    released: generation => releases.wait(generation),
    close: async () => {
      endWatch();
      handler.close();
      await shipper.close();
      await log.close();
    },
  };
}

/** In `commit` nobody has an answer before the log has the commit. */
function draftLine({ drafted, durability }: StoreNodeOptions, epoch: number, nonce: string, position: number) {
  if (!drafted || durability !== "interval") return undefined;
  return new DraftLine(epoch, nonce, position - 1, bytes => drafted(epoch, bytes));
}

function flushBook(state: DatabaseState, epoch: number, generation: number, blocks: LiveBlock[]): FlushBook {
  // The tables as they are now: a table's files are looked at later, and the state goes on.
  const tables = state.snapshot().liveTables();
  return new FlushBook(
    generation,
    tables.map(({ number, files }) => ({ number, files: files.names() })),
    blocks,
    (table, id) => {
      const logged = state.tables.get(table)?.files.ofNumber(id);
      return logged && epochOfObject(logged.keys.key) === epoch ? logged : undefined;
    },
  );
}

/** Who waits for the release of a generation. */
class Releases {
  private waiting: { generation: number; resolve(): void }[] = [];

  constructor(private done: number) {}

  until(generation: number): void {
    this.done = generation;
    this.waiting.filter(one => one.generation <= this.done).forEach(one => one.resolve());
    this.waiting = this.waiting.filter(one => one.generation > this.done);
  }

  wait(generation: number): Promise<void> {
    if (generation <= this.done) return Promise.resolve();
    return new Promise(resolve => this.waiting.push({ generation, resolve: () => resolve() }));
  }
}
