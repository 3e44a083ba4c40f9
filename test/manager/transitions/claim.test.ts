import assert from "node:assert/strict";
import { claimPrefix } from "../../../components/manager/transitions/claim";
import { countingBucket } from "../../../components/manager/transitions/countingBucket";
import { readOwner } from "../../../components/manager/store/log/owner";
import { DatabaseState } from "../../../components/manager/store/log/state";
import { LogReader } from "../../../components/manager/store/log/tail";
import { MemoryBucket, steppedClock } from "../store/memoryBucket";

describe("the claim of a prefix", () => {
  const claim = (bucket: MemoryBucket, databaseId = "d1") =>
    claimPrefix({ bucket, clock: steppedClock(), databaseId, author: "orders-0", place: "s3://b/orders/" });

  it("makes the log of a new database, once, and leaves nothing else", async () => {
    const bucket = new MemoryBucket();
    assert.equal(await claim(bucket), undefined);
    assert.equal(await claim(bucket), undefined);
    assert.deepEqual([...bucket.objects.keys()].sort(), ["log/0000000000/000000000000000", "owner.json"]);
    const reader = new LogReader(bucket, new DatabaseState());
    assert.equal(await reader.catchUp(), 1);
    assert.equal(reader.state.epoch, 1);
  });

  it("is made whole after one that was broken off", async () => {
    const bucket = new MemoryBucket();
    bucket.fate = (operation, key) => (operation !== "get" && key.startsWith("log/") ? "fails" : "works");
    await claim(bucket);
    bucket.fate = () => "works";
    assert.equal(await claim(bucket), undefined);
    assert.ok(bucket.objects.has("log/0000000000/000000000000000"));
  });

  it("refuses another database's, an earlier release's, and data without a record, and writes nothing", async () => {
    const foreign = new MemoryBucket();
    await claim(foreign, "d2");
    assert.match((await claim(foreign))!.message, /belongs to database d2, this one is d1/);
    const before = new MemoryBucket();
    before.objects.set("owner.json", Buffer.from('{"databaseId":"d1","epoch":3}'));
    assert.match((await claim(before))!.message, /earlier release/);
    const unknown = new MemoryBucket();
    unknown.objects.set("data/x", Buffer.from("x"));
    assert.equal((await claim(unknown))!.reason, "UnknownData");
    for (const bucket of [before, unknown]) assert.equal(bucket.objects.size, 1);
  });

  it("refuses a store that ignores either condition", async () => {
    const overwrites = new MemoryBucket();
    overwrites.create = () => Promise.resolve("created");
    assert.equal((await claim(overwrites))!.reason, "NoConditionalWrites");
    const replaces = new MemoryBucket();
    replaces.replace = () => Promise.resolve('"etag"');
    assert.equal((await claim(replaces))!.reason, "NoConditionalWrites");
    for (const bucket of [overwrites, replaces]) assert.equal(await readOwner(bucket, 1000), undefined);
  });

  it("says nothing while the bucket does not answer", async () => {
    const bucket = new MemoryBucket();
    bucket.fate = () => "fails";
    await assert.rejects(claim(bucket), /no answer/);
  });
});

describe("a bucket that counts", () => {
  it("knows its requests by kind, what was sent, and when it answered", async () => {
    const clock = steppedClock();
    const inner = new MemoryBucket();
    const bucket = countingBucket(inner, clock);
    clock.at = 5;
    assert.equal(await bucket.get("none", 1000), undefined);
    assert.equal(bucket.answeredAt, 5, "that there is no such object is an answer");
    await bucket.create("a", Buffer.from("four"), 1000);
    clock.at = 9;
    inner.fate = () => "fails";
    await assert.rejects(bucket.list("", "", 1, 1000));
    assert.deepEqual(bucket.requests, { put: 1, get: 1, list: 1, delete: 0 });
    assert.deepEqual([bucket.sentBytes, bucket.answeredAt], [4, 5]);
  });
});
