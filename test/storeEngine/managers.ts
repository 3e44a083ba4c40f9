import { mkdtempSync } from "node:fs";
import * as fsp from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Load } from "./load";
import { Observation } from "./observation";
import { audit, distribution, LedgerEntry, outages } from "../e2e/ledger";
import { LedgerWriter } from "../e2e/writer";
import { memory } from "../benchmark/pods/processUse";
import { mulberry } from "./mulberry";
import { ManagerProcesses } from "./managerProcesses";
import { say, until } from "./running";

/** What happens to the primary in one round. */
const faults = [
  "node",
  "wipe",
  "restart",
  "engine",
  "frozen",
  "terminated",
  "hurried",
  "switchover",
  "rolling",
  "s3",
] as const;
const usage = `Three managers with real engines as processes of this machine, a client that writes ten rows a second (or one each --every milliseconds), and faults:
  npx tsx test/storeEngine/managers.ts --engine PREFIX [--durability commit|interval] [--rounds 6] [--faults LIST]
      [--load MB] [--calm SECONDS] [--pause SECONDS] [--idle SECONDS] [--memory GIB] [--buffer BYTES] [--lease SECONDS] [--every MS] [--seed N] [--credentials SECONDS] [--keep]
--engine is MariaDB's prefix (bin/mariadbd, lib/mysql/plugin/ha_tidesdb.so). --faults: a comma list of ${faults.join(",")}; rolling terminates one pod after the other, the primary last; hurried is a pod that is killed 3 s after it was terminated. Each kind's longest pause of writes is told at the end.
--load: clients that overwrite rows of 50 KB beside, so many megabytes a second. --calm: so long without a fault first, at the end of which the followers' lag and what each process took are told. --pause: from one fault to the next.
--credentials: the managers have a role, by a Pod Identity agent of this program, whose credentials end after so long; the bucket then judges each signature and session token.
Exits with 1 when a row is wrong, or lost that the mode does not allow.`;

type Fault = (typeof faults)[number];

/** Rows that `interval` may lose with a node and its disk were acknowledged so shortly before. Milliseconds. */
const allowedLoss = 1000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engine: { type: "string" },
      durability: { type: "string", default: "commit" },
      rounds: { type: "string", default: "6" },
      faults: { type: "string", default: faults.join(",") },
      idle: { type: "string", default: "0" },
      load: { type: "string", default: "0" },
      calm: { type: "string", default: "0" },
      pause: { type: "string", default: "0" },
      memory: { type: "string", default: "1" },
      buffer: { type: "string" },
      lease: { type: "string", default: "4" },
      every: { type: "string", default: "100" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      credentials: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  if (!values.engine) throw new Error(usage);
  const { durability } = values;
  if (durability !== "commit" && durability !== "interval") throw new Error("--durability is commit or interval");
  const folder = mkdtempSync(join(tmpdir(), "managers-"));
  const database = new ManagerProcesses({
    prefix: values.engine,
    folder,
    durability,
    nodes: 3,
    leaseDurationSeconds: Number(values.lease),
    ...(values.credentials !== undefined && { credentialSeconds: Number(values.credentials) }),
    memoryBytes: Number(values.memory) * 2 ** 30,
    ...(values.buffer !== undefined && { writeBufferBytes: Number(values.buffer) }),
  });
  say({ ...values, folder });
  process.on("SIGTERM", () => process.exit(1));
  process.on("SIGINT", () => process.exit(1));
  await database.start();
  const pace = { everyMilliseconds: Number(values.every), pauseMilliseconds: Number(values.pause) * 1000 };
  const run = new Run(database, durability, pace, mulberry(Number(values.seed)), Number(values.load));
  const isRight = await run.play(
    Number(values.rounds),
    values.faults.split(",").map(fault => fault.trim() as Fault),
    { idle: Number(values.idle), calm: Number(values.calm) },
  );
  const { agent, refusals } = database;
  if (agent) say({ credentialsHandedOut: agent.keys.size, refusedByTheBucket: Object.fromEntries(refusals) });
  await database.stop();
  if (isRight && !values.keep) await fsp.rm(folder, { recursive: true });
  process.exit(isRight ? 0 : 1);
}

/** One run against one database. */
class Run {
  /** Times at which a node was lost, with what it had not shipped. */
  private readonly lostAt: number[] = [];
  /** When each fault began, and when all pods were healthy again. */
  private readonly rounds: { fault: Fault; from: number; until: number }[] = [];
  /** Rounds in which a column was added before the fault, and whether a row with it was written. */
  private readonly columns = new Map<number, { row: boolean }>();
  /** Changes of the counter that were acknowledged, and those whose commit was begun. */
  private updates = 0;
  private begun = 0;
  /** The most that any manager had resident before a fault, and at the end. Megabytes. */
  private mostMegabytes = 0;
  private readonly load: Load | undefined;

  constructor(
    private readonly database: ManagerProcesses,
    private readonly durability: "commit" | "interval",
    /** From one small row to the next, and from one fault to the next at least. */
    private readonly pace: { everyMilliseconds: number; pauseMilliseconds: number },
    private readonly random: () => number,
    /** Megabytes a second of large rows. */
    rate: number,
  ) {
    if (rate > 0) this.load = new Load({ connect: () => database.connect(), rate });
  }

  /** @returns whether every row is right on every node */
  async play(rounds: number, kinds: Fault[], seconds: { idle: number; calm: number }): Promise<boolean> {
    const { database, load } = this;
    await until("all pods to be healthy", 120, () => database.healthy());
    await until("the first tables", 120, async () => {
      const connection = await database.connect();
      try {
        await connection.query("CREATE TABLE IF NOT EXISTS app.ledger (id BIGINT PRIMARY KEY)");
        await connection.query("CREATE TABLE IF NOT EXISTS app.counters (id INT PRIMARY KEY, v INT, KEY v (v))");
        await connection.query("REPLACE INTO app.counters VALUES (1, 0)");
        await connection.query("CREATE TABLE IF NOT EXISTS app.widened (id INT PRIMARY KEY)");
      } finally {
        connection.destroy();
      }
      return true;
    });
    if (seconds.idle > 0) await this.idle(seconds.idle);
    const writer = new LedgerWriter({
      connect: () => database.connect(),
      table: "app.ledger",
      periodMilliseconds: this.pace.everyMilliseconds,
      suspectAfterMilliseconds: 1000,
    });
    await writer.acknowledgements(20, 60);
    await load?.start();
    if (seconds.calm > 0) await this.calm(writer, seconds.calm);
    for (let round = 1; round <= rounds; round++) {
      const fault = kinds[Math.floor(this.random() * kinds.length)]!;
      const pause = 1000 + this.random() * 2000;
      await delay(Math.max(pause, this.pace.pauseMilliseconds - (performance.now() - (this.rounds.at(-1)?.from ?? 0))));
      await this.round(round, fault, writer);
    }
    const endedAt = performance.now();
    await load?.stop();
    // Who shows the last row of the ledger has all of the load.
    await writer.acknowledgements(1, 60);
    const entries = await writer.stop();
    this.weigh();
    say({ managersHadAtMost: this.mostMegabytes });
    await until("all pods to be healthy", 120, () => database.healthy());
    const isRight = await this.judge(entries);
    this.sayOutages(entries, writer.startedAt, endedAt);
    for (const pod of database.pods) say({ pod, metrics: await this.figures(pod) });
    return isRight;
  }

  private async round(round: number, fault: Fault, writer: LedgerWriter): Promise<void> {
    const { database, random } = this;
    this.weigh();
    const victim = database.primary();
    if (victim === undefined) throw new Error("no pod is labelled primary");
    await until("a column of round " + round, 120, async () => this.addColumn(round));
    // What `interval` may lose with a node is not asked for.
    if (this.durability === "interval") await delay(allowedLoss);
    const at = performance.now();
    switch (fault) {
      case "node":
      case "wipe":
        if (this.durability === "interval") this.lostAt.push(at);
        await database.lose(victim, fault === "wipe");
        setTimeout(() => database.run(victim), 6000 + random() * 4000);
        break;
      case "restart":
        await database.lose(victim, false);
        setTimeout(() => database.run(victim), 500);
        if (this.durability === "interval") this.lostAt.push(at);
        break;
      case "engine":
        database.killEngine(victim);
        break;
      case "frozen":
        database.signal(victim, "SIGSTOP");
        if (this.durability === "interval") this.lostAt.push(at);
        setTimeout(() => database.signal(victim, "SIGCONT"), 6000 + random() * 15_000);
        break;
      case "terminated":
        await database.terminate(victim);
        setTimeout(() => database.run(victim), 500);
        break;
      case "hurried": {
        const leftInOrder = await database.terminate(victim, 3);
        if (!leftInOrder && this.durability === "interval") this.lostAt.push(performance.now());
        say({ round, leftInOrder });
        setTimeout(() => database.run(victim), 500);
        break;
      }
      case "switchover":
        database.switchOver(victim);
        await until("another primary", 60, () => ![undefined, victim].includes(database.primary()));
        break;
      case "rolling":
        for (const pod of [...database.pods.filter(pod => pod !== victim), victim]) {
          await database.terminate(pod);
          setTimeout(() => database.run(pod), 500);
          await until(`${pod} to be back`, 120, () => database.role(pod) !== undefined && database.healthy());
        }
        break;
      case "s3": {
        database.bucket.store.down();
        await delay(2000 + random() * 28_000);
        database.bucket.store.up();
        break;
      }
    }
    await writer.acknowledgements(10, 120);
    const first = writer.entries.find(
      ({ sentAtMilliseconds, acknowledgedAtMilliseconds }) =>
        acknowledgedAtMilliseconds !== undefined && sentAtMilliseconds > at,
    );
    const again = (first?.acknowledgedAtMilliseconds ?? NaN) - at;
    await until("a change of round " + round, 120, async () => this.change(round));
    await until("all pods to be healthy", 180, () => database.healthy());
    this.rounds.push({ fault, from: at, until: performance.now() });
    say({ round, fault, victim, primary: database.primary(), writtenAgainAfter: Math.round(again) });
  }

  private weigh(): void {
    const { database } = this;
    const all = database.pods.map(pod => memory(database.processes(pod).manager).most);
    this.mostMegabytes = Math.round(Math.max(this.mostMegabytes, ...all));
  }

  /** The longest pause of writes in each round, by fault. Milliseconds. */
  private sayOutages(entries: LedgerEntry[], from: number, until: number): void {
    const gaps = outages(entries, from, until);
    for (const fault of faults) {
      const rounds = this.rounds.filter(round => round.fault === fault);
      const longest = rounds.map(round => {
        const within = gaps.filter(
          ({ fromMilliseconds: start, durationMilliseconds: length }) =>
            start < round.until && start + length > round.from,
        );
        return Math.round(Math.max(0, ...within.map(gap => gap.durationMilliseconds)));
      });
      if (rounds.length > 0) say({ fault, writeOutages: longest, ...distribution(longest) });
    }
  }

  /** A table that is new, and a row that is read and changed in a transaction: as often as that is acknowledged, and at most once more. */
  private async change(round: number): Promise<true> {
    const connection = await this.database.connect();
    try {
      await connection.query(`CREATE TABLE IF NOT EXISTS app.round${round} (id INT PRIMARY KEY, t VARCHAR(20))`);
      await connection.query(`REPLACE INTO app.round${round} VALUES (1, 'made')`);
      await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      await connection.query("START TRANSACTION");
      await connection.query("UPDATE app.counters SET v = v + 1 WHERE id = 1");
      this.begun++;
      await connection.query("COMMIT");
      this.updates++;
      return true;
    } finally {
      connection.destroy();
    }
  }

  /** A time without a fault. */
  private async calm(writer: LedgerWriter, seconds: number): Promise<void> {
    const { load } = this;
    const observation = new Observation(this.database, writer);
    const before = load?.bytes ?? 0;
    await delay(seconds * 1000);
    const rate = ((load?.bytes ?? 0) - before) / seconds / 1e6;
    say({ calm: seconds, megabytesPerSecond: Number(rate.toFixed(2)), pods: await observation.end() });
  }

  /** A column in place, with a row in it or without: the fault comes next. */
  private async addColumn(round: number): Promise<true> {
    const connection = await this.database.connect();
    try {
      await connection.query(`ALTER TABLE app.widened ADD COLUMN IF NOT EXISTS c${round} INT`);
      this.columns.set(round, { row: false });
      if (this.random() < 0.5) return true;
      await connection.query(`REPLACE INTO app.widened (id, c${round}) VALUES (${round}, ${10 * round})`);
      this.columns.set(round, { row: true });
      return true;
    } finally {
      connection.destroy();
    }
  }

  /** Columns and rows that a node does not show as they were acknowledged. */
  private async missingColumns(pod: string): Promise<string[]> {
    const rows = new Map(
      (await this.rows(pod, "SELECT * FROM app.widened")).map(row => [Number(row.id), row] as const),
    );
    const names = (await this.rows(pod, "SHOW COLUMNS FROM app.widened")).map(({ Field: name }) => String(name));
    return [...this.columns].flatMap(([round, { row }]) => {
      if (!names.includes(`c${round}`)) return [`c${round}`];
      return row && rows.get(round)?.[`c${round}`] !== 10 * round ? [`c${round} of row ${round}`] : [];
    });
  }

  private async idle(seconds: number): Promise<void> {
    const { database } = this;
    const primary = database.primary();
    for (let second = 0; second < seconds; second++) {
      await delay(1000);
      if (database.primary() !== primary || !database.healthy())
        say({ second, trouble: "roles have changed while idle" });
    }
    say({ idle: seconds, primary: database.primary(), was: primary });
    for (const pod of database.pods) say({ pod, metrics: await this.figures(pod) });
  }

  /** Every row of every node, by scan and by point read, alone and in a transaction. */
  private async judge(entries: LedgerEntry[]): Promise<boolean> {
    const { database } = this;
    const last = Math.max(
      ...entries.filter(entry => entry.acknowledgedAtMilliseconds !== undefined).map(({ id }) => id),
    );
    let isRight = true;
    let allowed: number[] | undefined;
    for (const pod of [database.primary()!, ...database.pods.filter(pod => pod !== database.primary())]) {
      const shows = async () => (await this.rows(pod, "SELECT MAX(id) AS id FROM app.ledger"))[0]?.id === last;
      const caughtUp = await until(`${pod} to show the last row`, 20, shows).catch(() => false);
      const ids = (await this.rows(pod, "SELECT id FROM app.ledger")).map(({ id }) => Number(id));
      const found = audit(entries, ids);
      const points = await this.pointReads(pod, entries);
      const differ = points.filter(id => !ids.includes(id)).length + ids.filter(id => !points.includes(id)).length;
      const counter = Number((await this.rows(pod, "SELECT v FROM app.counters WHERE id = 1"))[0]?.v);
      const columns = await this.missingColumns(pod);
      const lost = found.lost.filter(id => !this.mayBeLost(entries[id - 1]!));
      if (!allowed && found.lost.length > 0) say({ lostSoLongBefore: this.lossesOf(entries, found.lost) });
      allowed ??= found.lost;
      const isNew = found.lost.some(id => !allowed!.includes(id));
      const wrong =
        lost.length +
        columns.length +
        differ +
        found.unknown.length +
        found.duplicated.length +
        Number(!(counter >= this.updates && counter <= this.begun));
      say({
        pod,
        primary: pod === database.primary(),
        acknowledged: found.acknowledged,
        rows: ids.length,
        lost: found.lost.length,
        lostBeyondTheMode: lost.slice(0, 20),
        scanAndPointsDiffer: differ,
        presentUnacknowledged: found.presentUnacknowledged.length,
        columns: `${this.columns.size - columns.length} of ${this.columns.size}`,
        ...(columns.length > 0 && { missing: columns }),
        counter: `${counter} of ${this.updates} to ${this.begun}`,
      });
      if (wrong > 0 || isNew || caughtUp === false) isRight = false;
      if (!(await this.judgeLoad(pod))) isRight = false;
    }
    say({ right: isRight });
    return isRight;
  }

  /** @returns whether the large rows of a node are right */
  private async judgeLoad(pod: string): Promise<boolean> {
    if (!this.load) return true;
    const connection = await this.database.connect(pod);
    const found = await this.load.judge(connection, at => this.mayBeLostAt(at));
    connection.destroy();
    say({ pod, load: { megabytes: Math.round(this.load.bytes / 1e6), ...found } });
    return [found.lostBeyondTheMode, found.wrong, found.differ].every(rows => rows.length === 0);
  }

  private mayBeLost({ acknowledgedAtMilliseconds: at = 0 }: LedgerEntry): boolean {
    return this.mayBeLostAt(at);
  }

  private mayBeLostAt(at: number): boolean {
    return this.lostAt.some(lost => at <= lost + 200 && at > lost - allowedLoss);
  }

  /** For each time at which a node was lost: how many rows with it, and how long before the oldest of them was acknowledged. Milliseconds. */
  private lossesOf(entries: LedgerEntry[], lost: number[]): { rows: number; oldest: number }[] {
    const times = lost.map(id => entries[id - 1]!.acknowledgedAtMilliseconds!);
    return this.lostAt.map((at, index) => {
      const end = this.lostAt[index + 1] ?? Infinity;
      const before = times.filter(time => time > at - allowedLoss && time < Math.min(end, at + allowedLoss));
      return { rows: before.length, oldest: Math.round(Math.max(0, ...before.map(time => at - time))) };
    });
  }

  private async pointReads(pod: string, entries: LedgerEntry[]): Promise<number[]> {
    const connection = await this.database.connect(pod);
    try {
      const found: number[] = [];
      for (const { id } of entries) {
        const [rows] = await connection.query("SELECT id FROM app.ledger WHERE id = ?", [id]);
        if ((rows as unknown[]).length === 1) found.push(id);
      }
      return found;
    } finally {
      connection.destroy();
    }
  }

  private async rows(pod: string, sql: string): Promise<Record<string, unknown>[]> {
    const connection = await this.database.connect(pod);
    try {
      const [rows] = await connection.query(sql);
      return rows as Record<string, unknown>[];
    } finally {
      connection.destroy();
    }
  }

  private async figures(pod: string): Promise<Record<string, number>> {
    const wanted = /^tidesql_(log|bucket|not_in|manager_resident|engine_starts|garbage)/;
    const found = [...(await this.database.metrics(pod))].filter(([name]) => wanted.test(name));
    return Object.fromEntries(found);
  }
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error && error.message.startsWith("Three") ? error.message : error);
  process.exit(1);
});
