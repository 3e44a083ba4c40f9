import assert from "node:assert/strict";
import { shipAtBytes, shipEvery, WalShipping } from "../../../components/manager/transitions/walShipping";
import { VirtualTime } from "../../simulation/virtualTime";

type Options = ConstructorParameters<typeof WalShipping>[0];
type Writing = Parameters<WalShipping["run"]>[0];

describe("how often a primary ships its WAL in `interval`", () => {
  let time: VirtualTime;
  let shipped: number[];
  let looks: number[];
  /** Bytes that were written and not read yet. */
  let written: number;
  let alarm: (() => void) | undefined;
  let alarms: "told" | "silent" | "refused";
  let killed: string[];
  let shipping: Promise<void>;
  let failure: Error | undefined;

  beforeEach(() => {
    time = new VirtualTime();
    shipped = [];
    looks = [];
    killed = [];
    written = 0;
    alarm = undefined;
    alarms = "told";
    failure = undefined;
    const log = { position: 0, epoch: 1 };
    const shipper = { heldBytes: 0, commits: 0 };
    const read = () => {
      looks.push(time.now);
      if (failure) return Promise.reject(failure);
      shipper.heldBytes += written;
      if (written > 0) shipper.commits++;
      written = 0;
      return Promise.resolve();
    };
    const writing = {
      log,
      shipper,
      peek: read,
      handler: {
        async ship() {
          await read();
          if (shipper.heldBytes > 0) {
            shipped.push(time.now);
            log.position++;
          }
          shipper.heldBytes = 0;
        },
      },
    } as unknown as Writing;
    const clock = {
      now: () => time.now,
      sleep: (milliseconds: number) => new Promise<void>(resolve => time.after(milliseconds, resolve)),
    };
    const files = {
      onWrite: (changed: () => void) => {
        if (alarms === "refused") changed();
        if (alarms === "told") alarm = changed;
        return () => (alarm = undefined);
      },
    };
    const engine = { writing, view: { state: "running" }, kill: (reason: string) => killed.push(reason) };
    shipping = new WalShipping({ ports: { clock, files, log: () => undefined }, engine } as unknown as Options).run(
      writing,
    );
  });

  function write(bytes: number): void {
    written += bytes;
    alarm?.();
  }

  /** Writes so much each 10 ms. */
  function writes(bytes: number, until: number): void {
    const step = () => {
      write(bytes);
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
    assert.ok(gaps.length > (0.7 * 2 * perSecond) / shipAtBytes, String(gaps));
    assert.ok(Math.max(...gaps) <= 1000 * (shipAtBytes / perSecond) + 75, String(gaps));
  });

  it("looks four times a second while nothing is written, and at once when something is", async () => {
    await time.runUntil(5000);
    looks = [];
    await time.runUntil(15_000);
    assert.ok(looks.length >= 38 && looks.length <= 41, `${looks.length} looks in 10 s`);
    const at = time.now + 90;
    time.after(90, () => write(100));
    await time.runUntil(at + 1);
    assert.deepEqual(shipped, [at]);
  });

  it("misses nothing that is written while it stops looking by itself", async () => {
    for (let offset = 90; offset < 150; offset += 2) {
      const from = time.now + 2000;
      await time.runUntil(from);
      write(100);
      await time.runUntil(from + offset);
      write(100);
      await time.runUntil(from + offset + 26);
      assert.equal(written, 0, `written ${offset} ms after another`);
    }
  });

  it("finds a write within a quarter of a second where nobody tells of it", async () => {
    alarms = "silent";
    for (let at = 5000; at < 20_000; at += 3001) {
      await time.runUntil(at);
      write(100);
      await time.runUntil(at + 250);
      assert.equal(written, 0);
    }
  });

  it("looks each 25 ms where nobody can tell", async () => {
    alarms = "refused";
    await time.runUntil(20_000);
    const gaps = looks.slice(1).map((at, i) => at - looks[i]!);
    assert.ok(Math.max(...gaps) <= 25, String(Math.max(...gaps)));
  });

  it("does not look all the time while other files are written", async () => {
    const noise = () => {
      alarm?.();
      time.after(1, noise);
    };
    noise();
    await time.runUntil(5000);
    looks = [];
    await time.runUntil(15_000);
    assert.ok(looks.length <= 425, `${looks.length} looks in 10 s`);
  });

  it("kills an engine whose WAL cannot be read, and ends its watch", async () => {
    await time.runUntil(3000);
    assert.ok(alarm);
    failure = new Error("EIO");
    await time.runUntil(4000);
    await shipping;
    assert.deepEqual(killed, ["the WAL cannot be read"]);
    assert.equal(alarm, undefined);
  });
});
