import { bareOption } from "../../components/core/engineSettings";
import { type Field, NotYetKnown } from "./field";
import { mariadbBytes } from "./quantity";

/** One option of the server, where it was written. */
export interface Setting {
  /** As MariaDB stores it: lower case, `_` for `-`, without `loose_`. */
  name: string;
  value: string;
  /** The input that holds it: a ConfigMap's entry, an argument. */
  source: Field;
  /** Line in the source, from 1. */
  line: number;
}

/** Sections of an option file that the server reads, with or without a version (MariaDB, "Option Groups"). */
const serverSections = /^(mysqld|mariadb|mariadbd|server|galera)(-\d+(\.\d+)*)?$/i;

/** The options in a MariaDB option file; a fragment without a section counts as the server's. */
export function settingsInFile(text: string, source: Field): Setting[] {
  const settings: Setting[] = [];
  let isServerSection = true;
  for (const [index, line] of text.split("\n").entries()) {
    const section = /^\s*\[([^\]]{1,100})\]/.exec(line)?.[1];
    if (section !== undefined) isServerSection = serverSections.test(section);
    else if (isServerSection) {
      const setting = settingOn(line);
      if (setting) settings.push({ ...setting, source, line: index + 1 });
    }
  }
  return settings;
}

/** The options on a command line: `--name=value` tokens, also inside a shell script, and option-file lines that a script writes. */
export function settingsInArgument(source: Field): Setting[] {
  return (source.text ?? "").split("\n").flatMap((line, index) => {
    const tokens = line.split(/\s+/).filter(token => token.startsWith("--"));
    const options = tokens.map(token => settingOn(token.slice(2).replaceAll(/["']/g, "")));
    const written = /^\s*(loose[-_])?tidesdb[-_]\w+\s*=/i.test(line) ? [settingOn(line)] : [];
    return [...options, ...written].flatMap(setting => (setting ? [{ ...setting, source, line: index + 1 }] : []));
  });
}

function settingOn(line: string): Pick<Setting, "name" | "value"> | undefined {
  const [, written, rest] = /^\s*([A-Za-z][\w-]{0,100})\s*(?:=(.*))?$/.exec(withoutComment(line)) ?? [];
  if (written === undefined) return undefined;
  const name = bareOption(written);
  const negated = /^(?:skip|disable)_(.+)$/.exec(name);
  if (negated && rest === undefined) return { name: negated[1]!, value: "OFF" };
  return { name, value: rest === undefined ? "ON" : rest.trim().replace(/^(["'])(.*)\1$/, "$2") };
}

/** A `#` or `;` at the start of a line, or a `#` after white space, begins a comment. */
function withoutComment(line: string): string {
  if (/^\s*[#;]/.test(line)) return "";
  const comment = line.search(/\s#/);
  return comment < 0 ? line : line.slice(0, comment);
}

/** The options that a server starts with, as far as the program shows them. */
export class EngineSettings {
  private readonly byName = new Map<string, Setting>();

  constructor(
    settings: readonly Setting[],
    /** Set when a part of the configuration is not visible: an absent option may be there. */
    private readonly hidden: NotYetKnown | undefined,
  ) {
    for (const setting of settings) this.byName.set(setting.name, setting);
  }

  /** @throws NotYetKnown when the option is not seen and a part of the configuration is hidden. */
  get(name: string): Setting | undefined {
    const setting = this.byName.get(name);
    if (!setting && this.hidden) throw this.hidden;
    return setting;
  }

  /** Options whose name starts so, among those that are seen. */
  seenWithPrefix(prefix: string): Setting[] {
    return [...this.byName.values()].filter(({ name }) => name.startsWith(prefix));
  }

  text(name: string): string | undefined {
    return this.get(name)?.value;
  }

  /** True for `ON`, `1`, `true`, `yes`; the default when the option is absent. */
  isOn(name: string, whenAbsent: boolean): boolean {
    const value = this.text(name);
    return value === undefined ? whenAbsent : isOn(value);
  }

  /** A size in bytes; the default when the option is absent or unreadable. */
  bytes(name: string, whenAbsent: number): number {
    return mariadbBytes(this.text(name) ?? "") ?? whenAbsent;
  }
}

/** Whether a boolean option's value switches it on. */
export function isOn(value: string): boolean {
  return /^(on|1|true|yes)$/i.test(value);
}
