import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { Connection } from "mysql2/promise";

export interface LoadOptions {
  /** Opens a connection to the primary. */
  connect: () => Promise<Connection>;
  /** Megabytes of rows a second that are wanted. */
  rate: number;
  /** Of one row. Default 50,000. */
  rowBytes?: number;
  /** Rows that are overwritten in turn. Default 5000. */
  rows?: number;
  /** Default 8. */
  clients?: number;
}

/** A version of a row: whether it was acknowledged, and when. */
interface Version {
  number: number;
  acknowledgedAt?: number;
}

/** What a node shows of the rows. */
export interface LoadFindings {
  rows: number;
  /** Rows whose version is older than one that was acknowledged. */
  lost: number;
  /** Those whose acknowledgement was so long before a loss that the mode does not allow it. */
  lostBeyondTheMode: string[];
  /** Rows of a version that nobody sent, or whose bytes are not that version's. */
  wrong: string[];
  /** Rows that a point read finds other than a scan does. */
  differ: string[];
}

const table = "app.load";
/** A statement that is not answered for so long is given up with its connection. Milliseconds. */
const patience = 10_000;

/** Clients that overwrite large rows at a steady rate, whatever happens, and a ledger of all versions. */
export class Load {
  bytes = 0;
  private readonly versions: Version[][];
  private readonly base: string;
  private readonly rowBytes: number;
  private readonly rows: number;
  private readonly clients: number;
  private startedAt = 0;
  private stopped = false;
  private running: Promise<void>[] = [];

  constructor(private readonly options: LoadOptions) {
    this.rowBytes = options.rowBytes ?? 50_000;
    this.rows = options.rows ?? 5000;
    this.clients = options.clients ?? 8;
    this.base = randomBytes(this.rowBytes).toString("hex");
    this.versions = Array.from({ length: this.rows }, () => []);
  }

  async start(): Promise<void> {
    const connection = await this.options.connect();
    await connection.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, v INT, s MEDIUMBLOB)`);
    connection.destroy();
    // Nothing was due before: a burst would be no steady rate.
    this.startedAt = performance.now();
    this.running = Array.from({ length: this.clients }, (_, client) => this.client(client));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  /**
   * What a node shows, read by a scan and by a point read of each row.
   * @param mayBeLost whether an acknowledgement at this time may be lost
   */
  async judge(connection: Connection, mayBeLost: (at: number) => boolean): Promise<LoadFindings> {
    const columns = "id, v, CRC32(s) AS crc";
    const scanned = await rowsOf(connection, `SELECT ${columns} FROM ${table}`);
    const shown = new Map(scanned.map(row => [Number(row.id), row]));
    const findings: LoadFindings = { rows: scanned.length, lost: 0, lostBeyondTheMode: [], wrong: [], differ: [] };
    for (const [id, versions] of this.versions.entries()) {
      const row = shown.get(id);
      const [point] = await rowsOf(connection, `SELECT ${columns} FROM ${table} WHERE id = ${id}`);
      const place = `${id}: ${Number(row?.v ?? -1)}`;
      if (point?.v !== row?.v || point?.crc !== row?.crc) findings.differ.push(`${place}, ${Number(point?.v)}`);
      const version = Number(row?.v ?? -1);
      if (row && (version >= versions.length || Number(row.crc) !== crc32(this.text(id, version))))
        findings.wrong.push(place);
      const lost = versions.filter(({ number, acknowledgedAt }) => number > version && acknowledgedAt !== undefined);
      if (lost.length > 0) findings.lost++;
      if (!lost.every(({ acknowledgedAt }) => mayBeLost(acknowledgedAt!))) findings.lostBeyondTheMode.push(place);
    }
    return findings;
  }

  private async client(client: number): Promise<void> {
    let connection: Connection | undefined;
    for (let turn = client; !this.stopped; turn += this.clients) {
      const due = ((performance.now() - this.startedAt) / 1000) * this.options.rate * 1e6;
      if (this.bytes > due) await delay((this.bytes - due) / this.options.rate / 1000);
      const id = turn % this.rows;
      const version: Version = { number: this.versions[id]!.length };
      try {
        connection ??= await this.options.connect();
        // A row that is lost on its way is not sent again: the next version of it is.
        this.versions[id]!.push(version);
        const text = this.text(id, version.number);
        await inTime(connection.query(`REPLACE INTO ${table} VALUES (${id}, ${version.number}, '${text}')`));
        version.acknowledgedAt = performance.now();
        this.bytes += text.length;
      } catch {
        connection?.destroy();
        connection = undefined;
        await delay(100);
      }
    }
    connection?.destroy();
  }

  /** Of each version other bytes. */
  private text(id: number, version: number): string {
    const from = (id * 7 + version * 13) % this.rowBytes;
    return this.base.slice(from, from + this.rowBytes);
  }
}

async function inTime(work: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  try {
    await Promise.race([
      work,
      delay(patience, undefined, { signal: late.signal }).then(() => Promise.reject(new Error("no answer"))),
    ]);
  } finally {
    late.abort();
  }
}

async function rowsOf(connection: Connection, sql: string): Promise<Record<string, unknown>[]> {
  const [rows] = await connection.query(sql);
  return rows as Record<string, unknown>[];
}
