import * as os from "node:os";
import { parseArgs } from "node:util";
import { logMutations } from "./log/mutations";
import { mutations } from "./mutations";
import { playInWorkers } from "./parallel";
import type { ScheduleResult } from "./schedule";
import { playOn } from "./playOn";

/**
 * `npm run simulate:mutations -- [--store engine|log] [--seed S] [--schedules N] [--only RULE,RULE] [--workers N]`: switches each rule off in turn, and fails where the simulation does not notice within so many schedules. What fails with all rules in place as well counts for nothing.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      store: { type: "string", default: "engine" },
      seed: { type: "string", default: "1" },
      schedules: { type: "string", default: "1500" },
      only: { type: "string" },
      workers: { type: "string", default: String(os.availableParallelism()) },
    },
  });
  const only = values.only?.split(",");
  const store = values.store === "log" ? "log" : "engine";
  const all: readonly Rule[] = store === "log" ? logMutations : mutations;
  const chosen = all.filter(({ rule }) => only === undefined || only.includes(rule));
  let unnoticed = 0;
  for (const mutation of chosen) {
    const caught = await firstNoticed(
      store,
      mutation,
      Number(values.seed),
      Number(values.schedules),
      Number(values.workers),
    );
    if (!caught) unnoticed++;
    const verdict = caught
      ? `schedule ${caught.seed - Number(values.seed) + 1} (${caught.family}): ${caught.violations[0]}`
      : `NOT NOTICED in ${values.schedules} schedules`;
    console.log(`${mutation.rule.padEnd(3)} without "${mutation.without}": ${verdict}`);
  }
  console.log(`${chosen.length - unnoticed} passed, ${unnoticed} failed`);
  process.exitCode = unnoticed === 0 && chosen.length > 0 ? 0 : 1;
}

/** What both stores' mutations say. */
interface Rule {
  rule: string;
  without: string;
}

/** The first schedule that breaks a promise without the rule, and none with it. */
async function firstNoticed(
  store: "engine" | "log",
  { rule }: Rule,
  firstSeed: number,
  schedules: number,
  workers: number,
): Promise<ScheduleResult | undefined> {
  const end = firstSeed + schedules;
  for (let from = firstSeed; from < end;) {
    const broken: ScheduleResult[] = [];
    let last = from;
    await playInWorkers({
      store,
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
    for (const result of broken) if ((await playOn(store, result.seed)).violations.length === 0) return result;
    from = last + 1;
  }
  return undefined;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 2;
});
