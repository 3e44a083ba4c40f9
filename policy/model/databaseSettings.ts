import { type Hidden, type Setting, EngineSettings } from "./engineSettings";
import { type Field, NotYetKnown } from "./field";
import { type MountedFile, type MountedFiles, mountedFiles } from "./mountedFiles";
import { hasServerGroup, isOptionFileName, linesOfOptionFile } from "./optionFile";
import { environmentOf, type Variable } from "./environment";
import { type CommandWord, commandsOf, programOf, roleOf } from "./programs";
import { managerFile, settingsOfManager } from "./managerFile";
import { serverOption, takesNextArgument } from "./serverOptions";
import { settingsInSql } from "./sqlSettings";
import { type Stack } from "./stack";

/** Variables whose options an image's start script hands to the server. */
const flagVariable = /^(?:(?:MARIADB|MYSQL)_EXTRA_FLAGS|(?:MARIADBD|MYSQLD)_OPTS)$/;

/** A line of an option file that a script writes. */
const writtenOption = /^\s*((?:loose[-_])?tidesdb[-_]\w+)\s*=(.*)$/i;
/** A line below the name of a group of the server. */
const anyWrittenOption = /^\s*([A-Za-z][\w-]{1,80})\s*(?:=\s*(.*))?$/;
/** The groups of such a file, and where a script ends it. */
const writtenGroup = /(?:^|["'])\[([\w.-]{1,40})\]\s*$/;
const writtenEnd = /^[A-Z]{2,12}$|["']\s*>{1,2}\s*\S.*$/;

/**
 * The options of a container's server, in the order in which MariaDB reads them: option files, `--defaults-extra-file`, the command line, and what init files and
 * hooks set in the running server.
 */
export function settingsOf(workload: Field, container: Field, stack: Stack): EngineSettings {
  return new SettingsReader(
    container,
    environmentOf(workload, container, stack),
    mountedFiles(workload, container, stack),
  ).read();
}

/** Variables that stand for `--defaults-group-suffix` (seen with a real mariadbd). */
const suffixVariables = ["MARIADB_GROUP_SUFFIX", "MYSQL_GROUP_SUFFIX"];

class SettingsReader {
  private readonly settings: Setting[] = [];
  private readonly hidden: Hidden;
  private readonly including: MountedFile[] = [];
  /** At the end of the groups that are read beside the usual ones. */
  private groupSuffix = "";

  constructor(
    private readonly container: Field,
    private readonly environment: readonly Variable[],
    private readonly files: MountedFiles,
  ) {
    this.hidden = { somewhere: files.hidden };
  }

  read(): EngineSettings {
    const variables = new Map(this.environment.map(({ name, value }) => [name, value]));
    const given = [...this.container.at("command").items, ...this.container.at("args").items];
    const commands = commandsOf(given, variables);
    const options = [
      ...commands.filter(command => !isOther(command)).flatMap(argumentsIn),
      ...this.optionsInVariables(),
      ...given.flatMap(optionsWritten),
    ];
    this.readFiles(options);
    this.settings.push(...options);
    this.readInitFile();
    for (const command of [...commands, ...hooksOf(this.container, variables)]) this.readStatements(command);
    return new EngineSettings(this.settings, this.hidden);
  }

  private readFiles(options: readonly Setting[]): void {
    const given = (name: string) => options.find(option => option.name === name);
    if (given("no_defaults")) return;
    this.groupSuffix = given("defaults_group_suffix")?.value ?? this.suffixVariable() ?? "";
    const only = given("defaults_file");
    const extra = given("defaults_extra_file");
    const all = this.files.list.filter(isOptionFile);
    const chosen = all.find(({ path }) => path === only?.value);
    const included = new Set(all.flatMap(file => this.includedBy(file).filter(other => other !== file)));
    const first = chosen ? [chosen] : all.filter(file => !included.has(file) && file.path !== extra?.value);
    for (const file of first.filter(({ name }) => name === managerFile)) this.settings.push(...settingsOfManager(file));
    for (const file of first.filter(({ name }) => name !== managerFile)) this.readFile(file);
    if (extra) this.include(extra.value, extra.source);
  }

  private suffixVariable(): string | undefined {
    return this.environment.find(({ name }) => suffixVariables.includes(name))?.value;
  }

  private includedBy(file: MountedFile): MountedFile[] {
    return linesOfOptionFile(file.text, this.groupSuffix).flatMap(line => {
      if (line.kind === "include") return this.files.list.filter(({ path }) => path === line.path);
      return line.kind === "includeFolder" ? this.filesIn(line.path) : [];
    });
  }

  private filesIn(folder: string): MountedFile[] {
    const start = `${folder.replace(/\/+$/, "")}/`;
    return this.files.list
      .filter(({ path }) => path.startsWith(start) && /^[^/]+\.cnf$/.test(path.slice(start.length)))
      .sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  private readFile(file: MountedFile): void {
    if (this.including.includes(file)) return;
    this.including.push(file);
    for (const line of linesOfOptionFile(file.text, this.groupSuffix)) {
      if (line.kind === "option") this.settings.push({ ...line.option, source: file.content, line: line.line });
      else if (line.kind === "include") this.include(line.path, file.content);
      else this.includeFolder(line.path, file.content);
    }
    this.including.pop();
  }

  private include(path: string, source: Field): void {
    const file = this.files.list.find(candidate => candidate.path === path);
    if (file) this.readFile(file);
    else this.hide(path, source);
  }

  private includeFolder(path: string, source: Field): void {
    const files = this.filesIn(path);
    for (const file of files) this.readFile(file);
    if (files.length === 0) this.hide(path, source);
  }

  private hide(path: string, { resource, path: input }: Field): void {
    const reason = `MariaDB reads ${path} too, which is not part of this program`;
    this.hidden.after = { index: this.settings.length, file: new NotYetKnown(resource.urn, input, reason) };
  }

  private optionsInVariables(): Setting[] {
    return this.environment.flatMap(({ name, value, source }) =>
      flagVariable.test(name) ? argumentsIn(value.split(/\s+/).map(text => ({ text, line: 1, source }))) : [],
    );
  }

  /** The statements of the file that the server runs when it starts. */
  private readInitFile(): void {
    const path = this.settings.findLast(({ name }) => name === "init_file")?.value;
    const file = this.files.list.find(candidate => candidate.path === path);
    if (file) this.settings.push(...settingsInSql(file.text).map(setting => ({ ...setting, source: file.content })));
  }

  private readStatements(command: readonly CommandWord[]): void {
    for (const { text, line, source } of command) {
      this.settings.push(
        ...settingsInSql(text).map(setting => ({ ...setting, source, line: line + setting.line - 1 })),
      );
    }
  }
}

/** Whether a command runs something else than the server. */
function isOther(command: readonly CommandWord[]): boolean {
  return roleOf(programOf(command)?.name ?? "") === "other";
}

/** What a container runs after its start and before its end. */
function hooksOf(container: Field, variables: ReadonlyMap<string, string>): CommandWord[][] {
  return ["postStart", "preStop"].flatMap(hook =>
    commandsOf(container.at("lifecycle", hook, "exec", "command").items, variables),
  );
}

function isOptionFile({ name, text }: MountedFile): boolean {
  return name === managerFile || isOptionFileName(name) || hasServerGroup(text);
}

/** The options among arguments: `--name=value`, or in two parts. */
function argumentsIn(words: readonly CommandWord[]): Setting[] {
  return words.flatMap(({ text, line, source }, index) => {
    const [, name, value] = /^--([A-Za-z][\w-]{0,100})(?:=([\s\S]*))?$/.exec(text) ?? [];
    if (name === undefined) return [];
    const next = value === undefined && takesNextArgument(name) ? words[index + 1]?.text : undefined;
    return [{ ...serverOption(name, value ?? next), line, source }];
  });
}

/** The options that a script writes into a file: those of the engine anywhere, all others below the name of a group of the server. */
function optionsWritten(source: Field): Setting[] {
  let isServers = false;
  // `printf "[mariadbd]\nssl=0\n"` has its lines in one.
  const lines = (source.text ?? "")
    .split("\n")
    .flatMap((text, index) => text.split("\\n").map(part => ({ part, index })));
  return lines.flatMap(({ part, index }) => {
    const [, group] = writtenGroup.exec(part) ?? [];
    if (group !== undefined) isServers = hasServerGroup(`[${group}]`);
    const written = part.replace(writtenEnd, "");
    const [, name, value] = writtenOption.exec(written) ?? (isServers ? (anyWrittenOption.exec(written) ?? []) : []);
    if (writtenEnd.test(part)) isServers = false;
    return name === undefined ? [] : [{ ...serverOption(name, value?.trim()), source, line: index + 1 }];
  });
}
