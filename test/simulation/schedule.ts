import { createHash } from "node:crypto";
import { acceptDataLoss } from "../../components/core/podLayout";
import { Client } from "./client";
import { Course, quietAtTheEnd } from "./course";
import { drawConfiguration, drawTables, families } from "./families";
import type { Mutation } from "./mutations";
import { compareAtTheEnd, isStranded } from "./outcome";
import { apiFaults } from "./faults/kubernetes";
import { Random } from "./random";
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
  /** Nobody could be promoted, and a person accepted to lose what never reached the bucket. */
  lossAccepted: boolean;
  /** It was given up: the bucket names files that no node has. Not covered by any promise. */
  stranded: boolean;
  /** A replica shows an old version of a row that its engine has passed over. Not covered by any promise. */
  overtaken: boolean;
  /** Of the timeline: one seed has one. */
  hash: string;
  /** Of a schedule that broke a promise, or when it was asked for. */
  timeline: string[];
}

/** What may be asked of a schedule. */
export interface ScheduleOptions {
  mutation?: Mutation;
  /** Keeps the timeline, and its hash, also when all is well. */
  keepTimeline?: boolean;
}

/** A person looks at an alarm after so long. Milliseconds. */
const acceptLossAfter = 12_000;

/** Plays the schedule of a seed: faults of its family, then peace; and looks whether every promise was kept. */
export async function playSchedule(seed: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  const random = new Random(seed * 7919 + 1);
  const family = families[seed % families.length]!;
  const world = new World(seed, {
    configuration: drawConfiguration(random),
    tables: drawTables(random),
    engine: family.engine?.(random) ?? {},
    mutation: options.mutation,
  });
  const { promises, time } = world;
  const client = new Client(world, random.pick([40, 100, 100]));
  const run = (milliseconds: number) => time.runUntil(time.now + milliseconds);

  const course = new Course(world, client, run, () => acceptLossIfStuck(world, random));
  const { began, writer, injected } = await course.play(family, random);
  // One that has no peers to ask ends itself when the API server is away.
  const isAlone = world.nodes.length === 1 && apiFaults.some(({ name }) => injected.includes(name));
  if (family.keepsPrimary && !isAlone && writer && promises.hasStopped(writer, began))
    promises.violated(`${writer.pod} was healthy, and has been ended`);

  client.stop();
  const ended = time.now;
  let lost = 0;
  if (promises.violations.length === 0) {
    await run(quietAtTheEnd);
    lost = await compareAtTheEnd(world, client);
  }
  const stranded = promises.violations.length > 0 && isStranded(world);
  if (stranded) promises.violations.length = 0;
  const keep = options.keepTimeline || promises.violations.length > 0;
  const timeline = keep ? world.timeline : [];
  return {
    seed,
    family: `${family.name}, ${world.configuration.durability}`,
    faults: injected,
    violations: promises.violations,
    acknowledged: client.acknowledged.length,
    lost,
    longestOutageMilliseconds: client.longestOutage(began, ended),
    lossAccepted: promises.lossAcceptedAt !== undefined,
    stranded,
    overtaken: promises.overtaken,
    virtualSeconds: Math.round(time.now / 1000),
    hash: keep ? createHash("sha256").update(timeline.join("\n")).digest("hex") : "",
    timeline,
  };
}

/**
 * With all faults over, a database without a candidate whose last primary's volume is gone for good waits for a person, by design. The person accepts the loss.
 */
function acceptLossIfStuck(world: World, random: Random): void {
  const { promises, time, nodes } = world;
  if (promises.lossAcceptedAt !== undefined || time.now < world.healedAt + acceptLossAfter) return;
  const waits = nodes.every(
    node => node.alive && node.manager?.view().engine.state === "running" && !node.server?.open,
  );
  if (!waits || !nodes.some(node => node.manager?.alarm.includes("no candidate"))) return;
  const owner = nodes.map(node => node.manager?.view().owner).find(record => record !== undefined);
  const isThere = nodes.some(({ record }) => record.volumeId === owner?.volumeId && record.epoch === owner.epoch);
  if (isThere) return;
  const { pod } = random.pick(nodes);
  world.say(`a person promotes ${pod} and accepts the loss`);
  world.kubernetes.requests.set(pod, { promote: acceptDataLoss });
  promises.lossAcceptedAt = time.now;
  world.heal(0, () => undefined);
}
