import * as fs from "node:fs/promises";
import { StoreClock } from "../bucket/bucket";
import { FileRecord } from "../log/changes";
import { TableState } from "../log/state";
import { parseSstableFile } from "../flush/sstableFile";
import { writeManifest } from "../flush/manifestFile";
import { walBytes, walFileName, walLength } from "../wal/files";
import { configurationFor, numberMapText } from "../volume/engineFiles";
import { Cut, FollowerFeed } from "../view/feed";
import { EngineAnswer, listing, notFound } from "./answer";
import { EarlyFiles } from "./earlyFiles";
import { EngineHandler } from "./gateway";
import { EngineLease, leaseKey } from "./lease";
import { ConnectionMemory, EngineRequest } from "./request";

export interface FollowingOptions {
  clock: StoreClock;
  feed: FollowerFeed;
  /** Files that are on their way to the engine. */
  early: EarlyFiles;
  /** Resolves when there is news, or after so many milliseconds at most; the engine's poll is held so long. */
  news(milliseconds: number): Promise<void>;
}

/** What a connection's engine thread sees, from one HEAD of the lease to the next. */
interface Look {
  cut: Cut;
  /** The WAL was sent: the next request on the connection says that it has arrived. */
  sent: boolean;
  asked: Set<string>;
}

/** The engine of a node that follows. What it sends is answered and thrown away. */
export class FollowingRequests implements EngineHandler {
  private readonly lease: EngineLease;
  /** Tables that were on the volume when the engine opened it. */
  private readonly opened: ReadonlySet<number>;
  /** Since when a table without settings has been known. */
  private readonly bareSince = new Map<number, number>();
  private released = false;
  /** Requests for what the view does not know, which were answered 404. */
  unknown = 0;
  /** Looks at the bucket that the engine has begun. */
  polls = 0;
  /** All that the engine has asked for: a look in which it fetches large files takes minutes. */
  requests = 0;

  constructor(private readonly options: FollowingOptions) {
    this.lease = new EngineLease(options.feed.shown.epoch);
    this.lease.follow(options.feed.shown.epoch);
    this.opened = new Set(options.feed.shown.liveTables().map(({ number }) => number));
  }

  /** Lets go of a poll that is held: the engine is to be promoted, or to end. */
  letGo(): void {
    this.released = true;
  }

  get isLetGo(): boolean {
    return this.released;
  }

  arrived(connection: ConnectionMemory): void {
    const look = connection.cut as Look | undefined;
    if (!look?.sent) return;
    look.sent = false;
    this.options.feed.confirm(look.cut);
    // A second GET of the same WAL brings nothing new.
    look.cut = { ...look.cut, blocks: [] };
  }

  async handle(request: EngineRequest): Promise<EngineAnswer> {
    const { method, key, connection } = request;
    const { feed, clock } = this.options;
    this.requests++;
    if (key === leaseKey && method === "HEAD") {
      this.polls++;
      if (!this.released) await this.options.news(holdMilliseconds);
      this.lease.follow(feed.shown.epoch);
      connection.cut = { cut: feed.cut(clock.now()), sent: false, asked: new Set() } satisfies Look;
    }
    const lease = this.lease.answer(request, false);
    if (lease) return lease;
    if (method === "PUT" || method === "POST") return { status: 200, etag: '"ignored"' };
    if (method === "DELETE") return { status: 204 };
    if (method === "HEAD" && connection.sent?.key === key) return { status: 200, length: connection.sent.length };
    const look = connection.cut as Look | undefined;
    // A poll that began while the engine was opening goes on in an empty bucket: half of one view and half of another would be none.
    if (!look && key !== "UNIMAP") return key === "" ? { status: 200, body: listing([]) } : notFound;
    if (key === "") return { status: 200, body: this.list(request.query.get("prefix") ?? "", look) };
    if (key === "UNIMAP") return this.content(Buffer.from(numberMapText(feed.shown.tables.values())));
    if (look && key === walFileName(look.cut.generation)) return this.wal(method, look);
    return this.tableFile(request, look);
  }

  private list(prefix: string, look: Look | undefined): Buffer {
    if (prefix.startsWith("uwal_"))
      return listing(look && look.cut.blocks.length > 0 ? [{ key: walFileName(look.cut.generation), size: 8 }] : []);
    const tables = this.options.feed.shown.liveTables().filter(table => this.mayBeOpened(table));
    return listing(tables.map(({ name }) => ({ key: `${name}/MANIFEST`, size: 8 })));
  }

  /**
   * A table comes before its settings. Without them the engine takes its defaults, and merges files again and again that each look then brings anew. Its rows can wait: the engine keeps them by number. Settings
   * that never come were of a statement that was cut short.
   */
  private mayBeOpened({ number, configuration }: TableState): boolean {
    if (configuration) return true;
    const now = this.options.clock.now();
    const since = this.bareSince.get(number) ?? now;
    this.bareSince.set(number, since);
    return now - since >= settingsPatience;
  }

  private wal(method: string, look: Look): EngineAnswer {
    if (look.cut.blocks.length === 0) return notFound;
    const { blocks } = look.cut;
    if (method === "HEAD") return { status: 200, length: walLength(blocks), epoch: this.lease.shownEpoch };
    look.sent = true;
    this.options.feed.sent(look.cut);
    return this.content(walBytes(blocks));
  }

  private async tableFile({ method, key }: EngineRequest, look: Look | undefined): Promise<EngineAnswer> {
    const [folder, name = ""] = key.split("/");
    const table = this.options.feed.shown.liveTables().find(table => table.name === folder);
    if (table && name === "config.ini") return this.settings(table);
    if (table && name === "MANIFEST") return this.manifest(method, key, table, look);
    const file = table && fileOf(table, name);
    if (!file) {
      this.unknown++;
      return notFound;
    }
    if (method === "HEAD") return { status: 200, length: file.size, epoch: this.lease.shownEpoch };
    const path = await this.options.early.take(file);
    if (path === undefined) return { status: 500 };
    return { status: 200, file: { path, size: file.size }, sent: () => void fs.rm(path, { force: true }) };
  }

  private settings({ number, name, configuration }: TableState): EngineAnswer {
    if (configuration) return this.content(Buffer.from(configurationFor(name, configuration, true)));
    this.options.feed.openedWithoutSettings(number);
    return notFound;
  }

  /**
   * An engine that has just discovered a table takes its manifest for what it has loaded already. That GET comes without a HEAD before, and gets an empty one; never for a table that it has opened, which it
   * would empty.
   */
  private manifest(method: string, key: string, table: TableState, look: Look | undefined): EngineAnswer {
    if (method === "HEAD") {
      look?.asked.add(key);
      return { status: 200, length: 8, epoch: this.lease.shownEpoch };
    }
    const known = this.opened.has(table.number) || look?.asked.has(key);
    return this.content(writeManifest({ entries: known ? [...table.files.manifest()] : [], nextId: table.nextId }));
  }

  private content(body: Buffer): EngineAnswer {
    return { status: 200, body, etag: '"view"', epoch: this.lease.shownEpoch };
  }
}

/** Milliseconds that a poll without news is held; the engine gives up after 60 s without a byte. */
const holdMilliseconds = 1000;

/** Milliseconds until a table is shown whose settings have not come. */
export const settingsPatience = 5000;

/** No reader looks for a name with a partition. */
function fileOf({ files }: TableState, name: string): FileRecord | undefined {
  const file = parseSstableFile(name);
  return file?.partition === undefined ? file && files.get(file)?.[file.half] : undefined;
}
