/**
 * Measures the write outage and the rows lost for classes of faults, against the sandbox or a cluster of one's own:
 *   npm run e2e:faults -- --class engine-killed --class pod-deleted --n 20 --durability interval --out runs.jsonl
 * Without --class all classes run that the environment allows. Exit code 1 when a class does not hold what it promises.
 */
import { appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Deployment } from "../deployment";
import { environment } from "../environment";
import { deployLocalStack, remove } from "../localStack";
import { faultClasses } from "./classes";
import { measure } from "./measure";
import { ClassSummary, FaultRun, summarise, table } from "./summary";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      class: { type: "string", multiple: true },
      n: { type: "string", default: "20" },
      durability: { type: "string", default: "interval" },
      out: { type: "string", default: join(tmpdir(), "tidesql-fault-runs.jsonl") },
    },
  });
  const known = faultClasses.map(fault => fault.name);
  const wrong = values.class?.filter(name => !known.includes(name)) ?? [];
  const count = Number(values.n);
  if (wrong.length > 0) throw new Error(`--class ${wrong.join(", ")} is none of: ${known.join(", ")}`);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--n must be a positive integer, not ${values.n}`);

  const { sandbox } = await environment();
  const asked = faultClasses.filter(fault => values.class?.includes(fault.name) ?? true);
  for (const fault of asked.filter(candidate => candidate.needsSandbox && !sandbox)) {
    console.log(`${fault.name}: not run, it needs the sandbox`);
  }
  let deployment: Deployment | undefined;
  const summaries: ClassSummary[] = [];
  for (const fault of asked.filter(candidate => !candidate.needsSandbox || sandbox)) {
    const runs: FaultRun[] = [];
    for (let run = 1; run <= count; run++) {
      deployment ??= await deployLocalStack({ durability: values.durability });
      const table = `${deployment.options.database}.ledger_${fault.name.replace(/-/g, "_")}_${run}`;
      const result = await measure(fault, deployment, { run, durability: values.durability, table });
      runs.push(result);
      appendFileSync(values.out, JSON.stringify(result) + "\n");
      console.log(`${fault.name} ${run}/${count}: ${describe(result)}`);
      if (result.failure === undefined) continue;
      // What it left behind would be measured with the next fault.
      await remove(deployment);
      deployment = undefined;
    }
    summaries.push(summarise(fault, runs));
  }
  console.log(`\n${table(summaries)}\n\none line per run: ${values.out}`);
  if (deployment) await remove(deployment);
  if (summaries.some(summary => summary.problems.length > 0)) process.exitCode = 1;
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
