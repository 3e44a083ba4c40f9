import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import {
  engineFaults,
  failingStart,
  hangsInTransition,
  mariadbdHangs,
  mariadbdHangsForGood,
  mariadbdKilled,
  promotionLies,
  slowStart,
  trapAnywhere,
} from "./faults/engine";
import { Fault } from "./faults/fault";
import { apiFaults, apiFaultsThatKeepPrimary } from "./faults/kubernetes";
import { cutFromAll, cutFromApi, cutFromBucket, followersLag, networkFaults } from "./faults/network";
import {
  allNodesLost,
  followerSleeps,
  managerKilled,
  managerLoopHangs,
  nodeAndDiskLost,
  nodeFaults,
  nodeFrozen,
  nodeLost,
  powerLost,
  successorLost,
  volumeHangs,
  volumeHangsForLong,
  volumeHangsUnseen,
} from "./faults/nodes";
import {
  bucketDown,
  bucketFailsAfterEffect,
  bucketFaults,
  bucketFrozen,
  bucketLosesAnswers,
  bucketRefuses,
  bucketSlow,
  wholeBucketFaults,
} from "./faults/objectStore";
import {
  labelByHand,
  leaseDeleted,
  leaseEdited,
  operatorFaults,
  orderlyFaults,
  podDeleted,
  podDeletedByForce,
  rollingRestart,
  switchoverAsked,
  tableAltered,
  tableDropped,
  tableMade,
  tableRenamed,
  twoDeletedByForce,
} from "./faults/operators";
import { Random } from "./random";

/** Schedules of one kind: what may go wrong in them, how many things do, and how close together. */
export interface Family {
  name: string;
  faults: readonly Fault[];
  /** One of each comes first, in this order, with the pauses of the family. */
  first?: readonly (readonly Fault[])[];
  /** Least and most, beside those. */
  count: readonly [number, number];
  /** Longest pause after a fault. Seconds. */
  longestPause: number;
  /** The faults begin before the database has come up. */
  fromTheStart?: boolean;
  /** Nobody may be promoted in it (invariant e). */
  keepsPrimary?: boolean;
}

const takeovers = [
  nodeLost,
  nodeAndDiskLost,
  nodeFrozen,
  podDeletedByForce,
  podDeleted,
  mariadbdKilled,
  cutFromAll,
  slowStart,
  managerLoopHangs,
];
const deaths = [nodeLost, nodeAndDiskLost, podDeletedByForce, podDeleted];
const anything = [...nodeFaults, ...engineFaults, ...bucketFaults, ...apiFaults, ...networkFaults, ...operatorFaults];

/** What takes hours takes seconds in it. */
export const sleepers: Family = {
  name: "sleepers",
  first: [[followerSleeps]],
  faults: [followerSleeps, podDeletedByForce, nodeLost, nodeAndDiskLost],
  count: [1, 3],
  longestPause: 14,
};

/** Each gets an equal share of the schedules. */
export const families: readonly Family[] = [
  sleepers,
  { name: "anything", faults: anything, count: [2, 5], longestPause: 10 },
  { name: "takeovers", faults: takeovers, count: [1, 4], longestPause: 12 },
  // In pairs: a trap, and what leads a node into it.
  {
    name: "takeovers with traps",
    faults: [trapAnywhere, trapAnywhere, promotionLies, ...takeovers],
    count: [2, 6],
    longestPause: 6,
  },
  {
    name: "two vacancies in a row",
    first: [[successorLost]],
    faults: [successorLost, ...takeovers],
    count: [0, 2],
    longestPause: 10,
  },
  {
    name: "in place",
    faults: [
      mariadbdKilled,
      managerKilled,
      managerKilled,
      allNodesLost,
      powerLost,
      mariadbdHangs,
      mariadbdHangsForGood,
      failingStart,
    ],
    count: [1, 4],
    longestPause: 8,
  },
  {
    name: "orderly",
    faults: [...orderlyFaults, podDeleted, podDeleted, switchoverAsked, switchoverAsked, ...bucketFaults, trapAnywhere],
    count: [2, 4],
    longestPause: 8,
  },
  {
    name: "compaction and definitions",
    faults: [
      tableMade,
      tableMade,
      tableMade,
      tableRenamed,
      tableRenamed,
      tableAltered,
      tableAltered,
      tableDropped,
      switchoverAsked,
      nodeAndDiskLost,
      nodeLost,
      podDeleted,
      nodeFrozen,
      mariadbdKilled,
    ],
    count: [3, 8],
    longestPause: 5,
  },
  {
    name: "partitions",
    first: [[cutFromAll, managerLoopHangs, nodeFrozen, ...networkFaults]],
    faults: [...networkFaults, ...networkFaults, cutFromApi, nodeFrozen, managerLoopHangs, mariadbdKilled, nodeLost],
    count: [0, 3],
    longestPause: 8,
  },
  {
    name: "a promotion that dies beside a follower that lags",
    first: [[trapAnywhere]],
    faults: [followersLag, nodeLost, podDeletedByForce, podDeleted, trapAnywhere],
    count: [0, 2],
    longestPause: 12,
  },
  {
    name: "the bucket away, and then a node",
    first: [
      [bucketDown, bucketFrozen, cutFromBucket],
      [nodeAndDiskLost, nodeLost, podDeleted, mariadbdKilled],
    ],
    faults: [bucketDown, cutFromBucket, nodeAndDiskLost, podDeleted],
    count: [0, 2],
    longestPause: 16,
  },
  {
    name: "in place while the bucket is in trouble",
    first: [[bucketSlow, bucketRefuses, bucketLosesAnswers, bucketFailsAfterEffect, bucketFrozen]],
    faults: [mariadbdKilled, mariadbdKilled, managerKilled, mariadbdHangs, bucketLosesAnswers],
    count: [1, 3],
    longestPause: 4,
  },
  {
    name: "leaving while the bucket is in trouble",
    first: [
      [bucketDown, bucketSlow, bucketRefuses, bucketFrozen, cutFromBucket],
      [podDeleted, podDeleted, rollingRestart],
    ],
    faults: [...orderlyFaults, ...wholeBucketFaults, trapAnywhere],
    count: [0, 2],
    longestPause: 4,
  },
  {
    name: "a volume that hangs",
    first: [[volumeHangsForLong]],
    faults: [volumeHangs, volumeHangsUnseen, mariadbdKilled, cutFromApi],
    count: [0, 1],
    longestPause: 30,
  },
  {
    name: "a volume that hangs in a takeover",
    first: [[hangsInTransition], [mariadbdKilled, nodeLost, podDeleted]],
    faults: [hangsInTransition, mariadbdKilled, volumeHangsUnseen],
    count: [0, 2],
    longestPause: 15,
  },
  {
    name: "operators",
    faults: [leaseDeleted, leaseEdited, labelByHand, twoDeletedByForce, ...operatorFaults, nodeFrozen],
    count: [2, 5],
    longestPause: 6,
  },
  {
    name: "from the start",
    faults: [...apiFaults, ...networkFaults, ...nodeFaults, mariadbdKilled, trapAnywhere, leaseDeleted],
    count: [2, 5],
    longestPause: 4,
    fromTheStart: true,
  },
  {
    name: "a healthy primary",
    faults: [...wholeBucketFaults, ...apiFaultsThatKeepPrimary],
    count: [1, 3],
    longestPause: 8,
    keepsPrimary: true,
  },
  { name: "disks lost in peace", faults: [nodeAndDiskLost], count: [2, 5], longestPause: 12 },
  { name: "traps", faults: [trapAnywhere, trapAnywhere, ...deaths, ...engineFaults], count: [3, 8], longestPause: 5 },
];

/** The family of a seed's schedule. */
export function familyOf(seed: number): Family {
  return families[seed % families.length]!;
}

/** Durations and margins of Leases that are accepted, the default among them more often. Seconds. */
const leases = [
  { leaseDurationSeconds: 4, leaseMarginSeconds: 0.5 },
  { leaseDurationSeconds: 4, leaseMarginSeconds: 0.5 },
  { leaseDurationSeconds: 3, leaseMarginSeconds: 0.3 },
  { leaseDurationSeconds: 6, leaseMarginSeconds: 1 },
  { leaseDurationSeconds: 10, leaseMarginSeconds: 0.5 },
];

/** What a user may have chosen, whatever the family: in most schedules the defaults, but for the durability. */
export function drawConfiguration(random: Random): Partial<ManagerConfiguration> {
  const durability = random.chance(0.4) ? "commit" : "interval";
  if (random.chance(0.6)) return { durability };
  const drawn: Partial<ManagerConfiguration> = {
    durability,
    nodes: random.pick([1, 2, 3, 3, 3, 3, 3, 4, 5]),
    ...random.pick(leases),
    failoverPreference: random.chance(0.25) ? "durability" : "availability",
    resumeWithinSeconds: random.pick([5, 10, 20]),
    onObjectStoreOutage: random.chance(0.2) ? "continue" : "stopWrites",
    maxDataLossSeconds: random.pick([2, 5, 5]),
  };
  return durability === "commit" ? { ...drawn, onObjectStoreOutage: "stopWrites" } : drawn;
}

/** Tables that the application writes to. */
export function drawTables(random: Random): number {
  return random.pick([1, 1, 1, 2, 4]);
}
