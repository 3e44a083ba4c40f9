import { sqlErrors } from "../sqlError";
import { parseAlterUser, parseCreateUser, parseDropUser, parseGrant, parseSetPassword } from "./accountStatements";
import { backupStages, Expression, SetVariable, Statement } from "./ast";
import { Cursor } from "./cursor";
import { parseAlterTable, parseCreate, parseDrop, parseName, passOver } from "./definitions";
import { parseExpression } from "./expressions";
import { parseDelete, parseInsert, parseSelect, parseTable, parseUpdate } from "./queries";

/** A statement, and how many parameters it has. */
export interface ParsedStatement {
  statement: Statement;
  parameterCount: number;
  /** As it was written. */
  text: string;
}

/** All statements of a request. @throws SqlError for what is no SQL, or none that the simulation knows */
export function parseStatements(text: string): ParsedStatement[] {
  const cursor = new Cursor(text);
  const statements: ParsedStatement[] = [];
  for (;;) {
    while (cursor.acceptSymbol(";"));
    if (cursor.token.kind === "end") return statements;
    const start = cursor.token;
    cursor.parameters = 0;
    const statement = parseStatement(cursor);
    if (!cursor.atEnd) throw cursor.syntax();
    statements.push({ statement, parameterCount: cursor.parameters, text: cursor.source(start) });
  }
}

function parseStatement(cursor: Cursor): Statement {
  const first = cursor.token.text.toUpperCase();
  const parser = parsers[first];
  if (cursor.token.kind !== "word" || !parser) throw cursor.syntax();
  return parser(cursor);
}

const parsers: Record<string, (cursor: Cursor) => Statement> = {
  SELECT: parseSelect,
  INSERT: parseInsert,
  REPLACE: parseInsert,
  UPDATE: parseUpdate,
  DELETE: parseDelete,

  CREATE(cursor) {
    cursor.next();
    if (cursor.accept("OR", "REPLACE", "USER")) return parseCreateUser(cursor, true);
    return cursor.accept("USER") ? parseCreateUser(cursor, false) : parseCreate(cursor);
  },
  DROP(cursor) {
    cursor.next();
    return cursor.accept("USER") ? parseDropUser(cursor) : parseDrop(cursor);
  },
  ALTER(cursor) {
    cursor.next();
    if (cursor.peek("USER")) return parseAlterUser(cursor);
    return parseAlterTable(cursor);
  },
  RENAME(cursor) {
    cursor.next();
    cursor.expect("TABLE");
    return {
      type: "alterRename",
      renames: cursor.list(() => {
        const from = parseName(cursor);
        cursor.expect("TO");
        return { from, to: parseName(cursor) };
      }),
    };
  },
  TRUNCATE(cursor) {
    cursor.next();
    cursor.accept("TABLE");
    return { type: "truncate", table: parseTable(cursor) };
  },
  GRANT(cursor) {
    cursor.next();
    return parseGrant(cursor, "grant");
  },
  REVOKE(cursor) {
    cursor.next();
    return parseGrant(cursor, "revoke");
  },

  SET: parseSet,
  SHOW: parseShow,
  USE(cursor) {
    cursor.next();
    return { type: "use", database: cursor.name() };
  },
  DESCRIBE: parseDescribe,
  DESC: parseDescribe,

  OPTIMIZE: cursor => parseTables(cursor, "optimize"),
  ANALYZE: cursor => parseTables(cursor, "analyze"),
  CHECK: cursor => parseTables(cursor, "check"),
  FLUSH(cursor) {
    cursor.next();
    cursor.acceptOneOf("NO_WRITE_TO_BINLOG", "LOCAL");
    if (cursor.acceptOneOf("TABLES", "TABLE") && !cursor.atEnd && !cursor.peek("WITH"))
      return { type: "flush", what: "TABLES", tables: cursor.list(() => parseTable(cursor)) };
    return { type: "flush", what: cursor.source(skipTo(cursor)).toUpperCase(), tables: [] };
  },
  KILL(cursor) {
    cursor.next();
    cursor.acceptOneOf("HARD", "SOFT");
    const query = cursor.acceptOneOf("CONNECTION", "QUERY") === "QUERY";
    return { type: "kill", id: parseExpression(cursor), query };
  },
  SHUTDOWN(cursor) {
    passOver(cursor);
    return { type: "shutdown" };
  },

  BACKUP(cursor) {
    cursor.next();
    cursor.expect("STAGE");
    const name = cursor.name();
    const stage = backupStages.find(known => known === name.toUpperCase());
    if (!stage) throw sqlErrors.unknownBackupStage(name);
    return { type: "backup", stage };
  },
  START(cursor) {
    cursor.next();
    cursor.expect("TRANSACTION");
    passOver(cursor);
    return { type: "begin" };
  },
  BEGIN(cursor) {
    passOver(cursor);
    return { type: "begin" };
  },
  COMMIT(cursor) {
    passOver(cursor);
    return { type: "commit" };
  },
  ROLLBACK(cursor) {
    passOver(cursor);
    return { type: "rollback" };
  },
  UNLOCK(cursor) {
    passOver(cursor);
    return { type: "unlockTables" };
  },
  DO(cursor) {
    cursor.next();
    cursor.list(() => parseExpression(cursor));
    return { type: "nothing" };
  },
};

function parseTables(cursor: Cursor, type: "optimize" | "analyze" | "check"): Statement {
  cursor.next();
  cursor.acceptOneOf("NO_WRITE_TO_BINLOG", "LOCAL");
  if (cursor.acceptOneOf("TABLE", "TABLES") === undefined) throw cursor.syntax();
  const tables = cursor.list(() => parseTable(cursor));
  passOver(cursor);
  return { type, tables };
}

function parseDescribe(cursor: Cursor): Statement {
  cursor.next();
  return { type: "show", what: "COLUMNS", global: false, table: parseTable(cursor) };
}

function parseSet(cursor: Cursor): Statement {
  cursor.next();
  if (cursor.accept("PASSWORD")) return parseSetPassword(cursor);
  if (cursor.accept("NAMES") || cursor.accept("CHARACTER", "SET") || cursor.accept("CHARSET")) {
    passOver(cursor);
    return { type: "nothing" };
  }
  if (cursor.peek("TRANSACTION") || cursor.peek("SESSION", "TRANSACTION") || cursor.peek("GLOBAL", "TRANSACTION"))
    return parseSetTransaction(cursor);
  let scope: "global" | "session" = "session";
  const variables = cursor.list(() => {
    const given = cursor.acceptOneOf("GLOBAL", "SESSION", "LOCAL");
    if (given !== undefined) scope = given === "GLOBAL" ? "global" : "session";
    return parseVariable(cursor, scope);
  });
  return { type: "set", variables };
}

function parseSetTransaction(cursor: Cursor): Statement {
  const scope = cursor.acceptOneOf("SESSION", "GLOBAL") === "GLOBAL" ? "global" : "session";
  cursor.expect("TRANSACTION");
  const words = cursor.source(skipTo(cursor)).toUpperCase();
  const level = /ISOLATION LEVEL (READ UNCOMMITTED|READ COMMITTED|REPEATABLE READ|SERIALIZABLE)/.exec(words)?.[1];
  if (level === undefined) return { type: "nothing" };
  const value: Expression = { type: "literal", value: level.replace(" ", "-") };
  return { type: "set", variables: [{ scope, name: "transaction_isolation", value }] };
}

function parseVariable(cursor: Cursor, scope: "global" | "session"): SetVariable {
  const { token } = cursor;
  let variable: { scope: SetVariable["scope"]; name: string };
  if (token.kind === "userVariable") variable = { scope: "user", name: cursor.next().text.toLowerCase() };
  else if (token.kind === "variable") {
    const expression = parseExpression(new Cursor(`@@${cursor.next().text}`));
    if (expression.type !== "variable") throw cursor.syntax();
    variable = { scope: expression.scope ?? "session", name: expression.name };
  } else variable = { scope, name: cursor.name().toLowerCase() };
  if (cursor.acceptSymbol("=", ":=") === undefined) throw cursor.syntax();
  // ON and the like are words, not columns.
  const word = cursor.token;
  const value = parseExpression(cursor);
  if (value.type === "column" && value.table === undefined)
    return { ...variable, value: { type: "literal", value: word.text } };
  return { ...variable, value };
}

/** Things to show that take a LIKE or a WHERE. */
const shown = [
  ["STATUS"],
  ["VARIABLES"],
  ["DATABASES"],
  ["SCHEMAS"],
  ["PROCESSLIST"],
  ["PLUGINS"],
  ["ENGINES"],
  ["STORAGE", "ENGINES"],
  ["WARNINGS"],
  ["ERRORS"],
  ["GRANTS"],
  ["CHARACTER", "SET"],
  ["COLLATION"],
  ["TABLE", "STATUS"],
  ["TABLES"],
  ["COLUMNS"],
  ["FIELDS"],
  ["INDEX"],
];

function parseShow(cursor: Cursor): Statement {
  cursor.next();
  const full = cursor.accept("FULL");
  const global = cursor.acceptOneOf("GLOBAL", "SESSION", "LOCAL") === "GLOBAL";
  if (cursor.accept("CREATE", "TABLE"))
    return { type: "show", what: "CREATE TABLE", global, table: parseTable(cursor) };
  if (cursor.accept("ENGINE")) {
    cursor.name();
    cursor.acceptOneOf("STATUS", "MUTEX");
    return { type: "show", what: "ENGINE STATUS", global };
  }
  const words = shown.find(candidate => cursor.accept(...candidate));
  if (!words) throw cursor.syntax();
  const what = words.join(" ");
  const show: Statement = { type: "show", what: full && what === "TABLES" ? "FULL TABLES" : what, global };
  if (what === "GRANTS" && cursor.accept("FOR")) show.from = cursor.source(skipTo(cursor));
  if (["COLUMNS", "FIELDS", "INDEX"].includes(what) && cursor.acceptOneOf("FROM", "IN"))
    show.table = parseTable(cursor);
  else if (cursor.acceptOneOf("FROM", "IN")) show.from = cursor.name();
  if (cursor.accept("LIKE")) show.like = cursor.string();
  else if (cursor.accept("WHERE")) show.where = parseExpression(cursor);
  if (cursor.accept("LIMIT")) passOver(cursor);
  return show;
}

function skipTo(cursor: Cursor) {
  const start = cursor.token;
  passOver(cursor);
  return start;
}
