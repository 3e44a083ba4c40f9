import { RowWrite } from "../../model/engine";
import { sqlErrors } from "../sqlError";
import { decodeValues } from "../values";
import type { ClientSession } from "./clientSession";
import { guardAsync, indexesOf, indexKey, StoredRow, Table } from "./tables";

/** The rows that a transaction has written and not committed; null: deleted. */
type Writes = Map<string, string | null>;

/** What the engine is told of one row: the row, and what changes of its entries in the table's indexes. */
export function engineWrites(table: Table, key: string, value: string | null): RowWrite[] {
  const name = { database: table.database, table: table.name };
  const rows: RowWrite[] = [{ ...name, key, value }];
  const indexes = indexesOf(table.definition);
  if (indexes.length === 0) return rows;
  const before = table.row(key);
  for (const index of indexes) {
    const old = before && indexKey(table.definition, index, before);
    const now = value === null ? undefined : indexKey(table.definition, index, { key, values: decodeValues(value) });
    if (old === now) continue;
    if (old !== undefined) rows.push({ ...name, index: index.name, key: old, value: null });
    if (now !== undefined) rows.push({ ...name, index: index.name, key: now, value: "" });
  }
  return rows;
}

/** What a session has under way: its writes are seen by itself, and by everybody once they are committed. */
export class Transaction {
  private readonly tables = new Map<string, { table: Table; writes: Writes }>();

  constructor(private readonly session: ClientSession) {}

  /** Makes this transaction the only writer of the table. @throws SqlError when the server is read-only, or another writer does not end */
  async lock(table: Table): Promise<void> {
    const { server } = this.session;
    this.session.requireWritable();
    await server.writes.enter(this);
    // It may have waited for the server to become read-only.
    this.session.requireWritable();
    if (table.kind === "engine" && server.isReplica) throw sqlErrors.replicaWrite();
    const timeout = server.engine ? Number(this.session.variable("tidesdb_lock_wait_timeout_ms")) : 50_000;
    await server.locks.acquire(`${table.database}.${table.name}`, this, timeout);
  }

  /** A point read with this transaction's own writes. */
  row(table: Table, key: string): StoredRow | undefined {
    const own = this.writesOf(table)?.get(key);
    if (own === undefined) return table.row(key);
    return own === null ? undefined : { key, values: decodeValues(own) };
  }

  /** A scan with this transaction's own writes. */
  rows(table: Table, inKeyOrder = false): StoredRow[] {
    const writes = this.writesOf(table);
    if (!writes || writes.size === 0) return table.rows(inKeyOrder);
    const rows = table.rows(inKeyOrder).filter(({ key }) => !writes.has(key));
    for (const [key, value] of writes) if (value !== null) rows.push({ key, values: decodeValues(value) });
    return rows;
  }

  /** Adds what one statement has written. */
  stage(table: Table, writes: Writes): void {
    if (writes.size === 0) return;
    const name = `${table.database}.${table.name}`;
    const present = this.tables.get(name) ?? { table, writes: new Map<string, string | null>() };
    for (const [key, value] of writes) present.writes.set(key, value);
    this.tables.set(name, present);
  }

  /** Waits while a backup blocks commits. @throws SqlError when the server or the engine has become read-only meanwhile: nothing is written then */
  async commit(): Promise<void> {
    const { backup } = this.session.server;
    try {
      if (this.tables.size > 0) await backup.pass("commit", this.session, () => this.write());
    } finally {
      this.rollback();
    }
  }

  /** Forgets everything, and lets others write. */
  rollback(): void {
    this.tables.clear();
    this.session.server.locks.release(this);
    this.session.server.writes.leave(this);
  }

  private async write(): Promise<void> {
    const { server } = this.session;
    this.session.requireWritable();
    const rows: RowWrite[] = [];
    for (const { table, writes } of this.tables.values()) {
      if (table.kind === "local") server.localTables.write(table.database, table.name, writes);
      else for (const [key, value] of writes) rows.push(...engineWrites(table, key, value));
    }
    const { engine } = server;
    if (engine && rows.length > 0)
      await guardAsync(server, `${rows[0]?.database}.${rows[0]?.table}`, () => engine.commit(rows));
  }

  private writesOf(table: Table): Writes | undefined {
    return this.tables.get(`${table.database}.${table.name}`)?.writes;
  }
}
