import assert from "node:assert/strict";
import fc from "fast-check";
import { blockKey, fileKey } from "../../../../components/manager/store/log/keys";
import { isNeeded, RetiredObject, RetiredObjects } from "../../../../components/manager/store/log/retired";

const key = fc.oneof(
  {
    arbitrary: fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.nat()).map(numbers => fileKey(...numbers)),
    weight: 5,
  },
  fc.nat().map(unique => blockKey(3, unique.toString(16))),
  fc.constant("data/of another form"),
);
/** So many objects of one entry; enough of them for more than one piece. */
const batch = fc.record({
  count: fc.constantFrom(1, 3, 600),
  key,
  since: fc.option(fc.nat({ max: 30 }), { nil: undefined }),
});
const step = fc.oneof(
  fc.record({ what: fc.constant("retire" as const), batch }),
  fc.record({ what: fc.constant("copy" as const) }),
  fc.record({
    what: fc.constant("sweep" as const),
    horizon: fc.nat({ max: 30 }),
    kept: fc.array(fc.nat({ max: 30 }), { maxLength: 3 }),
  }),
);

describe("retired objects", () => {
  it("are those that a kept position may name, in order; a copy stays what it was", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), steps => {
        let list = new RetiredObjects();
        let expected: RetiredObject[] = [];
        const copies: [RetiredObjects, RetiredObject[]][] = [];
        for (const [position, step] of steps.entries()) {
          if (step.what === "copy") {
            const kept = list;
            list = list.copy();
            // Both go on, each by itself.
            const own = { position, key: "its own" };
            kept.add(own);
            copies.push([kept, [...expected, own]]);
          } else if (step.what === "sweep") {
            const { horizon, kept } = step;
            const needed = expected.filter(object => isNeeded(object, horizon, kept));
            assert.deepEqual(
              [...list.unneeded(horizon, kept)],
              expected.filter(object => !needed.includes(object)),
            );
            copies.push([list, expected]);
            list = list.needed(horizon, kept);
            expected = needed;
          } else {
            const { count, key, since } = step.batch;
            const object = { position, key, ...(since !== undefined && { since }) };
            for (let index = 0; index < count; index++) list.add(object);
            expected = [...expected, ...Array.from({ length: count }, () => ({ ...object }))];
          }
          assert.equal(list.size, expected.length);
        }
        for (const [one, objects] of [...copies, [list, expected] as const]) assert.deepEqual([...one], objects);
      }),
      { numRuns: 60 },
    );
  });
});
