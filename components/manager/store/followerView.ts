import { Ahead } from "./volume/ahead";
import { Bucket, StoreClock } from "./bucket/bucket";
import { FollowingRequests } from "./gateway/followingRequests";
import { EarlyFiles } from "./gateway/earlyFiles";
import { FileRecord } from "./log/changes";
import { Entry } from "./log/entry";
import { DatabaseState } from "./log/state";
import { FollowerFeed, lookBytes } from "./view/feed";
import { Redefinition } from "./view/redefinition";

/** Milliseconds that one block may take that has an object of its own. */
const blockTimeout = 60_000;

/** Bytes of blocks that wait for the engine, from which on no more entries are read for it. */
const mostQueuedBytes = 2 * lookBytes;

export interface FollowerViewOptions {
  bucket: Bucket;
  clock: StoreClock;
  /** A folder for files that are on their way to the engine. */
  scratch: string;
  /** MariaDB's own data directory. */
  server: string;
  warn: (message: string, fields?: Record<string, unknown>) => void;
  /** Fetches for the next alignment what the engine is not shown. */
  ahead: () => Ahead;
}

/** What a running follower's engine is shown, from the position that its volume was aligned to on; while no engine follows, there is none. */
export class FollowerView {
  private feed: FollowerFeed | undefined;
  private redefinition: Redefinition | undefined;
  private ahead: Ahead | undefined;
  private early: EarlyFiles | undefined;
  /** Entries that the state has and the view has not. */
  private readonly unfed: Entry[] = [];
  private waiters: (() => void)[] = [];

  constructor(private readonly options: FollowerViewOptions) {}

  /**
   * @param levels that the engine's trees have from the start, at least
   * @param generation of the aligned WAL
   * @param reopen has the server read tables' definitions anew
   */
  begin(
    state: DatabaseState,
    levels: number,
    generation: number,
    reopen: (tables: string[]) => Promise<void>,
  ): { handler: FollowingRequests; feed: FollowerFeed } {
    const ahead = (this.ahead = this.options.ahead());
    const starting = new Map([...state.tables].map(([number, { files }]) => [number, Math.max(1, files.deepest)]));
    const feed = new FollowerFeed(
      state.snapshot(),
      table => Math.max(levels, starting.get(table.number) ?? 0),
      generation,
      state,
      (table, made) => ahead.add(table, made),
    );
    this.feed = feed;
    const { clock, server } = this.options;
    const news = async (milliseconds: number) => {
      const position = feed.position;
      const woken = new Promise<void>(resolve => this.waiters.push(resolve));
      if (feed.position === position && feed.heldBlocks === 0) await Promise.race([woken, clock.sleep(milliseconds)]);
    };
    const early = (this.early = new EarlyFiles(this.options));
    const handler = new FollowingRequests({ clock, feed, early, news });
    this.redefinition = new Redefinition({
      clock,
      server,
      feed,
      reopen,
      polls: () => handler.polls,
      wake: () => this.wake(),
      isOver: () => this.feed !== feed || handler.isLetGo,
      tables: () => state.liveTables(),
    });
    return { handler, feed };
  }

  /** The engine that followed is gone, or is to be promoted. */
  end(): void {
    this.feed = undefined;
    this.redefinition = undefined;
    this.ahead?.end();
    this.early?.end();
  }

  /** The engine has to take what waits for it first: whoever read on would hold all that it lacks in memory. */
  get isFull(): boolean {
    return this.feed !== undefined && this.feed.queuedBytes >= mostQueuedBytes;
  }

  /** Tells the view of an entry that the state has taken. */
  async take(entry: Entry): Promise<void> {
    this.unfed.push(entry);
    this.early?.add(flushed(entry));
    await this.goOn();
  }

  /** Tells it of what could not be fetched when the state took it. */
  async goOn(): Promise<void> {
    if (!this.feed) this.unfed.length = 0;
    for (let entry = this.unfed[0]; entry; entry = this.unfed[0]) {
      // Before the rows that are written under it: an older one would misread them.
      await this.redefinition?.take(entry);
      await this.feed?.take(entry, key => this.large(key));
      this.unfed.shift();
      this.wake();
    }
  }

  private wake(): void {
    this.waiters.splice(0).forEach(resolve => resolve());
  }

  private async large(key: string): Promise<Buffer> {
    const object = await this.options.bucket.get(key, blockTimeout);
    if (!object) throw new Error(`${key}, which the log names, is not in the bucket`);
    return object.content;
  }
}

/** What the engine will fetch of an entry: what a merge has made it is not shown. */
function flushed(entry: Entry): FileRecord[] {
  if (entry.kind === "seal") return [];
  return entry.changes.flatMap(change =>
    change.type === "files" && change.removed.length === 0
      ? change.added.flatMap(({ keys, values }) => [keys, values])
      : [],
  );
}
