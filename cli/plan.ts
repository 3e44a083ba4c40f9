import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ManifestDirectory } from "./manifestDirectory";
import { manifestsOf } from "./manifests";
import { planAsJson } from "./planJson";
import { PlanError } from "./planner/planError";
import { ProgramError } from "./planner/planProgram";
import { planStack } from "./planner/planStack";
import { Secret } from "./planner/values";
import { reportOf } from "./report";
import { terminalOf } from "./terminal";

/** What `tidesql plan --help` prints. */
export const planHelp = `Usage: tidesql plan [options]

Shows what a stack would create, what of it is secret, how long that takes and what it costs. Needs no credentials and no Pulumi CLI; nothing is created.

  --stack NAME             the stack (default: prod, or the only one)
  --directory DIR          a folder of the project (default: the current one)
  --config KEY=VALUE       replaces a value of the stack's configuration; can be repeated
  --secret-file KEY=PATH   gives a secret of the configuration from a file; can be repeated
  --json                   prints the plan as JSON, secrets masked
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
    if (options.help) streams.out.write(planHelp);
    else await plan(options, streams);
    return PlanExit.planned;
  } catch (error) {
    if (!(error instanceof PlanError || error instanceof ProgramError)) throw error;
    streams.error.write(`${error.message}\n`);
    return error instanceof UsageError ? PlanExit.wrongUsage : PlanExit.refused;
  }
}

async function plan(options: Options, { out, error }: Streams): Promise<void> {
  const { stack, directory, json, config } = options;
  const manifestDirectory = options.manifests === undefined ? undefined : new ManifestDirectory(options.manifests);
  const result = await planStack({ stack, directory, config, made: manifestDirectory?.made });
  const manifests = manifestDirectory && manifestsOf(result);
  if (manifests) manifestDirectory.write(manifests);
  // Since the process began: Node's own start and the loading of the SDKs are part of what one waits for.
  out.write(json ? planAsJson(result) : reportOf(result, terminalOf(out), performance.now()));
  if (manifests) {
    error.write(
      `Wrote ${manifests.length} objects to ${options.manifests}. Secrets in them are in clear: keep the folder to yourself.\n`,
    );
  }
}

type Options = ReturnType<typeof optionsOf>;

function optionsOf(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const texts = { type: "string", multiple: true, default: [] as string[] } as const;
  const { values } = parse();
  const config: Record<string, string | Secret> = {};
  for (const [key, value] of values.config.map(pair => keyAndValue("config", pair))) config[key] = value;
  for (const [key, path] of values["secret-file"].map(pair => keyAndValue("secret-file", pair)))
    config[key] = readSecret(path);
  return { ...values, config };

  function parse() {
    try {
      return parseArgs({
        args: [...argv],
        options: {
          stack: text,
          directory: text,
          config: texts,
          "secret-file": texts,
          json: flag,
          manifests: text,
          help: flag,
        },
      });
    } catch (error) {
      throw new UsageError(`${(error as Error).message}\n\n${planHelp}`);
    }
  }
}

function keyAndValue(option: string, pair: string): [key: string, value: string] {
  const separator = pair.indexOf("=");
  if (separator < 1)
    throw new UsageError(`--${option} takes KEY=${option === "config" ? "VALUE" : "PATH"}, not "${pair}".`);
  return [pair.slice(0, separator), pair.slice(separator + 1)];
}

/** A secret never stands on a command line, where every process can read it. One line break at the end belongs to the file. */
function readSecret(path: string): Secret {
  try {
    return new Secret(readFileSync(path, "utf8").replace(/\r?\n$/, ""));
  } catch (error) {
    throw new UsageError(`--secret-file: ${(error as Error).message}`);
  }
}
