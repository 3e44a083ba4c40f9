import { printable } from "../printable";
import { suggestion } from "../suggestion";
import mariadb1011 from "./mariadb-10.11.json";
import mariadb118 from "./mariadb-11.8.json";
import tidesdb from "./tidesdb-4.5.json";

/** What an option takes: for `one` a choice, for `any` a list of choices. A `number` may end with K, M, G, T, P or E; a `signed` one may be negative; a `decimal` one may have a fraction. */
export type OptionKind = "boolean" | "number" | "signed" | "decimal" | "text" | { one: string[] } | { any: string[] };

/**
 * The options that a server of this package may know: those that MariaDB 10.11 lists itself (`npm run engine-options` asks it), those that MariaDB's documentation says came in until 11.8, and the
 * TidesDB plugin's (docs/engine.md). Where two lists have an option, the later one says what it takes.
 */
const known = new Map<string, OptionKind>(
  [mariadb1011, mariadb118, tidesdb].flatMap(({ options }) => Object.entries(options) as [string, OptionKind][]),
);

/** Names of all options that are known, as MariaDB compares them: lower case, with `_`. */
export const knownOptions: readonly string[] = [...known.keys()];

/** What MariaDB allows in front of the name of an option that is switched on and off. */
const switches = /^(skip|disable|enable)_/;

/**
 * What is wrong with an option that is written into the server's configuration: a name or a value with which the server would not start, or one that it takes for another.
 * @param name with `_` for `-`, in lower case
 * @returns undefined when the server takes it
 */
export function engineOptionProblem(name: string, value: string): string | undefined {
  if (name.startsWith("loose_")) return undefined;
  const switched = name.replace(switches, "");
  const kind = known.get(name) ?? (switched !== name && known.get(switched) === "boolean" ? "boolean" : undefined);
  if (kind !== undefined) return valueProblem(kind, value);
  const close = suggestion(name, knownOptions);
  const meant = close === undefined ? "" : ` Did you mean "${close}"?`;
  return `is not an option of MariaDB ${mariadb1011.version} or ${mariadb118.version} or of the TidesDB plugin, and a server does not start with one that it does not know.${meant} One of another version or plugin is written "loose_${name}": a server that does not know it goes on`;
}

function valueProblem(kind: OptionKind, value: string): string | undefined {
  const is = `is "${printable(value)}"`;
  switch (kind) {
    case "boolean":
      // It says in its log that it does not know "yes", and switches the option off.
      return /^(on|off|true|false|1|0)$/i.test(value)
        ? undefined
        : `${is}: write ON or OFF; MariaDB takes all else for OFF`;
    case "number":
    case "signed":
      return (kind === "signed" ? /^-?\d+[KMGTPE]?$/i : /^\d+[KMGTPE]?$/i).test(value)
        ? undefined
        : `${is}: write a whole number, which may end with K, M, G, T, P or E; MariaDB does not start with another`;
    case "decimal":
      return /^-?\d+(\.\d+)?$/.test(value)
        ? undefined
        : `${is}: write a number, like 0.5; MariaDB does not start with another`;
    case "text":
      return undefined;
    default:
      return choiceProblem(kind, value, is);
  }
}

function choiceProblem(kind: { one: string[] } | { any: string[] }, value: string, is: string): string | undefined {
  const isChoice = (item: string, names: string[]) =>
    names.some(name => name.toLowerCase() === item.trim().toLowerCase()) || /^\d+$/.test(item);
  if ("one" in kind) return isChoice(value, kind.one) ? undefined : `${is}: write one of ${kind.one.join(", ")}`;
  const items = value.split(",").filter(item => item.trim().toUpperCase() !== "ALL");
  const wrong = items.find(item => !isChoice(item, kind.any));
  return wrong === undefined ? undefined : `has "${printable(wrong.trim())}" in it: it takes ${kind.any.join(", ")}`;
}
