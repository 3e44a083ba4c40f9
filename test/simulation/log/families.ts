import { ManagerConfiguration } from "../../../components/core/managerConfiguration";
import { engineFaults, promotionDiesBesideLaggard, springs, trapAtStep } from "../faults/engine";
import { Fault } from "../faults/fault";
import { nodeAndDiskLost, nodeLost } from "../faults/nodes";
import { podDeleted, podDeletedByForce } from "../faults/operators";
import { drawConfiguration, families as ofBoth, Family } from "../families";
import { Random } from "../random";
import type { SimulatedNode } from "../node";
import type { LogWorld } from "./world";

/** Something happens in the middle of the next takeover or handover: at any of its calls to the bucket and changes of the volume. */
const trapAnywhere: Fault = {
  name: "a trap in the next takeover or handover",
  inject(world, random) {
    const what = random.pick(Object.keys(springs));
    const left = 1 + random.below(random.pick([3, 10, 40]));
    world.say(`a trap is laid at call ${left}: ${what}`);
    (world as unknown as LogWorld).trap = {
      left,
      spring: node => springs[what]?.(world, node as unknown as SimulatedNode, random),
    };
  },
};

/** A follower sleeps while what it would read next is deleted; what wakes up is behind the horizon, and may be the only candidate. */
const followerSleeps: Fault = {
  name: "a follower sleeps while garbage goes",
  inject(world, random) {
    const writer = world.writer();
    const followers = world.nodes.filter(node => node !== writer);
    if (followers.length === 0) return;
    const node = random.pick(followers);
    const { process } = node;
    const seconds = random.between(9, 15);
    world.promises.mayDepart(node.pod, seconds);
    node.freeze();
    world.heal(seconds, () => {
      if (node.process === process) node.thaw();
    });
  },
};

const onTheLog = (fault: Fault) =>
  fault === trapAtStep || fault === promotionDiesBesideLaggard ? trapAnywhere : fault;
const deaths = [nodeLost, nodeAndDiskLost, podDeletedByForce, podDeleted];

/** What takes hours takes seconds in it. */
export const sleepers: Family = {
  name: "sleepers",
  first: [[followerSleeps]],
  faults: [followerSleeps, podDeletedByForce, nodeLost, nodeAndDiskLost],
  count: [1, 3],
  longestPause: 14,
};

/** The kinds of schedules that the other store is played with, with traps that know this one's calls; and one of nothing else. */
export const families: readonly Family[] = [
  sleepers,
  ...ofBoth.map(family => ({
    ...family,
    faults: family.faults.map(onTheLog),
    ...(family.first && { first: family.first.map(faults => faults.map(onTheLog)) }),
  })),
  {
    name: "disks lost in peace",
    faults: [nodeAndDiskLost],
    count: [2, 5],
    longestPause: 12,
  },
  {
    name: "traps",
    faults: [trapAnywhere, trapAnywhere, ...deaths, ...engineFaults.map(onTheLog)],
    count: [3, 8],
    longestPause: 5,
  },
];

/** What a user may have chosen. */
export function drawLogConfiguration(random: Random): Partial<ManagerConfiguration> {
  const drawn = drawConfiguration(random);
  return drawn.durability === "commit" ? { ...drawn, onObjectStoreOutage: "stopWrites" } : drawn;
}
