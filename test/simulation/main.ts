import * as os from "node:os";
import { parseArgs } from "node:util";
import { mutations } from "./mutations/all";
import { Players, Run } from "./parallel";
import type { ScheduleResult } from "./schedule";
import { shapes, usualShape } from "./shape";

const usage = `npm run simulate -- [options]: plays schedules of faults, one for each seed, and prints those that break a promise of docs/store.md or docs/failover.md
  --seed S        the first seed. Default 1
  --schedules N   so many seeds from there on. Default 10000
  --without RULE  with one rule switched off: ${mutations.map(({ rule }) => rule).join(", ")}
  --shape NAME    how long and dense they are: ${Object.keys(shapes).join(", ")}. Default: ${usualShape}
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
      shape: { type: "string", default: usualShape },
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
  if (
    ![firstSeed, schedules, workers].every(number => Number.isInteger(number) && number >= 0) ||
    !isKnown ||
    !(values.shape in shapes)
  ) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }

  const began = Date.now();
  let reportedAt = began;
  let played = 0;
  let cpuSeconds = 0;
  const broken: ScheduleResult[] = [];
  const players = Players.start(Math.max(1, workers));
  const run: Run = {
    seeds: Array.from({ length: schedules }, (_, i) => firstSeed + i),
    without: values.without,
    keepTimeline: values.timeline,
    shape: values.shape,
    ...(values.without !== undefined && { isLast: ({ violations }) => violations.length > 0 }),
    onResult(result) {
      played++;
      cpuSeconds += result.cpuSeconds;
      if (result.violations.length > 0) broken.push(result);
      if (values.timeline || (result.violations.length > 0 && broken.length <= mostTimelines))
        console.log(result.timeline.join("\n"));
      if (values.timeline || result.violations.length > 0) console.log(summary(result));
      if (Date.now() - reportedAt < progressEveryMilliseconds) return;
      reportedAt = Date.now();
      const rate = (60_000 * played) / (reportedAt - began);
      console.error(`${played} of ${schedules} schedules, ${broken.length} failed, ${rate.toFixed(0)} a minute`);
    },
  };
  await players.play(run).finally(() => players.close());
  const seconds = (Date.now() - began) / 1000;
  console.log(
    `${played} schedules from seed ${firstSeed} in ${seconds.toFixed(0)} s, ${workers} workers, ${cpuSeconds.toFixed(0)} s of the processors`,
  );
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
