import { DefinitionChange } from "../log/changes";
import { DatabaseState } from "../log/state";
import { readCommit } from "./commit";

/** The engine's own table, in which it stores definitions: one row for each table, with MariaDB's file. */
export const definitionsTable = "__tidesql_schema";

/** A definition that a commit stores, or removes. */
export interface DefinitionWrite {
  /** `database/table`, as MariaDB names the folder and the file. */
  table: string;
  /** Undefined: it is removed. */
  file: Buffer | undefined;
}

/** Number of the engine's table of definitions; undefined before there is one. */
export function numberOfDefinitions(state: DatabaseState): number | undefined {
  for (const { number, name, dropped } of state.tables.values())
    if (name === definitionsTable && !dropped) return number;
  return undefined;
}

/** What a commit does to definitions. The data are those of a block that changes this table. */
export function definitionWrites(data: Buffer, number: number): DefinitionWrite[] {
  const writes: DefinitionWrite[] = [];
  readCommit(data, ({ table, key, value }) => {
    if (table !== number) return;
    const name = tableOf(key.toString());
    if (name !== undefined) writes.push({ table: name, file: value });
  });
  return writes;
}

/** What it says of the log's own definitions: what is stored now counts. A rename is one commit that stores under the new name what stood under the old one, and takes along what counts of it. */
export function definitionChanges(writes: readonly DefinitionWrite[]): DefinitionChange[] {
  const renamed = renameOf(writes);
  if (renamed) return [{ type: "definition", table: renamed.to, of: renamed.from }];
  return writes.map(({ table }) => ({ type: "definition", table }));
}

/** The names of a rename; undefined: it is none. */
export function renameOf(writes: readonly DefinitionWrite[]): { from: string; to: string } | undefined {
  if (writes.length !== 2) return undefined;
  const [to, from] = [writes.find(({ file }) => file !== undefined), writes.find(({ file }) => file === undefined)];
  return from && to && { from: from.table, to: to.table };
}

/** The engine's key is the database's name, a zero byte and the table's. Undefined: it cannot be the name of a file. */
function tableOf(key: string): string | undefined {
  const parts = key.split("\0");
  if (parts.length !== 2 || parts.some(part => part === "" || part.includes("/") || /^\.\.?$/.test(part)))
    return undefined;
  return parts.join("/");
}
