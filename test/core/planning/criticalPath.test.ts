import assert from "node:assert/strict";
import fc from "fast-check";
import { longestChain, type Step } from "../../../components/core/planning/criticalPath";

/** Steps that only wait for earlier ones, so there is no circle. */
const acyclicSteps = fc
  .array(fc.record({ minutes: fc.integer({ min: 0, max: 20 }), picks: fc.array(fc.nat(), { maxLength: 4 }) }), {
    maxLength: 12,
  })
  .map(drafts =>
    drafts.map(({ minutes, picks }, index): Step => {
      const waitsFor = index === 0 ? [] : picks.map(pick => `step-${pick % index}`);
      return { id: `step-${index}`, minutes, waitsFor };
    }),
  );

describe("longest chain", () => {
  it("is as long as the moment at which the last step ends when everything else runs at once", () => {
    fc.assert(
      fc.property(acyclicSteps, steps => {
        const ends = new Map<string, number>();
        for (const { id, minutes, waitsFor } of steps) {
          ends.set(id, Math.max(0, ...waitsFor.map(before => ends.get(before) ?? 0)) + minutes);
        }
        assert.equal(longestChain(steps).minutes, Math.max(0, ...ends.values()));
      }),
    );
  });

  it("holds steps of which each waits for the one before, and that add up to its length", () => {
    fc.assert(
      fc.property(acyclicSteps, steps => {
        const chain = longestChain(steps);
        chain.steps.slice(1).forEach((step, index) => assert.ok(step.waitsFor.includes(chain.steps[index]!.id)));
        assert.equal(
          chain.steps.reduce((sum, { minutes }) => sum + minutes, 0),
          chain.minutes,
        );
      }),
    );
  });

  it("does not depend on the order in which steps are given", () => {
    fc.assert(
      fc.property(
        acyclicSteps.chain(steps =>
          fc.tuple(fc.constant(steps), fc.shuffledSubarray(steps, { minLength: steps.length })),
        ),
        ([steps, shuffled]) => assert.equal(longestChain(shuffled).minutes, longestChain(steps).minutes),
      ),
    );
  });

  it("takes of two chains of the same length the one with more steps", () => {
    const chain = longestChain([
      { id: "cluster", minutes: 9, waitsFor: [] },
      { id: "other", minutes: 9, waitsFor: [] },
      { id: "provider", minutes: 0, waitsFor: ["cluster"] },
    ]);
    assert.deepEqual(
      chain.steps.map(({ id }) => id),
      ["cluster", "provider"],
    );
  });

  it("ignores what is not among the steps", () => {
    assert.equal(longestChain([{ id: "only", minutes: 2, waitsFor: ["elsewhere"] }]).minutes, 2);
  });

  it("walks a chain that is deeper than the call stack", () => {
    const steps = Array.from({ length: 20_000 }, (_, index): Step => ({
      id: String(index),
      minutes: 1,
      waitsFor: [String(index + 1)],
    }));
    assert.equal(longestChain(steps).minutes, 20_000);
  });

  it("refuses a circle, and names two of it", () => {
    const circle: Step[] = [
      { id: "a", minutes: 1, waitsFor: ["b"] },
      { id: "b", minutes: 1, waitsFor: ["a"] },
    ];
    assert.throws(() => longestChain(circle), /a and b wait|b and a wait/);
    assert.throws(() => longestChain([{ id: "a", minutes: 1, waitsFor: ["a"] }]), /a and a wait/);
  });
});
