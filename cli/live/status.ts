import { terminalOf } from "../terminal";
import { clusterHelp, clusterOf, clusterOptions, readCommandLine, secondsOf } from "./commandLine";
import { type DatabaseState, findDatabase, readDatabase } from "./databaseState";
import { problemsOf } from "./health";
import { KubectlError, KubectlProblem } from "./kubectl";
import { whileSaying } from "./progress";
import { statusScreen } from "./statusScreen";
import { answering, LiveExit, processSurroundings, type Surroundings } from "./surroundings";

/** What `tidesql status --help` prints. */
export const statusHelp = `Usage: tidesql status [options]

Shows a running database: who is primary, how far the replicas follow, what the bucket does not have yet, and what is wrong. It only looks.

  --json               print it as JSON
  --watch              refresh until interrupted
  --interval SECONDS   pause between two looks (default: 2)
${clusterHelp}

Exit code: 0 healthy, 1 degraded, 2 the command line is wrong or the cluster cannot be asked.
`;

const clearScreen = "\u001b[H\u001b[2J";

/**
 * `tidesql status`.
 * @param argv what follows `status` on the command line
 * @returns the exit code, one of `LiveExit`
 */
export function runStatus(argv: readonly string[], surroundings: Surroundings = processSurroundings()) {
  return answering(surroundings, () => status(argv, surroundings));
}

async function status(argv: readonly string[], surroundings: Surroundings): Promise<LiveExit> {
  const { out, clock, signal } = surroundings;
  const flag = { type: "boolean", default: false } as const;
  const { values } = readCommandLine(
    argv,
    { ...clusterOptions, json: flag, watch: flag, interval: { type: "string" } },
    statusHelp,
  );
  if (values.help) {
    out.write(statusHelp);
    return LiveExit.good;
  }
  const interval = secondsOf("interval", values.interval, 2);
  const kubectl = surroundings.kubectl(clusterOf(values));
  const look = async () => {
    // Found again each time: replicas may be added while one watches.
    const reading = findDatabase(kubectl, values).then(database => readDatabase(kubectl, database));
    const state = await (values.watch ? reading : whileSaying(surroundings, "asking the nodes", reading));
    const today = clock.today();
    const healthy = problemsOf(state, today).length === 0;
    const text = values.json ? statusJson(state, today, values.watch) : statusScreen(state, terminalOf(out), today);
    return { text, exit: healthy ? LiveExit.good : LiveExit.bad };
  };
  for (;;) {
    const { text, exit } = await (values.watch ? orWhyNot(look) : look());
    if (values.watch && out.isTTY && !values.json) out.write(clearScreen);
    out.write(text);
    if (!values.watch || signal?.aborted) return exit;
    await clock.sleep(interval * 1000);
  }
}

/** A cluster that does not answer for a while is what one watches for. */
async function orWhyNot(look: () => Promise<{ text: string; exit: LiveExit }>) {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof KubectlError) || error.problem === KubectlProblem.missing) throw error;
    return { text: `${error.message}\n`, exit: LiveExit.notAsked };
  }
}

/** One line a look where there are several. */
function statusJson(state: DatabaseState, today: Date, isOneOfMany: boolean): string {
  const problems = problemsOf(state, today);
  const document = { ...state, healthy: problems.length === 0, problems };
  return `${JSON.stringify(document, null, isOneOfMany ? undefined : 2)}\n`;
}
