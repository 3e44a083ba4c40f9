import { bucket, Misbehaviour } from "../network";
import { Random } from "../random";
import { Fault } from "./fault";

function bucketFault(name: string, longestSeconds: number, how: (random: Random) => Misbehaviour): Fault {
  return {
    name,
    inject(world, random) {
      const seconds = random.between(1, longestSeconds);
      world.promises.isCutOffFromBucket(undefined, seconds);
      const misbehaviour = how(random);
      world.heal(seconds, world.network.misbehave(bucket, misbehaviour));
    },
  };
}

export const bucketDown: Fault = {
  name: "the bucket down",
  inject(world, random) {
    const seconds = random.between(1, 12);
    world.promises.isCutOffFromBucket(undefined, seconds);
    world.network.down.add(bucket);
    world.heal(seconds, () => world.network.down.delete(bucket));
  },
};
export const bucketSlow = bucketFault("the bucket slow", 12, random => ({ slowBy: random.between(20, 200) }));
export const bucketLosesAnswers = bucketFault("the bucket loses answers", 8, random => ({
  losesAnswers: random.between(0.02, 0.3),
}));
export const bucketRefuses = bucketFault("the bucket answers 503 now and then", 8, random => ({
  refuses: random.between(0.05, 0.6),
}));
export const bucketFailsAfterEffect = bucketFault("the bucket answers 500 after the effect", 8, random => ({
  failsAfterEffect: random.between(0.02, 0.4),
}));

export const bucketFrozen: Fault = {
  name: "the bucket frozen",
  inject(world, random) {
    const seconds = random.between(1, 10);
    world.promises.isCutOffFromBucket(undefined, seconds);
    world.network.freeze(bucket);
    world.heal(seconds, () => world.network.thaw(bucket));
  },
};

/** Those that leave no doubt of whether the bucket answers. */
export const wholeBucketFaults = [bucketDown, bucketSlow, bucketFrozen];

export const bucketFaults = [...wholeBucketFaults, bucketLosesAnswers, bucketRefuses, bucketFailsAfterEffect];
