import { api, bucket, Place } from "../network";
import { Random } from "../random";
import type { World } from "../world";
import { Fault, victim } from "./fault";

/** Messages on these links vanish. */
export function cutLinks(world: World, links: string[], seconds: number): void {
  for (const link of links) world.network.cut.add(link);
  world.heal(seconds, () => {
    for (const link of links) world.network.cut.delete(link);
  });
}

/** Both ways or one. */
function between(random: Random, a: Place, b: Place): string[] {
  const links = [`${a}>${b}`, `${b}>${a}`];
  return random.chance(0.5) ? links : [random.pick(links)];
}

export const cutFromApi: Fault = {
  name: "a node cut from the API server",
  inject(world, random) {
    const { pod } = victim(world, random);
    const seconds = random.between(1, 12);
    world.promises.mayDepart(pod, seconds);
    cutLinks(world, between(random, pod, api), seconds);
  },
};

export const cutFromBucket: Fault = {
  name: "a node cut from the bucket",
  inject(world, random) {
    const { pod } = victim(world, random);
    const seconds = random.between(1, 12);
    world.promises.isCutOffFromBucket(pod, seconds);
    cutLinks(world, between(random, pod, bucket), seconds);
  },
};

export const cutFromPeers: Fault = {
  name: "two nodes cut from each other",
  inject(world, random) {
    const { pod } = victim(world, random);
    const others = world.nodes.filter(node => node.pod !== pod);
    if (others.length === 0) return;
    const other = random.pick(others);
    cutLinks(world, between(random, pod, other.pod), random.between(1, 12));
  },
};

export const cutFromAll: Fault = {
  name: "a node cut from everything",
  inject(world, random) {
    const { pod } = victim(world, random);
    const seconds = random.between(1, 12);
    world.promises.mayDepart(pod, seconds);
    world.promises.isCutOffFromBucket(pod, seconds);
    const others = world.nodes.filter(node => node.pod !== pod).map(node => node.pod);
    const links = [api, bucket, ...others].flatMap(place => [`${pod}>${place}`, `${place}>${pod}`]);
    cutLinks(world, links, seconds);
  },
};

/** What the primary writes meanwhile is in the bucket, and they have not read it. */
export const followersLag: Fault = {
  name: "followers cut from the bucket",
  inject(world, random) {
    const seconds = random.between(2, 15);
    const followers = world.nodes.filter(node => node !== world.writer()).map(({ pod }) => pod);
    if (followers.length === 0) return;
    const cut = random.chance(0.6) ? followers : [random.pick(followers)];
    cutLinks(
      world,
      cut.flatMap(pod => between(random, pod, bucket)),
      seconds,
    );
  },
};

export const networkFaults = [cutFromApi, cutFromBucket, cutFromPeers, cutFromAll];
