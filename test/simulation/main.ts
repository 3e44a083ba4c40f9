import { parseArgs } from "node:util";
import { playSchedule } from "./schedule";

/** `npm run simulate -- [--seed S] [--schedules N]`: plays schedules from seed S on; prints the timeline of each that breaks a promise. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      schedules: { type: "string", default: "100" },
      timeline: { type: "boolean", default: false },
    },
  });
  const first = Number(values.seed);
  const count = Number(values.schedules);
  let broken = 0;
  for (let seed = first; seed < first + count; seed++) {
    const result = await playSchedule(seed);
    if (result.violations.length === 0 && !values.timeline) continue;
    broken += result.violations.length > 0 ? 1 : 0;
    console.log(
      `seed ${seed}: ${result.faults.join("; ")}; ${result.acknowledged} acknowledged, ${result.lost} lost, longest outage ${(result.longestOutageMilliseconds / 1000).toFixed(1)} s`,
    );
    for (const violation of result.violations.slice(0, 5)) console.log(`  ${violation}`);
    if (values.timeline) console.log(result.timeline.join("\n"));
  }
  console.log(`${count - broken} passed, ${broken} failed`);
  process.exitCode = broken === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 2;
});
