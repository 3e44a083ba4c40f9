import * as os from "node:os";
import { parseArgs } from "node:util";
import { familyOf } from "./families";
import { mutations } from "./mutations/all";
import { Mutation } from "./mutations/mutation";
import { Players } from "./parallel";
import type { ScheduleResult } from "./schedule";
import { usualShape } from "./shape";

/**
 * `npm run simulate:mutations -- [--seed S] [--schedules N] [--only RULE,RULE] [--workers N] [--shape NAME] [--measure]`: switches each rule off in turn, and fails where the simulation does not notice within so many schedules. What is noticed must be what the rule is for; what fails with all rules in place as well counts for nothing. With `--measure` all schedules are played, and how often each rule is missed is counted, and what that cost.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      schedules: { type: "string", default: "400" },
      only: { type: "string" },
      shape: { type: "string", default: usualShape },
      measure: { type: "boolean", default: false },
      workers: { type: "string", default: String(os.availableParallelism()) },
    },
  });
  const only = values.only?.split(",");
  const chosen = mutations.filter(({ rule }) => only === undefined || only.includes(rule));
  const [seed, schedules, workers] = [values.seed, values.schedules, values.workers].map(Number) as [
    number,
    number,
    number,
  ];
  const options = { seed, schedules, shape: values.shape };
  const players = Players.start(workers);
  await (values.measure ? measure(players, chosen, options) : check(players, chosen, options)).finally(() =>
    players.close(),
  );
}

interface Options {
  /** The first one. */
  seed: number;
  schedules: number;
  shape: string;
}

async function check(players: Players, chosen: readonly Mutation[], options: Options): Promise<void> {
  let unnoticed = 0;
  for (const mutation of chosen) {
    const caught = await firstNoticed(players, mutation, options);
    if (!caught) unnoticed++;
    const verdict = caught
      ? `seed ${caught.seed} (${caught.family}): ${caught.violations.find(text => mutation.shows.test(text))}`
      : `NOT NOTICED in ${Math.max(options.schedules, mutation.schedules ?? 0)} schedules`;
    console.log(`${mutation.rule.padEnd(15)} without "${mutation.without}": ${verdict}`);
  }
  console.log(`${chosen.length - unnoticed} passed, ${unnoticed} failed`);
  process.exitCode = unnoticed === 0 && chosen.length > 0 ? 0 : 1;
}

/** How much of the processors' time it takes, as a rule, until each mutation is noticed once. */
async function measure(
  players: Players,
  chosen: readonly Mutation[],
  { seed, schedules, shape }: Options,
): Promise<void> {
  for (const mutation of chosen) {
    const { rule, shows } = mutation;
    let [noticed, cpuSeconds] = [0, 0];
    await players.play({
      seeds: seedsFor(mutation, seed, schedules),
      without: rule,
      shape,
      onResult(result) {
        cpuSeconds += result.cpuSeconds;
        if (result.violations.some(text => shows.test(text))) noticed++;
      },
    });
    const each = noticed === 0 ? "never" : (cpuSeconds / noticed).toFixed(2);
    console.log(`${shape}\t${rule}\t${noticed} of ${schedules}\t${cpuSeconds.toFixed(1)} s\t${each} s a notice`);
  }
}

/** The first schedule that shows what the rule is good for, and breaks no promise with it. */
async function firstNoticed(
  players: Players,
  mutation: Mutation,
  { seed, schedules, shape }: Options,
): Promise<ScheduleResult | undefined> {
  const isShown = ({ violations }: ScheduleResult) => violations.some(text => mutation.shows.test(text));
  for (let seeds = seedsFor(mutation, seed, schedules); seeds.length > 0;) {
    const broken: ScheduleResult[] = [];
    let last = 0;
    await players.play({
      seeds,
      without: mutation.rule,
      shape,
      isLast: isShown,
      onResult(result) {
        last = Math.max(last, result.seed);
        if (isShown(result)) broken.push(result);
      },
    });
    broken.sort((a, b) => a.seed - b.seed);
    for (const result of broken) if (await isWell(players, result.seed, shape)) return result;
    seeds = seeds.filter(one => one > last);
  }
  return undefined;
}

/** So many seeds from the first on, or as many as the rule needs, of the families in which it matters. */
function seedsFor(mutation: Mutation, first: number, count: number): number[] {
  const seeds: number[] = [];
  for (let seed = first; seeds.length < Math.max(count, mutation.schedules ?? 0); seed++)
    if (mutation.families?.includes(familyOf(seed).name) ?? true) seeds.push(seed);
  return seeds;
}

/** Whether a schedule breaks no promise while all rules hold. */
async function isWell(players: Players, seed: number, shape: string): Promise<boolean> {
  let broken = 0;
  await players.play({ seeds: [seed], shape, onResult: ({ violations }) => (broken += violations.length) });
  return broken === 0;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 2;
});
