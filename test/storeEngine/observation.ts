import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import { memory, processorSeconds } from "../benchmark/pods/processUse";
import { LedgerWriter } from "../e2e/writer";
import { ManagerProcesses } from "./managerProcesses";

/** A follower is asked this often what it shows. Milliseconds. */
const lookEvery = 50;

/** What a calm time is like: how far each follower is behind, and what each manager and each mariadbd take. No fault happens meanwhile. */
export class Observation {
  private readonly lags = new Map<string, number[]>();
  private readonly before: Map<string, { pid: number | undefined; manager: number; engine: number }>;
  private readonly startedAt = performance.now();
  private over = false;
  private readonly looks: Promise<void>[];

  constructor(
    private readonly database: ManagerProcesses,
    private readonly writer: LedgerWriter,
  ) {
    this.before = new Map(database.pods.map(pod => [pod, this.used(pod)]));
    const followers = database.pods.filter(pod => pod !== database.primary());
    this.looks = followers.map(pod => this.look(pod));
  }

  /** Ends it. @returns by pod: percent of a core, MB, and lags in milliseconds */
  async end(): Promise<object[]> {
    const { database } = this;
    const seconds = (performance.now() - this.startedAt) / 1000;
    const used = database.pods.map(pod => {
      const [now, before] = [this.used(pod), this.before.get(pod)!];
      const percent = (what: "manager" | "engine") => Number((((now[what] - before[what]) / seconds) * 100).toFixed(1));
      const { most } = memory(database.processes(pod).manager);
      // Of a mariadbd that was started again meanwhile what the first one took is not known.
      const engine = now.pid === before.pid ? percent("engine") : undefined;
      return { pod, manager: percent("manager"), engine, managerMegabytes: Math.round(most) };
    });
    this.over = true;
    await Promise.all(this.looks);
    return used.map(use => ({ ...use, ...this.lagOf(use.pod) }));
  }

  private used(pod: string) {
    const { manager, engine } = this.database.processes(pod);
    return { pid: engine, manager: processorSeconds(manager), engine: engine ? processorSeconds(engine) : 0 };
  }

  private lagOf(pod: string): object {
    const lags = this.lags.get(pod)?.sort((a, b) => a - b);
    if (!lags) return {};
    const at = (share: number) => Math.round(lags[Math.floor(share * (lags.length - 1))]!);
    return { lag: { looks: lags.length, p50: at(0.5), p99: at(0.99), most: at(1) } };
  }

  private async look(pod: string): Promise<void> {
    const lags: number[] = [];
    this.lags.set(pod, lags);
    let connection: Connection | undefined;
    for (; !this.over; await delay(lookEvery)) {
      const asked = performance.now();
      try {
        connection ??= await this.database.connect(pod);
        const id = await lastShown(connection);
        // The first row that it should have shown when it was asked.
        const missing = this.writer.entries
          .slice(id)
          .find(({ acknowledgedAtMilliseconds: at }) => at !== undefined && at < asked);
        lags.push(missing ? asked - missing.acknowledgedAtMilliseconds! : 0);
      } catch {
        connection?.destroy();
        connection = undefined;
      }
    }
    connection?.destroy();
  }
}

/** The last row of the ledger that a node shows. */
async function lastShown(connection: Connection): Promise<number> {
  const [rows] = await connection.query("SELECT MAX(id) AS id FROM app.ledger");
  return Number((rows as { id: number | null }[])[0]?.id ?? 0);
}
