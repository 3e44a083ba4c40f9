import { handoverSteps, PromotionStep, promotionSteps } from "../../../components/manager/steps";
import type { SimulatedNode } from "../node";
import { api, bucket } from "../network";
import { Random } from "../random";
import type { World } from "../world";
import { Fault, victim } from "./fault";
import { cutLinks } from "./network";
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

/** Something happens in the middle of the next promotion or handover, at a step of it that is drawn. */
export const trapAtStep: Fault = {
  name: "a trap in the next promotion or handover",
  inject(world, random) {
    const what = random.pick(Object.keys(springs));
    const step = random.chance(0.7) ? random.pick(promotionSteps) : random.pick(handoverSteps);
    const phase = random.chance(0.5) ? "before" : "after";
    world.say(`a trap is laid at ${step}, ${phase} a call's effect: ${what}`);
    world.trap = { step, phase, node: undefined, spring: node => springs[what]?.(world, node, random) };
  },
};

/** Between the engine's own epoch and the flush: what is in the WAL then bears an epoch that engines pass over. */
const untilFlushed: readonly PromotionStep[] = ["checkEngineEpoch", "trialWrite", "flush"];

/** One follower lags, the primary is lost, and the other follower dies in the middle of its promotion: the one that lags is all that is left for a while. */
export const promotionDiesBesideLaggard: Fault = {
  name: "a promotion dies beside a follower that lags",
  inject(world, random) {
    const writer = world.writer();
    const others = world.nodes.filter(node => node !== writer);
    if (others.length < 2) return;
    const laggard = random.pick(others);
    const candidate = others.find(node => node !== laggard);
    if (!writer || !candidate) return;
    const what = random.pick(["the node dies", "the node dies with its disk", "the node freezes"]);
    const step = random.pick(untilFlushed);
    // Until after the other was promoted.
    const until = random.between(6, 12);
    cutLinks(world, [`${laggard.pod}>${bucket}`, `${bucket}>${laggard.pod}`], until);
    world.trap = { step, phase: "after", node: candidate, spring: node => springs[what]?.(world, node, random) };
    world.heal(random.between(1, 2), () => loseNode(world, random, writer, true));
  },
};

export const engineFaults = [
  mariadbdKilled,
  mariadbdHangs,
  mariadbdHangsForGood,
  slowStart,
  failingStart,
  promotionLies,
  trapAtStep,
];
