import type { SimulatedNode } from "../node";
import { Random } from "../random";
import type { World } from "../world";
import { comesBack, Fault, victim } from "./fault";

/** Longer than a takeover takes. Milliseconds. */
const mostUntilSuccessor = 20_000;
/** For so long the kubelet lets a container wait that has ended twice. Seconds. */
const kubeletBackOff = 11;

/** A machine goes down, and comes back after a while. Where it was its power, what was not synced may be gone. */
export function loseNode(world: World, random: Random, node: SimulatedNode, diskToo: boolean): void {
  const seconds = random.between(1, 12);
  world.promises.mayDepart(node.pod, seconds);
  if (random.chance(0.5)) node.losePower(random);
  else node.vanish();
  if (diskToo) node.loseDisk();
  comesBack(world, node, seconds);
}

export const nodeLost: Fault = {
  name: "node lost, disk kept",
  inject: (world, random) => loseNode(world, random, victim(world, random), false),
};
export const nodeAndDiskLost: Fault = {
  name: "node and disk lost",
  inject: (world, random) => loseNode(world, random, victim(world, random), true),
};

export const nodeFrozen: Fault = {
  name: "node frozen and thawed",
  inject(world, random) {
    const node = victim(world, random);
    const { process } = node;
    const seconds = random.chance(0.3) ? random.between(0.5, 4) : random.between(4, 12);
    world.promises.mayDepart(node.pod, seconds);
    node.freeze();
    world.heal(seconds, () => {
      if (node.process === process) node.thaw();
    });
  },
};

/** A follower sleeps while what it would read next is deleted; what wakes up is behind the horizon, and may be the only candidate. */
export const followerSleeps: Fault = {
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

export const twoNodesLost: Fault = {
  name: "two nodes lost, disks kept",
  inject(world, random) {
    const first = victim(world, random);
    const others = world.nodes.filter(other => other !== first);
    const second = others.length > 0 ? [random.pick(others)] : [];
    for (const node of [first, ...second]) loseNode(world, random, node, false);
  },
};

/** Nothing may be lost: no follower is left, so the last primary's volume is waited for. */
export const allNodesLost: Fault = {
  name: "all pods lost, disks kept",
  inject(world, random) {
    for (const node of world.nodes) {
      node.vanish();
      comesBack(world, node, random.between(1, 8));
    }
  },
};

/** Nothing may be lost: each commit was synced before it was acknowledged. */
export const powerLost: Fault = {
  name: "power lost everywhere",
  inject(world, random) {
    for (const node of world.nodes) {
      node.losePower(random);
      comesBack(world, node, random.between(1, 8));
    }
  },
};

/** Two vacancies in a row: who has taken over is lost as soon as it writes. */
export const successorLost: Fault = {
  name: "the primary lost, and its successor",
  inject(world, random) {
    const first = world.writer() ?? victim(world, random);
    const [diskToo, after] = [random.chance(0.5), random.between(0, 1)];
    loseNode(world, random, first, diskToo);
    const until = world.time.now + mostUntilSuccessor;
    const look = () => {
      const next = world.writer();
      if (next) world.heal(after, () => world.writer() === next && loseNode(world, random, next, random.chance(0.5)));
      else if (world.time.now < until) world.heal(0.05, look);
    };
    look();
  },
};

/** Nothing may be lost: the same pod is back before its lease ends, or, where the kubelet makes it wait, it is waited for. */
export const managerKilled: Fault = {
  name: "manager killed, container restarted in place",
  inject(world, random) {
    const node = victim(world, random);
    const { uid } = node;
    node.vanish();
    world.kubernetes.ended.add(node.pod);
    const { process } = node;
    const seconds = random.chance(0.5) ? random.between(3, kubeletBackOff) : random.between(0.3, 1.5);
    world.heal(seconds, () => {
      if (node.process === process && !node.alive) node.start(uid);
    });
  },
};

export const managerLoopHangs: Fault = {
  name: "the manager's loop hangs",
  inject(world, random) {
    const node = victim(world, random);
    const { process } = node;
    const seconds = random.between(2, 12);
    world.promises.mayDepart(node.pod, seconds);
    node.blockLoop();
    world.heal(seconds, () => {
      if (node.process === process) node.thaw();
    });
  },
};

export const wallClockJumps: Fault = {
  name: "a wall clock jumps",
  inject(world, random) {
    victim(world, random).wallClockOffset += random.between(-1, 1) * 24 * 3600 * 1000;
  },
};

/** Its disk answers nobody for a while: mariadbd hangs and cannot be killed, and what the manager reads of the volume does not come. */
export const volumeHangs: Fault = {
  name: "a volume hangs",
  inject(world, random) {
    const node = victim(world, random);
    const seconds = random.between(0.5, 20);
    world.promises.mayDepart(node.pod, seconds);
    node.hangVolume();
    world.heal(seconds, () => node.recoverVolume());
  },
};

/** The same, and mariadbd answers all that does not touch it: nothing else tells that no write ends. */
export const volumeHangsUnseen: Fault = {
  name: "a volume hangs under an engine that answers",
  inject(world, random) {
    const node = victim(world, random);
    const seconds = random.between(0.5, 30);
    world.promises.mayDepart(node.pod, seconds);
    node.hangVolume(true);
    world.heal(seconds, () => node.recoverVolume());
  },
};

/** Longer than writes may be away: another node takes over meanwhile, where there is one, so it does not count as a fault that has to heal first. */
export const volumeHangsForLong: Fault = {
  name: "the primary's volume hangs for long",
  inject(world, random) {
    const node = world.writer() ?? victim(world, random);
    const seconds = random.between(65, 80);
    world.promises.mayDepart(node.pod, seconds);
    node.hangVolume();
    const recover = () => node.recoverVolume();
    // Of two nodes the other may be the next fault's: then nobody is left but this one.
    if (world.nodes.length <= 2) world.heal(seconds, recover);
    else world.time.after(seconds * 1000, recover);
  },
};

export const nodeFaults = [
  nodeLost,
  nodeAndDiskLost,
  nodeFrozen,
  twoNodesLost,
  allNodesLost,
  powerLost,
  successorLost,
  managerKilled,
  managerLoopHangs,
  volumeHangs,
  volumeHangsUnseen,
  wallClockJumps,
];
