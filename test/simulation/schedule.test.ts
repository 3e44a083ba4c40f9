import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { families } from "./families";
import { mutations } from "./mutations";
import { playSchedule } from "./schedule";

describe("a schedule of the simulation", () => {
  it("is one and the same whenever its seed is played, in every family", async () => {
    for (let seed = 1; seed <= families.length; seed++) {
      const first = await playSchedule(seed, { keepTimeline: true });
      const second = await playSchedule(seed, { keepTimeline: true });
      assert.equal(second.hash, first.hash, `seed ${seed}`);
      assert.deepEqual({ ...second, timeline: [] }, { ...first, timeline: [] });
      assert.ok(first.timeline.length > 20);
    }
  });

  it("differs from seed to seed", async () => {
    const hashes = new Set<string>();
    for (let i = 0; i < 3; i++) hashes.add((await playSchedule(1 + i * families.length, { keepTimeline: true })).hash);
    assert.equal(hashes.size, 3);
  });

  it("keeps every promise with the rules in place, and acknowledges writes", async () => {
    for (let seed = 1; seed <= 2 * families.length; seed++) {
      const { violations, timeline, acknowledged } = await playSchedule(seed);
      assert.deepEqual(violations, [], `seed ${seed}\n${timeline.join("\n")}`);
      assert.ok(acknowledged > 0 || families[seed % families.length]?.fromTheStart);
    }
  });

  it("shows what a rule is good for: two writers without a time limit, and no writes where nobody kills an engine that hangs", async () => {
    const firstViolation = async (rule: string) => {
      const mutation = mutations.find(candidate => candidate.rule === rule);
      for (let seed = 1; seed <= 400; seed++) {
        const { violations } = await playSchedule(seed, { mutation });
        if (violations[0] !== undefined) return violations[0];
      }
      return "";
    };
    assert.match(await firstViolation("2a"), /two nodes accept writes|acknowledges a write while/);
    assert.match(await firstViolation("8"), /writes have not come back|has been ended/);
  });
});
