import fc from "fast-check";
import { events, playAll } from "./play";

describe("a database on the store", () => {
  for (const durability of ["commit", "interval"] as const) {
    it(`has in \`${durability}\` what was acknowledged, after every takeover and at every position`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom(...events), { minLength: 1, maxLength: 25 }),
          fc.infiniteStream(fc.nat({ max: 1_000_000 })),
          async (happenings, dice) => {
            await playAll(happenings, count => (dice.next().value as number) % count, durability);
          },
        ),
        { numRuns: Number(process.env.HISTORY_RUNS ?? 12) },
      );
    }).timeout(120_000);
  }
});
