import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Preset } from "../policy/preset";
import { report, ReportFormat } from "../policy/report";
import { optionProblem } from "./optionProblem";
import { PlanError } from "./planner/planError";
import { ProgramError } from "./planner/planProgram";
import { planStack } from "./planner/planStack";
import { verdictOn } from "./verdict";

/** What `tidesql policy --help` prints. */
export const policyHelp = `Usage: tidesql policy [options]

Judges a stack by the policies, without a cloud, credentials or the Pulumi CLI.

  --stack NAME       the stack (default: prod, or the only one)
  --directory DIR    a folder of the project (default: the current one)
  --preset NAME      ${Object.values(Preset).join(" or ")} (default: production)
  --config FILE      configuration of the policies, as for \`pulumi up --policy-pack-config\`
                     (default: Pulumi.<stack>.policies.json beside Pulumi.yaml, if there is one)
  --format FORMAT    ${Object.values(ReportFormat).join(", ")} (default: text)
  --output FILE      write the report there, and its summary to the terminal
  --allow-unjudged   exit with 0 although parts of the program could not be judged
  --help             print this

Exit code: 0 without mandatory violations, 1 with some, 2 when the stack cannot be judged, 3 without mandatory
violations when parts of it could not be judged: components of other plugins, charts that the cluster renders.
`;

/** Exit codes of `tidesql policy`. */
export const PolicyExit = { content: 0, violated: 1, failed: 2, incomplete: 3 } as const;

/** Where the command writes to. */
export interface Terminal {
  out: (text: string) => void;
  error: (text: string) => void;
  /** Whether `out` shows colours. */
  colour: boolean;
}

const processTerminal = (): Terminal => ({
  out: text => void process.stdout.write(text),
  error: text => void process.stderr.write(text),
  colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
});

/** The command line is wrong, or a file that it names. */
class UsageError extends Error {}

/**
 * `tidesql policy`: judges a stack and prints the report.
 * @param argv what follows `policy` on the command line
 * @returns the exit code, one of `PolicyExit`
 */
export async function runPolicy(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  try {
    const options = optionsOf(argv);
    if (options.help) {
      terminal.out(policyHelp);
      return PolicyExit.content;
    }
    return await judgeStack(options, terminal);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof PlanError || error instanceof ProgramError)) throw error;
    terminal.error(`${error.message}\n`);
    return PolicyExit.failed;
  }
}

type Options = ReturnType<typeof optionsOf>;

async function judgeStack(
  { stack, directory, preset, config, format, output, "allow-unjudged": allowUnjudged }: Options,
  terminal: Terminal,
): Promise<number> {
  const plan = await planStack({ stack, directory });
  const verdict = verdictOn(plan, { preset, configurationFile: config, directory });
  const context = { programFile: "Pulumi.yaml", colour: terminal.colour && output === undefined };
  const text = report(verdict, format, context);
  if (output === undefined) terminal.out(text);
  else {
    try {
      writeFileSync(output, text);
    } catch (error) {
      throw new UsageError(`--output ${output} cannot be written: ${(error as Error).message}`);
    }
    const summary = report({ ...verdict, findings: [] }, ReportFormat.text, { ...context, colour: terminal.colour });
    terminal.out(summary);
  }
  if (verdict.mandatory > 0) return PolicyExit.violated;
  return verdict.notJudged.length > 0 && !allowUnjudged ? PolicyExit.incomplete : PolicyExit.content;
}

function optionsOf(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const { values } = parse();
  return {
    ...values,
    preset: oneOf("preset", values.preset ?? Preset.production, Object.values(Preset)),
    format: oneOf("format", values.format ?? ReportFormat.text, Object.values(ReportFormat)),
  };

  function parse() {
    const options = {
      stack: text,
      directory: text,
      preset: text,
      config: text,
      format: text,
      output: text,
      "allow-unjudged": { type: "boolean" },
      help: { type: "boolean" },
    } as const;
    try {
      return parseArgs({ args: [...argv], options });
    } catch (error) {
      throw new UsageError(`${optionProblem(error, Object.keys(options))}\n\n${policyHelp}`);
    }
  }
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find(candidate => candidate === value);
  if (found === undefined) throw new UsageError(`--${name} is one of ${allowed.join(", ")}, not "${value}".`);
  return found;
}
