import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { LogWriter } from "../../../../components/manager/store/log/append";
import { Change } from "../../../../components/manager/store/log/changes";
import { HistoryRules, historyTiming, keptHistory } from "../../../../components/manager/store/log/history";
import { checkpoint, collectGarbage } from "../../../../components/manager/store/log/keeping";
import { checkpointKey, entryKey, fileKey } from "../../../../components/manager/store/log/keys";
import { LogOwner, readOwner } from "../../../../components/manager/store/log/owner";
import { describeHistory, NotKept, openPast } from "../../../../components/manager/store/log/past";
import { createLog, seal } from "../../../../components/manager/store/log/seal";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { LogReader } from "../../../../components/manager/store/log/tail";
import { MemoryBucket, steppedClock } from "../memoryBucket";

const hour = 3_600_000;
const day = historyTiming.dayMilliseconds;

/** What happens to a database whose past is kept. */
type Happening =
  | { what: "add"; id: number }
  | { what: "remove"; id: number }
  | { what: "wait"; hours: number }
  | { what: "checkpoint" }
  | { what: "seal" }
  | { what: "collect"; brokenOff: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constant("add" as const), id: fc.nat({ max: 5 }) }),
  fc.record({ what: fc.constant("remove" as const), id: fc.nat({ max: 5 }) }),
  fc.record({ what: fc.constant("wait" as const), hours: fc.integer({ min: 1, max: 30 }) }),
  fc.constant({ what: "checkpoint" as const }),
  fc.constant({ what: "seal" as const }),
  fc.record({
    what: fc.constant("collect" as const),
    brokenOff: fc.option(fc.nat({ max: 4 }), { nil: Infinity, freq: 3 }),
  }),
);

/** A database whose entries name files, and which of them each position names, noted by hand. */
class Database {
  readonly bucket = new MemoryBucket();
  readonly clock = steppedClock();
  readonly named: Set<string>[] = [];
  readonly times: number[] = [];
  /** Positions of which there was a checkpoint, with their times. */
  readonly checkpoints: { position: number; time: number }[] = [];
  private readonly present = new Map<number, string>();
  private uploads = 0;
  private reader!: LogReader;
  private log!: LogWriter;

  constructor(
    private readonly scratch: string,
    private readonly rules: HistoryRules,
  ) {}

  get state(): DatabaseState {
    return this.reader.state;
  }

  async begin(): Promise<void> {
    await createLog(this.bucket, "db", "test", this.clock);
    this.reader = new LogReader(this.bucket, new DatabaseState(), entry => this.note(entry.time));
    await this.seal();
    await this.say({ type: "table", number: 1, name: "app__t" });
  }

  private note(time: number): void {
    this.named.push(new Set(this.present.values()));
    this.times.push(time);
  }

  async seal(): Promise<void> {
    const election = await seal(this.bucket, this.clock, this.reader, { nonce: "w", author: "w", insist: true });
    this.log = new LogWriter(this.bucket, this.clock, {
      ...election!,
      nonce: "w",
      time: this.state.time,
      durable: entry => {
        this.state.apply(entry);
        this.note(entry.time);
      },
    });
  }

  private async say(...changes: Change[]): Promise<void> {
    await this.log.submit({ changes, payload: [] });
  }

  async happen(one: Happening): Promise<void> {
    switch (one.what) {
      case "add": {
        if (this.present.has(one.id)) return;
        const key = fileKey(1, 1, this.uploads++);
        this.bucket.objects.set(key, Buffer.from("x"));
        this.present.set(one.id, key);
        return this.say({ type: "files", table: 1, added: [record(one.id, key)], removed: [], nextId: 9 });
      }
      case "remove": {
        const key = this.present.get(one.id);
        if (key === undefined) return;
        this.present.delete(one.id);
        return this.say({ type: "files", table: 1, added: [], removed: [record(one.id, key)], nextId: 9 });
      }
      case "wait":
        this.clock.at += one.hours * hour;
        return;
      case "checkpoint":
        this.checkpoints.push({ position: this.state.position, time: this.state.time });
        return checkpoint(this.bucket, this.state.snapshot(), this.scratch);
      case "seal":
        return this.seal();
      case "collect":
        return this.collect(one.brokenOff);
    }
  }

  /** @param brokenOff the process ends before so many deletions */
  async collect(brokenOff = Infinity): Promise<void> {
    let left = brokenOff;
    const { swept } = await collectGarbage(this.bucket, this.clock, {
      state: this.state.snapshot(),
      now: this.state.time,
      rules: this.rules,
      latest: Infinity,
      youngMilliseconds: 0,
      stillWriter: () => left-- > 0,
    });
    if (swept && left > 0) await this.say(swept);
  }

  async owner(): Promise<LogOwner> {
    return (await readOwner(this.bucket, 1000))!.owner;
  }

  /** Everything that is kept can be opened, and names what is there; the promised time is kept; the rest is gone. */
  async judge(isWhole: boolean): Promise<void> {
    const owner = await this.owner();
    const { objects } = this.bucket;
    const last = this.state.position;
    const single = describeHistory(owner).daily.map(({ position }) => position);
    const kept = [...single, ...Array.from({ length: last - owner.horizon + 1 }, (_, more) => owner.horizon + more)];
    for (const position of kept) {
      const { state } = await openPast(this.bucket, { position }, this.scratch);
      const names = [...(state.tables.get(1)?.files.values() ?? [])].map(({ keys }) => keys.key);
      assert.deepEqual(new Set(names), this.named[position], `position ${position}`);
      for (const key of names) assert.ok(objects.has(key), `${key}, which position ${position} names, is gone`);
    }
    const since = this.state.time - this.rules.everyPositionMilliseconds;
    const promised = this.times.findIndex(time => time > since);
    assert.ok(promised < 0 || owner.horizon <= promised, `${promised} is younger than the promised time`);
    // Of each day that is past, with a checkpoint, one is kept.
    const dailySince = since - this.rules.dailyCheckpointMilliseconds;
    for (const { position, time } of this.checkpoints) {
      if (position >= owner.horizon || time <= dailySince + day) continue;
      const ofItsDay = single.some(one => Math.floor(this.times[one]! / day) === Math.floor(time / day));
      assert.ok(ofItsDay, `no checkpoint of the day of ${position} is kept`);
    }
    const days = single.map(one => Math.floor(this.times[one]! / day));
    assert.equal(new Set(days).size, days.length, "two checkpoints of one day");
    if (!isWhole) return;
    const needed = new Set(kept.flatMap(position => [...this.named[position]!]));
    // What was retired by the entry at the horizon goes with the next.
    for (const key of this.named[Math.max(0, owner.horizon - 1)]!) needed.add(key);
    for (const key of this.named[last]!) needed.add(key);
    const data = [...objects.keys()].filter(key => key.startsWith("data/"));
    assert.deepEqual(
      data.filter(key => !needed.has(key)),
      [],
      "needed by nothing that is kept, and there",
    );
    for (let position = 0; position < owner.horizon; position++) {
      const near = this.state.seals.some(one => Math.abs(one.position - position) <= 1);
      const epoch = this.state.seals.find(one => one.position >= position)?.epoch ?? this.state.epoch;
      if (!near) assert.ok(!objects.has(entryKey(epoch, position)), `entry ${position} is there`);
    }
    const pointers = [...owner.checkpoints, ...owner.history].map(({ position }) => checkpointKey(position));
    const written = [...objects.keys()].filter(key => key.startsWith("checkpoint/"));
    assert.deepEqual(written.sort(), pointers.sort(), "checkpoints");
  }
}

function record(id: number, key: string) {
  const file = { key, size: 1, crc32: 1 };
  return { level: 1, id, entries: 1, bytes: 1, maxSequence: 1, keys: file, values: { ...file, key } };
}

describe("garbage collection", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "garbage-"))));
  after(() => fs.rm(folder, { recursive: true }));

  it("keeps what any kept position needs, all of the promised time, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 10, maxLength: 60 }),
        fc.constantFrom(0, 5, 24, 48),
        fc.constantFrom(0, 2, 7),
        async (happenings, hours, days) => {
          const database = new Database(join(folder, "scratch"), {
            everyPositionMilliseconds: hours * hour,
            dailyCheckpointMilliseconds: days * day,
          });
          await database.begin();
          for (const one of happenings) {
            await database.happen(one);
            if (one.what === "collect") await database.judge(false);
          }
          await database.happen({ what: "checkpoint" });
          await database.happen({ what: "add", id: 9 });
          await database.happen({ what: "checkpoint" });
          await database.collect();
          await database.judge(true);
        },
      ),
      { numRuns: Number(process.env.GARBAGE_RUNS ?? 60) },
    );
  }).timeout(120_000);

  it("gives up only: what a run has let go, no later one claims", () => {
    const pointer = fc.record({ position: fc.nat({ max: 200 }), time: fc.nat({ max: 40 * 24 }) });
    fc.assert(
      fc.property(
        fc.uniqueArray(pointer, { minLength: 2, maxLength: 30, selector: ({ position }) => position }),
        fc.array(fc.tuple(fc.nat({ max: 60 * 24 }), fc.nat({ max: 72 }), fc.nat({ max: 20 })), { minLength: 1 }),
        (pointers, runs) => {
          const times = pointers.map(({ time }) => time * hour).sort((a, b) => b - a);
          const all = [...pointers]
            .sort((a, b) => b.position - a.position)
            .map(({ position }, index) => ({ position, time: times[index]!, size: 1, crc32: 1 }));
          let owner = { checkpoints: all.slice(0, 2), history: all.slice(2), horizon: 0 };
          for (const [now, hours, days] of runs) {
            const rules = { everyPositionMilliseconds: hours * hour, dailyCheckpointMilliseconds: days * day };
            const next = keptHistory(owner, { now: now * hour, rules, latest: Infinity, youngMilliseconds: hour });
            assert.ok(next.horizon >= owner.horizon);
            assert.ok(next.history.every(one => owner.history.includes(one)));
            const known = [...owner.checkpoints, ...next.history].map(({ position }) => position);
            assert.ok(next.horizon === 0 || known.includes(next.horizon), "no checkpoint stands at the horizon");
            owner = { ...owner, ...next };
          }
        },
      ),
    );
  });

  it("thins the checkpoints between, and none that is young", () => {
    const minute = 60_000;
    const now = 1000 * day;
    const all = Array.from({ length: 300 }, (_, age) => ({
      position: 1000 - age,
      time: now - 10 * age * minute,
      size: 1,
      crc32: 1,
    }));
    const rules = { everyPositionMilliseconds: day, dailyCheckpointMilliseconds: 7 * day };
    const owner = { checkpoints: all.slice(0, 2), history: all.slice(2), horizon: 0 };
    const { horizon, history } = keptHistory(owner, { now, rules, latest: Infinity, youngMilliseconds: hour });
    assert.equal(horizon, 1000 - 144);
    const inWindow = history.filter(({ position }) => position >= horizon);
    assert.deepEqual(
      inWindow.slice(0, 6).map(({ position }) => 1000 - position),
      [2, 3, 4, 5, 6, 9],
    );
    assert.equal(inWindow.length, 4 + 46 + 1);
    assert.deepEqual(
      history.slice(inWindow.length).map(({ time }) => time),
      [now - 2 * day, now - 2990 * minute],
      "the first of each day, as far as there are any",
    );
  });

  it("names what there is when somebody asks for something else", async () => {
    const rules = { everyPositionMilliseconds: 5 * hour, dailyCheckpointMilliseconds: 9 * day };
    const database = new Database(join(folder, "scratch"), rules);
    await database.begin();
    for (let times = 0; times < 40; times++) {
      await database.happen({ what: times % 2 ? "remove" : "add", id: 1 });
      await database.happen({ what: "checkpoint" });
      await database.happen({ what: "wait", hours: 2 });
    }
    await database.collect();
    const owner = await database.owner();
    const { daily, every } = describeHistory(owner);
    const now = database.clock.wall();
    const open = (moment: Parameters<typeof openPast>[1]) =>
      openPast(database.bucket, moment, join(folder, "scratch"), now).then(({ state }) => state.position);
    assert.ok(daily.length >= 3);
    assert.equal(await open({ time: daily[1]!.time }), daily[1]!.position);
    assert.equal(await open("latest"), database.state.position);
    assert.equal(await open({ time: now }), database.state.position);
    assert.equal(await open({ time: every!.time + 1 }), every!.position);
    const named = (error: Error) =>
      error instanceof NotKept && daily.every(({ time }) => error.message.includes(new Date(time).toISOString()));
    await assert.rejects(open({ time: daily[1]!.time + 1 }), named);
    await assert.rejects(open({ time: 5 }), named);
    await assert.rejects(open({ position: daily[0]!.position + 1 }), named);
    await assert.rejects(open({ time: now + 1 }), /in the future/);
    await assert.rejects(open({ position: 10_000 }), /the log ends at/);
  });
});
