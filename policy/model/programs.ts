import { type Field } from "./field";
import { shellCommands, type Word, withVariables } from "./shell";

/** A word of a container's command, with the input that holds it. */
export interface CommandWord extends Word {
  source: Field;
}

/** Programs that only start another one, with the number of their own arguments before it. */
const starters: ReadonlyMap<string, number> = new Map([
  ["exec", 0],
  ["env", 0],
  ["nohup", 0],
  ["sudo", 0],
  ["tini", 0],
  ["dumb-init", 0],
  ["catatonit", 0],
  ["chpst", 0],
  ["nice", 0],
  ["numactl", 0],
  ["then", 0],
  ["do", 0],
  ["else", 0],
  ["if", 0],
  ["while", 0],
  ["until", 0],
  ["!", 0],
  ["gosu", 1],
  ["su-exec", 1],
  ["setpriv", 0],
  ["timeout", 1],
]);

/** MariaDB's server under each of its names, and what does nothing but start it. */
const server = /^(?:mariadbd|mysqld|mariadbd-safe|mysqld_safe|mariadbd-multi|mysqld_multi)$/;
/** Scripts with which images start their server. */
const entrypoint = /^[\w.-]*entrypoint(?:\.sh)?$/;
/** Programs that speak to a server, or have nothing to do with one. */
const otherProgram =
  /^(?:(?:mariadb|mysql)(?:|-\w[\w-]*|admin|dump|check|import|show|slap|binlog)|mydumper|myloader|mariabackup|xtrabackup|mbstream|mc|aws|rclone|restic|curl|wget|nc|sleep|cat|tail|echo|printf|true|test|\[|cp|mv|rm|mkdir|chown|chmod|ls|find|grep|sed|awk|date|kubectl|helm|nginx|httpd|apache2\S*|php\S*|python\S*|ruby|java|gunicorn|uvicorn|proxysql|maxscale|haproxy|envoy|redis-\w+|postgres|prometheus|grafana\S*|[\w.-]*exporter)$/;

/** Scripts whose names say that they do something with a server. */
const chore =
  /(?:^|[-_.])(?:backups?|dump|restore|migrat\w*|check|probe|health\w*|cleanup|rotate|promote|failover|exporter)(?=$|[-_.])/;

/** Words of the shell itself. */
const builtin =
  /^(?:set|export|unset|trap|cd|exit|return|break|continue|shift|wait|umask|ulimit|local|readonly|read|eval|for|case|in|esac|fi|done|function|source|\.|:|\{|\})$/;

/** Shells, which run a script that is given with `-c`. */
const shell = /^(?:ba|da|a|z|k)?sh$/;

/** The environment variables of a container whose values stand in the program. */
export function variablesOf(container: Field): Map<string, string> {
  const variables = new Map<string, string>();
  for (const variable of container.at("env").items) {
    if (variable.firstUnknown) continue;
    const [name, value] = [variable.at("name").text, variable.at("value").text];
    if (name !== undefined && value !== undefined) variables.set(name, value);
  }
  return variables;
}

/** The commands that a list of words runs: itself, or those of the script that it gives a shell. `given` is a `command` with its arguments, of a container or a hook. */
export function commandsOf(given: readonly Field[], variables: ReadonlyMap<string, string>): CommandWord[][] {
  const words = given.map(source => ({ text: withVariables(source.text ?? "", variables), line: 1, source }));
  const script = scriptAmong(words);
  if (script === undefined) return words.length === 0 ? [] : [words];
  const { text, source } = words[script]!;
  const inner = shellCommands(text, variables).map(command => command.map(word => ({ ...word, source })));
  return [words.slice(0, script), ...inner, ...(words.length > script + 1 ? [words.slice(script + 1)] : [])];
}

/** Where the script is that a shell among the words is given. */
function scriptAmong(words: readonly Word[]): number | undefined {
  const index = words.findIndex(({ text }) => shell.test(baseName(text)));
  if (index < 0) return undefined;
  const flag = words.findIndex(({ text }, at) => at > index && /^-\w*c$/.test(text));
  return flag < 0 || flag + 1 >= words.length ? undefined : flag + 1;
}

/** A program as a command names it. */
export interface Program {
  /** As it is written: `/opt/tidesql/start.sh`. */
  path: string;
  /** `start.sh` */
  name: string;
}

/** The program that a command runs, behind whatever starts it. */
export function programOf(command: readonly CommandWord[]): Program | undefined {
  let rest = command;
  while (rest.length > 0) {
    const [first, ...others] = rest;
    const name = baseName(first!.text);
    const skipped = shell.test(name) ? 0 : starters.get(name);
    if (skipped === undefined && !/^[A-Za-z_]\w*=/.test(first!.text)) return { path: first!.text, name };
    rest = withoutFlags(others).slice(skipped ?? 0);
  }
  return undefined;
}

/** The flags of a starter, up to `--`. */
function withoutFlags(words: readonly CommandWord[]): readonly CommandWord[] {
  const first = words.findIndex(({ text }) => !text.startsWith("-") || text === "--");
  if (first < 0) return [];
  return words[first]!.text === "--" ? words.slice(first + 1) : words.slice(first);
}

/** `/usr/sbin/mariadbd` is `mariadbd`. */
export function baseName(path: string): string {
  return path.split("/").pop() ?? "";
}

/** What a program is to the question whether a container runs a database server. */
export function roleOf(program: string): "server" | "entrypoint" | "other" | "opaque" {
  if (server.test(program)) return "server";
  if (otherProgram.test(program) || builtin.test(program) || chore.test(program)) return "other";
  return entrypoint.test(program) ? "entrypoint" : "opaque";
}
