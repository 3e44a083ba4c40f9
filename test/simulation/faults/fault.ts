import type { Client } from "../client";
import type { SimulatedNode } from "../node";
import { Random } from "../random";
import type { World } from "../world";

/** Something that goes wrong, and heals by itself. */
export interface Fault {
  name: string;
  inject: (world: World, random: Random, client: Client) => void;
}

/** Mostly the primary: faults of replicas are less interesting. */
export function victim(world: World, random: Random): SimulatedNode {
  return (random.chance(0.7) && world.writer()) || random.pick(world.nodes);
}

/** The pod is made anew on its node after a while, unless another fault has done it meanwhile. */
export function comesBack(world: World, node: SimulatedNode, afterSeconds: number): void {
  const { process } = node;
  world.heal(afterSeconds, () => {
    if (node.process === process && !node.alive) world.startPod(node);
  });
}

/** Runs `what` when the pod has ended in order. After its grace period it is killed. */
export function whenGone(world: World, node: SimulatedNode, graceSeconds: number, what: () => void): void {
  const { process } = node;
  const from = world.time.now;
  const look = () => {
    if (node.process !== process) return;
    if (node.alive && world.time.now - from < graceSeconds * 1000) return world.heal(0.5, look);
    if (node.alive) {
      world.promises.mayDepart(node.pod, 10);
      node.vanish();
    }
    what();
  };
  look();
}
