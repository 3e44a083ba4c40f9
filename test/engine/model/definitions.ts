import { FamilyWrite } from "../formats/writeAheadLog";
import { ColumnFamily } from "./columnFamily";
import { commit } from "./commit";
import { NoSuchTable, ReadOnlyReplica, TableExists, TableTooLarge } from "./errors";
import { createFamily, dropFamily } from "./families";
import { readRow, scanRows } from "./reading";
import { defaultFamilySettings, FamilySettings } from "./settings";
import { EngineState, schemaFamilyName } from "./state";

/** A table's name. */
export interface TableName {
  database: string;
  table: string;
}

/** A table that the engine knows: it is usable where its column family has arrived too. */
export interface KnownTable extends TableName {
  /** What CREATE TABLE said, in a form that only the SQL layer reads. */
  definition: string;
}

/** The table's column family, and its folder in the bucket. */
export function familyName({ database, table }: TableName): string {
  return `${database}__${table}`;
}

/** The column family of one of a table's secondary indexes. */
export function indexFamilyName(table: TableName, index: string): string {
  return `${indexFamilies(table)}${index}`;
}

function indexFamilies(table: TableName): string {
  return `${familyName(table)}__idx_`;
}

/** Makes a table, which may be another one renamed. Its column family is in the bucket at once; its definition is a row like others, and gets there with the WAL. */
export async function createTable(
  state: EngineState,
  name: TableName,
  definition: string,
  settings: FamilySettings,
  former?: TableName,
): Promise<void> {
  if (state.replicaMode) throw new ReadOnlyReplica();
  if (findTable(state, name)) throw new TableExists(familyName(name));
  if (2 * settings.writeBufferBytes > state.settings.memoryLimitBytes) throw new TableTooLarge(familyName(name));
  if (!state.families.has(familyName(name))) await createFamily(state, familyName(name), settings, false);
  const schema = await ensureSchemaFamily(state);
  const stored: FamilyWrite = [schema.index, schemaKey(name), definition];
  await commit(state, former ? [stored, [schema.index, schemaKey(former), null]] : [stored]);
}

/** The column family of definitions, which is made where there is none. */
export async function ensureSchemaFamily(state: EngineState): Promise<ColumnFamily> {
  const present = state.families.get(schemaFamilyName);
  return present ?? (await createFamily(state, schemaFamilyName, defaultFamilySettings, false));
}

/** Makes a secondary index: a column family of its own, whose entries are written in the transactions of their rows. */
export async function createIndex(
  state: EngineState,
  table: TableName,
  index: string,
  settings: FamilySettings,
): Promise<void> {
  if (state.replicaMode) throw new ReadOnlyReplica();
  const name = indexFamilyName(table, index);
  if (!state.families.has(name)) await createFamily(state, name, settings, false);
}

/** Stores another definition of a table, whose rows stay as they are. */
export async function redefineTable(state: EngineState, name: TableName, definition: string): Promise<void> {
  if (state.replicaMode) throw new ReadOnlyReplica();
  const schema = state.families.get(schemaFamilyName);
  if (schema) await commit(state, [[schema.index, schemaKey(name), definition]]);
}

export async function dropTable(state: EngineState, name: TableName): Promise<void> {
  if (state.replicaMode) throw new ReadOnlyReplica();
  const family = state.families.get(familyName(name));
  if (!family) throw new NoSuchTable(familyName(name));
  await dropFamily(state, family);
  for (const other of [...state.families.values()])
    if (other.name.startsWith(indexFamilies(name))) await dropFamily(state, other);
  const schema = state.families.get(schemaFamilyName);
  if (schema) await commit(state, [[schema.index, schemaKey(name), null]]);
}

/** Undefined when the definition or the column family has not arrived here. */
export function findTable(
  state: EngineState,
  name: TableName,
): { family: ColumnFamily; definition: string } | undefined {
  const schema = state.families.get(schemaFamilyName);
  const family = state.families.get(familyName(name));
  const definition = schema && readRow(state, schema, schemaKey(name));
  return family && definition !== undefined ? { family, definition } : undefined;
}

/** All tables whose definitions are here. */
export function knownTables(state: EngineState): KnownTable[] {
  const schema = state.families.get(schemaFamilyName);
  if (!schema) return [];
  return [...scanRows(state, schema)].map(([key, definition]) => {
    const [database = "", table = ""] = key.split("\0");
    return { database, table, definition };
  });
}

function schemaKey({ database, table }: TableName): string {
  return `${database}\0${table}`;
}
