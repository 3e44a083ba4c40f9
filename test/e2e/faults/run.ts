/**
 * Measures the write outage and the rows lost for classes of faults, against the sandbox or a cluster of one's own:
 *   npm run e2e:faults -- --class engine-killed --class pod-deleted --n 20 --durability interval --out runs.jsonl
 * Without --class all classes run that the environment allows; with --short one run of a few. --slack F allows F times the outage, and one more: of a machine that has other work to do.
 * --idle S leaves the database alone for S seconds before the first fault, and wants it to stay as it is.
 * The last line is "N passed, N failed", in classes. Exit code 1 when a class does not hold what it promises.
 */
import { appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Deployment } from "../deployment";
import { environment } from "../environment";
import { deployLocalStack, remove } from "../localStack";
import { FaultClass, faultClasses } from "./classes";
import { staysIdle } from "./idle";
import { measure } from "./measure";
import { ClassSummary, FaultRun, summarise, table } from "./summary";

const machinePauseMilliseconds = 1000;
/** A database that was just deployed is healthy within so long. Seconds. */
const healthySeconds = 240;
/** Rows of one run; those of the next have higher numbers. */
const mostWrites = 100_000;
/** One of each kind: a process, an order, a machine, a network, the store. */
const shortForm = ["engine-killed", "pod-deleted", "node-crashed", "primary-cut-from-api", "primary-cut-from-s3"];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      class: { type: "string", multiple: true },
      n: { type: "string" },
      short: { type: "boolean", default: false },
      slack: { type: "string", default: "1" },
      durability: { type: "string", default: "interval" },
      idle: { type: "string", default: "0" },
      out: { type: "string", default: join(tmpdir(), "tidesql-fault-runs.jsonl") },
    },
  });
  const known = faultClasses.map(fault => fault.name);
  const wrong = values.class?.filter(name => !known.includes(name)) ?? [];
  const count = Number(values.n ?? (values.short ? 1 : 20));
  const slack = Number(values.slack);
  if (wrong.length > 0) throw new Error(`--class ${wrong.join(", ")} is none of: ${known.join(", ")}`);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--n must be a positive integer, not ${values.n}`);
  const idleSeconds = Number(values.idle);
  if (!(idleSeconds >= 0)) throw new Error(`--idle must be a number of seconds, not ${values.idle}`);
  if (!(slack >= 1)) throw new Error(`--slack must be a number of at least 1, not ${values.slack}`);

  const { sandbox } = await environment();
  const names = values.class ?? (values.short ? shortForm : known);
  const asked = faultClasses.filter(fault => names.includes(fault.name));
  for (const fault of asked.filter(candidate => candidate.needsSandbox && !sandbox)) {
    console.log(`${fault.name}: not run, it needs the sandbox`);
  }
  let deployment: Deployment | undefined;
  if (idleSeconds > 0) {
    deployment = await deployLocalStack({ durability: values.durability });
    await deployment.healthy(healthySeconds);
    const looks = await staysIdle(deployment, idleSeconds);
    console.log(`idle for ${idleSeconds} s: one primary and its replicas stayed as they were in ${looks} looks`);
  }
  const summaries: ClassSummary[] = [];
  for (const fault of asked.filter(candidate => !candidate.needsSandbox || sandbox)) {
    const runs: FaultRun[] = [];
    for (let run = 1; run <= count; run++) {
      deployment ??= await deployLocalStack({ durability: values.durability });
      const table = `${deployment.options.database}.ledger_${fault.name.replace(/-/g, "_")}`;
      const firstId = 1 + (run - 1) * mostWrites;
      const result = await measure(fault, deployment, { run, durability: values.durability, table, firstId });
      runs.push(result);
      appendFileSync(values.out, JSON.stringify(result) + "\n");
      console.log(`${fault.name} ${run}/${count}: ${describe(result)}`);
      if (result.failure === undefined) continue;
      // What it left behind would be measured with the next fault.
      await remove(deployment);
      deployment = undefined;
    }
    summaries.push(summarise(slack === 1 ? fault : relaxed(fault, slack), runs));
  }
  console.log(`\n${table(summaries)}\n\none line per run: ${values.out}`);
  if (deployment) await remove(deployment);
  const failed = summaries.filter(summary => summary.problems.length > 0).length;
  console.log(`${summaries.length - failed} passed, ${failed} failed`);
  if (failed > 0 || summaries.length === 0) process.exitCode = 1;
}

/** What is asked of a machine that has other work to do: it may pause for a second by itself. */
function relaxed(fault: FaultClass, slack: number): FaultClass {
  const outageBoundMilliseconds = slack * Math.max(fault.outageBoundMilliseconds, machinePauseMilliseconds);
  return { ...fault, outageBoundMilliseconds, outages: (fault.outages ?? 1) + 1 };
}

function describe(result: FaultRun): string {
  const { outagesMilliseconds, acknowledged, lost, presentUnacknowledged, failure } = result;
  const outage = `outage ${outagesMilliseconds.join(" + ") || "0"} ms, ${acknowledged} acknowledged`;
  if (failure !== undefined) return `${outage}, not completed: ${failure}`;
  return `${outage}, ${lost.length} lost, ${presentUnacknowledged} present but not acknowledged`;
}

main()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  })
  .finally(() => process.exit());
