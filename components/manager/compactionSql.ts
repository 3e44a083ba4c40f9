import { quoteName } from "../core/accountStatements";
import { CompactableTable } from "./compaction";
import { Rows, SqlValue } from "./sqlConnection";

/** Runs one statement in the session that all of them share. */
export type Query = (text: string, values?: SqlValue[]) => Promise<Rows>;

/** Types of a key whose ends can be given in a statement as they were read. */
const keyTypes = ["tinyint", "smallint", "mediumint", "int", "bigint", "char", "varchar"];

/** The tables of the engine whose primary key is one column, of a plain type. */
export async function compactableTables(query: Query): Promise<CompactableTable[]> {
  const tables = await query(
    "SELECT TABLE_SCHEMA AS databaseName, TABLE_NAME AS tableName FROM information_schema.TABLES WHERE ENGINE = 'TidesDB'",
  );
  const found: CompactableTable[] = [];
  for (const { databaseName, tableName } of tables) {
    const [database, table] = [String(databaseName), String(tableName)];
    const keys = await query(
      "SELECT COLUMN_NAME AS keyColumn, DATA_TYPE AS type FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_KEY = 'PRI'",
      [database, table],
    );
    const [key] = keys;
    if (key && keys.length === 1 && keyTypes.includes(String(key.type)))
      found.push({ database, table, keyColumn: String(key.keyColumn) });
  }
  return found;
}

/** Merges all SSTables of a table: the engine compacts the range of keys that a statement deletes, also when that is taken back. */
export async function compactTable(query: Query, { database, table, keyColumn }: CompactableTable): Promise<void> {
  const name = `${quoteName(database)}.${quoteName(table)}`;
  const key = quoteName(keyColumn);
  const [ends] = await query(`SELECT MIN(${key}) AS first, MAX(${key}) AS last FROM ${name}`);
  const keys = [ends?.first, ends?.last].filter(isKey);
  if (keys.length < 2) return;
  // A DELETE that names tables by an alias is refused without a database in use.
  await query(`USE ${quoteName(database)}`);
  await query("SET SESSION tidesdb_compact_after_range_delete_min_rows=1");
  await query("START TRANSACTION");
  try {
    // It has to join the table with itself to be seen as a range.
    await query(`DELETE a FROM ${name} a, ${name} b WHERE a.${key} IN (?, ?) AND b.${key} = a.${key}`, keys);
  } finally {
    await query("ROLLBACK");
  }
}

function isKey(value: unknown): value is SqlValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "bigint";
}
