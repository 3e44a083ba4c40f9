import assert from "node:assert/strict";
import { MemoryBucket } from "./memoryBucket";
import { events, PlayEvent, playAll } from "./play";
import {
  answersAtOnce,
  forgetsLeftovers,
  showsHalfFlushes,
  retiresAtSeals,
  deletesWhatIsNamed,
  forgetsWhenItWasNamed,
  replace,
  trustsTheWallClock,
} from "./switchedOff";

/** What a play of a mutation may be made of: the more there is of what matters, the sooner it is noticed. */
const most = 60;

interface Mutation {
  rule: string;
  durability: "commit" | "interval";
  /** Of these the plays are made. */
  of?: PlayEvent[];
  /** Switches the rule off. @returns what switches it on again */
  off: () => () => void;
}

const mutations: Mutation[] = [
  {
    rule: "log 2: the bucket gives a number to one",
    durability: "commit",
    of: ["commit", "both", "rival"],
    off: () =>
      replace(
        MemoryBucket.prototype,
        "create",
        () =>
          function (this: MemoryBucket, key: string, content: Uint8Array) {
            this.objects.set(key, Buffer.from(content));
            return Promise.resolve("created");
          },
      ),
  },
  {
    rule: "acknowledging 1: a commit is answered when the log has it",
    durability: "commit",
    of: ["commit", "both", "drop", "take over"],
    off: answersAtOnce,
  },
  {
    rule: "acknowledging 5: what a killed engine has on its disk goes into the log",
    durability: "interval",
    of: ["commit", "both", "kill"],
    off: forgetsLeftovers,
  },
  {
    rule: "flushes 1: a flush is shown as a whole",
    durability: "commit",
    of: ["commit", "both", "kill in a flush", "take over"],
    off: showsHalfFlushes,
  },
  {
    rule: "flushes 3: nothing else retires one",
    durability: "commit",
    of: ["commit", "both", "take over"],
    off: retiresAtSeals,
  },
  {
    rule: "keeping 3: what a position that is kept needs is not deleted",
    durability: "commit",
    of: ["commit", "flush", "merge", "later", "take over"],
    off: deletesWhatIsNamed,
  },
  {
    rule: "keeping 3: what a kept checkpoint names is not deleted when later positions do not name it",
    durability: "commit",
    of: ["commit", "flush", "merge", "later"],
    off: forgetsWhenItWasNamed,
  },
  {
    rule: "keeping 4: a clock that is ahead deletes nothing early",
    durability: "commit",
    of: ["commit", "flush", "merge", "later"],
    off: trustsTheWallClock,
  },
];

describe("the rules of the store, each switched off", () => {
  for (const { rule, durability, of = [...events], off } of mutations) {
    it(`${rule}: is noticed`, async () => {
      for (let seed = 1; seed <= most; seed++) {
        const roll = dice(seed);
        const happenings = Array.from({ length: 6 + roll(14) }, () => of[roll(of.length)]!);
        const undo = off();
        try {
          await playAll(happenings, roll, durability);
        } catch {
          // The same without the mutation is well.
          undo();
          await playAll(happenings, dice(seed, happenings.length), durability);
          return;
        } finally {
          undo();
        }
      }
      assert.fail(`not noticed in ${most} plays`);
    }).timeout(240_000);
  }
});

/** The same numbers for the same seed. @param skip as many rolls as were made for the events, and the one before */
function dice(seed: number, events = -1): (count: number) => number {
  let state = seed;
  const roll = (count: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % count;
  };
  for (let times = 0; times <= events; times++) roll(1);
  return roll;
}
