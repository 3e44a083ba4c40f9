import { ColumnDefinition, CreateTable, KeyDefinition, Statement, TableDefinition, TableReference } from "./ast";
import { Cursor } from "./cursor";
import { parseExpression } from "./expressions";
import { parseTable } from "./queries";

/** What follows CREATE, but for users. */
export function parseCreate(cursor: Cursor): Statement {
  const orReplace = cursor.accept("OR", "REPLACE");
  if (cursor.acceptOneOf("DATABASE", "SCHEMA")) {
    const ifNotExists = cursor.accept("IF", "NOT", "EXISTS");
    const name = cursor.name();
    passOver(cursor);
    return { type: "createDatabase", name, ifNotExists, orReplace };
  }
  cursor.accept("TEMPORARY");
  cursor.expect("TABLE");
  const ifNotExists = cursor.accept("IF", "NOT", "EXISTS");
  const table = parseName(cursor);
  return { type: "createTable", table, ifNotExists, definition: parseDefinition(cursor) };
}

/** A table's name without an alias. */
export function parseName(cursor: Cursor): TableReference {
  const first = cursor.name();
  return cursor.acceptSymbol(".") ? { database: first, table: cursor.name() } : { table: first };
}

/** What follows ALTER, but for users: columns and secondary keys are added, the rest is passed over. */
export function parseAlterTable(cursor: Cursor): Statement {
  cursor.expect("TABLE");
  const table = parseName(cursor);
  const added: TableDefinition = { columns: [], primaryKey: [], uniqueKeys: [], indexes: [] };
  let copies = false;
  cursor.list(() => {
    if (cursor.accept("ADD")) {
      if (cursor.acceptOneOf("KEY", "INDEX")) {
        added.indexes.push(parseKey(cursor));
        return;
      }
      cursor.accept("COLUMN");
      added.columns.push(parseColumn(cursor, added));
      return;
    }
    const option = cursor.name().toUpperCase();
    cursor.acceptSymbol("=");
    const value = cursor.nameOrString().toUpperCase();
    if (option === "ALGORITHM") copies = value === "COPY";
    else if (option !== "COMMENT" && option !== "LOCK") throw cursor.syntax();
  });
  return { type: "alterTable", table, added, copies };
}

/** What follows DROP, but for users. */
export function parseDrop(cursor: Cursor): Statement {
  if (cursor.acceptOneOf("DATABASE", "SCHEMA")) {
    const ifExists = cursor.accept("IF", "EXISTS");
    return { type: "dropDatabase", name: cursor.name(), ifExists };
  }
  cursor.accept("TEMPORARY");
  cursor.expect("TABLE");
  const ifExists = cursor.accept("IF", "EXISTS");
  const tables = cursor.list(() => parseTable(cursor));
  cursor.acceptOneOf("RESTRICT", "CASCADE");
  return { type: "dropTable", tables, ifExists };
}

/** Columns and keys in parentheses, and the table's options. Full-text and spatial keys change nothing here. */
function parseDefinition(cursor: Cursor): CreateTable["definition"] {
  const definition: TableDefinition = { columns: [], primaryKey: [], uniqueKeys: [], indexes: [] };
  cursor.inParentheses(() => cursor.list(() => parsePart(cursor, definition)));
  while (!cursor.atEnd) {
    const option = cursor.name().toUpperCase();
    cursor.acceptSymbol("=");
    if (option === "ENGINE") definition.engine = cursor.nameOrString();
    else if (option !== "DEFAULT" && option !== "CHARACTER") cursor.next();
    cursor.acceptSymbol(",");
  }
  return definition;
}

/** The name and the columns of a secondary key. */
function parseKey(cursor: Cursor): KeyDefinition {
  const name = cursor.peekSymbol("(") ? undefined : cursor.name();
  const columns = parseKeyColumns(cursor);
  return { name: name ?? columns[0] ?? "", columns };
}

function parsePart(cursor: Cursor, definition: TableDefinition): void {
  if (cursor.accept("CONSTRAINT") && !cursor.peek("PRIMARY") && !cursor.peek("UNIQUE") && !cursor.peek("CHECK")) {
    cursor.name();
  }
  if (cursor.accept("PRIMARY", "KEY")) {
    definition.primaryKey = parseKeyColumns(cursor);
    return;
  }
  if (cursor.accept("UNIQUE")) {
    cursor.acceptOneOf("KEY", "INDEX");
    definition.uniqueKeys.push(parseKey(cursor));
    return;
  }
  if (cursor.acceptOneOf("KEY", "INDEX")) {
    definition.indexes.push(parseKey(cursor));
    return;
  }
  if (cursor.acceptOneOf("FULLTEXT", "SPATIAL")) {
    cursor.acceptOneOf("KEY", "INDEX");
    if (!cursor.peekSymbol("(")) cursor.name();
    parseKeyColumns(cursor);
    return;
  }
  if (cursor.accept("CHECK")) {
    cursor.inParentheses(() => parseExpression(cursor));
    return;
  }
  if (cursor.accept("FOREIGN", "KEY")) {
    // The plugin takes it and forgets it.
    if (!cursor.peekSymbol("(")) cursor.name();
    parseKeyColumns(cursor);
    cursor.expect("REFERENCES");
    parseName(cursor);
    parseKeyColumns(cursor);
    while (cursor.accept("ON")) {
      cursor.acceptOneOf("DELETE", "UPDATE");
      if (cursor.acceptOneOf("CASCADE", "RESTRICT") === undefined && cursor.acceptOneOf("SET", "NO")) cursor.name();
    }
    return;
  }
  definition.columns.push(parseColumn(cursor, definition));
}

/** Names of a key's columns, with lengths and directions passed over. */
function parseKeyColumns(cursor: Cursor): string[] {
  if (cursor.accept("USING")) cursor.name();
  return cursor.inParentheses(() =>
    cursor.list(() => {
      const name = cursor.name();
      if (cursor.peekSymbol("(")) cursor.inParentheses(() => cursor.next());
      cursor.acceptOneOf("ASC", "DESC");
      return name;
    }),
  );
}

function parseColumn(cursor: Cursor, definition: TableDefinition): ColumnDefinition {
  const name = cursor.name();
  let type = cursor.name().toUpperCase();
  if (type === "DOUBLE") cursor.accept("PRECISION");
  if (type === "CHARACTER" || type === "CHAR") type = cursor.accept("VARYING") ? "VARCHAR" : "CHAR";
  const sizes = cursor.peekSymbol("(") ? cursor.inParentheses(() => cursor.list(() => cursor.next().text)) : [];
  const column: ColumnDefinition = {
    name,
    type,
    ...(sizes[0] !== undefined && /^\d+$/.test(sizes[0]) && { length: Number(sizes[0]) }),
    ...(sizes[1] !== undefined && /^\d+$/.test(sizes[1]) && { scale: Number(sizes[1]) }),
    unsigned: false,
    nullable: true,
    autoIncrement: false,
    onUpdateNow: false,
  };
  while (parseAttribute(cursor, column, definition));
  return column;
}

/** @returns false when the column's definition ends here */
function parseAttribute(cursor: Cursor, column: ColumnDefinition, definition: TableDefinition): boolean {
  if (cursor.accept("NOT", "NULL")) column.nullable = false;
  else if (cursor.accept("NULL")) column.nullable = true;
  else if (cursor.accept("UNSIGNED")) column.unsigned = true;
  else if (cursor.accept("AUTO_INCREMENT")) column.autoIncrement = true;
  else if (cursor.accept("PRIMARY", "KEY") || cursor.accept("KEY")) definition.primaryKey = [column.name];
  else if (cursor.accept("UNIQUE")) {
    cursor.accept("KEY");
    definition.uniqueKeys.push({ name: column.name, columns: [column.name] });
  } else if (cursor.accept("DEFAULT")) column.default = parseExpression(cursor);
  else if (cursor.accept("ON", "UPDATE")) {
    parseExpression(cursor);
    column.onUpdateNow = true;
  } else if (cursor.accept("CHARACTER", "SET") || cursor.accept("CHARSET")) column.characterSet = cursor.nameOrString();
  else if (cursor.acceptOneOf("COLLATE", "COMMENT")) cursor.nameOrString();
  else if (cursor.accept("CHECK")) cursor.inParentheses(() => parseExpression(cursor));
  else return cursor.acceptOneOf("SIGNED", "ZEROFILL", "BINARY", "INVISIBLE") !== undefined;
  return true;
}

/** The rest of a statement, whatever it says. */
export function passOver(cursor: Cursor): void {
  while (!cursor.atEnd) cursor.next();
}
