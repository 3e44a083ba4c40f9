import { createHash } from "node:crypto";
import { acceptDataLoss } from "../../components/core/podLayout";
import { Client } from "./client";
import { drawConfiguration, drawTables, families } from "./families";
import type { Mutation } from "./mutations";
import { compareAtTheEnd, isStranded } from "./outcome";
import { apiFaults } from "./faults/kubernetes";
import { healthyWithin, writesBackWithin } from "./promised";
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

/** Three empty nodes become a database within so long. Milliseconds. */
const comesUpWithin = 60_000;
/** Healthy for so long is healthy. Milliseconds. */
const steadyFor = 1500;
const step = 250;
/** A person looks at an alarm after so long. Milliseconds. */
const acceptLossAfter = 12_000;
/** The last writes get to the replicas. Milliseconds. */
const quietAtTheEnd = 2500;

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

  /** Runs until all is well, but not beyond a limit. @returns whether it is */
  const untilHealthy = async (limit: number): Promise<boolean> => {
    let since: number | undefined;
    while (time.now < limit || time.now < world.healedAt + writesBackWithin) {
      await run(step);
      if (promises.violations.length > 0) return true;
      acceptLossIfStuck(world, random);
      if (time.now <= world.healedAt || !isHealthy(world, client)) since = undefined;
      else if (time.now - (since ??= time.now) >= steadyFor) return true;
      const peaceful = Math.max(world.healedAt, client.lastAcknowledgedAt);
      if (time.now > peaceful + writesBackWithin) {
        promises.violated(`writes have not come back ${writesBackWithin / 1000} s after the last fault`);
        return true;
      }
      if (time.now > world.healedAt + healthyWithin) return false;
    }
    return isHealthy(world, client);
  };

  for (const node of world.nodes) world.startPod(node);
  client.start();
  if (!family.fromTheStart && !(await untilHealthy(comesUpWithin))) promises.violated("it did not come up");
  const began = time.now;
  const writer = world.writer();

  const injected: string[] = [];
  const [least, most] = family.count;
  const count = least + random.below(most - least + 1);
  const draws = [...(family.first ?? []), ...Array.from({ length: count }, () => family.faults)];
  for (const draw of draws) {
    if (promises.violations.length > 0) break;
    const fault = random.pick(draw);
    world.say(`FAULT ${fault.name}, while ${world.writer()?.pod ?? "nobody"} is the primary`);
    injected.push(fault.name);
    fault.inject(world, random, client);
    await run(random.between(0, family.longestPause) * 1000);
  }
  world.trap = undefined;
  world.heal(0, () => undefined);
  if (promises.violations.length === 0 && !(await untilHealthy(time.now + healthyWithin)))
    promises.violated(`not every pod has the label that it should have: ${labels(world)}`);
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

/** One primary that takes writes, and every other pod a replica that is read. */
function isHealthy(world: World, client: Client): boolean {
  const writer = world.writer();
  if (!writer || world.time.now - client.lastAcknowledgedAt > 1000) return false;
  const { roles, read } = world.kubernetes;
  return world.nodes.every(node => {
    const hasRole = roles.get(node.pod) === (node === writer ? "primary" : "replica");
    return node.alive && hasRole && read.has(node.pod) === (node !== writer);
  });
}

function labels({ kubernetes, nodes }: World): string {
  const read = (pod: string) => (kubernetes.read.has(pod) ? ", read" : "");
  return nodes
    .map(({ alive, pod }) => `${pod} ${alive ? `${kubernetes.roles.get(pod)}${read(pod)}` : "gone"}`)
    .join("; ");
}
