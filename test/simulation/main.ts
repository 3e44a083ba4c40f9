import * as os from "node:os";
import { parseArgs } from "node:util";
import { mutations } from "./mutations";
import { playInWorkers } from "./parallel";
import type { ScheduleResult } from "./schedule";

const usage = `npm run simulate -- [options]: plays schedules of faults, one for each seed, and prints those that break a promise of docs/store.md or docs/failover.md
  --seed S        the first seed. Default 1
  --schedules N   so many seeds from there on. Default 10000
  --without RULE  with one rule switched off: ${mutations.map(({ rule }) => rule).join(", ")}
  --timeline      prints the timeline of every schedule, not of the first that fails only
  --workers N     processes. Default: one for each core`;

/** Timelines are long: those of the first schedules that fail are printed. */
const mostTimelines = 2;
const progressEveryMilliseconds = 5000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      schedules: { type: "string", default: "10000" },
      without: { type: "string" },
      timeline: { type: "boolean", default: false },
      workers: { type: "string", default: String(os.availableParallelism()) },
    },
  });
  const [firstSeed, schedules, workers] = [values.seed, values.schedules, values.workers].map(Number) as [
    number,
    number,
    number,
  ];
  const isKnown = values.without === undefined || mutations.some(({ rule }) => rule === values.without);
  if (![firstSeed, schedules, workers].every(number => Number.isInteger(number) && number >= 0) || !isKnown) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }

  const began = Date.now();
  let reportedAt = began;
  let played = 0;
  const broken: ScheduleResult[] = [];
  await playInWorkers({
    firstSeed,
    schedules,
    workers: Math.max(1, workers),
    without: values.without,
    keepTimeline: values.timeline,
    stopAtFirst: values.without !== undefined,
    onResult(result) {
      played++;
      if (result.violations.length > 0) broken.push(result);
      if (values.timeline || (result.violations.length > 0 && broken.length <= mostTimelines))
        console.log(result.timeline.join("\n"));
      if (values.timeline || result.violations.length > 0) console.log(summary(result));
      if (Date.now() - reportedAt < progressEveryMilliseconds) return;
      reportedAt = Date.now();
      const rate = (60_000 * played) / (reportedAt - began);
      console.error(`${played} of ${schedules} schedules, ${broken.length} failed, ${rate.toFixed(0)} a minute`);
    },
  });
  const seconds = (Date.now() - began) / 1000;
  console.log(`${played} schedules from seed ${firstSeed} in ${seconds.toFixed(0)} s, ${workers} workers`);
  if (broken.length > 0)
    console.log(
      `broken promises with seeds ${broken
        .map(({ seed }) => seed)
        .sort((a, b) => a - b)
        .join(", ")}`,
    );
  console.log(`${played - broken.length} passed, ${broken.length} failed`);
  process.exitCode = broken.length === 0 && played > 0 ? 0 : 1;
}

function summary(result: ScheduleResult): string {
  const { seed, family, faults, acknowledged, lost, longestOutageMilliseconds, violations } = result;
  const outage = (longestOutageMilliseconds / 1000).toFixed(1);
  return [
    `seed ${seed} (${family}): ${faults.join("; ")}: ${acknowledged} writes acknowledged, ${lost} lost, longest outage ${outage} s`,
    ...violations.slice(0, 5).map(violation => `  ${violation}`),
  ].join("\n");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 2;
});
