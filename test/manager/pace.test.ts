import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { familyOf, nextCompactionAt, tableToCompact } from "../../components/manager/compaction";
import { obsoleteWalObjects } from "../../components/manager/housekeeping";
import { nextHold, slicesOf } from "../../components/manager/throttle";

describe("write pressure", () => {
  const calm = { rotations: 0, unconfirmed: 0, bucketAnswers: true, roundTrip: 10 };
  const bound = 5000;

  it("holds nobody back as long as followers and the bucket keep up", () => {
    assert.equal(nextHold(0, { ...calm, rotations: 2, unconfirmed: 2400 }, bound), 0);
  });

  it("holds commits back more and more, but never altogether", () => {
    let hold = 0;
    for (let i = 0; i < 10; i++) hold = nextHold(hold, { ...calm, rotations: 5 }, bound);
    assert.equal(hold, 0.8);
    assert.equal(nextHold(0, { ...calm, unconfirmed: 2600 }, bound), 0.2);
  });

  it("lets go slowly, down to nothing", () => {
    let hold = 0.8;
    for (let i = 0; i < 16; i++) hold = nextHold(hold, calm, bound);
    assert.equal(hold, 0);
  });

  it("gives a slow bucket the time for one upload of the WAL after the other, and longer for a backlog", () => {
    const slow = { ...calm, roundTrip: 300 };
    assert.equal(nextHold(0, slow, bound), 1);
    assert.deepEqual(slicesOf(1, slow), { held: 750, open: 0 });
    assert.deepEqual(slicesOf(1, { ...slow, unconfirmed: 1100 }), { held: 1875, open: 0 });
    assert.equal(nextHold(0, { ...slow, bucketAnswers: false }, bound), 0);
    assert.equal(nextHold(1, calm, bound), 0.75);
    assert.deepEqual(slicesOf(0.75, calm), { held: 450, open: 150 });
  });

  it("does not hold writers back for a bucket that does not answer: that stops them, or is let pass", () => {
    assert.equal(nextHold(0, { ...calm, unconfirmed: 60_000, bucketAnswers: false }, bound), 0);
  });
});

describe("compaction on demand", () => {
  const orders = { database: "shop", table: "orders", keyColumn: "id" };
  const events = { database: "shop", table: "events", keyColumn: "id" };
  const counts = new Map([
    [familyOf(orders), 70],
    [familyOf(events), 90],
    ["shop__events__by_day", 200],
  ]);
  const choose = (threshold: number, notBefore = new Map<string, number>(), lastAt = -Infinity) =>
    tableToCompact(counts, [orders, events], threshold, notBefore, lastAt, 1_000_000);

  it("takes the table that has most SSTables, if those are too many", () => {
    assert.deepEqual(choose(64), events);
    assert.equal(choose(91), undefined);
  });

  it("lets a table rest for ten times as long as it took, and all for a minute", () => {
    assert.deepEqual(choose(64, new Map([[familyOf(events), 1_000_001]])), orders);
    assert.equal(choose(64, new Map(), 1_000_000 - 59_999), undefined);
    assert.equal(nextCompactionAt(0, 30_000), 300_000);
    assert.equal(nextCompactionAt(0, 100), 60_000);
  });
});

describe("housekeeping of WAL objects", () => {
  const seen = (count: number, since: number) => new Map(Array.from({ length: count }, (_, i) => [i, since]));
  const objects = (count: number, { ownFrom = 0, slowest = Infinity } = {}) => ({
    seen: seen(count, 0),
    lastUploaded: count - 1,
    ownFrom,
    slowest,
  });

  it("deletes those that are far behind and old", () => {
    assert.deepEqual(obsoleteWalObjects(objects(12), 600_000), [0, 1, 2]);
    assert.deepEqual(obsoleteWalObjects(objects(12), 599_999), []);
  });

  it("deletes them sooner when there are many, long before the engine loses sight of them", () => {
    assert.deepEqual(obsoleteWalObjects(objects(16), 20_000), []);
    assert.equal(obsoleteWalObjects(objects(17), 20_000).length, 8);
    assert.deepEqual(obsoleteWalObjects(objects(17), 19_999), []);
  });

  it("keeps what a follower has not passed yet", () => {
    assert.deepEqual(obsoleteWalObjects(objects(12, { slowest: 2 }), 600_000), [0, 1]);
  });

  it("deletes what earlier epochs have left as soon as every follower has seen this one's", () => {
    assert.deepEqual(obsoleteWalObjects(objects(6, { ownFrom: 4, slowest: 4 }), 1), [0, 1, 2, 3]);
    assert.deepEqual(obsoleteWalObjects(objects(6, { ownFrom: 4, slowest: 3 }), 1), []);
  });

  it("keeps what was not uploaded after its flush, whatever epoch it is of", () => {
    const { seen } = objects(6);
    assert.deepEqual(obsoleteWalObjects({ seen, lastUploaded: 2, ownFrom: 4, slowest: 9 }, 1), [0, 1, 2]);
  });
});
