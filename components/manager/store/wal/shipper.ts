import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket, StoreClock } from "../bucket/bucket";
import { Submission } from "../log/append";
import { BlockRecord } from "../log/changes";
import { blockName } from "../log/state";
import { DefinitionWatch, FoundDefinition } from "./definitionWatch";
import { walFileName, walGeneration } from "./files";
import { apart, LookRequest } from "./lookRequest";
import { FoundBlock, WalScanner } from "./scanner";
import { submitBlocks } from "./submit";

/** Milliseconds between two looks into the folder for WALs of new generations. */
const folderEvery = 100;
/** Milliseconds until a place that a writer had not filled is looked at again. */
const holePause = 1;
/** Until a statement's definition is looked for again: at first, and at most. Milliseconds. */
const definitionPause = { first: 5, longest: 1000 };

export interface ShipperOptions {
  /** The engine's data directory. */
  directory: string;
  epoch: number;
  /** Names of the blocks that the writer found in the log when it began: they stand in its first WAL too. */
  known: ReadonlySet<string>;
  /** Whether a block has to be on the disk before it is in the log: where the engine acknowledges without asking. */
  sync: boolean;
  submit(submission: Submission): Promise<number>;
  /** Told of what a look has found, in the order of the files. @param isHeld it is not submitted before somebody asks for that */
  seen?: (blocks: FoundBlock[], isHeld: boolean) => void;
  /** Told of blocks before they are submitted. */
  found: (generation: number, blocks: BlockRecord[]) => void;
  /** Finds what stands with the blocks. */
  definitions: DefinitionWatch;
}

/** Brings what the engine writes into its WALs into the log. One look at the files serves all who wait. */
export class Shipper {
  private readonly scanners = new Map<number, WalScanner>();
  private requests: LookRequest[] = [];
  /** All who have not been told yet, oldest first. */
  private readonly open = new Set<LookRequest>();
  private looking = false;
  private folderSeenAt = -Infinity;
  /** When everything that was found so far was handed to the log, and when it is there. */
  private handed: Promise<{ durable: Promise<void> } | undefined> = Promise.resolve(undefined);
  private submitted: Promise<unknown> = Promise.resolve();
  private closed = false;
  /** Found, and not submitted yet; and the files whose end is not on the disk for sure. */
  private held: FoundBlock[] = [];
  /** Commits that were found so far. */
  commits = 0;
  /** Bytes of commits that were found and go into the log with the next {@link look}. */
  heldBytes = 0;
  private readonly unsynced = new Set<WalScanner>();
  /** The newest generation that was read to its end. */
  private finished = -1;
  /** A look for a definition is due then; undefined: none is. */
  private definitionLook: Promise<void> | undefined;

  constructor(
    private readonly bucket: Bucket,
    private readonly clock: StoreClock,
    private readonly options: ShipperOptions,
  ) {}

  /**
   * Resolves when every block that was whole in the files by now, and had only whole ones before it, is in the log. A WAL that was made in the last tenth of a second may not be known yet.
   * @param generation of the WAL that is asked about, which is looked for; without it: those that are known
   * @param until an offset up to which the engine says that it has written: it is waited until every block before it is whole. One that its writer has given up never is; then this does not resolve, and who
   * waits too long is killed
   * @throws Sealed; any error of the disk: the engine's WAL cannot be read, and it must not acknowledge anything
   */
  look(generation?: number, until?: number): Promise<void> {
    return this.ask({ isPeek: false, generation, until });
  }

  /** As {@link look}, and surely in a WAL that was made a moment ago. */
  async lookEverywhere(): Promise<void> {
    await this.seeFolder(true);
    return this.look();
  }

  /** Reads what is new, tells of it, and keeps it for the next {@link look}. Resolves when it was read. @throws any error of the disk */
  peek(): Promise<void> {
    return this.ask({ isPeek: true });
  }

  private ask(asked: Pick<LookRequest, "isPeek" | "generation" | "until">): Promise<void> {
    if (this.closed) return Promise.reject(new Error("the shipper is closed"));
    return new Promise((resolve, reject) => {
      const request: LookRequest = {
        ...asked,
        since: this.clock.now(),
        resolve: () => {
          this.open.delete(request);
          resolve();
        },
        reject: error => {
          this.open.delete(request);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      this.open.add(request);
      this.requests.push(request);
      if (!this.looking) void this.run();
    });
  }

  /** Milliseconds for which the oldest of those who wait has waited; 0 without one. */
  waitingMilliseconds(): number {
    for (const { since } of this.open) return this.clock.now() - since;
    return 0;
  }

  /** WALs that were rotated, and whose flush is not sent. */
  get rotated(): number {
    return Math.max(0, this.scanners.size - 1);
  }

  /** Size of a WAL's file; undefined: there is none. */
  async fileSize(generation: number): Promise<number | undefined> {
    return (await this.scanner(generation))?.size();
  }

  /** The newest generation that has a file. */
  async newestGeneration(): Promise<number | undefined> {
    await this.seeFolder(true);
    return this.scanners.size === 0 ? undefined : Math.max(...this.scanners.keys());
  }

  /** A WAL was read to its end and will not grow. */
  async finish(generation: number): Promise<void> {
    const scanner = this.scanners.get(generation);
    if (!scanner) return;
    this.scanners.delete(generation);
    this.unsynced.delete(scanner);
    this.finished = Math.max(this.finished, generation);
    await scanner.close();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.unsynced.clear();
    for (const scanner of this.scanners.values()) await scanner.close();
    this.scanners.clear();
  }

  private async run(): Promise<void> {
    this.looking = true;
    await Promise.resolve();
    while (this.requests.length > 0) {
      const asked = this.requests;
      this.requests = [];
      try {
        const waiting = asked.filter(request => !request.isPeek);
        const isPeek = waiting.length === 0;
        if ((await this.see(asked, isPeek)) && isPeek) this.lookAgain();
        for (const request of asked) if (request.isPeek) request.resolve();
        if (isPeek) continue;
        const defined = await this.seeDefinitions(asked);
        const found = await this.release();
        // What was found earlier may be on its way still, a large block for instance: later commits never stand before it, and who waits for this look waits for that, too.
        if (found.length > 0 || defined.length > 0) {
          const { bucket, clock, options } = this;
          const definitionsNumber = options.definitions.number;
          this.handed = this.handed.then(() =>
            submitBlocks(found, { ...options, bucket, clock, definitionsNumber, defined }),
          );
          this.submitted = Promise.all([this.submitted, this.handed.then(handed => handed?.durable)]);
        }
        const [served, early] = apart(waiting, this.scanners);
        this.submitted.then(
          () => served.forEach(({ resolve }) => resolve()),
          (error: unknown) => served.forEach(({ reject }) => reject(error)),
        );
        if (early.length === 0) continue;
        const alone = this.requests.length === 0;
        this.requests.push(...early);
        // Another writer is filling its place at this moment.
        if (alone) await this.clock.sleep(holePause);
      } catch (error) {
        asked.forEach(({ reject }) => reject(error));
      }
    }
    this.looking = false;
  }

  /** Reads what is new. @returns whether it stores definitions */
  private async see(asked: LookRequest[], isHeld: boolean): Promise<boolean> {
    const seen = await this.scan(asked);
    const stores = this.options.definitions.found(seen);
    if (seen.length > 0) this.options.seen?.(seen, isHeld);
    this.held.push(...seen);
    this.commits += seen.length;
    for (const { data } of seen) this.heldBytes += data.length;
    return stores;
  }

  /**
   * Definitions that go into the log with what was found. Every block that was written before a file was put in place is found by then: an index that it names has its rows. And no row that was written under
   * it goes into the log before it.
   */
  private async seeDefinitions(asked: LookRequest[]): Promise<FoundDefinition[]> {
    const { definitions } = this.options;
    if (!definitions.isWaiting) return [];
    let defined: FoundDefinition[];
    do defined = await definitions.look();
    while (await this.see(asked, false));
    definitions.settle();
    if (definitions.isWaiting) this.lookAgain();
    return defined;
  }

  /** A statement puts its definition in place by itself, and nobody asks for a look then. */
  private lookAgain(): void {
    const { definitions } = this.options;
    this.definitionLook ??= (async () => {
      for (
        let { first: pause, longest } = definitionPause;
        definitions.isWaiting;
        pause = Math.min(2 * pause, longest)
      ) {
        await this.clock.sleep(pause);
        if (this.closed) return;
        await this.look();
      }
    })()
      // Whoever asks next is told.
      .catch(() => undefined)
      .finally(() => (this.definitionLook = undefined));
  }

  /** What is submitted from now on; on the disk, where that is asked for. */
  private async release(): Promise<FoundBlock[]> {
    for (const scanner of this.unsynced) await scanner.sync();
    this.unsynced.clear();
    this.heldBytes = 0;
    return this.held.splice(0);
  }

  private async scan(asked: LookRequest[]): Promise<FoundBlock[]> {
    await this.seeFolder();
    for (const { generation } of asked) if (generation !== undefined) await this.scanner(generation);
    const looks: { scanner: WalScanner; found: FoundBlock[] }[] = [];
    // Every one: a committer can be writing into a WAL that was rotated a moment ago. The newest first: what a commit in it may rest on was written before it, and is found in the older ones, which are read after.
    for (const generation of [...this.scanners.keys()].sort((a, b) => b - a)) {
      const scanner = this.scanners.get(generation);
      if (scanner) looks.push({ scanner, found: await scanner.look() });
    }
    const all: FoundBlock[] = [];
    for (let look = looks.pop(); look; look = looks.pop()) {
      const { scanner } = look;
      const found = look.found.filter(block => !this.options.known.has(blockName(block)));
      if (found.length > 0 && this.options.sync) this.unsynced.add(scanner);
      all.push(...found);
      // Unless something stands behind a place that is not filled yet.
      if (!looks.some(newer => newer.found.length > 0) || !(await scanner.isOpen())) continue;
      for (const newer of looks) newer.scanner.undo();
      break;
    }
    return all;
  }

  private async scanner(generation: number): Promise<WalScanner | undefined> {
    if (!this.scanners.has(generation)) await this.seeFolder(true);
    return this.scanners.get(generation);
  }

  private async seeFolder(now = false): Promise<void> {
    if (this.closed || (!now && this.clock.now() - this.folderSeenAt < folderEvery)) return;
    this.folderSeenAt = this.clock.now();
    for (const name of await fs.readdir(this.options.directory)) {
      const generation = walGeneration(name);
      if (generation === undefined || generation <= this.finished || this.scanners.has(generation)) continue;
      try {
        const scanner = await WalScanner.open(join(this.options.directory, walFileName(generation)), generation);
        if (this.scanners.has(generation)) await scanner.close();
        else this.scanners.set(generation, scanner);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  }
}
