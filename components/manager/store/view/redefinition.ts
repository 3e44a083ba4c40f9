import { StoreClock } from "../bucket/bucket";
import { Entry } from "../log/entry";
import { writeDefinition } from "../volume/definitionFiles";
import { FollowerFeed } from "./feed";

/** The engine has seen what was in the log before within so long, or the definition is put in place without. Milliseconds. */
const patience = 1500;
const lookEvery = 20;

export interface RedefinitionOptions {
  clock: StoreClock;
  /** MariaDB's own data directory. */
  server: string;
  feed: FollowerFeed;
  /** Has the server read tables' definitions anew, by `database/table`; rejects when it does not soon. */
  reopen: (tables: string[]) => Promise<void>;
  /** Looks at its store that the engine has begun. */
  polls: () => number;
  /** Ends the wait of a look. */
  wake: () => void;
  /** The engine does not follow any more. */
  isOver: () => boolean;
  /** Live tables of the engine's, by the log. */
  tables: () => Iterable<{ number: number; name: string }>;
}

/** Gives a running follower the definitions that its engine does not learn of: in place of MariaDB's files, which it reads anew. */
export class Redefinition {
  /** Numbers of tables that the running engine knows. */
  private readonly known: Set<number>;
  /** It is due for a restart: its readers do not wait again. */
  private hasFailed = false;

  constructor(private readonly options: RedefinitionOptions) {
    this.known = new Set(options.feed.shown.liveTables().map(({ number }) => number));
  }

  /** Resolves when the definitions of an entry are in place, or the feed has been told that they are not. The entry's rows are shown afterwards. */
  async take(entry: Entry): Promise<void> {
    const { server, reopen, feed, isOver } = this.options;
    const files = new Map<string, string>();
    for (const change of entry.kind === "changes" ? entry.changes : []) {
      if (change.type !== "definition") continue;
      if (change.file === undefined) files.delete(change.table);
      else files.set(change.table, change.file);
    }
    if (files.size === 0 || this.hasFailed) return;
    if ([...files.keys()].some(table => this.hasNewIndex(table))) await this.shown(entry.position - 1);
    if (isOver()) return;
    try {
      for (const [table, file] of files) await writeDefinition(server, table, file);
      await reopen([...files.keys()]);
    } catch {
      this.hasFailed = true;
      feed.keepsOldDefinition();
    }
  }

  /** An index that a definition names is a table of the engine's, and has to be known by then. */
  private hasNewIndex(table: string): boolean {
    const prefix = `${table.replace("/", "__")}__idx_`;
    for (const { number, name } of this.options.tables())
      if (name.startsWith(prefix) && !this.known.has(number)) return true;
    return false;
  }

  /** Resolves when the engine has looked at everything up to a position, and has ended that look; or after a while. */
  private async shown(position: number): Promise<void> {
    const { clock, feed, polls, wake, isOver } = this.options;
    const until = clock.now() + patience;
    let ended: number | undefined;
    while (clock.now() < until && !isOver()) {
      // The next look shows it, and the one after that begins when it has ended.
      if (ended === undefined && feed.position >= position) ended = polls() + 2;
      if (ended !== undefined && polls() >= ended)
        return feed.shown.liveTables().forEach(({ number }) => this.known.add(number));
      wake();
      await clock.sleep(lookEvery);
    }
  }
}
