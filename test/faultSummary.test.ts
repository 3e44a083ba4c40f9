import assert from "node:assert/strict";
import { audit, LedgerEntry, outages } from "./e2e/ledger";
import { faultClasses } from "./e2e/faults/classes";
import { FaultRun, lossBeyondPromise, summarise, table } from "./e2e/faults/summary";

const nodeCrashed = faultClasses.find(fault => fault.name === "node-crashed");
const engineKilled = faultClasses.find(fault => fault.name === "engine-killed");
assert.ok(nodeCrashed && engineKilled);

/** Acknowledged at 0, 100, ... 900 and again from 5000 on. */
const entries: LedgerEntry[] = [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 5000, 5100].map((time, index) => ({
  id: index + 1,
  sentAtMilliseconds: time,
  acknowledgedAtMilliseconds: time,
}));
const found = outages(entries, 0, 5100);
const all = entries.map(entry => entry.id);
const without = (...ids: number[]) =>
  audit(
    entries,
    all.filter(id => !ids.includes(id)),
  );

function aRun(changes: Partial<FaultRun> = {}): FaultRun {
  return {
    class: "engine-killed",
    run: 1,
    at: "2026-01-01T00:00:00.000Z",
    durability: "interval",
    writes: 100,
    acknowledged: 90,
    outagesMilliseconds: [900],
    lost: [],
    lostBeyondPromise: [],
    presentUnacknowledged: 0,
    duplicated: 0,
    unknown: 0,
    ...changes,
  };
}

describe("the judgement of fault runs", () => {
  it("excuses rows acknowledged just before a node and its disk were gone, in interval mode only", () => {
    assert.deepEqual(lossBeyondPromise(nodeCrashed, "interval", entries, found, without(9, 10)), []);
    assert.deepEqual(lossBeyondPromise(nodeCrashed, "commit", entries, found, without(9, 10)), [9, 10]);
    assert.deepEqual(lossBeyondPromise(engineKilled, "interval", entries, found, without(9, 10)), [9, 10]);
  });

  it("never excuses an older row, nor one acknowledged after the outage", () => {
    assert.deepEqual(lossBeyondPromise(nodeCrashed, "interval", entries, found, without(7, 10)), [7]);
    assert.deepEqual(lossBeyondPromise(nodeCrashed, "interval", entries, found, without(11)), [11]);
  });

  it("finds nothing to object to where all is as promised", () => {
    const summary = summarise(engineKilled, [aRun(), aRun({ outagesMilliseconds: [] })]);
    assert.deepEqual(summary.problems, []);
    assert.deepEqual(summary.outage, { count: 2, p50: 0, p95: 900, max: 900 });
  });

  it("names each broken promise", () => {
    const broken = [
      aRun({ failure: "writes did not come back" }),
      aRun({ lost: [4], lostBeyondPromise: [4] }),
      aRun({ duplicated: 1 }),
      aRun({ unknown: 2 }),
      aRun({ outagesMilliseconds: [700, 800] }),
      aRun({ outagesMilliseconds: [3500] }),
    ];
    assert.deepEqual(summarise(engineKilled, broken).problems, [
      "1 runs did not complete",
      "1 acknowledged rows lost beyond the promise",
      "1 rows twice",
      "2 rows that were never sent",
      "1 runs with more than 1 outages",
      "p95 of the outage above 3000 ms",
    ]);
  });

  it("keeps a failed run in the count, so that it cannot be left out of the statistics unseen", () => {
    const summary = summarise(engineKilled, [aRun(), aRun({ failure: "a pod stayed away" })]);
    assert.equal(summary.runs, 2);
    assert.equal(summary.failed, 1);
    assert.equal(summary.outage.count, 1);
  });

  it("prints one row per class", () => {
    const lines = table([summarise(engineKilled, [aRun()])]).split("\n");
    assert.equal(lines.length, 3);
    assert.match(lines[2] ?? "", /^\| mariadbd killed \| 1 \| 0\.90 \| 0\.90 \| 0\.90 \| 0 \| 0 \| as promised \|$/);
  });

  it("has every class once", () => {
    const names = faultClasses.map(fault => fault.name);
    assert.equal(new Set(names).size, names.length);
  });
});
