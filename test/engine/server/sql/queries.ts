import { sqlErrors } from "../sqlError";
import {
  Assignment,
  Delete,
  Expression,
  Insert,
  Limit,
  Order,
  Select,
  SelectItem,
  TableReference,
  Update,
} from "./ast";
import { Cursor } from "./cursor";
import { parseExpression } from "./expressions";

/** Words that end a name that might have been an alias. */
const reserved = new Set(
  `FROM WHERE GROUP HAVING ORDER LIMIT FOR UNION SET VALUES VALUE SELECT ON USING JOIN LEFT RIGHT INNER CROSS STRAIGHT_JOIN NATURAL INTO LOCK PROCEDURE PARTITION FORCE USE IGNORE AND OR`.split(
    " ",
  ),
);

/** `table` or `database.table`, with an alias or not. */
export function parseTable(cursor: Cursor): TableReference {
  const first = cursor.name();
  const reference: TableReference = cursor.acceptSymbol(".")
    ? { database: first, table: cursor.name() }
    : { table: first };
  const alias = parseAlias(cursor);
  return alias === undefined ? reference : { ...reference, alias };
}

export function parseSelect(cursor: Cursor): Select {
  cursor.expect("SELECT");
  let distinct = false;
  for (let word = modifier(cursor); word; word = modifier(cursor)) distinct ||= word.startsWith("DISTINCT");
  const items = cursor.list(() => parseItem(cursor));
  const select: Select = { type: "select", distinct, items, groupBy: [], orderBy: [], locks: false };
  if (cursor.accept("FROM") && !cursor.accept("DUAL")) {
    select.from = parseTable(cursor);
    // No statement is carried out by an index.
    if (cursor.acceptOneOf("FORCE", "USE", "IGNORE")) {
      cursor.acceptOneOf("INDEX", "KEY");
      cursor.inParentheses(() => cursor.list(() => cursor.name()));
    }
    if (cursor.peekSymbol(",") || cursor.acceptOneOf("JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "NATURAL")) {
      throw sqlErrors.notSimulated("joins");
    }
  }
  select.where = parseWhere(cursor);
  if (cursor.accept("GROUP", "BY")) select.groupBy = cursor.list(() => parseExpression(cursor));
  if (cursor.accept("HAVING")) select.having = parseExpression(cursor);
  select.orderBy = parseOrder(cursor);
  select.limit = parseLimit(cursor);
  select.locks = cursor.accept("FOR", "UPDATE") || cursor.accept("LOCK", "IN", "SHARE", "MODE");
  return select;
}

const modifiers = [
  "DISTINCTROW",
  "DISTINCT",
  "ALL",
  "SQL_NO_CACHE",
  "SQL_CACHE",
  "SQL_CALC_FOUND_ROWS",
  "HIGH_PRIORITY",
];

function modifier(cursor: Cursor): string | undefined {
  return cursor.acceptOneOf(...modifiers);
}

function parseItem(cursor: Cursor): SelectItem {
  const start = cursor.token;
  if (cursor.acceptSymbol("*")) return { name: "*" };
  if (start.kind === "word" || start.kind === "name") {
    const star = parseQualifiedStar(cursor);
    if (star) return star;
  }
  const expression = parseExpression(cursor);
  const written = cursor.source(start);
  const alias = cursor.accept("AS") ? cursor.nameOrString() : parseAlias(cursor);
  return { expression, name: alias ?? columnName(expression, written) };
}

/** `table.*`; undefined, and nothing passed over, when it is anything else. */
function parseQualifiedStar(cursor: Cursor): SelectItem | undefined {
  const mark = cursor.mark();
  cursor.name();
  while (cursor.acceptSymbol(".")) {
    if (cursor.acceptSymbol("*")) return { name: "*" };
    if (cursor.token.kind !== "word" && cursor.token.kind !== "name") break;
    cursor.name();
  }
  cursor.rewind(mark);
  return undefined;
}

function columnName(expression: Expression, written: string): string {
  if (expression.type === "column") return expression.name;
  if (expression.type === "literal" && typeof expression.value === "string") return expression.value;
  return written;
}

function parseAlias(cursor: Cursor): string | undefined {
  if (cursor.accept("AS")) return cursor.nameOrString();
  const { token } = cursor;
  if (token.kind === "name" || (token.kind === "word" && !reserved.has(token.text.toUpperCase()))) return cursor.name();
  return undefined;
}

function parseWhere(cursor: Cursor): Expression | undefined {
  return cursor.accept("WHERE") ? parseExpression(cursor) : undefined;
}

function parseOrder(cursor: Cursor): Order[] {
  if (!cursor.accept("ORDER", "BY")) return [];
  return cursor.list(() => {
    const expression = parseExpression(cursor);
    return { expression, descending: cursor.acceptOneOf("ASC", "DESC") === "DESC" };
  });
}

function parseLimit(cursor: Cursor): Limit | undefined {
  if (!cursor.accept("LIMIT")) return undefined;
  const first = parseExpression(cursor);
  if (cursor.acceptSymbol(",")) return { count: parseExpression(cursor), offset: first };
  return cursor.accept("OFFSET") ? { count: first, offset: parseExpression(cursor) } : { count: first };
}

/** INSERT and REPLACE, up to ON DUPLICATE KEY UPDATE. */
export function parseInsert(cursor: Cursor): Insert {
  const replace = cursor.next().text.toUpperCase() === "REPLACE";
  cursor.acceptOneOf("LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED");
  const ignore = cursor.accept("IGNORE");
  cursor.accept("INTO");
  const first = cursor.name();
  const table: TableReference = cursor.acceptSymbol(".") ? { database: first, table: cursor.name() } : { table: first };
  const insert: Insert = { type: "insert", table, rows: [], ignore, replace, onDuplicate: [] };
  if (cursor.peekSymbol("(")) {
    insert.columns = cursor.inParentheses(() => (cursor.peekSymbol(")") ? [] : cursor.list(() => columnOf(cursor))));
  }
  if (cursor.acceptOneOf("VALUES", "VALUE")) {
    insert.rows = cursor.list(() =>
      cursor.inParentheses(() => (cursor.peekSymbol(")") ? [] : cursor.list(() => parseExpression(cursor)))),
    );
  } else if (cursor.accept("SET")) {
    const assignments = parseAssignments(cursor);
    insert.columns = assignments.map(({ column }) => column);
    insert.rows = [assignments.map(({ value }) => value)];
  } else insert.select = parseSelect(cursor);
  if (cursor.accept("ON", "DUPLICATE", "KEY", "UPDATE")) insert.onDuplicate = parseAssignments(cursor);
  if (cursor.accept("RETURNING")) throw sqlErrors.notSimulated("RETURNING");
  return insert;
}

export function parseUpdate(cursor: Cursor): Update {
  cursor.expect("UPDATE");
  cursor.accept("LOW_PRIORITY");
  cursor.accept("IGNORE");
  const table = parseTable(cursor);
  cursor.expect("SET");
  const assignments = parseAssignments(cursor);
  return {
    type: "update",
    table,
    assignments,
    where: parseWhere(cursor),
    orderBy: parseOrder(cursor),
    limit: parseLimit(cursor),
  };
}

export function parseDelete(cursor: Cursor): Delete {
  cursor.expect("DELETE");
  cursor.accept("LOW_PRIORITY");
  cursor.accept("QUICK");
  cursor.accept("IGNORE");
  if (!cursor.accept("FROM")) return parseSelfJoin(cursor);
  const table = parseTable(cursor);
  return {
    type: "delete",
    table,
    joinsItself: false,
    where: parseWhere(cursor),
    orderBy: parseOrder(cursor),
    limit: parseLimit(cursor),
  };
}

/** A value or a parameter, with a sign or without. */
function isConstant(expression: Expression): boolean {
  if (expression.type === "unary") return expression.operator !== "not" && isConstant(expression.operand);
  return expression.type === "literal" || expression.type === "parameter";
}

/** `a FROM t a, t b WHERE a.k IN (x, y) AND b.k = a.k`: what a DELETE from several tables may be, and nothing else. */
function parseSelfJoin(cursor: Cursor): Delete {
  const refusal = sqlErrors.onlySelfJoin();
  const target = cursor.name();
  if (!cursor.accept("FROM")) throw refusal;
  const [table, other, ...more] = cursor.list(() => parseTable(cursor));
  const where = parseWhere(cursor);
  if (!table || !other || more.length > 0 || !cursor.atEnd) throw refusal;
  if (table.database !== other.database || table.table !== other.table) throw refusal;
  if (table.alias !== target || other.alias === undefined || other.alias === target) throw refusal;
  if (where?.type !== "binary" || where.operator !== "and") throw refusal;
  const { left: chosen, right: joined } = where;
  if (chosen.type !== "in" || chosen.not || chosen.operand.type !== "column") throw refusal;
  if (!chosen.list.every(isConstant)) throw refusal;
  if (joined.type !== "binary" || joined.operator !== "=") throw refusal;
  const key = chosen.operand.name.toLowerCase();
  const sides = [joined.left, joined.right].map(
    side => side.type === "column" && side.name.toLowerCase() === key && side.table,
  );
  if (chosen.operand.table !== target || !sides.includes(target) || !sides.includes(other.alias)) throw refusal;
  return { type: "delete", table, joinsItself: true, where: chosen, orderBy: [] };
}

function parseAssignments(cursor: Cursor): Assignment[] {
  return cursor.list(() => {
    const column = columnOf(cursor);
    if (cursor.acceptSymbol("=", ":=") === undefined) throw cursor.syntax();
    return { column, value: parseExpression(cursor) };
  });
}

function columnOf(cursor: Cursor): string {
  let name = cursor.name();
  while (cursor.acceptSymbol(".")) name = cursor.name();
  return name;
}
