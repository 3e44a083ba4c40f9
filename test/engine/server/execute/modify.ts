import { randomUUID } from "node:crypto";
import { Assignment, Delete, Insert, TableDefinition, Update } from "../sql/ast";
import { sqlErrors } from "../sqlError";
import { compareValues, ok, OkResult, textOf, Value } from "../values";
import type { ClientSession } from "./clientSession";
import { coerce } from "./columns";
import { evaluate, Scope } from "./evaluate";
import { formatMoment } from "./functions";
import { limited, matching, rowScope, select } from "./select";
import { columnIndex, encodeRow, findTable, guardAsync, keyOf, StoredRow, Table } from "./tables";
import { Transaction } from "./transaction";

type Writes = Map<string, string | null>;

/** INSERT and REPLACE. @throws SqlError */
export async function insert(session: ClientSession, statement: Insert, parameters: Value[]): Promise<OkResult> {
  const table = writable(session, statement.table, "INSERT");
  if (statement.replace) session.requirePrivilege("DELETE", table.database, table.name);
  const transaction = session.requireTransaction();
  await transaction.lock(table);
  const { definition } = table;
  const names = statement.columns ?? definition.columns.map(({ name }) => name);
  const indexes = names.map(name => columnIndex(definition, name));
  const base = session.scope(parameters);
  const given: (Value | undefined)[][] = statement.select
    ? select(session, statement.select, parameters).rows
    : statement.rows.map(row => row.map(item => (item.type === "default" ? undefined : evaluate(item, base))));
  const staging = new Staging(table, transaction);
  let affected = 0;
  let insertId: number | bigint | undefined;
  for (const [row, values] of given.entries()) {
    const isEmpty = values.length === 0 && statement.columns === undefined;
    if (values.length !== indexes.length && !isEmpty) throw sqlErrors.columnCount(row + 1);
    const complete = completeRow(definition, new Map(indexes.map((index, i) => [index, values[i]])), base, staging);
    insertId ??= complete.generated;
    affected += put(table, statement, staging, complete.values, base);
  }
  transaction.stage(table, staging.writes);
  if (insertId !== undefined) session.lastInsertId = insertId;
  return {
    ...ok(affected, insertId),
    info: given.length > 1 ? `Records: ${given.length}  Duplicates: 0  Warnings: 0` : "",
  };
}

/** @throws SqlError */
export async function update(session: ClientSession, statement: Update, parameters: Value[]): Promise<OkResult> {
  const table = writable(session, statement.table, "UPDATE");
  const transaction = session.requireTransaction();
  await transaction.lock(table);
  const base = session.scope(parameters);
  const found = ordered(
    statement,
    table,
    matching(session, table, statement.table.alias, statement.where, parameters),
    base,
  );
  const staging = new Staging(table, transaction);
  let changed = 0;
  const rows = limited(found, statement.limit, base);
  for (const row of rows) {
    if (staging.replace(row, assigned(table, statement.assignments, row.values, base))) changed++;
  }
  transaction.stage(table, staging.writes);
  const affected = session.countsFoundRows ? rows.length : changed;
  return { ...ok(affected), info: `Rows matched: ${rows.length}  Changed: ${changed}  Warnings: 0` };
}

/** @throws SqlError */
export async function remove(session: ClientSession, statement: Delete, parameters: Value[]): Promise<OkResult> {
  const table = writable(session, statement.table, "DELETE");
  // Its alias is looked for in the database in use.
  if (statement.joinsItself) session.requireDatabase();
  const transaction = session.requireTransaction();
  await transaction.lock(table);
  const base = session.scope(parameters);
  const found = ordered(
    statement,
    table,
    matching(session, table, statement.table.alias, statement.where, parameters),
    base,
  );
  const rows = limited(found, statement.limit, base);
  transaction.stage(table, new Map(rows.map(({ key }) => [key, null])));
  if (statement.joinsItself) await compactRange(session, table, rows);
  return ok(rows.length);
}

/** What `tidesdb_compact_after_range_delete_min_rows` asks for. It is part of the statement: a ROLLBACK brings the rows back, and leaves the SSTables merged. */
async function compactRange(session: ClientSession, table: Table, deleted: StoredRow[]): Promise<void> {
  const { server } = session;
  const { engine } = server;
  if (!engine || table.kind !== "engine") return;
  const fewest = Number(session.variable("tidesdb_compact_after_range_delete_min_rows"));
  const keys = deleted.map(({ key }) => key).sort();
  const [first, last] = [keys[0], keys.at(-1)];
  if (fewest === 0 || keys.length < fewest || first === undefined || last === undefined) return;
  const name = { database: table.database, table: table.name };
  await guardAsync(server, `${name.database}.${name.table}`, () => engine.compactRange(name, [first, last]));
}

/** The rows of one statement, on top of those that are there: duplicates are looked for in both. */
class Staging {
  readonly writes: Writes = new Map();
  private readonly values = new Map<string, Value[]>();
  private highest: number | bigint | undefined;

  constructor(
    private readonly table: Table,
    private readonly transaction: Transaction,
  ) {}

  /** The row that a new one would collide with, in its primary key or another unique one. */
  conflict(values: Value[]): { row: StoredRow; key: string; entry: string } | undefined {
    const { definition } = this.table;
    const key = keyOf(definition, values, () => "");
    const present = key === "" ? undefined : this.row(key);
    if (present) return { row: present, key: "PRIMARY", entry: entryOf(definition, definition.primaryKey, values) };
    for (const unique of definition.uniqueKeys) {
      const indexes = unique.columns.map(name => columnIndex(definition, name));
      if (indexes.some(i => values[i] === null)) continue;
      const row = this.rows().find(other =>
        indexes.every(i => compareValues(other.values[i] ?? null, values[i] ?? null) === 0),
      );
      if (row) return { row, key: unique.name, entry: entryOf(definition, unique.columns, values) };
    }
    return undefined;
  }

  add(values: Value[]): void {
    const key = keyOf(this.table.definition, values, randomUUID);
    this.writes.set(key, encodeRow(values));
    this.values.set(key, values);
  }

  remove({ key }: StoredRow): void {
    this.writes.set(key, null);
    this.values.delete(key);
  }

  /** @returns whether anything changed */
  replace(row: StoredRow, values: Value[]): boolean {
    if (encodeRow(values) === encodeRow(row.values)) return false;
    const key = keyOf(this.table.definition, values, () => row.key);
    this.remove(row);
    const conflict = this.conflict(values);
    if (conflict) throw sqlErrors.duplicate(conflict.entry, conflict.key);
    this.writes.set(key, encodeRow(values));
    this.values.set(key, values);
    return true;
  }

  /** The next number of an AUTO_INCREMENT column. */
  nextNumber(index: number): number | bigint {
    this.highest ??= this.rows().reduce((highest: number | bigint, { values }) => {
      const value = values[index];
      return (typeof value === "number" || typeof value === "bigint") && value > highest ? value : highest;
    }, 0);
    this.highest = typeof this.highest === "bigint" ? this.highest + 1n : this.highest + 1;
    return this.highest;
  }

  private row(key: string): StoredRow | undefined {
    const own = this.values.get(key);
    if (own) return { key, values: own };
    return this.writes.has(key) ? undefined : this.transaction.row(this.table, key);
  }

  private rows(): StoredRow[] {
    const present = this.transaction.rows(this.table).filter(({ key }) => !this.writes.has(key));
    return [...present, ...[...this.values].map(([key, values]) => ({ key, values }))];
  }
}

/** @returns affected rows, as MariaDB counts them */
function put(table: Table, statement: Insert, staging: Staging, values: Value[], base: Scope): number {
  const conflict = staging.conflict(values);
  if (!conflict) {
    staging.add(values);
    return 1;
  }
  if (statement.replace) {
    for (let other: typeof conflict | undefined = conflict; other; other = staging.conflict(values))
      staging.remove(other.row);
    staging.add(values);
    return 2;
  }
  if (statement.onDuplicate.length > 0) {
    const offered = rowScope(base, table, undefined, values);
    const assignments = statement.onDuplicate.map(assignment => ({
      ...assignment,
      value: withOffered(assignment.value, offered),
    }));
    return staging.replace(conflict.row, assigned(table, assignments, conflict.row.values, base)) ? 2 : 0;
  }
  if (statement.ignore) return 0;
  throw sqlErrors.duplicate(conflict.entry, conflict.key);
}

/** VALUES(column) means the row that was offered, not the one that is there. */
function withOffered(expression: Assignment["value"], offered: Scope): Assignment["value"] {
  if (expression.type === "call" && ["VALUES", "VALUE"].includes(expression.name) && expression.parameters[0]) {
    return { type: "literal", value: evaluate(expression.parameters[0], offered) };
  }
  if (expression.type === "binary") {
    return {
      ...expression,
      left: withOffered(expression.left, offered),
      right: withOffered(expression.right, offered),
    };
  }
  if (expression.type === "call") {
    return { ...expression, parameters: expression.parameters.map(parameter => withOffered(parameter, offered)) };
  }
  return expression;
}

function assigned(table: Table, assignments: Assignment[], values: Value[], base: Scope): Value[] {
  const { definition } = table;
  const result = [...values];
  for (const { column, value } of assignments) {
    const index = columnIndex(definition, column);
    // An assignment sees those before it.
    result[index] = coerce(definition.columns[index]!, evaluate(value, rowScope(base, table, undefined, result)));
  }
  const mentioned = new Set(assignments.map(({ column }) => columnIndex(definition, column)));
  definition.columns.forEach((column, i) => {
    if (column.onUpdateNow && !mentioned.has(i)) result[i] = coerce(column, formatMoment(new Date()));
  });
  return result;
}

function completeRow(
  definition: TableDefinition,
  given: Map<number, Value | undefined>,
  base: Scope,
  staging: Staging,
): { values: Value[]; generated?: number | bigint } {
  let generated: number | bigint | undefined;
  const values = definition.columns.map((column, index) => {
    const value = given.get(index);
    const isKey = definition.primaryKey.some(name => name.toLowerCase() === column.name.toLowerCase());
    const strict = isKey ? { ...column, nullable: false } : column;
    if (column.autoIncrement && (value === undefined || value === null || value === 0)) {
      generated = staging.nextNumber(index);
      return generated;
    }
    if (value !== undefined) return coerce(strict, value);
    if (column.default) return coerce(strict, evaluate(column.default, base));
    if (!strict.nullable) throw sqlErrors.noDefault(column.name);
    return null;
  });
  return { values, ...(generated !== undefined && { generated }) };
}

function writable(session: ClientSession, reference: Insert["table"], privilege: string): Table {
  const table = findTable(session, reference);
  session.requirePrivilege(privilege, table.database, table.name);
  if (table.kind === "system") throw sqlErrors.tableAccessDenied(privilege, session.user, session.host, table.name);
  return table;
}

function ordered(statement: Update | Delete, table: Table, rows: StoredRow[], base: Scope): StoredRow[] {
  if (statement.orderBy.length === 0) return rows;
  const keys = new Map(
    rows.map(row => {
      const scope = rowScope(base, table, statement.table.alias, row.values);
      return [row, statement.orderBy.map(({ expression }) => evaluate(expression, scope))];
    }),
  );
  return rows.sort((a, b) => {
    for (const [i, { descending }] of statement.orderBy.entries()) {
      const order = compareValues(keys.get(a)?.[i] ?? null, keys.get(b)?.[i] ?? null);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
}

function entryOf(definition: TableDefinition, columns: string[], values: Value[]): string {
  return columns.map(name => textOf(values[columnIndex(definition, name)] ?? null)).join("-");
}
