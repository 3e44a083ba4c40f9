import { DatabaseState } from "./state";
import { parseFileFolder } from "./keys";

/** An object of data, with its size in bytes. */
export interface NamedObject {
  key: string;
  size: number;
}

/** Everything that a position names: the files of its tables, and blocks that were too large for an entry. */
export function* objectsOf(state: DatabaseState): Generator<NamedObject> {
  for (const { number } of state.liveTables()) yield* filesOf(state, number);
  yield* blocksOf(state);
}

/** How many {@link objectsOf} gives. */
export function objectCount(state: DatabaseState): number {
  let count = [...blocksOf(state)].length;
  for (const { files } of state.liveTables()) count += 2 * files.size;
  return count;
}

/** The sizes of those in the folder of a key, by key: of one table, or the blocks. A list of the bucket has them behind one another, so nobody has to hold all of the database's. */
export function namedBeside(state: DatabaseState, key: string): Map<string, number> {
  const table = parseFileFolder(key);
  const objects = table === undefined ? blocksOf(state) : filesOf(state, table);
  return new Map([...objects].map(({ key, size }) => [key, size]));
}

function* filesOf(state: DatabaseState, table: number): Generator<NamedObject> {
  for (const { keys, values } of state.tables.get(table)?.files.values() ?? []) {
    yield { key: keys.key, size: keys.size };
    yield { key: values.key, size: values.size };
  }
}

function* blocksOf({ blocks }: DatabaseState): Generator<NamedObject> {
  for (const { key, size } of blocks.values()) if (key !== undefined) yield { key, size };
}
