import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { optionProblem } from "./optionProblem";
import { type PlanDocument, planDifference } from "./planDifference";
import { PlanError } from "./planner/planError";
import { readableType } from "./tree";

/** What `tidesql compare --help` prints. */
export const compareHelp = `Usage: tidesql compare BEFORE.json AFTER.json

Shows in Markdown what differs between two plans of a stack, as "tidesql plan --json" prints them: resources, monthly cost, time to create, policies. For comments on pull requests.
`;

/** Exit codes of `tidesql compare`. */
export const CompareExit = { compared: 0, wrongUsage: 2 } as const;

/** Where the command writes to. */
interface Streams {
  out: { write: (text: string) => unknown };
  error: { write: (text: string) => unknown };
}

/** More resources than this are counted and not named: a comment is to be read. */
const mostNamed = 30;

/**
 * `tidesql compare`: prints what differs between two plans.
 * @param argv what follows `compare` on the command line
 * @returns the exit code, one of `CompareExit`
 */
export function runCompare(
  argv: readonly string[],
  streams: Streams = { out: process.stdout, error: process.stderr },
): Promise<number> {
  try {
    streams.out.write(output(argv));
    return Promise.resolve(CompareExit.compared);
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    streams.error.write(`${error.message}\n`);
    return Promise.resolve(CompareExit.wrongUsage);
  }
}

function output(argv: readonly string[]): string {
  const { values, positionals } = parsed(argv);
  if (values.help) return compareHelp;
  const [before, after] = positionals;
  if (before === undefined || after === undefined || positionals.length > 2) {
    throw new PlanError(`tidesql compare takes two files.\n\n${compareHelp}`);
  }
  return comparison(read(before), read(after));
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { help: { type: "boolean", default: false } },
    });
  } catch (error) {
    throw new PlanError(`${optionProblem(error, ["help"])}\n\n${compareHelp}`);
  }
}

function read(file: string): PlanDocument {
  try {
    const document = JSON.parse(readFileSync(file, "utf8")) as Partial<PlanDocument>;
    if (document.resources && document.monthlyCost && document.longestChain && document.policies) {
      return document as PlanDocument;
    }
  } catch (error) {
    throw new PlanError(`${file} cannot be read: ${(error as Error).message}`);
  }
  throw new PlanError(`${file} is not a plan: make it with "tidesql plan --json".`);
}

/** The difference of two plans in Markdown. */
export function comparison(before: PlanDocument, after: PlanDocument): string {
  const { added, removed, changed, cost } = planDifference(before, after);
  const [earlier, later] = [before.monthlyCost, after.monthlyCost];
  const dollars = (value: number) => `$${value.toFixed(2)}`;
  const rows = [
    row("resources", before.resources.length - 1, after.resources.length - 1, String),
    row("monthly cost", earlier.fixedDollars, later.fixedDollars, dollars),
    row("and by use, about", earlier.estimatedDollars, later.estimatedDollars, dollars),
    row("minutes to create", before.longestChain.minutes, after.longestChain.minutes, minutes => minutes.toFixed(1)),
    row("mandatory violations", before.policies.mandatory, after.policies.mandatory, String),
    row("advisory violations", before.policies.advisory, after.policies.advisory, String),
  ];
  const costs = cost.map(line => row(line.what, line.before, line.after, dollars));
  const broken = after.policies.findings.map(
    ({ policy, level, resourceName }) => `- ${level} \`${policy}\`: ${resourceName}`,
  );
  const inputs = changed.map(resource => ({ ...resource, name: `${resource.name}: ${resource.inputs.join(", ")}` }));
  const parts = [
    `### Plan of the stack ${after.stack}`,
    table("", rows),
    costs.length === 0 ? "" : table("monthly cost", costs),
    ...[list("Added", added), list("Removed", removed), list("Changed", inputs)],
    broken.length === 0 ? "" : `**Policies**\n\n${broken.join("\n")}`,
    added.length + removed.length + changed.length === 0 ? "No resource differs." : "",
  ];
  return `${parts.filter(part => part !== "").join("\n\n")}\n`;
}

function row(what: string, before: number, after: number, text: (value: number) => string): string {
  const same = text(before) === text(after);
  const difference = text(Math.abs(after - before));
  return `| ${what} | ${text(before)} | ${text(after)} | ${same ? "" : (after > before ? "+" : "−") + difference} |`;
}

function table(what: string, rows: string[]): string {
  return [`| ${what} | before | after | difference |`, "| --- | ---: | ---: | ---: |", ...rows].join("\n");
}

function list(title: string, resources: { type: string; name: string }[]): string {
  if (resources.length === 0) return "";
  const lines = resources.slice(0, mostNamed).map(({ type, name }) => `- ${readableType(type)} ${name}`);
  const rest = resources.length - lines.length;
  if (rest > 0) lines.push(`- and ${rest} more`);
  return `<details><summary>${title}: ${resources.length}</summary>\n\n${lines.join("\n")}\n\n</details>`;
}
