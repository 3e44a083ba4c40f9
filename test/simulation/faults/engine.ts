import type { SimulatedNode } from "../node";
import { api, bucket } from "../network";
import { Random } from "../random";
import type { World } from "../world";
import { Fault, victim } from "./fault";
import { loseNode } from "./nodes";

/** Nothing may be lost: it is started again on its own volume, under its own lease. */
export const mariadbdKilled: Fault = {
  name: "mariadbd killed",
  inject: (world, random) => victim(world, random).server?.kill(),
};

export const mariadbdHangs: Fault = {
  name: "mariadbd hangs",
  inject(world, random) {
    const node = victim(world, random);
    const { server, pod } = node;
    const process = server?.process;
    const seconds = random.between(0.5, 10);
    world.promises.mayDepart(pod, seconds);
    server?.freeze();
    world.heal(seconds, () => {
      // On a machine that is frozen it goes on when that does.
      if (server?.process === process && !node.isFrozen) server?.thaw();
    });
  },
};

/** It is never thawed: only its manager can end it. Nothing may be lost. One that hangs while it starts is waited for much longer, as it may be reading a large bucket. */
export const mariadbdHangsForGood: Fault = {
  name: "mariadbd hangs for good",
  inject(world, random) {
    const { server } = victim(world, random);
    if (server?.answers) server.freeze();
  },
};

export const slowStart: Fault = {
  name: "mariadbd killed, and slow to start",
  inject(world, random) {
    const node = victim(world, random);
    const seconds = random.between(1, 8);
    world.promises.mayDepart(node.pod, seconds);
    node.slowStart = seconds * 1000;
    world.heal(seconds + 2, () => (node.slowStart = 0));
    node.server?.kill();
  },
};

export const failingStart: Fault = {
  name: "mariadbd killed, and does not start for a while",
  inject(world, random) {
    const node = victim(world, random);
    const seconds = random.between(1, 10);
    world.promises.mayDepart(node.pod, seconds);
    node.brokenUntil = world.time.now + seconds * 1000;
    world.heal(seconds, () => undefined);
    node.server?.kill();
  },
};

export const promotionLies: Fault = {
  name: "the next promotion says OK and does nothing",
  inject(world) {
    for (const { server } of world.nodes) if (server) server.lies = true;
  },
};

/** What happens to the node that falls into a trap. */
export const springs: Record<string, (world: World, node: SimulatedNode, random: Random) => void> = {
  "mariadbd dies": (_world, node) => node.server?.kill(),
  "its container dies"(world, node, random) {
    const { uid } = node;
    world.promises.mayDepart(node.pod, 3);
    node.vanish();
    const { process } = node;
    world.heal(random.between(0.3, 1.5), () => {
      if (node.process === process && !node.alive) node.start(uid);
    });
  },
  "the node dies": (world, node, random) => loseNode(world, random, node, false),
  "the node dies with its disk": (world, node, random) => loseNode(world, random, node, true),
  "the node freezes"(world, node, random) {
    const { process } = node;
    const seconds = random.between(1, 12);
    world.promises.mayDepart(node.pod, seconds);
    node.freeze();
    world.heal(seconds, () => {
      if (node.process === process) node.thaw();
    });
  },
  "its volume hangs"(world, node, random) {
    // For so long that it may be waited for, or that another node is to take over.
    const seconds = random.chance(0.5) ? random.between(0.5, 9) : random.between(12, 30);
    world.promises.mayDepart(node.pod, seconds);
    node.hangVolume();
    world.heal(seconds, () => node.recoverVolume());
  },
  "the API server goes away"(world, _node, random) {
    const seconds = random.between(1, 8);
    world.promises.mayDepart(undefined, seconds);
    world.network.down.add(api);
    world.heal(seconds, () => world.network.down.delete(api));
  },
  "the bucket goes away"(world, node, random) {
    const seconds = random.between(1, 8);
    world.promises.isCutOffFromBucket(undefined, seconds);
    world.promises.mayDepart(node.pod, seconds);
    world.network.down.add(bucket);
    world.heal(seconds, () => world.network.down.delete(bucket));
  },
};

/** Something happens in the middle of the next takeover or handover: at any of its calls to the bucket and changes of the volume. */
export const trapAnywhere: Fault = {
  name: "a trap in the next takeover or handover",
  inject(world, random) {
    const what = random.pick(Object.keys(springs));
    const left = 1 + random.below(random.pick([3, 10, 40]));
    world.say(`a trap is laid at call ${left}: ${what}`);
    world.trap = { left, spring: node => springs[what]?.(world, node, random) };
  },
};

/** The volume hangs in the middle of the next takeover or handover. */
export const hangsInTransition: Fault = {
  name: "the volume hangs in the next takeover or handover",
  inject(world, random) {
    const left = 1 + random.below(random.pick([3, 10, 40]));
    world.say(`its volume is to hang at call ${left}`);
    world.trap = { left, spring: node => springs["its volume hangs"]?.(world, node, random) };
  },
};

export const engineFaults = [
  mariadbdKilled,
  mariadbdHangs,
  mariadbdHangsForGood,
  slowStart,
  failingStart,
  promotionLies,
  trapAnywhere,
];
