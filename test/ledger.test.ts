import assert from "node:assert/strict";
import * as fc from "fast-check";
import { audit, distribution, LedgerEntry, outages } from "./e2e/ledger";

/** Writes that were sent every 100 ms and acknowledged 5 ms later, unless they fall in a gap. */
function steady(untilMilliseconds: number, gaps: [number, number][] = []): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (let time = 0; time < untilMilliseconds; time += 100) {
    const missing = gaps.some(([from, to]) => time >= from && time < to);
    const id = entries.length + 1;
    const outcome = missing ? { failure: "refused" } : { acknowledgedAtMilliseconds: time + 5 };
    entries.push({ id, sentAtMilliseconds: time, ...outcome });
  }
  return entries;
}

describe("the ledger of the end-to-end client", () => {
  it("sees no outage in a steady run", () => {
    assert.deepEqual(outages(steady(10_000), 0, 10_000), []);
  });

  it("measures an outage from the last acknowledgement before it to the first after it", () => {
    const found = outages(steady(10_000, [[3000, 5500]]), 0, 10_000);
    assert.deepEqual(found, [{ fromMilliseconds: 2905, durationMilliseconds: 2600 }]);
  });

  it("keeps outages apart that an acknowledgement separates", () => {
    const found = outages(
      steady(10_000, [
        [2000, 3000],
        [3100, 4100],
      ]),
      0,
      10_000,
    );
    assert.deepEqual(
      found.map(outage => outage.durationMilliseconds),
      [1100, 1100],
    );
  });

  it("counts an outage that never ended, and one before the first acknowledgement", () => {
    assert.deepEqual(outages(steady(4000, [[2000, 4000]]), 0, 4000), [
      { fromMilliseconds: 1905, durationMilliseconds: 2095 },
    ]);
    assert.deepEqual(outages(steady(4000, [[0, 1000]]), 0, 4000), [
      { fromMilliseconds: 0, durationMilliseconds: 1005 },
    ]);
    assert.deepEqual(outages([], 0, 4000), [{ fromMilliseconds: 0, durationMilliseconds: 4000 }]);
  });

  it("takes the time of the answer, not of the sending, and does not mind their order", () => {
    const entries = steady(4000);
    const late = entries.map(entry =>
      entry.sentAtMilliseconds >= 1000 && entry.sentAtMilliseconds < 2000
        ? { ...entry, acknowledgedAtMilliseconds: 2001 }
        : entry,
    );
    assert.deepEqual(outages(late.reverse(), 0, 4000), [{ fromMilliseconds: 905, durationMilliseconds: 1096 }]);
  });

  it("never reports more outage than there was time, whatever the answers", () => {
    const entry = fc.record({
      id: fc.nat(),
      sentAtMilliseconds: fc.constant(0),
      acknowledgedAtMilliseconds: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(entry), fc.integer({ min: 1, max: 5000 }), (entries, threshold) => {
        const found = outages(entries, 0, 60_000, threshold);
        const total = found.reduce((sum, outage) => sum + outage.durationMilliseconds, 0);
        assert.ok(total <= 60_000);
        assert.ok(found.every(outage => outage.durationMilliseconds > threshold));
        const answered = entries.map(({ acknowledgedAtMilliseconds }) => acknowledgedAtMilliseconds);
        for (const { fromMilliseconds, durationMilliseconds } of found) {
          const inside = (time: number) => time > fromMilliseconds && time < fromMilliseconds + durationMilliseconds;
          assert.ok(!answered.some(time => time !== undefined && inside(time)));
        }
      }),
    );
  });

  it("tells lost rows from rows that were never promised", () => {
    const entries: LedgerEntry[] = [
      { id: 1, sentAtMilliseconds: 0, acknowledgedAtMilliseconds: 1 },
      { id: 2, sentAtMilliseconds: 100, acknowledgedAtMilliseconds: 101 },
      { id: 3, sentAtMilliseconds: 200, failure: "connection lost" },
      { id: 4, sentAtMilliseconds: 300, failure: "connection lost" },
      { id: 5, sentAtMilliseconds: 400, acknowledgedAtMilliseconds: 401 },
    ];
    assert.deepEqual(audit(entries, [1, 3, 5, 5, 99]), {
      acknowledged: 3,
      lost: [2],
      presentUnacknowledged: [3],
      duplicated: [5],
      unknown: [99],
    });
  });

  it("takes percentiles by nearest rank, so that each is a value that was measured", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(distribution(hundred), { count: 100, p50: 50, p95: 95, max: 100 });
    assert.deepEqual(distribution([7]), { count: 1, p50: 7, p95: 7, max: 7 });
    assert.deepEqual(distribution([]), { count: 0, p50: 0, p95: 0, max: 0 });
  });
});
