import { columnType } from "../protocol/constants";
import { Expression, Limit, Select, SelectItem } from "../sql/ast";
import { sqlErrors } from "../sqlError";
import { compareValues, numberOf, ResultColumn, RowsResult, textOf, Value } from "../values";
import type { ClientSession } from "./clientSession";
import { coerce, resultColumn } from "./columns";
import { evaluate, isAggregate, isTrue, Scope } from "./evaluate";
import { columnIndex, encodeKey, findTable, StoredRow, Table } from "./tables";

/** Runs a SELECT. @throws SqlError */
export function select(session: ClientSession, query: Select, parameters: Value[]): RowsResult {
  const table = query.from && findTable(session, query.from);
  if (table && table.kind !== "system") session.requirePrivilege("SELECT", table.database, table.name);
  const alias = query.from?.alias ?? query.from?.table;
  const base = session.scope(parameters);
  const scopes = table
    ? matching(session, table, alias, query.where, parameters, ordersByKey(query, table)).map(row =>
        rowScope(base, table, alias, row.values),
      )
    : query.where && !isTrue(evaluate(query.where, base))
      ? []
      : [base];
  const items = expandStars(query.items, table);
  const grouped = query.groupBy.length > 0 || items.some(({ expression }) => expression && isAggregate(expression));
  let results = grouped ? groups(query, scopes, base, table) : scopes;
  if (query.having) results = results.filter(scope => isTrue(evaluate(query.having!, withAliases(scope, items))));
  const ordered = order(query, results, items);
  let rows = ordered.map(scope => items.map(({ expression }) => (expression ? evaluate(expression, scope) : null)));
  if (query.distinct) rows = [...new Map(rows.map(row => [JSON.stringify(row.map(textOf)), row])).values()];
  rows = limited(rows, query.limit, base);
  return { kind: "rows", columns: items.map((item, i) => itemColumn(item, table, rows, i)), rows };
}

/** The rows that a WHERE lets through: by point reads where it names primary keys, else by a scan. */
export function matching(
  session: ClientSession,
  table: Table,
  alias: string | undefined,
  where: Expression | undefined,
  parameters: Value[],
  inKeyOrder = false,
): StoredRow[] {
  const base = session.scope(parameters);
  const keys = where && table.kind !== "system" ? keysOf(table, where, base) : undefined;
  const { transaction } = session;
  const candidates = keys
    ? [...new Set(keys)]
        .map(key => (transaction ? transaction.row(table, key) : table.row(key)))
        .filter(row => row !== undefined)
    : sorted(table, transaction ? transaction.rows(table, inKeyOrder) : table.rows(inKeyOrder));
  if (!where) return candidates;
  return candidates.filter(({ values }) => isTrue(evaluate(where, rowScope(base, table, alias, values))));
}

/** Whether MariaDB reads the table by its key, for the order of the rows. */
function ordersByKey({ where, orderBy }: Select, { definition }: Table): boolean {
  const first = orderBy[0]?.expression;
  return !where && first?.type === "column" && first.name.toLowerCase() === definition.primaryKey[0]?.toLowerCase();
}

/** What an expression sees of one row. */
export function rowScope(base: Scope, table: Table, alias: string | undefined, values: Value[]): Scope {
  return {
    ...base,
    column(name, qualifier) {
      const known =
        qualifier === undefined || [alias, table.name].some(own => own?.toLowerCase() === qualifier.toLowerCase());
      const index = table.definition.columns.findIndex(column => column.name.toLowerCase() === name.toLowerCase());
      if (!known || index === -1) throw sqlErrors.unknownColumn(qualifier ? `${qualifier}.${name}` : name, "WHERE");
      return values[index] ?? null;
    },
  };
}

export function limited<T>(rows: T[], limit: Limit | undefined, scope: Scope): T[] {
  if (!limit) return rows;
  const offset = limit.offset ? Number(numberOf(evaluate(limit.offset, scope))) : 0;
  return rows.slice(offset, offset + Number(numberOf(evaluate(limit.count, scope))));
}

/** By the columns of the primary key, as a clustered index gives them. */
function sorted(table: Table, rows: StoredRow[]): StoredRow[] {
  const indexes = table.definition.primaryKey.map(name => columnIndex(table.definition, name));
  if (indexes.length === 0) return rows;
  return rows.sort((a, b) => {
    for (const i of indexes) {
      const order = compareValues(a.values[i] ?? null, b.values[i] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/** Keys of the rows that can match at all; undefined when the condition does not say. */
function keysOf(table: Table, where: Expression, scope: Scope): string[] | undefined {
  const { primaryKey, columns } = table.definition;
  if (primaryKey.length === 0) return undefined;
  const equal = new Map<string, Value[]>();
  for (const condition of conjunction(where)) {
    const known = constantColumn(condition, scope);
    if (known) equal.set(known.column.toLowerCase(), known.values);
  }
  const found = primaryKey.map(name => equal.get(name.toLowerCase()));
  if (
    found.some(values => values === undefined) ||
    (primaryKey.length > 1 && found.some(values => values!.length > 1))
  ) {
    return undefined;
  }
  const keyColumns = primaryKey.map(name => columns[columnIndex(table.definition, name)]!);
  try {
    if (primaryKey.length === 1) return found[0]!.map(value => encodeKey([coerce(keyColumns[0]!, value)]));
    return [encodeKey(found.map((values, i) => coerce(keyColumns[i]!, values![0] ?? null)))];
  } catch {
    // A value that no row can have is compared like any other.
    return undefined;
  }
}

function conjunction(expression: Expression): Expression[] {
  if (expression.type !== "binary" || expression.operator !== "and") return [expression];
  return [...conjunction(expression.left), ...conjunction(expression.right)];
}

/** `column = constant`, either way round, and `column IN (constants)`. */
function constantColumn(condition: Expression, scope: Scope): { column: string; values: Value[] } | undefined {
  const constant = (expression: Expression) => ["literal", "parameter", "userVariable"].includes(expression.type);
  if (condition.type === "binary" && condition.operator === "=") {
    const [a, b] = [condition.left, condition.right];
    if (a.type === "column" && constant(b)) return { column: a.name, values: [evaluate(b, scope)] };
    if (b.type === "column" && constant(a)) return { column: b.name, values: [evaluate(a, scope)] };
  }
  if (
    condition.type === "in" &&
    !condition.not &&
    condition.operand.type === "column" &&
    condition.list.every(constant)
  ) {
    return { column: condition.operand.name, values: condition.list.map(item => evaluate(item, scope)) };
  }
  return undefined;
}

function expandStars(items: SelectItem[], table: Table | undefined): SelectItem[] {
  return items.flatMap((item): SelectItem[] => {
    if (item.expression) return [item];
    if (!table) throw sqlErrors.syntax("*");
    return table.definition.columns.map(({ name }) => ({ name, expression: { type: "column", name } }));
  });
}

function groups(query: Select, scopes: Scope[], base: Scope, table: Table | undefined): Scope[] {
  const none = (): Scope => (table ? rowScope(base, table, undefined, []) : base);
  if (query.groupBy.length === 0) return [{ ...(scopes[0] ?? none()), group: scopes }];
  const byKey = new Map<string, Scope[]>();
  for (const scope of scopes) {
    const key = encodeKey(query.groupBy.map(expression => evaluate(expression, scope)));
    byKey.set(key, [...(byKey.get(key) ?? []), scope]);
  }
  return [...byKey.values()].map(group => ({ ...group[0]!, group }));
}

function order(query: Select, scopes: Scope[], items: SelectItem[]): Scope[] {
  if (query.orderBy.length === 0) return scopes;
  const keyed = scopes.map(scope => {
    const aliased = withAliases(scope, items);
    const keys = query.orderBy.map(({ expression }) => {
      const position =
        expression.type === "literal" && typeof expression.value === "number" ? items[expression.value - 1] : undefined;
      return evaluate(position?.expression ?? expression, aliased);
    });
    return { scope, keys };
  });
  keyed.sort((a, b) => {
    for (const [i, { descending }] of query.orderBy.entries()) {
      const result = compareValues(a.keys[i] ?? null, b.keys[i] ?? null);
      if (result !== 0) return descending ? -result : result;
    }
    return 0;
  });
  return keyed.map(({ scope }) => scope);
}

/** A name that is no column may be a result's. */
function withAliases(scope: Scope, items: SelectItem[]): Scope {
  return {
    ...scope,
    column(name, qualifier) {
      const item =
        qualifier === undefined
          ? items.find(candidate => candidate.name.toLowerCase() === name.toLowerCase())
          : undefined;
      return item?.expression ? evaluate(item.expression, scope) : scope.column(name, qualifier);
    },
  };
}

function itemColumn(item: SelectItem, table: Table | undefined, rows: Value[][], index: number): ResultColumn {
  const { expression } = item;
  if (table && expression?.type === "column") {
    const column = table.definition.columns.find(({ name }) => name.toLowerCase() === expression.name.toLowerCase());
    if (column) return { ...resultColumn(column, table.name, table.database), name: item.name };
  }
  return { name: item.name, type: typeOf(rows, index) };
}

function typeOf(rows: Value[][], index: number): number {
  let type: number = columnType.longlong;
  for (const row of rows) {
    const value = row[index];
    if (typeof value === "string" || Buffer.isBuffer(value)) return columnType.varString;
    if (typeof value === "number" && !Number.isInteger(value)) type = columnType.double;
  }
  return rows.every(row => row[index] === null) ? columnType.varString : type;
}
