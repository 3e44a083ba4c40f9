import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { optionProblem } from "../optionProblem";
import type { ClusterOptions } from "./kubectl";
import { UsageError } from "./surroundings";

/** Which database is meant. */
export interface Target {
  /** Default: the only one there is. */
  name?: string;
  /** Default: any. */
  namespace?: string;
}

const text = { type: "string" } as const;

/** Options of every command on a running database. */
export const clusterOptions = {
  name: text,
  namespace: { type: "string", short: "n" },
  kubeconfig: text,
  context: text,
  help: { type: "boolean", default: false },
} as const satisfies ParseArgsOptionsConfig;

/** Their part of a command's help. */
export const clusterHelp = `  --name NAME          the database (default: the only one there is)
  -n, --namespace NS   its namespace (default: wherever it is)
  --kubeconfig FILE    passed on to kubectl
  --context NAME       passed on to kubectl
  --help               print this`;

/**
 * Reads a command line.
 * @param help shown with the message when something is wrong
 * @param positionals how many words that are no options may stand there
 * @throws UsageError
 */
export function readCommandLine<Options extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: Options,
  help: string,
  positionals = 0,
) {
  const parsed = parse();
  const surplus = parsed.positionals[positionals];
  if (surplus !== undefined) throw new UsageError(`Unexpected argument "${surplus}".\n\n${help}`);
  return parsed;

  function parse() {
    try {
      return parseArgs({ args: [...argv], options, allowPositionals: true });
    } catch (error) {
      throw new UsageError(`${optionProblem(error, Object.keys(options))}\n\n${help}`);
    }
  }
}

/** The cluster that the options name. */
export function clusterOf({ kubeconfig, context }: ClusterOptions): ClusterOptions {
  return { kubeconfig, context };
}

/**
 * A number of seconds from the command line.
 * @throws UsageError
 */
export function secondsOf(option: string, value: string | undefined, byDefault: number): number {
  if (value === undefined) return byDefault;
  const seconds = Number(value);
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new UsageError(`--${option} takes seconds, above 0 and up to 3600, not "${value}".`);
  }
  return seconds;
}
