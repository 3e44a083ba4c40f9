import { ColumnDefinition, TableDefinition } from "../sql/ast";
import { Account, allPrivileges, grantOption, passwordPlugin } from "../storage/accounts";
import { textOf, Value } from "../values";
import type { ClientSession } from "./clientSession";
import { typeText } from "./columns";
import { pluginVersion, serverStatus } from "./serverStatus";
import { engineOf, tableNames, visibleDatabases } from "./show";
import { findTable, Table } from "./tables";

/** A table that is made up as it is read: columns by name, with their types. */
interface SystemTable {
  columns: Record<string, "BIGINT" | "VARCHAR">;
  rows(session: ClientSession): Value[][];
  /** May be read by those who may read the database only. */
  guarded?: boolean;
}

/** A table of `information_schema` or `mysql`; undefined when there is none of that name. */
export function schemaTable(session: ClientSession, database: string, name: string): Table | undefined {
  const tables = database === "mysql" ? mysqlTables : informationTables;
  const table = tables[name.toUpperCase()];
  if (!table) return undefined;
  if (table.guarded) session.requirePrivilege("SELECT", database, name);
  const definition: TableDefinition = {
    columns: Object.entries(table.columns).map(([column, type]) => systemColumn(column, type)),
    primaryKey: [],
    uniqueKeys: [],
    indexes: [],
  };
  return {
    database,
    name,
    definition,
    kind: "system",
    row: () => undefined,
    rows: () => table.rows(session).map((values, i) => ({ key: String(i), values })),
  };
}

/** Lines of the process list: id, user, host, database, command, time, state, statement, progress. */
export function processes(session: ClientSession): Value[][] {
  const all = session.mayAdminister("PROCESS");
  return [...session.server.sessions.values()]
    .filter(other => all || other.user === session.user)
    .map(other => [
      other.id,
      other.user || "unauthenticated user",
      other.address,
      other.database ?? null,
      other.statement === undefined ? "Sleep" : "Query",
      Math.floor((Date.now() - other.since) / 1000),
      other.statement === undefined ? "" : "executing",
      other.statement ?? null,
      "0.000",
    ]);
}

const number = "BIGINT" as const;
const text = "VARCHAR" as const;

const informationTables: Record<string, SystemTable> = {
  SCHEMATA: {
    columns: { CATALOG_NAME: text, SCHEMA_NAME: text, DEFAULT_CHARACTER_SET_NAME: text, DEFAULT_COLLATION_NAME: text },
    rows: session => visibleDatabases(session).map(name => ["def", name, "utf8mb4", "utf8mb4_uca1400_ai_ci"]),
  },
  TABLES: {
    columns: {
      TABLE_CATALOG: text,
      TABLE_SCHEMA: text,
      TABLE_NAME: text,
      TABLE_TYPE: text,
      ENGINE: text,
      TABLE_ROWS: number,
    },
    rows: session =>
      userTables(session).map(([database, table]) => [
        "def",
        database,
        table,
        "BASE TABLE",
        engineOf(session, database, table),
        null,
      ]),
  },
  COLUMNS: {
    columns: {
      TABLE_SCHEMA: text,
      TABLE_NAME: text,
      COLUMN_NAME: text,
      ORDINAL_POSITION: number,
      IS_NULLABLE: text,
      DATA_TYPE: text,
      COLUMN_TYPE: text,
      COLUMN_KEY: text,
    },
    rows: session =>
      userTables(session).flatMap(([database, table]) => {
        if (engineOf(session, database, table) === null) return [];
        const { columns, primaryKey } = findTable(session, { database, table }).definition;
        return columns.map((column, i): Value[] => {
          const key = primaryKey.includes(column.name) ? "PRI" : "";
          const nullable = column.nullable ? "YES" : "NO";
          return [database, table, column.name, i + 1, nullable, column.type.toLowerCase(), typeText(column), key];
        });
      }),
  },
  PROCESSLIST: {
    columns: {
      ID: number,
      USER: text,
      HOST: text,
      DB: text,
      COMMAND: text,
      TIME: number,
      STATE: text,
      INFO: text,
      PROGRESS: text,
    },
    rows: processes,
  },
  PLUGINS: {
    columns: {
      PLUGIN_NAME: text,
      PLUGIN_VERSION: text,
      PLUGIN_STATUS: text,
      PLUGIN_TYPE: text,
      PLUGIN_LIBRARY: text,
      PLUGIN_AUTH_VERSION: text,
    },
    rows: ({ server }) => [
      [passwordPlugin, "1.0", "ACTIVE", "AUTHENTICATION", null, "1.0"],
      ...(server.engine
        ? [["TidesDB", pluginVersion.replace(/\.\d+$/, ""), "ACTIVE", "STORAGE ENGINE", "ha_tidesdb.so", pluginVersion]]
        : []),
      ...(server.configuration.plugins.has("simple_password_check")
        ? [["simple_password_check", "1.0", "ACTIVE", "PASSWORD VALIDATION", "simple_password_check.so", "1.0"]]
        : []),
    ],
  },
  ENGINES: {
    columns: { ENGINE: text, SUPPORT: text },
    rows: ({ server }) =>
      ["InnoDB", "Aria", "MEMORY", "MyISAM", ...(server.engine ? ["TidesDB"] : [])].map(name => [name, "YES"]),
  },
  USER_PRIVILEGES: {
    columns: { GRANTEE: text, TABLE_CATALOG: text, PRIVILEGE_TYPE: text, IS_GRANTABLE: text },
    rows: ({ server }) =>
      server.accounts.all.flatMap(account => {
        const privileges = account.grants["*"] ?? ["USAGE"];
        const grantable = privileges.includes(grantOption) ? "YES" : "NO";
        return privileges
          .filter(privilege => privilege !== grantOption)
          .map((privilege): Value[] => [`'${account.user}'@'${account.host}'`, "def", privilege, grantable]);
      }),
  },
  GLOBAL_STATUS: {
    columns: { VARIABLE_NAME: text, VARIABLE_VALUE: text },
    rows: ({ server }) => upperNames(serverStatus(server)),
  },
  SESSION_STATUS: {
    columns: { VARIABLE_NAME: text, VARIABLE_VALUE: text },
    rows: ({ server }) => upperNames(serverStatus(server)),
  },
  GLOBAL_VARIABLES: {
    columns: { VARIABLE_NAME: text, VARIABLE_VALUE: text },
    rows: ({ server }) => upperNames(server.variables.names.map(name => [name, server.variables.get(name)])),
  },
  SESSION_VARIABLES: {
    columns: { VARIABLE_NAME: text, VARIABLE_VALUE: text },
    rows: session => upperNames(session.server.variables.names.map(name => [name, session.variable(name)])),
  },
};

const mysqlTables: Record<string, SystemTable> = {
  USER: {
    columns: {
      Host: text,
      User: text,
      Password: text,
      Select_priv: text,
      Insert_priv: text,
      Update_priv: text,
      Delete_priv: text,
      Super_priv: text,
      Grant_priv: text,
      ssl_type: text,
      plugin: text,
      authentication_string: text,
      password_expired: text,
      is_role: text,
      account_locked: text,
    },
    rows: ({ server }) => server.accounts.all.map(userRow),
    guarded: true,
  },
  GLOBAL_PRIV: {
    columns: { Host: text, User: text, Priv: text },
    rows: ({ server }) =>
      server.accounts.all.map(account => {
        const access = (account.grants["*"] ?? []).includes(allPrivileges) ? -1 : 0;
        const priv = {
          access,
          plugin: account.plugin,
          authentication_string: account.secret,
          ssl_type: account.requireTls ? 1 : 0,
        };
        return [account.host, account.user, JSON.stringify(account.locked ? { ...priv, account_locked: true } : priv)];
      }),
    guarded: true,
  },
  DB: {
    columns: { Host: text, Db: text, User: text },
    rows: ({ server }) =>
      server.accounts.all.flatMap(({ host, user, grants }) =>
        Object.keys(grants)
          .filter(scope => scope !== "*" && !scope.includes("."))
          .map((scope): Value[] => [host, scope, user]),
      ),
    guarded: true,
  },
};

function userRow(account: Account): Value[] {
  const privileges = account.grants["*"] ?? [];
  const has = (privilege: string) => (privileges.includes(privilege) || privileges.includes(allPrivileges) ? "Y" : "N");
  return [
    account.host,
    account.user,
    account.secret,
    ...["SELECT", "INSERT", "UPDATE", "DELETE", "SUPER"].map(has),
    privileges.includes(grantOption) ? "Y" : "N",
    account.requireTls ? "ANY" : "",
    account.plugin,
    account.secret,
    "N",
    "N",
    account.locked ? "Y" : "N",
  ];
}

function userTables(session: ClientSession): [database: string, table: string][] {
  return visibleDatabases(session).flatMap(database =>
    tableNames(session, database).map((table): [string, string] => [database, table]),
  );
}

function upperNames(lines: Value[][]): Value[][] {
  return lines.map(([name, value]) => [textOf(name ?? null).toUpperCase(), value ?? null]);
}

function systemColumn(name: string, type: "BIGINT" | "VARCHAR"): ColumnDefinition {
  return { name, type, length: 255, unsigned: false, nullable: true, autoIncrement: false, onUpdateNow: false };
}
