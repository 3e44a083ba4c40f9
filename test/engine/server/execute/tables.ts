import { FamilySettings } from "../../model/settings";
import { KeyDefinition, TableDefinition, TableReference } from "../sql/ast";
import { SqlError, sqlErrors } from "../sqlError";
import { collated, decodeValues, encodeValues, Value } from "../values";
import { asSqlError } from "./engineErrors";
import { schemaTable } from "./informationSchema";
import type { ClientSession } from "./clientSession";
import type { Server } from "./server";

/** A row and what it is found by. */
export interface StoredRow {
  key: string;
  values: Value[];
}

/** A table, wherever its rows are. */
export interface Table {
  database: string;
  name: string;
  definition: TableDefinition;
  /** `engine`: in TidesDB; `local`: on this node only; `system`: made up as it is read. */
  kind: "engine" | "local" | "system";
  /** A point read. */
  row(key: string): StoredRow | undefined;
  /** A scan, in the order of the primary key where that is a number or a text. */
  rows(inKeyOrder?: boolean): StoredRow[];
}

/** Finds a table. @throws SqlError */
export function findTable(session: ClientSession, { database, table }: TableReference): Table {
  const name = { database: database ?? session.requireDatabase(), table };
  const { server } = session;
  if (["information_schema", "mysql"].includes(name.database.toLowerCase())) {
    const system = schemaTable(session, name.database.toLowerCase(), table);
    if (system) return system;
  }
  const full = `${name.database}.${table}`;
  const local = server.localTables.definition(name.database, table);
  if (local !== undefined) {
    const stored = () => server.localTables.rows(name.database, table);
    return storedTable(name, "local", local, key => stored().get(key), stored);
  }
  const definition = server.localTables.keptDefinition(name.database, table) ?? discovered(server, name);
  if (definition === undefined || !server.engine) {
    throw sqlErrors.noSuchTable(full);
  }
  const { engine } = server;
  const read = (key: string) => guard(server, full, () => engine.get(name, key, session.readsSnapshots));
  return storedTable(name, "engine", definition, read, inKeyOrder =>
    guard(server, full, () => engine.scan(name, inKeyOrder && session.readsSnapshots)),
  );
}

/** What the engine knows of a table, which this node keeps from now on. @throws SqlError */
function discovered(server: Server, name: { database: string; table: string }): string | undefined {
  const definition = guard(server, `${name.database}.${name.table}`, () =>
    server.engine?.discovers ? server.engine.definition(name) : undefined,
  );
  if (definition !== undefined) server.localTables.keepDefinition(name.database, name.table, definition);
  return definition;
}

/** A row's key: the primary key's values, or something unique where there is none. */
export function keyOf(definition: TableDefinition, values: Value[], otherwise: () => string): string {
  if (definition.primaryKey.length === 0) return otherwise();
  return encodeKey(definition.primaryKey.map(name => values[columnIndex(definition, name)] ?? null));
}

/** Values of a primary key as the key under which the row is stored. Keys sort as their values do: the engine works on ranges of them. */
export function encodeKey(values: Value[]): string {
  return values.map(sortable).join("\u0000");
}

/** A table's secondary indexes, the unique ones too. */
export function indexesOf({ uniqueKeys, indexes = [] }: TableDefinition): KeyDefinition[] {
  return [...uniqueKeys, ...indexes];
}

/** The key of a row's entry in an index: its values there, and the row's own key behind them. */
export function indexKey(definition: TableDefinition, { columns }: KeyDefinition, { key, values }: StoredRow): string {
  return `${encodeKey(columns.map(name => values[columnIndex(definition, name)] ?? null))}\u0000${key}`;
}

export function encodeRow(values: Value[]): string {
  return encodeValues(values);
}

/** @throws SqlError for a column that the table does not have */
export function columnIndex({ columns }: TableDefinition, name: string): number {
  const index = columns.findIndex(column => column.name.toLowerCase() === name.toLowerCase());
  if (index === -1) throw sqlErrors.unknownColumn(name, "field list");
  return index;
}

/** What a new TidesDB table of this session gets. */
export function familySettings(session: ClientSession): FamilySettings {
  const number = (name: string) => Number(session.variable(`tidesdb_default_${name}`));
  const lazily = session.variable("tidesdb_default_object_lazy_compaction") === "ON" ? 2 : 1;
  return {
    l1FileCountTrigger: lazily * number("l1_file_count_trigger"),
    minLevels: number("min_levels"),
    tombstoneDensityTrigger: number("tombstone_density_trigger"),
    tombstoneDensityMinEntries: number("tombstone_density_min_entries"),
    writeBufferBytes: number("write_buffer_size"),
  };
}

function storedTable(
  name: { database: string; table: string },
  kind: "engine" | "local",
  definition: string,
  get: (key: string) => string | undefined,
  scan: (inKeyOrder: boolean) => Map<string, string>,
): Table {
  return {
    database: name.database,
    name: name.table,
    definition: JSON.parse(definition) as TableDefinition,
    kind,
    row(key) {
      const value = get(key);
      return value === undefined ? undefined : { key, values: decodeValues(value) };
    },
    rows(inKeyOrder = false) {
      return [...scan(inKeyOrder)].map(([key, value]) => ({ key, values: decodeValues(value) }));
    },
  };
}

/** Null first, then numbers, texts without the differences that their collation passes over, and bytes. */
function sortable(value: Value): string {
  if (value === null) return "0";
  if (typeof value === "number" || typeof value === "bigint") return `1${sortableNumber(value)}`;
  if (Buffer.isBuffer(value)) return `3${value.toString("hex")}`;
  return `2${collated(value).replaceAll("\u0000", "\u0000\u0001")}`;
}

/** The bits of the double, turned so that the digits sort as the numbers do; behind them the exact value of what no double can hold. */
function sortableNumber(value: number | bigint): string {
  const bytes = Buffer.alloc(8);
  // A sum has no negative zero.
  bytes.writeDoubleBE(Number(value) + 0);
  const bits = bytes.readBigInt64BE();
  const digits = (bits < 0n ? ~bits : bits + 2n ** 63n).toString(16).padStart(16, "0");
  return typeof value === "bigint" ? `${digits} ${value}` : digits;
}

/** Turns the engine's failures into a client's. */
export function guard<T>(server: Server, table: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw asClientError(server, table, error);
  }
}

/** The same for a call that takes its time. */
export async function guardAsync<T>(server: Server, table: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asClientError(server, table, error);
  }
}

function asClientError(server: Server, table: string, error: unknown): Error {
  const known = asSqlError(server.noticeCrash(error), table);
  if (known instanceof SqlError) return known;
  return known instanceof Error ? known : new Error(String(known));
}
