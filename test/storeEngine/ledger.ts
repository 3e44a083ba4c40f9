import * as mysql from "mysql2/promise";
import { RealEngine } from "./realEngine";

/** A value of a row: a number that only grows, or none. */
type Value = number | undefined;

interface Row {
  /** Values that were acknowledged, the newest last, and when. */
  acknowledged: { value: Value; at: number }[];
  /** Sent, and not answered: it may be there or not. */
  open: Value[];
}

export const tables = ["t0", "t1", "t2"] as const;
const rowsOfClient = 40;
/** How many acknowledged values of a row are remembered. */
const remembered = 200;

/** What a comparison found. */
export interface Findings {
  /** Rows that have a value which nobody wrote last, by the way they were read. */
  wrong: Record<string, number>;
  /** Rows whose newest acknowledged value is gone, with an older one in its place. */
  lost: number;
  /** Milliseconds before `lostAt` at which the oldest lost value was acknowledged. */
  lostMilliseconds: number;
  examples: string[];
  rows: number;
}

/** What clients wrote and were told. Each has rows of its own. */
export class Ledger {
  readonly rows = new Map<string, Row>();
  acknowledged = 0;
  failed = 0;
  private counter = 1;

  row(key: string): Row {
    let row = this.rows.get(key);
    if (!row) this.rows.set(key, (row = { acknowledged: [{ value: undefined, at: 0 }], open: [] }));
    return row;
  }

  /** Writes until `stopped`, or until the connection is lost. */
  async write(engine: RealEngine, client: number, random: () => number, stopped: () => boolean): Promise<void> {
    let connection: mysql.Connection;
    try {
      connection = await engine.connect("app");
    } catch {
      return;
    }
    connection.on("error", () => undefined);
    try {
      while (!stopped()) await this.transaction(connection, client, random);
    } catch {
      this.failed++;
    } finally {
      connection.destroy();
    }
  }

  /** One to three tables get the same value, in one commit. */
  private async transaction(connection: mysql.Connection, client: number, random: () => number): Promise<void> {
    const id = client * 1000 + Math.floor(random() * rowsOfClient);
    const value = random() < 0.2 ? undefined : this.counter++;
    const chosen = tables.filter(() => random() < 0.5);
    const used = chosen.length > 0 ? chosen : [tables[0]];
    const rows = used.map(table => this.row(`${table}/${id}`));
    for (const row of rows) row.open.push(value);
    const padding = "x".repeat(Math.floor(random() * 1500));
    if (used.length > 1) await connection.query("BEGIN");
    for (const table of used) {
      if (value === undefined) await connection.query(`DELETE FROM ${table} WHERE id = ?`, [id]);
      else
        await connection.query(
          `INSERT INTO ${table} (id, v, s) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE v = VALUES(v), s = VALUES(s)`,
          [id, value, padding],
        );
    }
    if (used.length > 1) await connection.query("COMMIT");
    const at = performance.now();
    this.acknowledged++;
    for (const row of rows) {
      row.open = [];
      row.acknowledged.push({ value, at });
      if (row.acknowledged.length > remembered) row.acknowledged.shift();
    }
  }

  /**
   * Compares an engine with the ledger: by scan, by the index, by point reads alone and in a transaction. Nobody writes meanwhile.
   * @param lostAt when a node was lost whose last commits may be gone; undefined: none may
   * @param writer point reads in a transaction count, and what it has is what counts from here on; a follower is only looked at
   */
  async compare(engine: RealEngine, lostAt: number | undefined, writer: boolean): Promise<Findings> {
    const findings: Findings = { wrong: {}, lost: 0, lostMilliseconds: 0, examples: [], rows: 0 };
    const connection = await engine.connect("app");
    try {
      const scanned = new Map<string, number>();
      const indexed = new Map<string, number>();
      for (const table of tables) {
        for (const row of await select(connection, `SELECT id, v FROM ${table} FORCE INDEX (PRIMARY)`))
          scanned.set(`${table}/${row.id as number}`, row.v as number);
        for (const row of await select(connection, `SELECT id, v FROM ${table} FORCE INDEX (v) WHERE v > 0`))
          indexed.set(`${table}/${row.id as number}`, row.v as number);
      }
      findings.rows = scanned.size;
      const read: [string, (key: string) => Promise<Value>][] = [
        ["scan", key => Promise.resolve(scanned.get(key))],
        ["index", key => Promise.resolve(indexed.get(key))],
        ["point", key => point(connection, key)],
      ];
      for (const [how, value] of read) await this.judge(findings, how, value, lostAt);
      if (writer) {
        await connection.query("BEGIN");
        await this.judge(findings, "point in a transaction", key => point(connection, key), lostAt);
        await connection.query("ROLLBACK");
      }
      for (const [key, value] of scanned) {
        if (this.rows.has(key)) continue;
        this.note(findings, "unknown row", key, value, []);
      }
      if (writer) this.settle(scanned);
      return findings;
    } finally {
      connection.destroy();
    }
  }

  private async judge(
    findings: Findings,
    how: string,
    read: (key: string) => Promise<Value>,
    lostAt: number | undefined,
  ): Promise<void> {
    for (const [key, row] of this.rows) {
      const value = await read(key);
      const newest = row.acknowledged.at(-1)!;
      if (value === newest.value || row.open.includes(value)) continue;
      const older = row.acknowledged.findLastIndex(one => one.value === value);
      if (lostAt !== undefined && older >= 0) {
        if (how === "scan") {
          findings.lost++;
          const gone = row.acknowledged[older + 1]!;
          findings.lostMilliseconds = Math.max(findings.lostMilliseconds, lostAt - gone.at);
        }
        continue;
      }
      this.note(
        findings,
        how,
        key,
        value,
        row.acknowledged.slice(-3).map(one => one.value),
      );
    }
  }

  private note(findings: Findings, how: string, key: string, value: Value, expected: Value[]): void {
    findings.wrong[how] = (findings.wrong[how] ?? 0) + 1;
    if (findings.examples.length < 6)
      findings.examples.push(`${how} ${key}: ${value}, written last: ${expected.map(String).join(", ")}`);
  }

  /** What is there now is what counts from here on. */
  private settle(scanned: Map<string, number>): void {
    for (const [key, row] of this.rows) {
      row.open = [];
      row.acknowledged = [{ value: scanned.get(key), at: 0 }];
    }
  }
}

async function select(connection: mysql.Connection, statement: string): Promise<mysql.RowDataPacket[]> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>({ sql: statement, timeout: 60_000 });
  return rows;
}

async function point(connection: mysql.Connection, key: string): Promise<Value> {
  const [table, id] = key.split("/");
  const rows = await select(connection, `SELECT v FROM ${table} WHERE id = ${id}`);
  return rows[0]?.v as Value;
}
