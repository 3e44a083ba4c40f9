import type { Client } from "./client";
import type { Family } from "./families";
import type { SimulatedNode } from "./node";
import { healthyWithin, writesBackWithin } from "./promised";
import type { Random } from "./random";
import { faultsOf, Shape } from "./shape";
import type { World } from "./world";

/** Empty nodes become a database within so long. Milliseconds. */
const comesUpWithin = 60_000;
/** A schedule is looked at this often. Milliseconds. */
export const step = 250;

/** What was done to a database in a schedule. */
export interface Faults {
  /** When the first fault came. */
  began: number;
  /** Who was the primary then. */
  writer: SimulatedNode | undefined;
  injected: string[];
}

/** How a schedule goes: the database comes up, faults are injected, and then all is to be well again. */
export class Course {
  /** @param run lets so many milliseconds pass */
  constructor(
    private readonly world: World,
    private readonly client: Client,
    private readonly shape: Shape,
    private readonly run: (milliseconds: number) => Promise<void>,
  ) {}

  /** Brings the database up, injects the family's faults, and waits for peace. */
  async play(family: Family, random: Random): Promise<Faults> {
    const { world, client } = this;
    const { promises, time } = world;
    for (const node of world.nodes) world.startPod(node);
    client.start();
    if (!family.fromTheStart && !(await this.untilHealthy(comesUpWithin))) promises.violated("it did not come up");
    const began = time.now;
    const writer = world.writer();

    const injected: string[] = [];
    const count = faultsOf(family.count, this.shape, random);
    const draws = [...(family.first ?? []), ...Array.from({ length: count }, () => family.faults)];
    for (const draw of draws) {
      if (promises.violations.length > 0) break;
      const fault = random.pick(draw);
      world.say(`FAULT ${fault.name}, while ${world.writer()?.pod ?? "nobody"} is the primary`);
      injected.push(fault.name);
      fault.inject(world, random, client);
      await this.run(random.between(0, family.longestPause * this.shape.pauses) * 1000);
    }
    world.trap = undefined;
    world.heal(0, () => undefined);
    if (promises.violations.length === 0 && !(await this.untilHealthy(time.now + healthyWithin)))
      promises.violated(`not every pod has the label that it should have: ${this.labels()}`);
    return { began, writer, injected };
  }

  /** Runs until all is well, but not beyond a limit. @returns whether it is */
  private async untilHealthy(limit: number): Promise<boolean> {
    const { world, client } = this;
    const { promises, time } = world;
    let since: number | undefined;
    while (time.now < limit || time.now < world.healedAt + writesBackWithin) {
      await this.run(step);
      if (promises.violations.length > 0) return true;
      if (time.now <= world.healedAt || !this.isHealthy()) since = undefined;
      else {
        since ??= time.now;
        // With a primary that has just begun to hang all looks well until no write has been answered for a second, and its flushes never end: so one has to be answered meanwhile.
        if (time.now - since >= this.shape.steadyFor && client.lastAcknowledgedAt > since) return true;
      }
      const peaceful = Math.max(world.healedAt, client.lastAcknowledgedAt);
      if (time.now > peaceful + writesBackWithin) {
        promises.violated(`writes have not come back ${writesBackWithin / 1000} s after the last fault`);
        return true;
      }
      if (time.now > world.healedAt + healthyWithin) return false;
    }
    return this.isHealthy();
  }

  /** One primary that takes writes, and every other pod a replica that is read. */
  private isHealthy(): boolean {
    const { world, client } = this;
    const writer = world.writer();
    if (!writer || world.time.now - client.lastAcknowledgedAt > 1000) return false;
    const { roles, read } = world.kubernetes;
    return world.nodes.every(node => {
      const hasRole = roles.get(node.pod) === (node === writer ? "primary" : "replica");
      return node.alive && hasRole && read.has(node.pod) === (node !== writer);
    });
  }

  private labels(): string {
    const { kubernetes, nodes } = this.world;
    const read = (pod: string) => (kubernetes.read.has(pod) ? ", read" : "");
    return nodes
      .map(({ alive, pod }) => `${pod} ${alive ? `${kubernetes.roles.get(pod)}${read(pod)}` : "gone"}`)
      .join("; ");
  }
}
