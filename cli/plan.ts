import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import type { Usage } from "../components/core/planning/bucketUse";
import { optionProblem } from "./optionProblem";
import { PlanError, ProgramError } from "./planner/planError";

const load = createRequire(__filename);

/** What `tidesql plan --help` prints. */
export const planHelp = `Usage: tidesql plan [options]

Shows what a stack would create, what of it is secret, how long that takes and what it costs. Needs no credentials and no Pulumi CLI; nothing is created.

  --stack NAME             the stack (default: prod, or the only one)
  --directory DIR          a folder of the project (default: the current one)
  --config KEY=VALUE       replaces a value of the stack's configuration; can be repeated
  --secret-file KEY=PATH   gives a secret of the configuration from a file; can be repeated
  --rows-per-second N      rows that are written, for what is billed by use (default: 50)
  --row-bytes N            size of a row (default: 200)
  --stored-gb N            data in the bucket (default: 100)
  --json                   prints the plan as JSON, secrets masked
  --mermaid                prints the resources as a diagram, for Markdown on GitHub and elsewhere
  --manifests DIR          writes the Kubernetes objects as YAML, Secrets in clear, for "kubectl apply --server-side -f DIR"
  --help                   prints this

Exit code: 0 planned, 1 the program or its configuration is refused, 2 the command line is wrong.
`;

/** Exit codes of `tidesql plan`. */
export const PlanExit = { planned: 0, refused: 1, wrongUsage: 2 } as const;

/** Where the command writes to. */
export interface Streams {
  out: { write: (text: string) => unknown; isTTY?: boolean; columns?: number };
  error: { write: (text: string) => unknown };
}

/** The command line, read and checked. */
export interface PlanOptions {
  stack?: string;
  directory?: string;
  /** Folder for the manifests. */
  manifests?: string;
  json: boolean;
  /** Instead of the report: a diagram. */
  mermaid: boolean;
  help: boolean;
  /** Values that replace the stack's, by key. */
  config: Record<string, string>;
  /** The same for secrets, in clear. */
  secrets: Record<string, string>;
  /** What is known of the database's use. */
  usage: Partial<Usage>;
}

const usageOptions = [
  ["rowsPerSecond", "rows-per-second"],
  ["rowBytes", "row-bytes"],
  ["storedGigabytes", "stored-gb"],
] as const;

/** The command line is wrong, or a file that it names. */
class UsageError extends PlanError {}

/**
 * `tidesql plan`: plans a stack and prints the plan.
 * @param argv What follows `plan` on the command line.
 * @returns The exit code, one of `PlanExit`.
 */
export async function runPlan(
  argv: readonly string[],
  streams: Streams = { out: process.stdout, error: process.stderr },
): Promise<number> {
  try {
    const options = optionsOf(argv);
    if (options.json && options.mermaid) throw new UsageError("--json and --mermaid: choose one of them.");
    if (options.help) streams.out.write(planHelp);
    // The SDKs take a second to load: only what needs them pays for them.
    else await (load("./showPlan") as typeof import("./showPlan")).showPlan(options, streams);
    return PlanExit.planned;
  } catch (error) {
    if (!(error instanceof PlanError || error instanceof ProgramError)) throw error;
    streams.error.write(`${error.message}\n`);
    return error instanceof UsageError ? PlanExit.wrongUsage : PlanExit.refused;
  }
}

function optionsOf(argv: readonly string[]): PlanOptions {
  const { config, "secret-file": secretFiles, ...others } = parsed(argv);
  const usage: Partial<Usage> = {};
  for (const [property, option] of usageOptions) {
    const text = others[option];
    if (text !== undefined) usage[property] = quantity(text, option);
  }
  const secrets: Record<string, string> = {};
  for (const [key, path] of pairsOf(secretFiles, "--secret-file", "PATH")) secrets[key] = readSecret(path);
  return { ...others, config: Object.fromEntries(pairsOf(config, "--config", "VALUE")), secrets, usage };
}

function parsed(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const texts = { type: "string", multiple: true } as const;
  const options = {
    stack: text,
    directory: text,
    config: texts,
    "secret-file": texts,
    json: flag,
    mermaid: flag,
    manifests: text,
    "rows-per-second": text,
    "row-bytes": text,
    "stored-gb": text,
    help: flag,
  };
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new UsageError(`${optionProblem(error, Object.keys(options))}\n\n${planHelp}`);
  }
}

function quantity(text: string, option: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number < 0)
    throw new UsageError(`--${option} takes a number from 0 on, not "${text}".`);
  return number;
}

function pairsOf(texts: readonly string[] = [], option: string, what: string): [key: string, value: string][] {
  return texts.map(text => {
    const separator = text.indexOf("=");
    if (separator < 1) throw new UsageError(`${option} takes KEY=${what}, not "${text}".`);
    return [text.slice(0, separator), text.slice(separator + 1)];
  });
}

/** A secret never stands on a command line, where every process can read it. One line break at the end belongs to the file. */
function readSecret(path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new UsageError(`--secret-file: ${(error as Error).message}`);
  }
}
