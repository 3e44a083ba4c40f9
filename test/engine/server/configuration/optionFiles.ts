import * as fs from "node:fs";
import * as path from "node:path";

/** Groups of an option file that mariadbd 11.8 reads. */
const serverGroups = ["mysqld", "server", "mysqld-11.8", "mariadb", "mariadb-11.8", "mariadbd", "mariadbd-11.8"];

/** One option, as it was given: in a file, or on the command line without the leading dashes. */
export interface GivenOption {
  name: string;
  /** Undefined where no value was given. */
  value: string | undefined;
  /** Where it was, for the message that refuses it. */
  source: string;
}

/** What the start of mariadbd is aborted with. */
export class StartRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StartRefused";
  }
}

/** The server's options of a file and of those that it includes, in their order: a later one overrides. @throws StartRefused */
export function readOptionFile(file: string): GivenOption[] {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch {
    throw new StartRefused(`Could not open required defaults file: ${file}`);
  }
  const options: GivenOption[] = [];
  let group = "";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const include = /^!(include|includedir)\s+(.+)$/.exec(line);
    if (include) {
      for (const included of includedFiles(include[1] ?? "", include[2] ?? ""))
        options.push(...readOptionFile(included));
      continue;
    }
    const heading = /^\[([^\]]+)\]/.exec(line);
    if (heading) {
      group = heading[1]?.trim() ?? "";
      continue;
    }
    if (group === "") throw new StartRefused(`Found option without preceding group in config file ${file}: ${line}`);
    if (serverGroups.includes(group)) options.push(parseLine(line, file));
  }
  return options;
}

/** The options of a command line: `--name`, `--name=value`, and `--name value` for the short `-u`. */
export function parseArguments(parameters: string[]): GivenOption[] {
  return parameters.map(parameter => {
    if (!parameter.startsWith("--")) throw new StartRefused(`unknown argument '${parameter}'`);
    const [name = "", ...value] = parameter.slice(2).split("=");
    return { name, value: value.length > 0 ? value.join("=") : undefined, source: "the command line" };
  });
}

function includedFiles(directive: string, target: string): string[] {
  if (directive === "include") return [target.trim()];
  const folder = target.trim();
  const names = fs.readdirSync(folder).filter(name => /\.(cnf|ini)$/.test(name));
  return names.sort().map(name => path.join(folder, name));
}

function parseLine(line: string, file: string): GivenOption {
  const equals = line.indexOf("=");
  if (equals === -1) return { name: line.trim(), value: undefined, source: file };
  const value = line.slice(equals + 1).trim();
  const quoted = /^"(.*?)"\s*(?:#.*)?$|^'(.*?)'\s*(?:#.*)?$/.exec(value);
  const bare = quoted ? (quoted[1] ?? quoted[2] ?? "") : value.replace(/\s+#.*$/, "");
  return { name: line.slice(0, equals).trim(), value: bare, source: file };
}
