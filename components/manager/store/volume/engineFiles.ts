/** The engine's small files, as text. */

/** A table that was dropped stands in the map under a name that no table can have. */
const droppedPrefix = "dropped.";

export interface NumberedTable {
  number: number;
  name: string;
  dropped: boolean;
}

/**
 * The engine's map of tables' numbers, `UNIMAP`. It carries every number that was ever given: the engine goes on with the highest and one, and a number that came twice would bring the rows of a dropped table
 * into a new one.
 */
export function numberMapText(tables: Iterable<NumberedTable>): string {
  return [...tables]
    .sort((a, b) => a.number - b.number)
    .map(({ number, name, dropped }) => `${number} ${dropped ? droppedPrefix + number : name}\n`)
    .join("");
}

/** The live tables of an engine's map, by number. @throws when a line is of another format */
export function readNumberMap(text: string): Map<number, string> {
  const tables = new Map<number, string>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const match = /^(\d+) (.+?)\r?$/.exec(line);
    if (!match) throw new Error("the engine's UNIMAP has a malformed line");
    if (!match[2]!.startsWith(droppedPrefix)) tables.set(Number(match[1]), match[2]!);
  }
  return tables;
}

/** As many files in a table's first level as no table has. */
const noMerge = "100000000";

/**
 * A table's `config.ini`: its section has the table's name, also after a rename, which the engine does not rewrite everywhere.
 * @param follows it is for an engine that follows: such a one merges a first level of many files as a primary does, and what it makes is none of the log's files
 */
export function configurationFor(name: string, content: string, follows: boolean): string {
  const named = content.replace(/^\[[^\]\n]*\]/m, () => `[${name}]`);
  return follows ? named.replace(/^(l1_file_count_trigger *= *)\d+/m, `$1${noMerge}`) : named;
}
