import { performance } from "node:perf_hooks";
import type { Connection } from "mysql2/promise";
import { LedgerEntry } from "./ledger";

export interface WriterOptions {
  /** Opens a connection to the primary service. Called again whenever the last connection failed or is suspect. */
  connect: () => Promise<Connection>;
  /** `database.table` with a column `id`. */
  table: string;
  /** Number of the first row. Default 1. */
  firstId?: number;
  /** A write starts this often, answered or not. Default 100: 10 Hz. */
  periodMilliseconds?: number;
  /**
   * A connection that leaves a write unanswered for so long is given no further ones, and the next write opens another. Its answer still counts when it
   * comes. Default 300; more where a commit itself takes that long.
   */
  suspectAfterMilliseconds?: number;
  /** A write that is not answered by then is entered as failed and its connection closed. Default 10,000. */
  giveUpAfterMilliseconds?: number;
}

/** A connection and the writes on it that have no answer yet. */
interface Line {
  connection: Promise<Connection>;
  /** In the order they were sent. */
  waiting: Set<LedgerEntry>;
  broken: boolean;
}

/**
 * A client that writes at a steady rate, whatever happens to the database, and keeps a ledger of it. Each write is a statement of its own with autocommit, on one
 * connection while that answers. A write that fails is never tried again, so that a row that is there although it failed is told from one that was repeated.
 */
export class LedgerWriter {
  readonly entries: LedgerEntry[] = [];
  /** Milliseconds on the monotonic clock. */
  readonly startedAt = performance.now();

  private readonly options: Required<WriterOptions>;
  private readonly pending = new Set<Promise<void>>();
  private readonly lines = new Set<Line>();
  private readonly timer: NodeJS.Timeout;
  private current: Line | undefined;
  private nextId: number;
  private listeners: (() => void)[] = [];

  constructor(options: WriterOptions) {
    this.options = {
      firstId: 1,
      periodMilliseconds: 100,
      suspectAfterMilliseconds: 300,
      giveUpAfterMilliseconds: 10_000,
      ...options,
    };
    this.nextId = this.options.firstId;
    this.timer = setInterval(() => this.tick(), this.options.periodMilliseconds);
  }

  /** The number of the next row, for a writer that follows this one on the same table. */
  get followingId(): number {
    return this.nextId;
  }

  /**
   * Resolves when so many writes that were *sent* after this call are acknowledged: one that was on its way before a fault says nothing.
   * @throws Error when they are not within the deadline
   */
  async acknowledgements(count: number, deadlineSeconds: number): Promise<void> {
    const since = performance.now();
    const reached = () =>
      this.entries.filter(entry => entry.sentAtMilliseconds >= since && entry.acknowledgedAtMilliseconds !== undefined)
        .length >= count;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        const last = this.entries.findLast(entry => entry.failure !== undefined);
        reject(
          new Error(
            `fewer than ${count} writes were acknowledged within ${deadlineSeconds} s; the last failure: ${last?.failure ?? "none, no answer came"}`,
          ),
        );
      }, deadlineSeconds * 1000);
      const listener = () => {
        if (!reached()) return;
        clearTimeout(timer);
        this.listeners = this.listeners.filter(other => other !== listener);
        resolve();
      };
      this.listeners.push(listener);
    });
  }

  /** Starts no more writes, waits for the answers to those on their way, and closes the connections. */
  async stop(): Promise<LedgerEntry[]> {
    clearInterval(this.timer);
    await Promise.all(this.pending);
    for (const line of this.lines) this.close(line);
    return this.entries;
  }

  private tick(): void {
    const now = performance.now();
    const line = this.usableLine(now);
    const entry: LedgerEntry = { id: this.nextId++, sentAtMilliseconds: now };
    this.entries.push(entry);
    line.waiting.add(entry);
    const written = this.write(line, entry).finally(() => this.pending.delete(written));
    this.pending.add(written);
  }

  private usableLine(now: number): Line {
    const suspect = (line: Line) => {
      const [oldest] = line.waiting;
      return line.broken || (oldest && now - oldest.sentAtMilliseconds > this.options.suspectAfterMilliseconds);
    };
    if (this.current && !suspect(this.current)) return this.current;
    // A line that has recovered meanwhile is taken back instead of opening one connection after another.
    const answering = [...this.lines].find(line => !suspect(line));
    this.current = answering ?? this.open();
    return this.current;
  }

  private open(): Line {
    const line: Line = { connection: this.options.connect(), waiting: new Set(), broken: false };
    line.connection.then(
      connection => connection.on("error", () => this.close(line)),
      () => this.close(line),
    );
    this.lines.add(line);
    return line;
  }

  private async write(line: Line, entry: LedgerEntry): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      const give = this.options.giveUpAfterMilliseconds;
      timer = setTimeout(() => reject(new Error(`no answer within ${give} ms`)), give);
    });
    try {
      const answer = line.connection.then(connection =>
        connection.query(`INSERT INTO ${this.options.table} (id) VALUES (${entry.id})`),
      );
      await Promise.race([answer, tooLate]);
      entry.acknowledgedAtMilliseconds = performance.now();
      for (const listener of [...this.listeners]) listener();
    } catch (error) {
      entry.failure = describe(error);
      this.close(line);
    } finally {
      clearTimeout(timer);
      line.waiting.delete(entry);
    }
  }

  private close(line: Line): void {
    line.broken = true;
    this.lines.delete(line);
    line.connection.then(
      connection => connection.destroy(),
      () => undefined,
    );
  }
}

/** One line that tells refused connections, lost ones and the server's own errors apart. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, errno } = error as Error & { code?: string; errno?: number };
  return [code, errno, error.message].filter(part => part !== undefined && part !== "").join(" ");
}
