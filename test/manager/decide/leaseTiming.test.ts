import assert from "node:assert/strict";
import * as fc from "fast-check";
import { LeaseSettings, leaseTiming, validateLease } from "../../../components/core/leaseTiming";
import { leaseIsFree } from "../../../components/manager/decide/candidacy";
import { decide, leastHoldMilliseconds } from "../../../components/manager/decide/decide";
import { LeaseKeeper } from "../../../components/manager/cluster/leaseKeeper";
import { tickMilliseconds } from "../../../components/manager/base/intervals";
import { Conflict, LeaseObject, Ports } from "../../../components/manager/base/ports";
import { VirtualTime } from "../../simulation/virtualTime";
import { configuration, primary, replica } from "../views";

const identity = "orders-1_b";

/** How long the API server takes for its next answer to a renewal; Infinity: it never comes. Milliseconds. */
type Answers = (attempt: number) => number;

/** A primary and a follower, each with its real keeper of the Lease and the real decision, at an API server that answers as it is told. */
class LeaseScene {
  readonly time = new VirtualTime();
  private stored: LeaseObject | undefined;
  private version = 0;
  private attempts = 0;
  readonly holder: LeaseKeeper;
  readonly follower: LeaseKeeper;
  /** When the primary was first fenced, asked its peers, and could have opened for writes last. */
  fencedAt: number | undefined;
  askedAt: number | undefined;
  openableAt = -Infinity;
  private busy = false;

  constructor(
    private readonly settings: LeaseSettings,
    public answers: Answers,
  ) {
    this.holder = this.keeper(identity, attempt => this.answers(attempt));
    this.follower = this.keeper("orders-2_c", () => 10);
  }

  /** The primary takes the Lease, and serves. */
  async begin(): Promise<void> {
    const taken = this.holder.acquire(8);
    await this.time.runUntil(100);
    await taken;
    this.look();
  }

  async run(seconds: number): Promise<void> {
    await this.time.runUntil(this.time.now + seconds * 1000);
  }

  /** Whether the follower may take the Lease. */
  get isFree(): boolean {
    const view = replica({ ...this.common, lease: this.follower.observation });
    return leaseIsFree(view, this.time.now);
  }

  private get common() {
    return { configuration: { ...configuration, ...this.settings }, bucketAnsweredAt: this.time.now };
  }

  private look(): void {
    const { now } = this.time;
    const { hold, observation: lease } = this.holder;
    const decision = decide(primary({ ...this.common, lease, hold }), now);
    if (decision.fence) this.fencedAt ??= now;
    if (decision.failsafe) this.askedAt ??= now;
    if (hold && hold.deadline - now >= leastHoldMilliseconds) this.openableAt = now;
    if (decision.lease?.kind === "renew" && !this.busy) {
      this.busy = true;
      const done = () => (this.busy = false);
      this.holder.renew().then(done, done);
    }
    this.follower.observe(now);
    this.time.after(tickMilliseconds, () => this.look());
  }

  private keeper(name: string, answers: Answers): LeaseKeeper {
    const { time } = this;
    const call = <T>(timeout: number, latency: number, effect: () => T) =>
      new Promise<T>((resolve, reject) => {
        if (latency >= timeout) return void time.after(timeout, () => reject(new Error("no answer")));
        time.after(latency, () => {
          try {
            resolve(effect());
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      });
    const store = (lease: Omit<LeaseObject, "resourceVersion">) =>
      (this.stored = { ...lease, resourceVersion: String(++this.version) });
    const kubernetes: Partial<Ports["kubernetes"]> = {
      readLease: timeout => call(timeout, 10, () => this.stored),
      createLease: (lease, timeout) => call(timeout, 10, () => store(lease)),
      updateLease: (lease, timeout) =>
        call(timeout, answers(this.attempts++), () => {
          if (lease.resourceVersion !== this.stored?.resourceVersion) throw new Conflict("the lease");
          return store(lease);
        }),
    };
    const ports = {
      clock: { now: () => time.now, wallTime: () => "" },
      kubernetes,
      watchdog: { setDeadline: () => undefined },
      log: () => undefined,
    };
    return new LeaseKeeper({ ...configuration, ...this.settings }, name, ports as unknown as Ports, () => undefined);
  }
}

/** All settings that are accepted, to the twentieth of a second. */
const accepted = fc
  .tuple(fc.integer({ min: 60, max: 1200 }), fc.integer({ min: 4, max: 600 }))
  .map(([duration, margin]) => ({ leaseDurationSeconds: duration / 20, leaseMarginSeconds: margin / 20 }))
  .filter(settings => validateLease(settings).length === 0);
const few = { numRuns: 60 };

describe("every lease that is accepted", () => {
  it("is kept for ever, and lets its holder open for writes, where the API server leaves out every other renewal", () =>
    fc.assert(
      fc.asyncProperty(
        accepted,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        async (settings, dice) => {
          const { renewalTimeout } = leaseTiming(settings);
          const isLost = (attempt: number) => attempt % 2 === 0;
          const latency = () => (dice.next().value ?? 0) * 0.2 * renewalTimeout;
          const scene = new LeaseScene(settings, attempt => (isLost(attempt) ? Infinity : latency()));
          await scene.begin();
          for (let second = 0; second < 60; second++) {
            await scene.run(1);
            assert.equal(scene.fencedAt, undefined, "fenced");
            assert.equal(scene.isFree, false, "free for the follower");
            const since = scene.time.now - scene.openableAt;
            assert.ok(since < 2 * settings.leaseDurationSeconds * 1000, `${since} ms without time to open for writes`);
          }
        },
      ),
      few,
    ));

  it("leaves the peers the time to answer before its holder fences itself, and that the time to do so before anybody else may begin", () =>
    fc.assert(
      fc.asyncProperty(accepted, async settings => {
        const scene = new LeaseScene(settings, () => 10);
        await scene.begin();
        await scene.run(5);
        scene.answers = () => Infinity;
        const { confirmTimeout, fenceAhead, right, silence } = leaseTiming(settings);
        const ends = scene.time.now + right + silence + 5000;
        let freeAt: number | undefined;
        let deadline = 0;
        while (scene.time.now < ends && freeAt === undefined) {
          deadline = scene.holder.hold?.deadline ?? deadline;
          await scene.run(0.05);
          if (scene.isFree) freeAt = scene.time.now;
        }
        const { fencedAt = assert.fail("not fenced"), askedAt = assert.fail("nobody was asked") } = scene;
        assert.ok(askedAt + confirmTimeout < fencedAt, `asked at ${askedAt}, fenced at ${fencedAt}`);
        const late = fencedAt - (deadline - fenceAhead);
        assert.ok(late >= 0 && late <= tickMilliseconds, `fenced ${late} ms after its time`);
        const margins = (freeAt ?? 0) - deadline;
        assert.ok(margins >= 2000 * settings.leaseMarginSeconds - 50, `free ${margins} ms after the deadline`);
      }),
      few,
    ));

  it("of 4 s has the times that were measured with it", () => {
    assert.deepEqual(leaseTiming({ leaseDurationSeconds: 4, leaseMarginSeconds: 0.5 }), {
      right: 3500,
      silence: 4500,
      fenceAhead: 600,
      renewEvery: 1250,
      retryRenewal: 400,
      renewalTimeout: 1000,
      failsafeAhead: 2000,
      failsafeEvery: 500,
      confirmTimeout: 700,
    });
  });

  it("leaves its primary two seconds", () => {
    for (const [leaseDurationSeconds, leaseMarginSeconds, property] of [
      [2, 0.5, "leaseDurationSeconds"],
      [3, 1.4, "leaseMarginSeconds"],
      [3, 1.01, "leaseMarginSeconds"],
      [4, 2, "leaseMarginSeconds"],
      [4, 0.1, "leaseMarginSeconds"],
      [NaN, 0.5, "leaseDurationSeconds"],
      [4, NaN, "leaseMarginSeconds"],
      [61, 0.5, "leaseDurationSeconds"],
    ] as const) {
      const problems = validateLease({ leaseDurationSeconds, leaseMarginSeconds });
      assert.deepEqual(
        problems.map(({ propertyPath }) => propertyPath),
        [property],
      );
    }
    for (const [leaseDurationSeconds, leaseMarginSeconds] of [
      [3, 1],
      [3, 0.2],
      [60, 29],
    ] as const)
      assert.deepEqual(validateLease({ leaseDurationSeconds, leaseMarginSeconds }), []);
  });
});
