import assert from "node:assert/strict";
import fc from "fast-check";
import { LogWriter, Sealed } from "../../../../components/manager/store/log/append";
import { decodeEntry, encodeEntry, Entry, UnreadableEntry } from "../../../../components/manager/store/log/entry";
import { entryKey, ownerKey } from "../../../../components/manager/store/log/keys";
import { readOwner } from "../../../../components/manager/store/log/owner";
import { changeOwner, createLog, followSeal, seal } from "../../../../components/manager/store/log/seal";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { BehindHorizon, LogReader } from "../../../../components/manager/store/log/tail";
import { Fate, MemoryBucket, steppedClock } from "../memoryBucket";

const none = { changes: [], payload: [] };
const table = (number: number) => ({ changes: [{ type: "table" as const, number, name: `t${number}` }], payload: [] });

async function fresh() {
  const bucket = new MemoryBucket();
  const clock = steppedClock();
  await createLog(bucket, "db", "test", clock);
  return { bucket, clock };
}

function reader(bucket: MemoryBucket, applied?: (entry: Entry) => void) {
  return new LogReader(bucket, new DatabaseState(), applied);
}

async function elected(bucket: MemoryBucket, clock: ReturnType<typeof steppedClock>, nonce: string, insist = false) {
  const at = reader(bucket);
  await at.catchUp();
  const election = await seal(bucket, clock, at, { nonce, author: nonce, insist });
  const log =
    election &&
    new LogWriter(bucket, clock, { epoch: election.epoch, position: election.position, nonce, time: at.state.time });
  return { election, log, at };
}

describe("the log", () => {
  it("gives each writer an epoch of its own and keeps one line", async () => {
    const { bucket, clock } = await fresh();
    const first = await elected(bucket, clock, "first");
    assert.deepEqual(first.election, { epoch: 2, position: 2 });
    assert.equal(await first.log!.submit(table(1)), 2);
    const second = await elected(bucket, clock, "second");
    assert.deepEqual(second.election, { epoch: 3, position: 4 });
    await assert.rejects(first.log!.submit(table(2)), Sealed);
    await assert.rejects(first.log!.submit(none), Sealed, "for good");
    assert.equal(await second.log!.submit(table(3)), 4);
    const all = reader(bucket);
    await all.catchUp();
    assert.deepEqual([...all.state.tables.keys()], [1, 3]);
    assert.deepEqual(
      all.state.seals.map(({ epoch, position }) => [epoch, position]),
      [
        [0, 0],
        [1, 1],
        [2, 3],
      ],
    );
  });

  it("lets one append serve all who wait", async () => {
    const { bucket, clock } = await fresh();
    const { log } = await elected(bucket, clock, "writer");
    const positions = await Promise.all(Array.from({ length: 32 }, (_, number) => log!.submit(table(number))));
    assert.ok(new Set(positions).size <= 2, positions.join());
  });

  it("tells who waits only when the entry is there, whatever becomes of requests and answers", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Fate>("works", "fails", "answer lost", "late"), { minLength: 30, maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        async (fates, takeovers) => {
          const { bucket, clock } = await fresh();
          const queue = [...fates];
          bucket.fate = operation =>
            operation === "create" || operation === "get" ? (queue.shift() ?? "works") : "works";
          const promised = new Map<number, number>();
          const writers: LogWriter[] = [];
          let number = 0;
          const pending: Promise<unknown>[] = [];
          for (let turn = 0; turn < takeovers; turn++) {
            const { log } = await patiently(() => elected(bucket, clock, `writer ${turn}`, true));
            writers.push(log!);
            // Former writers go on: they do not know yet.
            for (const writer of writers) {
              for (let count = 0; count < 2; count++) {
                const mine = number++;
                pending.push(
                  writer.submit(table(mine)).then(
                    position => promised.set(mine, position),
                    () => undefined,
                  ),
                );
              }
            }
            if (turn % 2 === 0) await Promise.all(pending);
            bucket.arrive();
          }
          await Promise.all(pending);
          bucket.arrive();
          bucket.fate = () => "works";
          const at = new Map<number, number>();
          const all = reader(bucket, entry => {
            if (entry.kind === "changes")
              for (const change of entry.changes) if (change.type === "table") at.set(change.number, entry.position);
          });
          await all.catchUp();
          for (const [mine, position] of promised) assert.equal(at.get(mine), position, `table ${mine}`);
          // Nothing stands behind a seal in its own epoch.
          for (const { epoch, position } of all.state.seals)
            assert.ok(!bucket.objects.has(entryKey(epoch, position + 1)), `epoch ${epoch} goes on behind its seal`);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("elects one of candidates that seal at once", async () => {
    const { bucket, clock } = await fresh();
    const results = await Promise.all(["a", "b", "c"].map(nonce => elected(bucket, clock, nonce)));
    assert.equal(results.filter(({ election }) => election).length, 1);
  });

  it("takes its own entry, of which the answer was lost, for what it is", async () => {
    const { bucket, clock } = await fresh();
    const { log } = await elected(bucket, clock, "writer");
    let lost = 2;
    bucket.fate = operation => (operation === "create" && lost-- > 0 ? "answer lost" : "works");
    assert.equal(await log!.submit(table(1)), 2);
    assert.equal(await log!.submit(table(2)), 3);
  });

  it("appends what was pushed of a lost writer before it seals", async () => {
    const { bucket, clock } = await fresh();
    const { election } = await elected(bucket, clock, "writer");
    const pushed = new Map<number, Buffer>();
    const lost = new LogWriter(bucket, clock, {
      ...election!,
      nonce: "writer",
      time: 0,
      built: ({ position }, bytes) => pushed.set(position, bytes),
    });
    bucket.fate = () => "fails";
    const answer = lost.submit(table(7)).then(
      () => "acknowledged",
      () => "refused",
    );
    while (pushed.size === 0) await clock.sleep(1);
    bucket.fate = () => "works";
    const at = reader(bucket);
    await at.catchUp();
    const next = await seal(bucket, clock, at, { nonce: "next", author: "next", pushed });
    assert.deepEqual(next, { epoch: 3, position: 4 });
    assert.ok(at.state.tables.has(7));
    // The lost one is not lost: its entry is in the log, with its own bytes.
    assert.equal(await answer, "acknowledged");
  });

  it("appends nothing of what was pushed in an epoch that another has sealed meanwhile", async () => {
    const { bucket, clock } = await fresh();
    await elected(bucket, clock, "writer");
    const at = reader(bucket);
    await at.catchUp();
    const { epoch, position } = at.state;
    const entry = (behind: number): Entry => ({
      kind: "changes",
      epoch,
      position: position + behind,
      nonce: "writer",
      time: 1,
      changes: [],
      payload: Buffer.alloc(0),
    });
    const pushed = new Map([1, 2, 3].map(behind => [position + behind, encodeEntry(entry(behind))]));
    const rival = reader(bucket);
    await rival.catchUp();
    await seal(bucket, clock, rival, { nonce: "rival", author: "rival" });
    // Its reader stands behind the rival's seal already, whose epoch has the same numbers.
    await at.catchUp();
    const next = await seal(bucket, clock, at, { nonce: "next", author: "next", pushed });
    assert.deepEqual(next, { epoch: epoch + 2, position: position + 3 });
    assert.equal(await reader(bucket).catchUp(), position + 3, "everybody reads the log to its end");
  });

  it("gives up behind the horizon, and elects nobody in a gap of deleted entries", async () => {
    const { bucket, clock } = await fresh();
    const stale = reader(bucket);
    const { log, at } = await elected(bucket, clock, "writer");
    await stale.catchUp();
    for (let number = 0; number < 10; number++) await log!.submit(table(number));
    await at.catchUp();
    await changeOwner(bucket, ({ owner }) => ({ ...owner, horizon: 9 }));
    for (let position = 3; position < 9; position++) bucket.objects.delete(entryKey(2, position));
    // The stale candidate has read up to position 2, and finds 3 free.
    await stale.next();
    await assert.rejects(seal(bucket, clock, stale, { nonce: "stale", author: "stale" }), BehindHorizon);
    // Nor does anybody follow the seal that it has left there.
    const later = reader(bucket);
    await assert.rejects(later.catchUp(), BehindHorizon);
    assert.equal(await log!.submit(table(99)), 12, "the writer goes on");
  });

  it("lets the owner's record follow the seal, and never lead", async () => {
    const { bucket, clock } = await fresh();
    const first = await elected(bucket, clock, "first");
    const second = await elected(bucket, clock, "second");
    await followSeal(bucket, second.election!);
    await followSeal(bucket, first.election!);
    assert.equal((await readOwner(bucket, 1000))!.owner.epoch, 3);
  });
});

describe("an entry", () => {
  const entry: Entry = {
    kind: "changes",
    epoch: 3,
    position: 7,
    nonce: "n",
    time: 5,
    changes: [{ type: "dropped", number: 1 }],
    payload: Buffer.from("blocks"),
  };

  it("is read as it was written", () => {
    assert.deepEqual(decodeEntry("k", encodeEntry(entry), 3, 7), entry);
  });

  it("is refused when one byte of it is another", () => {
    fc.assert(
      fc.property(fc.nat({ max: encodeEntry(entry).length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = encodeEntry(entry);
        bytes[at]! ^= change;
        assert.throws(() => decodeEntry("log/1", bytes, 3, 7), UnreadableEntry);
      }),
    );
  });

  it("is refused under another number, and with a newer format", () => {
    assert.throws(() => decodeEntry("k", encodeEntry(entry), 3, 8), /says that it is entry 3\/7/);
    const newer = encodeEntry(entry);
    newer[4] = 2;
    assert.throws(() => decodeEntry("log/1", newer, 3, 7), /log\/1 has format 2.*update/);
  });
});

describe("a prefix", () => {
  it("with the former layout, a newer one, or something else is refused by name", async () => {
    for (const [content, message] of [
      ['{"databaseId":"x","epoch":3}', /earlier release/],
      ['{"layout":9,"databaseId":"x"}', /layout 9/],
      ["hello", /not JSON/],
      ['{"layout":1,"databaseId":"x","epoch":-1}', /damaged/],
    ] as const) {
      const bucket = new MemoryBucket();
      bucket.objects.set(ownerKey, Buffer.from(content));
      await assert.rejects(createLog(bucket, "db", "test", steppedClock()), message);
      assert.deepEqual(bucket.written, [], "nothing is written");
    }
    const bucket = new MemoryBucket();
    bucket.objects.set("data/UNIMAP", Buffer.from("1 t\n"));
    await assert.rejects(createLog(bucket, "db", "test", steppedClock()), /another program's/);
  });
});

/** The bucket answers in the end. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!String(error).includes("no answer")) throw error;
    }
  }
}
