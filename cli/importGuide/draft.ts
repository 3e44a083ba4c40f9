import { Code, type Written } from "./code";

/** A value that the program reads from its stack's configuration, so that somebody has to set it first. */
export interface ConfigurationKey {
  key: string;
  isSecret: boolean;
  /** Where the value stood, or where it comes from. Never the value. */
  note: string;
}

/** A program in the making, with what is to be said about it. */
export class Draft {
  readonly args: Record<string, Written> = {};
  readonly configuration: ConfigurationKey[] = [];
  /** What changes, and why. One line each. */
  readonly changes: string[] = [];

  constructor(readonly name: string) {}

  /** A value of the stack's configuration. @param standIn what a check may take for it */
  fromConfiguration(key: string, standIn: string, note: string): Code {
    this.configuration.push({ key, isSecret: false, note });
    return new Code(`config.require(${JSON.stringify(key)})`, standIn);
  }

  /** A secret of the stack's configuration. @param standIn as above; default: a check takes it for left out */
  fromSecret(key: string, note: string, standIn?: string): Code {
    this.configuration.push({ key, isSecret: true, note });
    return new Code(`config.requireSecret(${JSON.stringify(key)})`, standIn);
  }

  change(what: string): void {
    this.changes.push(what);
  }
}
