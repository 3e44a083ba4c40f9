import { api, Misbehaviour } from "../network";
import { Random } from "../random";
import type { World } from "../world";
import { Fault } from "./fault";

function apiFault(name: string, how: (random: Random) => Misbehaviour): Fault {
  return {
    name,
    inject(world, random) {
      const seconds = random.between(1, 12);
      world.heal(seconds, world.network.misbehave(api, how(random)));
    },
  };
}

export const apiDown: Fault = {
  name: "API server down",
  inject(world, random) {
    const seconds = random.between(1, 12);
    world.network.down.add(api);
    world.heal(seconds, () => world.network.down.delete(api));
  },
};
export const apiSlow = apiFault("API server slow", random => ({ slowBy: random.between(50, 400) }));
export const apiThrottles = apiFault("API server throttles", random => ({ refuses: random.between(0.3, 1) }));
export const apiLosesAnswers = apiFault("API server loses answers", random => ({
  losesAnswers: random.between(0.1, 0.7),
}));
export const apiFailsAfterEffect = apiFault("API server answers 500 after the effect", random => ({
  failsAfterEffect: random.between(0.1, 0.7),
}));

export const apiFrozen: Fault = {
  name: "API server frozen",
  inject(world, random) {
    const seconds = random.between(1, 12);
    world.network.freeze(api);
    world.heal(seconds, () => world.network.thaw(api));
  },
};

/** @param longest so long a lag at most. Milliseconds */
function stale(longest: (world: World) => number): Fault {
  return {
    name: "API server reads from a cache that lags",
    inject(world, random) {
      const seconds = random.between(2, 12);
      world.kubernetes.staleByMilliseconds = random.between(100, longest(world));
      world.heal(seconds, () => (world.kubernetes.staleByMilliseconds = 0));
    },
  };
}

const apiStale = stale(() => 6000);
/** Less than a duration of the Lease: by a longer lag each renewal is unseen when the Lease runs out for whoever reads it. Its attempt to take it is refused, but with the answer lost it confirms nobody for a while. */
const apiStaleWithinLease = stale(world => 800 * world.configuration.leaseDurationSeconds);

const otherApiFaults = [apiDown, apiFrozen, apiSlow, apiThrottles, apiLosesAnswers, apiFailsAfterEffect];
export const apiFaults = [...otherApiFaults, apiStale];
/** Through these, together too, a healthy primary is kept. */
export const apiFaultsThatKeepPrimary = [...otherApiFaults, apiStaleWithinLease];
