import { ReadOnlyReplica } from "../../model/errors";
import { CreateTable, Statement, TableDefinition, TableReference } from "../sql/ast";
import { sqlErrors } from "../sqlError";
import { systemDatabases } from "../storage/localTables";
import { ok, OkResult } from "../values";
import type { ClientSession } from "./clientSession";
import { columnIndex, encodeRow, familySettings, findTable, guardAsync, indexesOf, indexKey, Table } from "./tables";
import { engineWrites } from "./transaction";

/** Engines whose tables are on this node alone. */
const localEngines = ["innodb", "aria", "myisam", "memory"];

/** @throws SqlError */
export async function createTable(
  session: ClientSession,
  { table, ifNotExists, definition }: CreateTable,
): Promise<OkResult> {
  const { server } = session;
  const name = { database: table.database ?? session.requireDatabase(), table: table.table };
  const full = `${name.database}.${name.table}`;
  session.requirePrivilege("CREATE", name.database, name.table);
  if (!server.hasDatabase(name.database)) throw sqlErrors.unknownDatabase(name.database);
  session.requireWritable();
  if (exists(session, name)) {
    if (ifNotExists) return ok();
    throw sqlErrors.tableExists(name.table);
  }
  const engine = (definition.engine ?? server.defaultEngine).toLowerCase();
  const text = JSON.stringify(
    complete(definition, engine === "tidesdb" ? "TidesDB" : (definition.engine ?? server.defaultEngine)),
  );
  if (localEngines.includes(engine)) {
    server.localTables.create(name.database, name.table, text);
    return ok();
  }
  const tidesdb = server.engine;
  refuseLongKeys(JSON.parse(text) as TableDefinition, session.variable("character_set_server"));
  if (engine !== "tidesdb" || !tidesdb) throw sqlErrors.notSimulated(`storage engine ${definition.engine ?? engine}`);
  const settings = familySettings(session);
  try {
    const indexes = indexesOf(JSON.parse(text) as TableDefinition).map(index => index.name);
    await guardAsync(server, full, () => tidesdb.createTable(name, text, settings, indexes));
  } catch (error) {
    throw isReplicaRefusal(error) ? sqlErrors.replicaDefinition(`\`${name.database}\`.\`${name.table}\``) : error;
  }
  return ok();
}

/** @throws SqlError */
export async function dropTables(
  session: ClientSession,
  tables: TableReference[],
  ifExists: boolean,
): Promise<OkResult> {
  for (const { database = session.requireDatabase(), table } of tables) {
    session.requirePrivilege("DROP", database, table);
    session.requireWritable();
    await dropTable(session, { database, table }, ifExists);
  }
  return ok();
}

/** @throws SqlError */
export async function truncate(session: ClientSession, reference: TableReference): Promise<OkResult> {
  const table = findTable(session, reference);
  session.requirePrivilege("DROP", table.database, table.name);
  const transaction = session.requireTransaction();
  await transaction.lock(table);
  transaction.stage(table, new Map(table.rows().map(({ key }) => [key, null])));
  return ok();
}

/** @throws SqlError */
export function createDatabase(
  session: ClientSession,
  statement: Extract<Statement, { type: "createDatabase" }>,
): OkResult {
  const { name, ifNotExists, orReplace } = statement;
  session.requirePrivilege("CREATE", name);
  session.requireWritable();
  if (session.server.hasDatabase(name)) {
    if (!ifNotExists && !orReplace) throw sqlErrors.databaseExists(name);
    return ok(ifNotExists ? 0 : 1);
  }
  session.server.localTables.createDatabase(name);
  return ok(1);
}

/** @throws SqlError */
export async function dropDatabase(session: ClientSession, name: string, ifExists: boolean): Promise<OkResult> {
  const { server } = session;
  session.requirePrivilege("DROP", name);
  session.requireWritable();
  if (systemDatabases.includes(name)) throw sqlErrors.databaseAccessDenied(session.user, session.host, name);
  if (!server.hasDatabase(name)) {
    if (ifExists) return ok();
    throw sqlErrors.noSuchDatabase(name);
  }
  // A replica is told nothing and does nothing: the tables are the primary's.
  if (!server.isReplica) {
    for (const { database, table } of server.engineTables()) {
      if (database === name) await dropTable(session, { database, table }, true);
    }
  }
  server.localTables.dropDatabase(name);
  return ok();
}

/** Whether the table is there, for a statement that makes or drops it. */
export function exists(session: ClientSession, { database, table }: { database: string; table: string }): boolean {
  const { server } = session;
  return (
    server.localTables.definition(database, table) !== undefined ||
    server.engineDefinition({ database, table }) !== undefined
  );
}

async function dropTable(
  session: ClientSession,
  name: { database: string; table: string },
  ifExists: boolean,
): Promise<void> {
  const { server } = session;
  const full = `${name.database}.${name.table}`;
  if (!exists(session, name)) {
    if (ifExists) return;
    throw sqlErrors.unknownTable(full);
  }
  server.localTables.forgetDefinition(name.database, name.table);
  if (server.localTables.definition(name.database, name.table) !== undefined) {
    server.localTables.drop(name.database, name.table);
    return;
  }
  const { engine } = server;
  // On a replica the plugin skips the work and reports success.
  if (!engine || server.isReplica) return;
  await guardAsync(server, full, () => engine.dropTable(name));
}

/**
 * ALTER TABLE. In place, the plugin stores the definition of before it: that of the ALTER before, for the next one to find. With a copy the table is a new one.
 * @throws SqlError
 */
export async function alterTable(
  session: ClientSession,
  { table: reference, added, copies }: Extract<Statement, { type: "alterTable" }>,
): Promise<OkResult> {
  const { server } = session;
  const table = findTable(session, reference);
  const name = { database: table.database, table: table.name };
  session.requirePrivilege("ALTER", table.database, table.name);
  session.requireWritable();
  const { engine } = server;
  if (table.kind !== "engine" || !engine) throw sqlErrors.notSimulated("ALTER TABLE of another engine");
  const before = JSON.stringify(table.definition);
  const definition = {
    ...table.definition,
    columns: [...table.definition.columns, ...added.columns],
    indexes: [...(table.definition.indexes ?? []), ...added.indexes],
  };
  const after = JSON.stringify(definition);
  const full = `${table.database}.${table.name}`;
  const { localTables } = server;
  const putInPlace = copies
    ? () => localTables.keepDefinition(table.database, table.name, after)
    : localTables.alterDefinition(table.database, table.name, after, session.id);
  await guardAsync(server, full, async () => {
    for (const index of added.indexes) {
      await engine.createIndex(name, index.name, familySettings(session));
      const entries = table.rows().map(row => indexKey(definition, index, row));
      if (entries.length > 0) await engine.commit(entries.map(key => ({ ...name, index: index.name, key, value: "" })));
    }
    await engine.redefineTable(name, copies ? after : before);
  });
  putInPlace();
  return ok();
}

/** RENAME TABLE: the rows move to a table of the new name, and so does the definition that the engine has stored, which may be out of date. @throws SqlError */
export async function renameTables(
  session: ClientSession,
  renames: { from: TableReference; to: TableReference }[],
): Promise<OkResult> {
  const { server } = session;
  for (const { from, to } of renames) {
    const table = findTable(session, from);
    session.requirePrivilege("ALTER", table.database, table.name);
    session.requireWritable();
    const { engine } = server;
    if (table.kind !== "engine" || !engine) throw sqlErrors.notSimulated("RENAME TABLE of another engine");
    const name = { database: table.database, table: table.name };
    const target = { database: to.database ?? table.database, table: to.table };
    const full = `${target.database}.${target.table}`;
    await guardAsync(server, full, async () => {
      const indexes = indexesOf(table.definition).map(({ name }) => name);
      const stored = engine.definition(name) ?? JSON.stringify(table.definition);
      await engine.createTable(target, stored, familySettings(session), indexes, name);
      const empty: Table = { ...table, database: target.database, name: target.table, row: () => undefined };
      const rows = table.rows().flatMap(({ key, values }) => engineWrites(empty, key, encodeRow(values)));
      if (rows.length > 0) await engine.commit(rows);
      await engine.dropTable(name);
    });
    server.localTables.keepDefinition(target.database, target.table, JSON.stringify(table.definition));
    server.localTables.forgetDefinition(table.database, table.name);
  }
  return ok();
}

/** The plugin leaves MariaDB's bound for parts of keys as it is. Bytes. */
const longestKeyPart = 255;
const bytesPerCharacter: Record<string, number> = { latin1: 1, ascii: 1, utf8: 3, utf8mb3: 3 };

/** @throws SqlError */
function refuseLongKeys(definition: TableDefinition, characterSet: string): void {
  for (const name of [...definition.primaryKey, ...indexesOf(definition).flatMap(({ columns }) => columns)]) {
    const column = definition.columns[columnIndex(definition, name)]!;
    const each = ["CHAR", "VARCHAR"].includes(column.type)
      ? (bytesPerCharacter[(column.characterSet ?? characterSet).toLowerCase()] ?? 4)
      : ["BINARY", "VARBINARY"].includes(column.type)
        ? 1
        : 0;
    if (each * (column.length ?? 1) > longestKeyPart) throw sqlErrors.keyTooLong(longestKeyPart);
  }
}

function complete(definition: TableDefinition, engine: string): TableDefinition {
  for (const name of [...definition.primaryKey, ...indexesOf(definition).flatMap(({ columns }) => columns)])
    columnIndex(definition, name);
  for (const name of definition.primaryKey) definition.columns[columnIndex(definition, name)]!.nullable = false;
  return { ...definition, engine };
}

function isReplicaRefusal(error: unknown): boolean {
  return error instanceof ReadOnlyReplica || (error as { errno?: number }).errno === sqlErrors.replicaWrite().errno;
}
