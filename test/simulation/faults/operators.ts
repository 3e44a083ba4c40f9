import type { Client, MadeTable } from "../client";
import type { SimulatedNode } from "../node";
import { Random } from "../random";
import type { World } from "../world";
import { comesBack, Fault, victim, whenGone } from "./fault";

/** A pod is killed when it has not ended by then. Seconds. */
const gracePeriod = 120;
/** The API server believes a token that it has seen before for so long without looking. Milliseconds. */
const tokenCache = 10_000;
/** The kubelet kills a pod that it cannot find any more after this, of which a busy machine leaves little, and starts its successor within so long. Seconds. */
const killedAfter = 2;
const slowestReturn = 8;

function deleteInOrder(world: World, node: SimulatedNode, then: () => void): void {
  world.kubernetes.leaving.add(node.pod);
  node.manager?.requestStop();
  whenGone(world, node, gracePeriod, then);
}

/** Nothing may be lost. */
export const podDeleted: Fault = {
  name: "pod deleted",
  inject(world, random) {
    const node = victim(world, random);
    deleteInOrder(world, node, () => comesBack(world, node, 1));
  },
};

/** Somebody is in a hurry, or the machine is. Nothing may be lost. */
export const podDeletedWithShortGrace: Fault = {
  name: "pod deleted with a short grace period",
  inject(world, random) {
    const node = victim(world, random);
    const seconds = random.between(3, 8);
    world.kubernetes.graces.set(node.pod, seconds);
    world.kubernetes.leaving.add(node.pod);
    node.manager?.requestStop();
    whenGone(world, node, seconds, () => {
      world.kubernetes.graces.delete(node.pod);
      comesBack(world, node, 1);
    });
  },
};

/** Nothing may be lost: the pod is killed after two seconds, whatever it does, and made anew on the same volume. */
function deleteByForce(world: World, random: Random, node: SimulatedNode): void {
  world.kubernetes.forget(node.pod, node.process, String(world.nextSerial()), random.between(0, tokenCache));
  node.manager?.requestStop();
  const { process } = node;
  const back = random.between(1, slowestReturn);
  world.heal(random.between(0.1, killedAfter), () => {
    if (node.process !== process) return;
    node.vanish();
    comesBack(world, node, back);
  });
}

export const podDeletedByForce: Fault = {
  name: "pod deleted by force",
  inject: (world, random) => deleteByForce(world, random, victim(world, random)),
};

export const twoDeletedByForce: Fault = {
  name: "two pods deleted by force",
  inject(world, random) {
    const spared = random.pick(world.nodes);
    for (const node of world.nodes) if (node !== spared) deleteByForce(world, random, node);
  },
};

/** As a StatefulSet does it: from the highest ordinal down, each when the one before is ready; what somebody else has replaced meanwhile is left alone. Nothing may be lost. */
function rollOut(world: World, revision: string): void {
  const { kubernetes } = world;
  kubernetes.revision = revision;
  const remake = (node: SimulatedNode) => {
    kubernetes.revisions.set(node.pod, revision);
    comesBack(world, node, 1);
  };
  kubernetes.onDelete = pod => {
    const node = world.nodes.find(other => other.pod === pod);
    if (node) deleteInOrder(world, node, () => remake(node));
  };
  const next = ([node, ...rest]: SimulatedNode[]): void => {
    if (!node || kubernetes.revision !== revision) return;
    if (kubernetes.revisions.get(node.pod) === revision) return next(rest);
    deleteInOrder(world, node, () => {
      remake(node);
      const started = world.time.now;
      const look = (): void => {
        const settled = node.manager?.ready() === true && node.alive;
        if (settled || world.time.now - started > 20_000) next(rest);
        else world.heal(0.5, look);
      };
      world.heal(1.5, look);
    });
  };
  next([...world.nodes].reverse());
}

export const rollingRestart: Fault = {
  name: "rolling restart",
  inject: world => rollOut(world, `revision-${world.nextSerial()}`),
};

export const brokenImage: Fault = {
  name: "an image that does not start is rolled out, and back",
  inject(world, random) {
    const until = world.time.now + random.between(5, 15) * 1000;
    world.heal((until - world.time.now) / 1000, () => undefined);
    // A rollout does not go on beyond a pod that is not ready.
    const node = world.nodes.at(-1)!;
    deleteInOrder(world, node, () => {
      world.promises.mayDepart(node.pod, (until - world.time.now) / 1000);
      node.brokenUntil = until;
      comesBack(world, node, 1);
    });
  },
};

export const restartAll: Fault = {
  name: "all pods deleted at once, in order",
  inject(world) {
    for (const node of world.nodes) deleteInOrder(world, node, () => comesBack(world, node, 1));
  },
};

export const scaledToOne: Fault = {
  name: "scaled to one, and back",
  inject(world, random) {
    const seconds = random.between(3, 10);
    for (const node of world.nodes.slice(1).reverse()) {
      deleteInOrder(world, node, () => comesBack(world, node, seconds));
    }
  },
};

export const leaseDeleted: Fault = {
  name: "the Lease deleted",
  inject: world => world.kubernetes.edit(() => undefined),
};

export const leaseEdited: Fault = {
  name: "the Lease edited by hand",
  inject(world, random) {
    // The writer may lose the Lease over it, and another be the first to take it.
    world.promises.mayDepart(undefined, 6);
    const other = random.pick(world.nodes);
    const kind = random.below(4);
    world.kubernetes.edit(lease => {
      if (kind === 0) return { ...lease, holder: "", releasedEpoch: undefined };
      if (kind === 1) return { ...lease, holder: "somebody" };
      if (kind === 2) return { ...lease, holder: `${other.pod}_${other.uid}` };
      return { ...lease, epoch: Math.max(0, lease.epoch + random.below(7) - 3) };
    });
  },
};

export const labelByHand: Fault = {
  name: "a label put on by hand",
  inject(world, random) {
    const node = random.pick(world.nodes);
    if (!world.kubernetes.roles.has(node.pod)) return;
    world.kubernetes.roles.set(node.pod, random.pick(["primary", "replica", "none"] as const));
    world.kubernetes.read.delete(node.pod);
  },
};

/** Somebody runs DDL: not a fault, but what a promotion may lose. */
export const tableMade: Fault = {
  name: "a table made",
  inject(world, _random, client) {
    client.createTable(`table_${world.nextSerial()}`).catch(() => undefined);
  },
};

/** Does something with a table that was made before. */
function toTable(name: string, what: (client: Client, made: MadeTable, world: World) => Promise<void>): Fault {
  return {
    name,
    inject(world, random, client) {
      if (client.tables.length > 0) what(client, random.pick(client.tables), world).catch(() => undefined);
    },
  };
}

export const tableDropped = toTable("a table dropped", (client, made) => client.dropTable(made));
export const tableRenamed = toTable("a table renamed", (client, made, world) =>
  client.renameTable(made, `table_${world.nextSerial()}`),
);
export const tableAltered = toTable("a table altered", (client, made) => client.alterTable(made));

/** Nothing may be lost, and the request must not stay. */
export const switchoverAsked: Fault = {
  name: "a switchover asked for",
  inject(world, random) {
    const writer = world.writer();
    if (!writer) return;
    const to = random.pick(["any", ...world.nodes.map(({ pod }) => pod)]);
    world.say(`a person asks ${writer.pod} to hand over to ${to}`);
    world.kubernetes.requests.set(writer.pod, { switchover: to });
  },
};

export const orderlyFaults = [podDeleted, podDeletedWithShortGrace, rollingRestart, scaledToOne, restartAll];

export const operatorFaults = [
  ...orderlyFaults,
  podDeletedByForce,
  twoDeletedByForce,
  brokenImage,
  leaseDeleted,
  leaseEdited,
  labelByHand,
  tableMade,
  tableRenamed,
  tableAltered,
  tableDropped,
  switchoverAsked,
];
