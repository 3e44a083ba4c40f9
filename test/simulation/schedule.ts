import { Client } from "./client";
import { Fault, faults } from "./faults";
import { Random } from "./random";
import { World } from "./world";

/** What one seed showed. */
export interface ScheduleResult {
  seed: number;
  faults: string[];
  violations: string[];
  acknowledged: number;
  lost: number;
  longestOutageMilliseconds: number;
  timeline: string[];
}

/** The managers get this long to become healthy, before the first fault and after the last. Seconds. */
const settleSeconds = 15;
const recoverySeconds = 75;
/** A row may be lost in `interval` mode when it was acknowledged so shortly before its node became a victim. Milliseconds. */
const lossBound = 500;

/** Plays one random schedule of faults, heals, and looks whether every promise was kept. */
export async function playSchedule(seed: number): Promise<ScheduleResult> {
  const random = new Random(seed * 7919 + 1);
  const world = new World(seed);
  const client = new Client(world, 50);
  for (const node of world.nodes) world.startPod(node);
  client.start();
  const run = (seconds: number) => world.time.runUntil(world.time.now + seconds * 1000);
  const violations: string[] = [];
  const injected: { fault: Fault; at: number }[] = [];

  await run(settleSeconds);
  const count = 1 + random.below(5);
  for (let i = 0; i < count; i++) {
    const fault = random.pick(faults);
    world.say(`FAULT ${fault.name}, while ${world.writer()?.pod ?? "nobody"} is the primary`);
    injected.push({ fault, at: world.time.now });
    fault.inject(world, random);
    await run(random.between(0, 25));
  }
  await run(recoverySeconds);

  const labelled = world.nodes.filter(node => world.kubernetes.roles.get(node.pod) === "primary");
  const writer = world.writer();
  if (!writer) violations.push("no primary after all faults were over");
  if (labelled.length !== 1 || labelled[0] !== writer)
    violations.push(`labelled primary: ${labelled.map(n => n.pod).join(", ")}, open: ${writer?.pod}`);
  const last = client.acknowledged.at(-1)?.at ?? 0;
  if (world.time.now - last > 2000) violations.push("writes have not come back");

  let lost = 0;
  if (writer?.server) {
    const { scanned, read } = writer.server.rows();
    const newest = new Map(client.acknowledged.map(row => [row.key, row]));
    for (const { key, value, at, pod } of newest.values()) {
      if (scanned.get(key) === value && read(key) === value) continue;
      lost++;
      const excused = injected.some(
        ({ fault, at: injectedAt }) => fault.mayLose && at > injectedAt - lossBound && at < injectedAt + 30_000,
      );
      if (!excused)
        violations.push(
          `${key}=${value}, acknowledged by ${pod} at ${(at / 1000).toFixed(3)}, is ${scanned.get(key)} by scan and ${read(key)} by point read`,
        );
    }
  }
  return {
    seed,
    faults: injected.map(({ fault }) => fault.name),
    violations,
    acknowledged: client.acknowledged.length,
    lost,
    longestOutageMilliseconds: client.longestOutage(settleSeconds * 1000, world.time.now),
    timeline: world.timeline,
  };
}
