import assert from "node:assert/strict";
import { noCounts } from "../../../components/manager/base/counters";
import { Lanes } from "../../../components/manager/base/lanes";
import {
  mostFlushes,
  shipAtBytes,
  shipEvery,
  WriterDuties,
} from "../../../components/manager/transitions/writerDuties";
import { VirtualTime } from "../../simulation/virtualTime";
import { configuration } from "../views";

type Options = ConstructorParameters<typeof WriterDuties>[0];

describe("how often a primary ships its WAL in `interval`", () => {
  let time: VirtualTime;
  let shipped: number[];
  /** Bytes that were written and not read yet, and read and not shipped yet. */
  let written: number;

  beforeEach(() => {
    time = new VirtualTime();
    shipped = [];
    written = 0;
    const log = { position: 0, epoch: 1 };
    const shipper = { heldBytes: 0, commits: 0 };
    const read = () => {
      shipper.heldBytes += written;
      written = 0;
    };
    const writing = {
      log,
      shipper,
      waitingMilliseconds: () => 0,
      peek: () => Promise.resolve(read()),
      handler: {
        ship: () => {
          read();
          if (shipper.heldBytes > 0) {
            shipped.push(time.now);
            log.position++;
          }
          shipper.heldBytes = 0;
          return Promise.resolve();
        },
      },
    };
    const clock = {
      now: () => time.now,
      sleep: (milliseconds: number) => new Promise<void>(resolve => time.after(milliseconds, resolve)),
    };
    const engine = { writing, view: { state: "running", role: "primary" }, beat: () => Promise.resolve() };
    const ports = { clock, engine: { ping: () => Promise.resolve() }, log: () => undefined };
    const lanes = new Lanes(
      clock as unknown as ConstructorParameters<typeof Lanes>[0],
      () => undefined,
      () => undefined,
    );
    new WriterDuties({
      configuration,
      ports,
      lanes,
      engine,
      store: {},
      counters: noCounts(),
    } as unknown as Options).observe();
  });

  /** Writes so much each 10 ms. */
  function writes(bytes: number, until: number): void {
    const step = () => {
      written += bytes;
      if (time.now < until) time.after(10, step);
    };
    step();
  }

  it("sends the first write after a pause at once, and then no more than two entries a second, however many writes there are", async () => {
    await time.runUntil(10_000);
    assert.deepEqual(shipped, []);
    writes(200, 14_000);
    await time.runUntil(14_400);
    const [first = 0, ...others] = shipped;
    assert.ok(first - 10_000 <= 50, `the first after ${first - 10_000} ms`);
    assert.ok(others.length >= 7 && others.length <= 8, String(others));
    for (const [i, at] of others.entries()) assert.ok(at - shipped[i]! >= shipEvery);
  });

  it("sends sooner when much waits, so that followers keep up", async () => {
    const perSecond = 10_000_000;
    writes(perSecond / 100, 2000);
    await time.runUntil(2100);
    const gaps = shipped.slice(1).map((at, i) => at - shipped[i]!);
    assert.ok(gaps.length > 20 && Math.max(...gaps) <= 1000 * (shipAtBytes / perSecond) + 75, String(gaps));
  });
});

describe("a primary whose flushes are behind", () => {
  it("holds commits back in either mode until half of them are sent: an engine with ten rotated memtables never goes on", async () => {
    for (const durability of ["commit", "interval"] as const) {
      const time = new VirtualTime();
      const clock = {
        now: () => time.now,
        sleep: (milliseconds: number) => new Promise<void>(resolve => time.after(milliseconds, resolve)),
      };
      const shipper = { heldBytes: 0, commits: 0, rotated: mostFlushes - 1 };
      const writing = {
        log: { position: 0, epoch: 1 },
        shipper,
        waitingMilliseconds: () => 0,
        peek: () => Promise.resolve(),
        handler: { ship: () => Promise.resolve() },
      };
      let holds = 0;
      const lanes = new Lanes(
        clock as unknown as ConstructorParameters<typeof Lanes>[0],
        () => undefined,
        () => undefined,
      );
      const duties = new WriterDuties({
        configuration: { ...configuration, durability },
        ports: {
          clock,
          engine: {
            ping: () => Promise.resolve(),
            async holdCommits(milliseconds: number) {
              holds++;
              await clock.sleep(milliseconds);
            },
          },
          log: () => undefined,
        },
        lanes,
        engine: { writing, view: { state: "running", role: "primary" }, beat: () => Promise.resolve() },
        store: {},
        counters: noCounts(),
      } as unknown as Options);
      const passes = async (milliseconds: number) => {
        for (const end = time.now + milliseconds; time.now < end; await time.runUntil(time.now + 50)) duties.observe();
      };
      await passes(1000);
      assert.equal(holds, 0, durability);
      shipper.rotated = mostFlushes;
      await passes(2000);
      assert.ok(holds > 5 && duties.holds, `${durability}: ${holds}`);
      shipper.rotated = Math.floor(mostFlushes / 2);
      await passes(500);
      const sofar = holds;
      await passes(1000);
      assert.equal(holds, sofar, durability);
    }
  });
});
