import { columnType } from "../protocol/constants";
import { Statement, TableReference } from "../sql/ast";
import { sqlErrors } from "../sqlError";
import { likeExpression } from "../patterns";
import { RowsResult, Value } from "../values";
import { grantTexts } from "./accounts";
import type { ClientSession } from "./clientSession";
import { typeText } from "./columns";
import { evaluate, isTrue } from "./evaluate";
import { processes } from "./informationSchema";
import { engineStatusText, serverStatus } from "./serverStatus";
import { findTable } from "./tables";

type Show = Extract<Statement, { type: "show" }>;

/** SHOW. @throws SqlError */
export function show(session: ClientSession, statement: Show): RowsResult {
  const lister = listers[statement.what];
  if (!lister) throw sqlErrors.notSimulated(`SHOW ${statement.what}`);
  const { columns, rows } = lister(session, statement);
  return result(
    columns,
    rows.filter(row => lets(session, statement, columns, row)),
  );
}

interface Listing {
  columns: string[];
  rows: Value[][];
}

const listers: Record<string, (session: ClientSession, statement: Show) => Listing> = {
  STATUS: ({ server }) => ({ columns: ["Variable_name", "Value"], rows: serverStatus(server) }),

  VARIABLES(session, { global }) {
    const { variables } = session.server;
    const rows = variables.names.map((name): Value[] => [name, global ? variables.get(name) : session.variable(name)]);
    return { columns: ["Variable_name", "Value"], rows };
  },

  DATABASES: session => ({ columns: ["Database"], rows: visibleDatabases(session).map(name => [name]) }),
  SCHEMAS: session => ({ columns: ["Database"], rows: visibleDatabases(session).map(name => [name]) }),

  TABLES(session, statement) {
    const database = statement.from ?? session.requireDatabase();
    return { columns: [`Tables_in_${database}`], rows: tableNames(session, database).map(name => [name]) };
  },
  "FULL TABLES"(session, statement) {
    const database = statement.from ?? session.requireDatabase();
    return {
      columns: [`Tables_in_${database}`, "Table_type"],
      rows: tableNames(session, database).map(name => [name, "BASE TABLE"]),
    };
  },
  "TABLE STATUS"(session, statement) {
    const database = statement.from ?? session.requireDatabase();
    return {
      columns: ["Name", "Engine"],
      rows: tableNames(session, database).map(name => [name, engineOf(session, database, name)]),
    };
  },

  COLUMNS: (session, statement) => columnListing(session, tableOf(statement)),
  FIELDS: (session, statement) => columnListing(session, tableOf(statement)),
  INDEX(session, statement) {
    const { definition, name } = findTable(session, tableOf(statement));
    const unique = [{ name: "PRIMARY", columns: definition.primaryKey }, ...definition.uniqueKeys];
    const rows = [unique, definition.indexes].flatMap((keys, isNotUnique) =>
      keys.flatMap(key => key.columns.map((column, i): Value[] => [name, isNotUnique, key.name, i + 1, column])),
    );
    return { columns: ["Table", "Non_unique", "Key_name", "Seq_in_index", "Column_name"], rows };
  },
  "CREATE TABLE"(session, statement) {
    const table = findTable(session, tableOf(statement));
    const parts = table.definition.columns.map(column => {
      return `  \`${column.name}\` ${typeText(column)}${column.nullable ? "" : " NOT NULL"}${column.autoIncrement ? " AUTO_INCREMENT" : ""}`;
    });
    const { primaryKey } = table.definition;
    if (primaryKey.length > 0) parts.push(`  PRIMARY KEY (${primaryKey.map(name => `\`${name}\``).join(",")})`);
    const text = `CREATE TABLE \`${table.name}\` (\n${parts.join(",\n")}\n) ENGINE=${table.definition.engine ?? ""}`;
    return { columns: ["Table", "Create Table"], rows: [[table.name, text]] };
  },

  PROCESSLIST(session) {
    const columns = ["Id", "User", "Host", "db", "Command", "Time", "State", "Info", "Progress"];
    return { columns, rows: processes(session) };
  },
  PLUGINS({ server }) {
    const tidesdb: Value[][] = server.engine ? [["TidesDB", "ACTIVE", "STORAGE ENGINE", "ha_tidesdb.so", "GPL"]] : [];
    return { columns: ["Name", "Status", "Type", "Library", "License"], rows: tidesdb };
  },
  ENGINES: engines,
  "STORAGE ENGINES": engines,
  "ENGINE STATUS": ({ server }) => ({
    columns: ["Type", "Name", "Status"],
    rows: [["TidesDB", "", engineStatusText(server)]],
  }),

  GRANTS(session, statement) {
    const account = statement.from === undefined ? session.account : namedAccount(session, statement.from);
    return { columns: [`Grants for ${account.user}@${account.host}`], rows: grantTexts(account).map(text => [text]) };
  },
  WARNINGS: () => ({ columns: ["Level", "Code", "Message"], rows: [] }),
  ERRORS: () => ({ columns: ["Level", "Code", "Message"], rows: [] }),
  "CHARACTER SET": () => ({ columns: ["Charset", "Default collation"], rows: [["utf8mb4", "utf8mb4_uca1400_ai_ci"]] }),
  COLLATION: () => ({ columns: ["Collation", "Charset"], rows: [["utf8mb4_uca1400_ai_ci", "utf8mb4"]] }),
};

/** Databases that an account may see. */
export function visibleDatabases(session: ClientSession): string[] {
  return session.server.databases().filter(name => name === "information_schema" || session.mayUse(name));
}

/** Tables of a database, wherever their rows are. */
export function tableNames({ server }: ClientSession, database: string): string[] {
  if (!server.hasDatabase(database)) throw sqlErrors.unknownDatabase(database);
  const known = server
    .engineTables()
    .filter(table => table.database === database)
    .map(({ table }) => table);
  return [
    ...new Set([...server.localTables.names(database), ...server.localTables.keptNames(database), ...known]),
  ].sort();
}

/** The engine of a table, as SHOW TABLE STATUS says it; null where its column family has not arrived. */
export function engineOf({ server }: ClientSession, database: string, table: string): Value {
  const definition = server.localTables.definition(database, table) ?? server.engineDefinition({ database, table });
  return definition === undefined ? null : ((JSON.parse(definition) as { engine?: string }).engine ?? null);
}

function engines({ server }: ClientSession): Listing {
  const isDefault = (name: string) => server.defaultEngine.toLowerCase() === name.toLowerCase();
  const names = ["InnoDB", "Aria", "MEMORY", "MyISAM", ...(server.engine ? ["TidesDB"] : [])];
  return { columns: ["Engine", "Support"], rows: names.map(name => [name, isDefault(name) ? "DEFAULT" : "YES"]) };
}

function columnListing(session: ClientSession, reference: TableReference): Listing {
  const { definition } = findTable(session, reference);
  const rows = definition.columns.map((column): Value[] => {
    const key = definition.primaryKey.includes(column.name) ? "PRI" : "";
    return [
      column.name,
      typeText(column),
      column.nullable ? "YES" : "NO",
      key,
      null,
      column.autoIncrement ? "auto_increment" : "",
    ];
  });
  return { columns: ["Field", "Type", "Null", "Key", "Default", "Extra"], rows };
}

function tableOf(statement: Show): TableReference {
  if (!statement.table) throw sqlErrors.syntax(statement.what);
  return statement.from === undefined ? statement.table : { ...statement.table, database: statement.from };
}

function namedAccount(session: ClientSession, text: string) {
  const [user = "", host = "%"] = text
    .replace(/\(\)$/, "")
    .split("@")
    .map(part => part.replace(/^['"`]|['"`]$/g, ""));
  if (user.toUpperCase() === "CURRENT_USER") return session.account;
  const account = session.server.accounts.find(user, host);
  if (!account) throw sqlErrors.noSuchGrant(user, host);
  return account;
}

function lets(session: ClientSession, { like, where }: Show, columns: string[], row: Value[]): boolean {
  if (like !== undefined) return likeExpression(like).test(String(row[0]));
  if (!where) return true;
  const base = session.scope([]);
  const column = (name: string) => {
    const index = columns.findIndex(candidate => candidate.toLowerCase() === name.toLowerCase());
    if (index === -1) throw sqlErrors.unknownColumn(name, "WHERE");
    return row[index] ?? null;
  };
  return isTrue(evaluate(where, { ...base, column }));
}

function result(columns: string[], rows: Value[][]): RowsResult {
  const typed = columns.map((name, i) => {
    const numeric = rows.length > 0 && rows.every(row => typeof row[i] === "number");
    return { name, type: numeric ? columnType.longlong : columnType.varString };
  });
  return { kind: "rows", columns: typed, rows };
}
