import { parseArgs } from "node:util";
import { judge } from "../../policy/judge";
import { answering, LiveExit, processSurroundings, type Surroundings, UsageError } from "../live/surroundings";
import { type Equivalent, equivalentOf } from "./equivalent";
import { handMadeOf } from "./handMade";
import { commandsOf, programText } from "./programText";
import { type ManifestObject, readManifests } from "./yamlFiles";

/** What `tidesql import-guide --help` prints. */
export const importGuideHelp = `Usage: tidesql import-guide DIR [options]

Reads the YAML of a deployment that was made by hand, and prints a program that makes the same database, with what it changes and why, and the commands that set its
secrets. It prints no secret's value, and changes nothing.

  DIR                a folder of YAML files, or one file
  --name NAME        name of the database (default: from the primary's name)
  --namespace NS     a namespace of its own (default: NAME-managed), so that both deployments run while the data moves
  --json             print it as JSON
  --help             print this

Exit code: 0 printed, 1 the files cannot be used, 2 the command line is wrong.
`;

type Reading = Pick<Surroundings, "out" | "error" | "clock">;

/**
 * `tidesql import-guide`.
 * @param argv what follows `import-guide` on the command line
 * @returns the exit code, one of `LiveExit`
 */
export function runImportGuide(argv: readonly string[], surroundings: Reading = processSurroundings()) {
  return answering(surroundings, () => Promise.resolve(importGuide(argv, surroundings)));
}

function importGuide(argv: readonly string[], { out, clock }: Reading): LiveExit {
  const { values, positionals } = parsed(argv);
  if (values.help) {
    out.write(importGuideHelp);
    return LiveExit.good;
  }
  const [directory, ...others] = positionals;
  if (directory === undefined || others.length > 0) {
    throw new UsageError(`Name one folder with YAML files.\n\n${importGuideHelp}`);
  }
  const objects = readManifests(directory);
  const equivalent = equivalentOf(handMadeOf(objects), objects, values);
  const summary = summaryOf(directory, objects, clock.today());
  out.write(values.json ? asJson(equivalent, summary) : programText(equivalent, summary));
  return LiveExit.good;
}

function parsed(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: { name: text, namespace: text, json: flag, help: flag },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${importGuideHelp}`);
  }
}

/** What was read, and how it stands: the reason to change anything at all. */
function summaryOf(directory: string, objects: readonly ManifestObject[], now: Date): string {
  const { mandatory } = judge(
    objects.map(({ resource }) => resource),
    { today: now.toISOString().slice(0, 10) },
  );
  const count = `${objects.length} object${objects.length === 1 ? "" : "s"}`;
  const faults = `the policies find ${mandatory} mandatory fault${mandatory === 1 ? "" : "s"} in them`;
  return `The database of ${directory} as a program. ${count} were read; ${faults}.`;
}

function asJson(equivalent: Equivalent, summary: string): string {
  const { name, changes, notTakenOver, configuration } = equivalent;
  const program = programText(equivalent, summary);
  const commands = commandsOf(configuration).map(command => command.trim());
  return `${JSON.stringify({ name, program, commands, changes, notTakenOver }, null, 2)}\n`;
}
