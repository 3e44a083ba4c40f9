import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { families } from "./families";
import { mutationOf } from "./mutations/all";
import { playSchedule } from "./schedule";

describe("a schedule of the simulation", () => {
  it("keeps every promise, and is one and the same whenever its seed is played, in every family", async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= families.length; seed++) {
      const first = await playSchedule(seed, { keepTimeline: true });
      const { violations, timeline, acknowledged, hash } = first;
      assert.deepEqual(violations, [], `seed ${seed}\n${timeline.join("\n")}`);
      assert.ok(acknowledged > 0 || families[seed % families.length]?.fromTheStart);
      assert.ok(timeline.length > 10);
      const second = await playSchedule(seed, { keepTimeline: true });
      assert.equal(second.hash, hash, `seed ${seed}`);
      assert.deepEqual({ ...second, timeline: [] }, { ...first, timeline: [] });
      hashes.add(hash);
    }
    assert.equal(hashes.size, families.length);
  });

  it("differs from seed to seed in one family", async () => {
    const play = (seed: number) => playSchedule(seed, { keepTimeline: true });
    const [first, second] = [await play(1), await play(1 + families.length)];
    assert.notEqual(first.hash, second.hash);
  });

  it("shows what a rule is good for: two entries of one number where the bucket gives it to both, and rows that are not there where a release retires nothing", async () => {
    const isShown = async (rule: string, violation: RegExp) => {
      const mutation = mutationOf(rule);
      for (let seed = 1; seed <= 60; seed++) {
        const { violations } = await playSchedule(seed, { mutation });
        if (violations.some(text => violation.test(text))) return true;
      }
      return false;
    };
    assert.equal(await isShown("log 2", /leaves the line|follows the seal/), true);
    assert.equal(await isShown("flushes 3a", /blocks are to be replayed/), true);
  });
});
