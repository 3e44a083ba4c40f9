import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { restoreDatabase } from "../../../components/manager/store/log/restore";
import { checkStore } from "../../../components/manager/store/checkStore";
import { createLog } from "../../../components/manager/store/log/seal";
import { HistoryRules } from "../../../components/manager/store/log/history";
import { readOwner } from "../../../components/manager/store/log/owner";
import { describeHistory, openPast } from "../../../components/manager/store/log/past";
import { align } from "../../../components/manager/store/volume/align";
import { VolumeBook } from "../../../components/manager/store/volume/book";
import { StoreNode } from "../../../components/manager/store/storeNode";
import { Writing } from "../../../components/manager/store/writing";
import { Fate, MemoryBucket, steppedClock } from "./memoryBucket";
import { ScriptedEngine } from "./scriptedEngine";

/** One commit: what it changed, and the log's positions when it was begun and when it was acknowledged. */
interface Written {
  changes: Map<string, string | undefined>;
  begunAt: number;
  acknowledgedAt: number | undefined;
}

const killed = new Error("killed");
const tables = ["app__t", "app__u"];

/** The event `later` takes most of a day. */
const historyRules: HistoryRules = {
  everyPositionMilliseconds: 3 * 3_600_000,
  dailyCheckpointMilliseconds: 72 * 3_600_000,
};

/** What happens, one after the other. */
export const events = [
  "commit",
  "commit",
  "commit",
  "both",
  "delete",
  "flush",
  "merge",
  "kill",
  "kill in a flush",
  "take over",
  "rival",
  "later",
  "drop",
] as const;
export type PlayEvent = (typeof events)[number];

/**
 * A database on the real store, with an engine that is killed anywhere. After every takeover and at every position of the log the rows are those of the commits that were acknowledged by then.
 */
export class Play {
  readonly bucket = new MemoryBucket();
  readonly clock = steppedClock();
  readonly commits: Written[] = [];
  private node!: StoreNode;
  private writing: Writing | undefined;
  private engine: ScriptedEngine | undefined;
  private stepsLeft = Infinity;
  private volume = "a";
  private lastVolume = "";
  private counter = 0;

  constructor(
    private readonly folder: string,
    private readonly roll: (count: number) => number,
    private readonly durability: "commit" | "interval",
  ) {}

  async begin(): Promise<void> {
    await createLog(this.bucket, "db", "play", this.clock);
    await this.takeOver();
    for (const table of tables) await this.engine!.createTable(table);
  }

  async happen(event: PlayEvent): Promise<void> {
    const table = tables[this.roll(2)]!;
    const key = `k${this.roll(4)}`;
    const value = `v${this.counter++}`;
    const all = [...tables.map(table => ({ table, key, value }))];
    switch (event) {
      case "commit":
        return this.commit([{ table, key, value }]);
      case "both":
        return this.commit(all);
      case "delete":
        return this.commit([{ table, key, value: undefined }]);
      case "flush":
        return this.engine!.flush();
      case "merge":
        return this.engine!.merge(table);
      case "kill":
        return this.takeOver();
      case "kill in a flush":
        this.stepsLeft = this.roll(30);
        await this.commit(all).catch(onlyKilled);
        for (const work of [() => this.engine!.flush(), () => this.engine!.merge(table), () => this.engine!.flush()])
          await work().catch(onlyKilled);
        return this.takeOver();
      case "take over":
        if (this.durability === "interval") await this.writing!.handler.ship();
        this.volume = this.volume === "a" ? "b" : "a";
        return this.takeOver();
      case "rival":
        return this.rival(all);
      case "later":
        return this.later(all);
      case "drop":
        // Requests to the bucket fail for a while.
        this.bucket.fate = operation => (this.roll(3) === 0 ? fates[this.roll(fates.length)]! : ignored(operation));
    }
  }

  /** Another node takes over while the writer lives and knows nothing: in `commit` it must not acknowledge anything any more. */
  private async rival(changes: { table: string; key: string; value: string | undefined }[]): Promise<void> {
    if (this.durability === "interval") return this.takeOver();
    const { engine, writing, node } = this;
    this.volume = this.volume === "a" ? "b" : "a";
    this.writing = undefined;
    await this.takeOver(false);
    const answer = await engine!.commit(changes, false).then(
      () => "acknowledged",
      () => "refused",
    );
    assert.equal(answer, "refused", "a writer whose epoch is sealed has acknowledged a commit");
    await writing!.close();
    await node.close();
  }

  /** Most of a day passes: a checkpoint is due, and what is older than the last but one goes. */
  private async later(changes: { table: string; key: string; value: string | undefined }[]): Promise<void> {
    for (let times = 0; times < 2; times++) {
      this.clock.at += times === 0 ? 1_800_000 : 18 * 3_600_000;
      await this.commit(changes);
      if (this.durability === "interval") await this.writing!.handler.ship();
      await this.node.checkpointed();
    }
    // The manager tries again minutes later; until then half of it may be gone.
    const options = { keepMilliseconds: 1, rules: historyRules };
    const { time } = this.node.state;
    // A clock that is wrong says nothing of what was written when.
    this.clock.ahead = this.roll(2) * 30 * 3_600_000;
    await this.node.collectGarbage(this.writing!, options, () => true).catch(onlyUnanswered);
    this.clock.ahead = 0;
    const { owner } = (await readOwner(quiet(this.bucket), 1000))!;
    const at = [...owner.checkpoints, ...owner.history].find(({ position }) => position === owner.horizon);
    const promised = time - historyRules.everyPositionMilliseconds;
    assert.ok(!at || at.time <= promised, `positions before ${owner.horizon} are promised, and given up`);
  }

  /** Kills the engine, seals, aligns the volume, starts an engine on it, flushes. */
  async takeOver(closes = true): Promise<void> {
    const resumes = this.writing !== undefined && this.lastVolume === this.volume;
    this.lastVolume = this.volume;
    if (closes) {
      await this.writing?.close();
      await this.node?.close();
    }
    this.bucket.fate = () => "works";
    this.bucket.arrive();
    const own = join(this.folder, this.volume);
    const directory = join(own, "data");
    this.node = await StoreNode.open({
      bucket: this.bucket,
      clock: this.clock,
      directory,
      server: join(own, "mysql"),
      own,
      name: this.volume,
      durability: this.durability,
      warn: () => undefined,
      sealed: () => undefined,
      overdue: () => undefined,
      boundMilliseconds: 20_000,
    });
    const election = await this.node.takeOver(undefined, true);
    const { generation } = await this.node.align("writes");
    this.writing = await this.node.write(election!);
    this.stepsLeft = Infinity;
    this.engine = await ScriptedEngine.open(directory, this.writing.handler, () => {
      if (this.stepsLeft-- <= 0) throw killed;
    });
    // On its own volume a writer loses nothing that it has acknowledged, whatever the mode.
    this.judge(this.engine, this.node.state.position, `after the takeover on ${this.volume}`, resumes);
    if (this.node.state.blocks.size > 0) {
      await this.engine.flush();
      await this.writing.released(generation);
    }
  }

  /** Opens the database at a position as if the log ended there: any from the horizon on, and each checkpoint that is kept before it. */
  async openAt(position: number): Promise<void> {
    const { state } = await openPast(this.bucket, { position }, join(this.folder, "scratch"));
    const directory = join(this.folder, `at-${position}`);
    const book = await VolumeBook.open(join(this.folder, `book-${position}`));
    await align(this.bucket, state, directory, book, this.clock);
    const engine = await ScriptedEngine.open(directory, this.writing!.handler, () => undefined);
    this.judge(engine, position, `at position ${position}`);
    await book.close();
    await fs.rm(directory, { recursive: true });
  }

  /** A new database is begun from a position, broken off anywhere, and goes on by itself; the source stays as it is. */
  async restoreAt(position: number): Promise<void> {
    const target = new MemoryBucket();
    target.source = this.bucket;
    const before = new Map(this.bucket.objects);
    target.fate = () => (this.roll(6) === 0 ? fates[this.roll(fates.length)]! : "works");
    const folder = join(this.folder, `restored-${position}`);
    await fs.mkdir(folder);
    const options = {
      target,
      source: this.bucket,
      copy: (key: string) => target.copyFrom({ bucket: "b", prefix: "p/" }, key),
      clock: this.clock,
      scratch: join(folder, "scratch"),
      databaseId: "restored",
      place: "s3://b/p/",
      at: String(position),
      log: () => undefined,
    };
    for (let attempt = 0; ; attempt++) {
      // Another node goes on with what one has left.
      const done = await restoreDatabase({ ...options, author: `node-${this.roll(2)}` }).then(() => true, onlyBroken);
      if (done) break;
      if (this.roll(4) === 0) target.arrive();
      if (attempt === 200) target.fate = () => "works";
    }
    target.fate = () => "works";
    assert.deepEqual(this.bucket.objects, before, "the source was changed");
    const own = join(folder, "node");
    const node = await StoreNode.open({
      bucket: target,
      clock: this.clock,
      directory: join(own, "data"),
      server: join(own, "mysql"),
      own,
      name: "restored",
      durability: "commit",
      warn: () => undefined,
      sealed: () => undefined,
      overdue: () => undefined,
      boundMilliseconds: 20_000,
    });
    const election = await node.takeOver();
    const { generation } = await node.align("writes");
    const writing = await node.write(election!);
    const engine = await ScriptedEngine.open(join(own, "data"), writing.handler, () => undefined);
    this.judge(engine, position, `restored at ${position}`);
    // It writes on, and collects its own garbage.
    await engine.flush();
    await writing.released(generation);
    const rows = new Map(engine.scan());
    for (let times = 0; times < 2; times++) {
      this.clock.at += 48 * 3_600_000;
      await engine.createTable(`app__new${times}`);
      await node.checkpointed();
    }
    target.arrive();
    await node.collectGarbage(writing, { keepMilliseconds: 1, rules: historyRules }, () => true);
    const { owner } = (await readOwner(target, 1000))!;
    assert.ok(owner.horizon > position && owner.restored?.position === position);
    const { state } = await openPast(target, "latest", options.scratch);
    const again = join(folder, "again");
    const book = await VolumeBook.open(join(folder, "book"));
    await align(target, state, again, book, this.clock);
    const reopened = await ScriptedEngine.open(again, writing.handler, () => undefined);
    assert.equal(show(reopened.scan()), show(rows), `restored at ${position}, after its own garbage went`);
    await book.close();
    await writing.close();
    await node.close();
  }

  /** `tidesql check` finds nothing wrong with what such a life has left. */
  async check(): Promise<void> {
    const { problems } = await checkStore({ bucket: this.bucket, scratch: join(this.folder, "scratch") });
    assert.deepEqual(problems, []);
  }

  /** The positions that are kept: single ones, and from one on. */
  async kept(): Promise<number[]> {
    const { owner } = (await readOwner(this.bucket, 1000))!;
    const single = describeHistory(owner).daily.map(({ position }) => position);
    return [...single, ...Array.from({ length: this.position - owner.horizon + 1 }, (_, more) => owner.horizon + more)];
  }

  /** Whatever became of it. */
  async close(): Promise<void> {
    await this.writing?.close().catch(() => undefined);
    await this.node?.close().catch(() => undefined);
  }

  get position(): number {
    return this.writing!.log.position - 1;
  }

  private async commit(changes: { table: string; key: string; value: string | undefined }[]): Promise<void> {
    const written: Written = {
      changes: new Map(changes.map(({ table, key, value }) => [`${table}/${key}`, value])),
      begunAt: this.position,
      acknowledgedAt: undefined,
    };
    this.commits.push(written);
    await this.engine!.commit(changes, this.durability === "interval");
    if (this.durability === "interval" && this.roll(3) === 0) await this.writing!.handler.ship();
    written.acknowledgedAt = this.position;
  }

  /** All that was acknowledged by then, nothing that was begun after, and commits whole: some prefix of the commits, one by one. */
  private judge(engine: ScriptedEngine, position: number, where: string, resumed = false): void {
    const rows = engine.scan();
    assert.equal(show(engine.points()), show(rows), `${where}: point reads and a scan differ`);
    // In `interval` what is acknowledged is on the disk; the log has it when it was shipped, or at the next seal.
    const certain = this.durability === "commit" || resumed ? position : -1;
    const must = this.commits.findLastIndex(one => one.acknowledgedAt !== undefined && one.acknowledgedAt <= certain);
    const seen = show(rows);
    const expected: string[] = [];
    const state = new Map<string, string>();
    for (let index = -1; index < this.commits.length; index++) {
      const one = this.commits[index];
      if (one && one.begunAt > position) break;
      for (const [key, value] of one?.changes ?? []) {
        if (value === undefined) state.delete(key);
        else state.set(key, value);
      }
      if (index < must) continue;
      if (show(state) === seen) return;
      expected.push(show(state));
    }
    assert.fail(`${where}: ${seen} is none of\n${expected.join("\n")}`);
  }
}

const fates: Fate[] = ["fails", "answer lost", "late"];
const ignored = (_operation: string): Fate => "works";

/** The bucket without what goes wrong. */
function quiet(bucket: MemoryBucket): MemoryBucket {
  const copy = new MemoryBucket();
  for (const [key, content] of bucket.objects) copy.objects.set(key, content);
  return copy;
}

function onlyKilled(error: unknown): void {
  if (error !== killed) throw error;
}

function onlyUnanswered(error: unknown): void {
  if (!(error instanceof Error && error.message.endsWith(": no answer"))) throw error;
}

/** Broken off somewhere. */
function onlyBroken(error: unknown): false {
  if (error instanceof Error && (error.message.endsWith(": no answer") || error.message.startsWith("another node")))
    return false;
  throw error;
}

function show(rows: Map<string, string>): string {
  return [...rows]
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(" ");
}

/** Plays what happens in a folder of its own, takes over once more, and opens three positions of the past. @throws AssertionError when a row is wrong */
export async function playAll(
  happenings: readonly PlayEvent[],
  roll: (count: number) => number,
  durability: "commit" | "interval",
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "history-"));
  try {
    const play = new Play(folder, roll, durability);
    try {
      await play.begin();
      for (const event of happenings) await play.happen(event);
      await play.takeOver();
      const kept = await play.kept();
      for (let times = 0; times < 3; times++) await play.openAt(kept[roll(kept.length)]!);
      await play.check();
      await play.restoreAt(kept[roll(kept.length)]!);
      // Each checkpoint that stands alone is opened: what it needs is easily deleted.
      for (const position of kept)
        if (position < kept.at(-1)! && !kept.includes(position + 1)) await play.openAt(position);
    } finally {
      await play.close();
    }
  } finally {
    await fs.rm(folder, { recursive: true, maxRetries: 3 });
  }
}
