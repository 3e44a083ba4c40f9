import { serverOption, type ServerOption } from "./serverOptions";

/** The release whose option groups are read: TideSQL is built into this one (docs/engine.md). */
const serverRelease = "11.8";

/** Groups that the server reads (`mariadbd --verbose --help`). */
const serverGroups: readonly string[] = [
  "mysqld",
  "server",
  "mariadb",
  "mariadbd",
  ...["mysqld", "mariadb", "mariadbd"].map(group => `${group}-${serverRelease}`),
  "client-server",
  "galera",
];

/** A line of an option file that concerns the server. */
export type OptionLine = { line: number } & (
  | { kind: "option"; option: ServerOption }
  /** `!include FILE` */
  | { kind: "include"; path: string }
  /** `!includedir FOLDER`: its files named `*.cnf`, in the order of their names. */
  | { kind: "includeFolder"; path: string }
);

/** Whether the server reads this group, or, with a suffix, the group with that at its end too. Case does not matter; blanks do, but for those at the end. */
function isServerGroup(group: string, suffix = ""): boolean {
  const name = group.trimEnd().toLowerCase();
  const end = suffix.toLowerCase();
  return (
    serverGroups.includes(name) ||
    (name.endsWith(end) && serverGroups.includes(name.slice(0, name.length - end.length)))
  );
}

/**
 * What the server reads in an option file. A fragment without a group, which the server itself refuses, counts as the server's: something may write the group before
 * it.
 * @param groupSuffix of `--defaults-group-suffix`. Default: none
 */
export function linesOfOptionFile(text: string, groupSuffix = ""): OptionLine[] {
  const lines: OptionLine[] = [];
  let isServers = true;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    const written = raw.trim();
    const [, directive, path] = /^!(include(?:dir)?)\s+(.+)$/.exec(written) ?? [];
    if (path !== undefined) {
      lines.push({ kind: directive === "include" ? "include" : "includeFolder", path: path.trim(), line });
    } else if (written.startsWith("[")) {
      isServers = isServerGroup(/^\[([^\]]*)\]/.exec(written)?.[1] ?? "", groupSuffix);
    } else if (isServers) {
      const option = optionOn(written);
      if (option) lines.push({ kind: "option", option, line });
    }
  }
  return lines;
}

/** Whether a file has a name that options usually stand under. */
export function isOptionFileName(name: string): boolean {
  return /\.(cnf|ini|conf)$/.test(name);
}

/** Whether a text is an option file with something for the server. */
export function hasServerGroup(text: string): boolean {
  return [...text.slice(0, 10_000).matchAll(/^[ \t]*\[([^\]\n]{1,100})\]/gm)].some(([, group]) =>
    isServerGroup(group!),
  );
}

/** The option on one line, without comments and quotes. */
function optionOn(written: string): ServerOption | undefined {
  if (/^[#;]/.test(written)) return undefined;
  const [, name, value] = /^([A-Za-z][\w-]{0,100})\s*(?:=(.*))?$/.exec(withoutComment(written)) ?? [];
  return name === undefined ? undefined : serverOption(name, value === undefined ? undefined : unquoted(value.trim()));
}

/** A `#` outside of quotes begins a comment, whatever stands before it; a `;` only at the start of a line. */
function withoutComment(written: string): string {
  let quote: string | undefined;
  for (let index = 0; index < written.length; index++) {
    const character = written[index]!;
    if (quote === undefined && character === "#") return written.slice(0, index).trimEnd();
    if (quote !== undefined && character === "\\") index += 1;
    else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === '"' || character === "'")) quote = character;
  }
  return written;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", s: " " };

function unquoted(value: string): string {
  const inner = /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
  return inner.replaceAll(/\\([ntrbs"'\\])/g, (_, character: string) => escapes[character] ?? character);
}
