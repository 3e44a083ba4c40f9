import { createHash } from "node:crypto";
import { HistoryConfiguration } from "../../components/core/managerConfiguration";
import { garbageTiming } from "../../components/manager/transitions/writerDuties";
import { historyTiming } from "../../components/manager/store/log/history";
import { checkpointAfter } from "../../components/manager/store/log/keeping";
import { Client } from "./client";
import { Course, step } from "./course";
import { apiFaults } from "./faults/kubernetes";
import { compareAtTheEnd } from "./outcome";
import { Random } from "./random";
import { drawConfiguration, drawTables, Family, familyOf, sleepers } from "./families";
import { Mutation } from "./mutations/mutation";
import { difference, howPastDiffers } from "./past";
import { Shape, shapes, usualShape } from "./shape";
import { World } from "./world";

/** What one seed showed. */
export interface ScheduleResult {
  seed: number;
  family: string;
  faults: string[];
  violations: string[];
  acknowledged: number;
  lost: number;
  longestOutageMilliseconds: number;
  virtualSeconds: number;
  /** Of the timeline: one seed has one. */
  hash: string;
  /** Of a schedule that broke a promise, or when it was asked for. */
  timeline: string[];
}

/** What may be asked of a schedule. */
export interface ScheduleOptions {
  mutation?: Mutation;
  /** Keeps the timeline also when all is well. */
  keepTimeline?: boolean;
  /** Default: the usual one. */
  shape?: Shape;
}

/** Plays the schedule of a seed: faults of its family, then peace; and looks after each step and at the end whether every promise was kept. */
export async function playSchedule(seed: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  const random = new Random(seed * 7919 + 2);
  const family = familyOf(seed);
  // What takes hours takes seconds here: readers fall behind the horizon, and candidates meet it.
  const usual = { checkpoint: { ...checkpointAfter }, garbage: { ...garbageTiming }, history: { ...historyTiming } };
  const isHasty = family === sleepers;
  const [entries, milliseconds] = [random.pick([15, 60, 1000]), random.pick([2000, 600_000])];
  const afterMilliseconds = random.pick([3000, 12_000, 3_600_000]);
  Object.assign(checkpointAfter, isHasty ? { entries: 15, milliseconds: 2000 } : { entries, milliseconds });
  Object.assign(garbageTiming, {
    everyMilliseconds: isHasty ? 1000 : 2500,
    afterMilliseconds: isHasty ? 2000 : afterMilliseconds,
  });
  Object.assign(historyTiming, { dayMilliseconds: 4000 });
  const restore = options.mutation?.off?.();
  const world = new World(seed, {
    configuration: { ...drawConfiguration(random), history: drawHistory(new Random(seed * 104_729 + 5)) },
    tables: drawTables(random),
    mutation: options.mutation,
  });
  try {
    return await play(seed, world, random, family, options);
  } finally {
    world.close();
    restore?.();
    Object.assign(checkpointAfter, usual.checkpoint);
    Object.assign(garbageTiming, usual.garbage);
    Object.assign(historyTiming, usual.history);
  }
}

async function play(
  seed: number,
  world: World,
  random: Random,
  family: Family,
  { keepTimeline = false, shape = shapes[usualShape]! }: ScheduleOptions,
): Promise<ScheduleResult> {
  const { promises, time } = world;
  const client = new Client(world, random.pick(shape.writeEvery), random.pick(shape.atOnce));
  const seen = new Map<string, string>();
  const run = async (milliseconds: number) => {
    for (const until = time.now + milliseconds; time.now < until && promises.violations.length === 0;) {
      await time.runUntil(Math.min(until, time.now + step));
      if (random.chance(shape.judgedShare)) judgeFollowers(world, seen);
    }
  };

  const { began, writer, injected } = await new Course(world, client, shape, run).play(family, random);
  const isAlone = world.nodes.length === 1 && apiFaults.some(({ name }) => injected.includes(name));
  // In `commit` one whose commits have waited for 20 s is taken back, with its engine: outages of the bucket can follow each other.
  const isTakenBack = world.configuration.durability === "commit" && injected.length > 1;
  if (family.keepsPrimary && !isTakenBack && !isAlone && writer && promises.hasStopped(writer, began))
    promises.violated(`${writer.pod} was healthy, and has been ended`);

  client.stop();
  const ended = time.now;
  let lost = 0;
  if (promises.violations.length === 0) {
    await run(shape.quiet);
    // Of two writes to one row that were answered in the same moment the later one counts, whichever answer was faster.
    client.acknowledged.sort((a, b) => a.sentAt - b.sentAt);
    lost = await compareAtTheEnd(world, client);
  }
  for (let times = 0; times <= shape.pastPositions && promises.violations.length === 0; times++) {
    const { horizon, position, singlePositions } = world.judge;
    const at = times === 0 ? position : horizon + random.below(position - horizon + 1);
    if (times > 0 && singlePositions.length > 0) {
      const single = singlePositions[times % singlePositions.length]!;
      const wrong = await differenceAt(world, single);
      if (wrong !== undefined) promises.violated(wrong);
    }
    const differs = await differenceAt(world, at);
    if (differs !== undefined) promises.violated(differs);
  }
  const keep = keepTimeline || promises.violations.length > 0;
  const timeline = keep ? world.timeline : [];
  return {
    seed,
    family: `${family.name}, ${world.configuration.durability}`,
    faults: injected,
    violations: promises.violations,
    acknowledged: client.acknowledged.length,
    lost,
    longestOutageMilliseconds: client.longestOutage(began, ended),
    virtualSeconds: Math.round(time.now / 1000),
    hash: keep ? createHash("sha256").update(timeline.join("\n")).digest("hex") : "",
    timeline,
  };
}

function differenceAt(world: World, position: number): Promise<string | undefined> {
  return howPastDiffers(world, position).catch(
    (error: unknown) => `position ${position} cannot be opened: ${String(error)}`,
  );
}

/** What a user may have chosen to keep of the past: nothing, the last 3.6 s, or all of it; and days of 4 s. */
function drawHistory(random: Random): HistoryConfiguration {
  return { everyPositionHours: random.pick([0, 0.001, 24]), dailyCheckpointDays: random.pick([0, 3, 7]) };
}

/** Each follower shows exactly the commits up to the last that it has applied, of the log as far as it has read it; and all of the position that it says. One that is due for a restart has said that it does not. */
function judgeFollowers({ nodes, judge, promises }: World, seen: Map<string, string>): void {
  for (const { alive, pod, manager, server } of nodes) {
    if (!alive || !manager || !server?.answers || !server.model || server.model.isPrimary) continue;
    const { engine, store } = manager;
    const { shownPosition, restartDue } = engine;
    const { model } = server;
    if (shownPosition === undefined || engine.view.role !== "replica" || restartDue !== "" || !store.state) continue;
    if (!judge.isCovered(shownPosition, model.sequence))
      return promises.violated(`${pod} says that it shows position ${shownPosition}, and lacks a commit of it`);
    const read = store.state.position;
    const looked = `${shownPosition} ${read} ${model.sequence}`;
    if (seen.get(pod) === looked) continue;
    seen.set(pod, looked);
    // By the names that it shows: a table that was renamed since has others there.
    const expected = judge.rowsAt(shownPosition, ({ position, sequence }) => {
      return position <= shownPosition || (position <= read && sequence <= model.sequence);
    });
    const known = new Set(model.tables());
    for (const row of expected.keys()) if (!known.has(row.split("/")[0]!)) expected.delete(row);
    const differs = difference(model, expected, `the follower ${pod} at ${shownPosition}`);
    if (differs !== undefined && !isOfDropped(differs, judge.state.liveTables())) promises.violated(differs);
  }
}

/** Of a table that the log has dropped and the follower has not been shown without. */
function isOfDropped(differs: string, live: { name: string }[]): boolean {
  return !live.some(({ name }) => differs.includes(`${name}/`));
}
