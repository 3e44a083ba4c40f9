import { DatabaseState } from "./state";
import { FileKey, parseFileKey } from "./keys";

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

/** Which of some keys the state names, with their sizes. It makes no key that is not asked for: a page of the bucket's list at a time, all of a large database are looked at. */
export function namedAmong(state: DatabaseState, keys: readonly string[]): Map<string, number> {
  const asked = new Map<number, FileKey[]>();
  for (const key of keys) {
    const file = parseFileKey(key);
    if (!file) continue;
    const ofTable = asked.get(file.table);
    if (ofTable) ofTable.push(file);
    else asked.set(file.table, [file]);
  }
  const named = new Map<string, number>();
  for (const [table, files] of asked)
    for (const { key, size } of state.tables.get(table)?.files.filesAmong(files) ?? []) named.set(key, size);
  const all = new Set(keys);
  for (const { key, size } of blocksOf(state)) if (all.has(key)) named.set(key, size);
  return named;
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
