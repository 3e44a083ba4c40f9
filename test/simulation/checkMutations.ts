import * as os from "node:os";
import { parseArgs } from "node:util";
import { Mutation, mutations } from "./mutations";
import { playInWorkers } from "./parallel";
import { playSchedule, ScheduleResult } from "./schedule";

/**
 * `npm run simulate:mutations -- [--seed S] [--schedules N] [--only RULE,RULE] [--workers N]`: switches each rule off in turn, and fails where the simulation does not notice within so many schedules. What fails with all rules in place as well counts for nothing.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      schedules: { type: "string", default: "60" },
      only: { type: "string" },
      workers: { type: "string", default: String(os.availableParallelism()) },
    },
  });
  const only = values.only?.split(",");
  const chosen = mutations.filter(({ rule }) => only === undefined || only.includes(rule));
  let unnoticed = 0;
  for (const mutation of chosen) {
    const [seed, schedules, workers] = [values.seed, values.schedules, values.workers].map(Number);
    const caught = await firstNoticed(mutation, seed!, schedules!, workers!);
    if (!caught) unnoticed++;
    const verdict = caught
      ? `schedule ${caught.seed - Number(values.seed) + 1} (${caught.family}): ${caught.violations[0]}`
      : `NOT NOTICED in ${values.schedules} schedules`;
    console.log(`${mutation.rule.padEnd(15)} without "${mutation.without}": ${verdict}`);
  }
  console.log(`${chosen.length - unnoticed} passed, ${unnoticed} failed`);
  process.exitCode = unnoticed === 0 && chosen.length > 0 ? 0 : 1;
}

/** The first schedule that breaks a promise without the rule, and none with it. */
async function firstNoticed(
  { rule }: Mutation,
  firstSeed: number,
  schedules: number,
  workers: number,
): Promise<ScheduleResult | undefined> {
  const end = firstSeed + schedules;
  for (let from = firstSeed; from < end;) {
    const broken: ScheduleResult[] = [];
    let last = from;
    await playInWorkers({
      firstSeed: from,
      schedules: end - from,
      workers,
      without: rule,
      stopAtFirst: true,
      onResult(result) {
        last = Math.max(last, result.seed);
        if (result.violations.length > 0) broken.push(result);
      },
    });
    broken.sort((a, b) => a.seed - b.seed);
    for (const result of broken) if ((await playSchedule(result.seed)).violations.length === 0) return result;
    from = last + 1;
  }
  return undefined;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 2;
});
