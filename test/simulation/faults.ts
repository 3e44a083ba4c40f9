import { api, bucket } from "./network";
import { SimulatedNode } from "./node";
import { Random } from "./random";
import type { World } from "./world";

/** Something that goes wrong, and heals. `mayLose`: rows that a node acknowledged shortly before may be gone in `interval` mode, since that node may not come back in time with its disk. */
export interface Fault {
  name: string;
  mayLose: boolean;
  inject: (world: World, random: Random) => void;
}

const seconds = (world: World, after: number, run: () => void) => world.time.after(after * 1000, run);
const anyNode = (world: World, random: Random) => random.pick(world.nodes);
/** Mostly the primary: faults of replicas are less interesting. */
const victim = (world: World, random: Random) =>
  random.chance(0.7) ? (world.writer() ?? anyNode(world, random)) : anyNode(world, random);

function restartPod(world: World, node: SimulatedNode, after: number): void {
  const process = node.process;
  seconds(world, after, () => {
    // Another fault may have started it meanwhile.
    if (node.process === process && !node.alive) world.startPod(node);
  });
}

function cut(world: World, links: string[], forSeconds: number): void {
  for (const link of links) world.network.cut.add(link);
  seconds(world, forSeconds, () => {
    for (const link of links) world.network.cut.delete(link);
  });
}

const bothWays = (a: string, b: string) => [`${a}>${b}`, `${b}>${a}`];

export const faults: Fault[] = [
  {
    name: "mariadbd killed",
    mayLose: false,
    inject: (world, random) => victim(world, random).server?.kill(),
  },
  {
    name: "manager killed, container restarted in place",
    mayLose: false,
    inject(world, random) {
      const node = victim(world, random);
      const { uid } = node;
      node.vanish();
      const process = node.process;
      seconds(world, random.between(0.5, 3), () => {
        if (node.process === process && !node.alive) node.start(uid);
      });
    },
  },
  {
    name: "pod deleted",
    mayLose: false,
    inject(world, random) {
      const node = victim(world, random);
      const process = node.process;
      node.manager?.requestStop();
      const gone = () => {
        if (node.process !== process) return;
        if (node.alive) seconds(world, 1, gone);
        else restartPod(world, node, 1);
      };
      gone();
    },
  },
  {
    name: "pod deleted by force",
    mayLose: true,
    inject(world, random) {
      const node = victim(world, random);
      const process = node.process;
      node.manager?.requestStop();
      seconds(world, 2, () => {
        if (node.process !== process) return;
        node.vanish();
        restartPod(world, node, 1);
      });
    },
  },
  {
    name: "node lost, disk kept",
    mayLose: true,
    inject(world, random) {
      const node = victim(world, random);
      node.vanish();
      restartPod(world, node, random.between(1, 20));
    },
  },
  {
    name: "node and disk lost",
    mayLose: true,
    inject(world, random) {
      const node = victim(world, random);
      node.vanish();
      node.loseDisk();
      restartPod(world, node, random.between(1, 20));
    },
  },
  {
    name: "node frozen and thawed",
    mayLose: true,
    inject(world, random) {
      const node = victim(world, random);
      const process = node.process;
      node.freeze();
      seconds(world, random.between(0.5, 20), () => {
        if (node.process === process) node.thaw();
      });
    },
  },
  {
    name: "two nodes lost, disks kept",
    mayLose: true,
    inject(world, random) {
      const first = victim(world, random);
      const others = world.nodes.filter(node => node !== first);
      for (const node of [first, random.pick(others)]) {
        node.vanish();
        restartPod(world, node, random.between(1, 15));
      }
    },
  },
  {
    name: "all pods lost, disks kept",
    mayLose: false,
    inject(world, random) {
      for (const node of world.nodes) {
        node.vanish();
        restartPod(world, node, random.between(1, 10));
      }
    },
  },
  {
    name: "API server down",
    mayLose: true,
    inject(world, random) {
      world.network.down.add(api);
      seconds(world, random.between(1, 30), () => world.network.down.delete(api));
    },
  },
  {
    name: "API server frozen",
    mayLose: true,
    inject(world, random) {
      world.network.freeze(api);
      seconds(world, random.between(1, 30), () => world.network.thaw(api));
    },
  },
  {
    name: "API server loses answers",
    mayLose: true,
    inject(world, random) {
      world.network.lossy.set(api, random.between(0.1, 0.7));
      seconds(world, random.between(2, 20), () => world.network.lossy.delete(api));
    },
  },
  {
    name: "a node cut from the API server",
    mayLose: true,
    inject(world, random) {
      const { pod } = victim(world, random);
      cut(
        world,
        random.chance(0.5) ? bothWays(pod, api) : [`${random.chance(0.5) ? `${pod}>${api}` : `${api}>${pod}`}`],
        random.between(1, 20),
      );
    },
  },
  {
    name: "a node cut from the bucket",
    mayLose: true,
    inject(world, random) {
      const { pod } = victim(world, random);
      cut(world, bothWays(pod, bucket), random.between(1, 20));
    },
  },
  {
    name: "a node cut from everything",
    mayLose: true,
    inject(world, random) {
      const { pod } = victim(world, random);
      const others = world.nodes.filter(node => node.pod !== pod).map(node => node.pod);
      cut(
        world,
        [api, bucket, ...others].flatMap(place => bothWays(pod, place)),
        random.between(1, 20),
      );
    },
  },
  {
    name: "the bucket down",
    mayLose: true,
    inject(world, random) {
      world.network.down.add(bucket);
      seconds(world, random.between(1, 20), () => world.network.down.delete(bucket));
    },
  },
  {
    name: "the bucket slow",
    mayLose: true,
    inject(world, random) {
      world.network.slow.set(bucket, random.between(20, 200));
      seconds(world, random.between(2, 20), () => world.network.slow.delete(bucket));
    },
  },
  {
    name: "the bucket loses answers",
    mayLose: true,
    inject(world, random) {
      world.network.lossy.set(bucket, random.between(0.05, 0.4));
      seconds(world, random.between(2, 20), () => world.network.lossy.delete(bucket));
    },
  },
  {
    name: "the Lease deleted",
    mayLose: false,
    inject: world => world.kubernetes.edit(() => undefined),
  },
  {
    name: "the holder edited out of the Lease",
    mayLose: true,
    inject: world => world.kubernetes.edit(lease => ({ ...lease, holder: "", releasedEpoch: undefined })),
  },
];
