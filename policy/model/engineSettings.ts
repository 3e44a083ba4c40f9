import { type Field, NotYetKnown } from "./field";
import { mariadbBytes } from "./quantity";
import { isOn } from "./serverOptions";

/** One option of the server, where it was written. */
export interface Setting {
  /** As MariaDB stores it: in full, lower case, `_` for `-`. */
  name: string;
  value: string;
  /** The input that holds it: a ConfigMap's entry, an argument. */
  source: Field;
  /** Line in the source, from 1. */
  line: number;
}

/** What is not seen of a server's configuration. */
export interface Hidden {
  /** Somewhere: an option that is not seen may be there. */
  somewhere?: NotYetKnown;
  /** A file that is read after the options that come before this index, and may say otherwise. */
  after?: { index: number; file: NotYetKnown };
}

/** The options that a server starts with, as far as the program shows them. */
export class EngineSettings {
  private readonly byName = new Map<string, { setting: Setting; index: number }>();

  /** `settings` in the order in which the server reads them: the last one counts. */
  constructor(
    settings: readonly Setting[],
    private readonly hidden: Hidden = {},
  ) {
    for (const [index, setting] of settings.entries()) this.byName.set(setting.name, { setting, index });
  }

  /** @throws NotYetKnown when a part of the configuration that is not visible may set the option, or set it again. */
  get(name: string): Setting | undefined {
    const found = this.byName.get(name);
    const { somewhere, after } = this.hidden;
    if (after && (!found || found.index < after.index)) throw after.file;
    if (!found && somewhere) throw somewhere;
    return found?.setting;
  }

  /** The option as far as it is seen, whatever may say otherwise. */
  seen(name: string): Setting | undefined {
    return this.byName.get(name)?.setting;
  }

  /** Options whose name starts so, among those that are seen. */
  seenWithPrefix(prefix: string): Setting[] {
    return [...this.byName.values()].map(({ setting }) => setting).filter(({ name }) => name.startsWith(prefix));
  }

  text(name: string): string | undefined {
    return this.get(name)?.value;
  }

  /** Whether a boolean option is on; the default when it is absent. */
  isOn(name: string, whenAbsent: boolean): boolean {
    const value = this.text(name);
    return value === undefined ? whenAbsent : isOn(value);
  }

  /** A size in bytes; the default when the option is absent or unreadable. */
  bytes(name: string, whenAbsent: number): number {
    return mariadbBytes(this.text(name) ?? "") ?? whenAbsent;
  }
}
