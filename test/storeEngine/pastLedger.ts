import * as mysql from "mysql2/promise";
import { RealEngine } from "./realEngine";

/** A value of a row: a number that only grows, or none. */
type Value = number | undefined;

/** One commit: rows that got one value, and the log's positions when it was begun and when it was acknowledged. */
interface Commit {
  rows: string[];
  value: Value;
  begunAt: number;
  /** Infinity: it was never answered. */
  acknowledgedAt: number;
}

export const pastTables = ["t0", "t1", "t2"] as const;
const rowsOfClient = 30;

/** What was found wrong at a position. */
export interface PastFindings {
  rows: number;
  /** Rows with a value that they cannot have had then, by the way they were read. */
  wrong: Record<string, number>;
  /** Commits of which a part is there. */
  torn: number;
  examples: string[];
}

/** Which commits a database had acknowledged at each position of its log. Each client has rows of its own, and writes one commit after the other. */
export class PastLedger {
  private readonly commits: Commit[] = [];
  private counter = 1;

  /** @param position the last one of the log, as it is now */
  constructor(private readonly position: () => number) {}

  get acknowledged(): number {
    return this.commits.filter(({ acknowledgedAt }) => acknowledgedAt !== Infinity).length;
  }

  /** Writes until `stopped`, or until the connection is lost. */
  async write(engine: RealEngine, client: number, random: () => number, stopped: () => boolean): Promise<void> {
    const connection = await engine.connect("app").catch(() => undefined);
    if (!connection) return;
    connection.on("error", () => undefined);
    try {
      while (!stopped()) await this.commit(connection, client, random);
    } catch {
      // The node is lost: what was not answered may be there or not.
    } finally {
      connection.destroy();
    }
  }

  private async commit(connection: mysql.Connection, client: number, random: () => number): Promise<void> {
    const id = client * 1000 + Math.floor(random() * rowsOfClient);
    const value = random() < 0.2 ? undefined : this.counter++;
    const chosen = pastTables.filter(() => random() < 0.5);
    const used = chosen.length > 0 ? chosen : [pastTables[0]];
    const commit: Commit = {
      rows: used.map(table => `${table}/${id}`),
      value,
      begunAt: this.position(),
      acknowledgedAt: Infinity,
    };
    this.commits.push(commit);
    const padding = "x".repeat(Math.floor(random() * 1500));
    await connection.query("BEGIN");
    for (const table of used) {
      if (value === undefined) await connection.query(`DELETE FROM ${table} WHERE id = ?`, [id]);
      else
        await connection.query(
          `INSERT INTO ${table} (id, v, s) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE v = VALUES(v), s = VALUES(s)`,
          [id, value, padding],
        );
    }
    await connection.query("COMMIT");
    commit.acknowledgedAt = this.position();
  }

  /** Compares a database that was restored at a position: every row by scan, by the index and by point reads. */
  async compare(engine: RealEngine, position: number): Promise<PastFindings> {
    const findings: PastFindings = { rows: 0, wrong: {}, torn: 0, examples: [] };
    const connection = await engine.connect("app");
    try {
      const scanned = new Map<string, number>();
      const indexed = new Map<string, number>();
      for (const table of pastTables) {
        for (const row of await select(connection, `SELECT id, v FROM ${table} FORCE INDEX (PRIMARY)`))
          scanned.set(`${table}/${row.id as number}`, row.v as number);
        for (const row of await select(connection, `SELECT id, v FROM ${table} FORCE INDEX (v) WHERE v > 0`))
          indexed.set(`${table}/${row.id as number}`, row.v as number);
      }
      findings.rows = scanned.size;
      const possible = this.possibleAt(position);
      const note = (how: string, key: string, value: Value) => {
        findings.wrong[how] = (findings.wrong[how] ?? 0) + 1;
        if (findings.examples.length < 6)
          findings.examples.push(
            `${how} ${key}: ${value}, possible: ${(possible.get(key) ?? []).map(String).join(", ")}`,
          );
      };
      for (const [key, values] of possible) {
        const [table, id] = key.split("/");
        const [row] = await select(connection, `SELECT v FROM ${table} WHERE id = ${id}`);
        const read: [string, Value][] = [
          ["scan", scanned.get(key)],
          ["index", indexed.get(key)],
          ["point", row?.v as Value],
        ];
        for (const [how, value] of read) if (!values.includes(value)) note(how, key, value);
      }
      for (const [key, value] of scanned) if (!possible.has(key)) note("unknown row", key, value);
      for (const { rows, value, begunAt, acknowledgedAt } of this.commits) {
        if (value === undefined || begunAt > position || acknowledgedAt <= position) continue;
        const there = rows.filter(key => scanned.get(key) === value).length;
        if (there > 0 && there < rows.length) findings.torn++;
      }
      return findings;
    } finally {
      connection.destroy();
    }
  }

  /** What each row can be at a position: the last value that was acknowledged by then, or one that was on its way. */
  private possibleAt(position: number): Map<string, Value[]> {
    const possible = new Map<string, Value[]>();
    for (const { rows, value, begunAt, acknowledgedAt } of this.commits)
      for (const key of rows) {
        if (!possible.has(key)) possible.set(key, [undefined]);
        if (begunAt > position) continue;
        if (acknowledgedAt <= position) possible.set(key, [value]);
        else possible.get(key)!.push(value);
      }
    return possible;
  }
}

async function select(connection: mysql.Connection, statement: string): Promise<mysql.RowDataPacket[]> {
  const [rows] = await connection.query<mysql.RowDataPacket[]>({ sql: statement, timeout: 60_000 });
  return rows;
}
