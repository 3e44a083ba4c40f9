import { OptionKind } from "../../components/core/engineOptions/engineOptions";

/**
 * The options in what `mariadbd --no-defaults --verbose --help` prints, by name as MariaDB compares them, with what each takes.
 *
 * The help has an entry for each option, whose first line shows whether it takes a number (`--x=#`), a text (`--x=name`) or is switched on and off (`--x`), and whose text names the values of
 * one that takes a choice. A table of all values follows: a number with a point in it is a decimal one there, and one with a minus is signed.
 */
export function optionsInHelp(help: string): Record<string, OptionKind> {
  const [entries = "", table = ""] = help.split(/^Variables \(--variable-name=value\)/m);
  const values = valuesInTable(table);
  const options: Record<string, OptionKind> = {};
  for (const entry of entries.split(/\n(?= {2}-)/).slice(1)) {
    const [, name, argument] = /^ +(?:-\w, )?--([a-z][a-z0-9-]*)(\[?=(?:#|name)\]?)?/.exec(entry) ?? [];
    if (name === undefined) continue;
    options[name.replaceAll("-", "_")] = kindOf(entry.replaceAll(/\s+/g, " "), argument, values.get(name));
  }
  return Object.fromEntries(Object.entries(options).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function kindOf(entry: string, argument: string | undefined, value: string | undefined): OptionKind {
  if (argument === undefined) return "boolean";
  if (argument.includes("#")) return value?.includes(".") ? "decimal" : value?.startsWith("-") ? "signed" : "number";
  const one = listAfter(entry, "One of: ");
  if (one) return { one };
  const any = listAfter(entry, "Any combination of: ");
  return any ? { any } : "text";
}

function listAfter(entry: string, words: string): string[] | undefined {
  const at = entry.lastIndexOf(words);
  if (at < 0) return undefined;
  return /^[\w-]+(, [\w-]+)*/.exec(entry.slice(at + words.length))?.[0].split(", ");
}

function valuesInTable(table: string): Map<string, string> {
  const rows = [...table.matchAll(/^([a-z][a-z0-9-]*) +(\S.*)$/gm)];
  return new Map(rows.map(([, name = "", value = ""]) => [name, value]));
}
