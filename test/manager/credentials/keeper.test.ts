import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { CredentialKeeper } from "../../../components/manager/credentials/keeper";
import { TemporaryCredentials } from "../../../components/manager/credentials/source";
import { VirtualTime } from "../../simulation/virtualTime";

const minute = 60_000;
const hour = 60 * minute;
/** Wall clock at the start. */
const start = Date.parse("2026-11-30T00:00:00Z");

describe("the keeper of a role's credentials", () => {
  let time: VirtualTime;
  /** What the wall clock is ahead of the monotonic one, beyond the start. */
  let wallShift: number;
  /** When the source was asked. */
  let asked: number[];
  let events: string[];
  let logged: string[];
  let answer: () => Promise<TemporaryCredentials>;
  let keeper: CredentialKeeper;
  let underway: number;
  let most: number;

  const wall = () => start + time.now + wallShift;
  const sleep = (milliseconds: number) => new Promise<void>(resolve => void time.after(milliseconds, resolve));
  const lasting = (lifetime: number): Promise<TemporaryCredentials> =>
    Promise.resolve({
      accessKeyId: `key ${asked.length}`,
      secretAccessKey: "s",
      sessionToken: "t",
      expiresAt: wall() + lifetime,
    });
  const failing = (why = "503") => Promise.reject<TemporaryCredentials>(new Error(why));
  const idNow = async () => (await keeper.current()).accessKeyId;

  beforeEach(() => {
    [time, wallShift, asked, events, logged, underway, most] = [new VirtualTime(), 0, [], [], [], 0, 0];
    answer = () => lasting(6 * hour);
    const source = {
      name: "the source",
      async fetch() {
        asked.push(time.now);
        most = Math.max(most, ++underway);
        try {
          return await answer();
        } finally {
          underway--;
        }
      },
    };
    keeper = new CredentialKeeper(source, {
      clock: { now: () => time.now, wall, sleep },
      log: (level, message) => void logged.push(`${level} ${message}`),
      event: (_type, reason, message) => void events.push(`${reason}: ${message}`),
    });
    time.after(0, () => void keeper.run());
  });

  it("asks once, and again at the half of their life, hours before they end", async () => {
    await time.runUntil(20 * hour);
    assert.deepEqual(
      asked.slice(0, 4).map(at => Math.round(at / hour)),
      [0, 3, 6, 9],
    );
    assert.deepEqual(events, []);
    assert.deepEqual(logged, ["info has the role's credentials"]);
  });

  it("answers from memory: a request to the bucket waits for nobody, while they are renewed too", async () => {
    await time.runUntil(minute);
    answer = async () => {
      await sleep(10_000);
      return lasting(6 * hour);
    };
    await time.runUntil(3 * hour + 5000);
    assert.equal(underway, 1);
    assert.equal(await idNow(), "key 1");
    await time.runUntil(3 * hour + minute);
    assert.equal(await idNow(), "key 2");
  });

  it("uses the old ones to their end while renewing fails, and tells people hours before", async () => {
    await time.runUntil(minute);
    answer = () => failing("no association");
    await time.runUntil(3 * hour + minute);
    assert.match(events[0]!, /^CredentialsNotRenewed: .* those in use end in 1(79|80) minutes: no association/);
    assert.equal(await idNow(), "key 1");
    await time.runUntil(6 * hour - 1000);
    assert.equal(await idNow(), "key 1");
    assert.ok(asked.length > 170 && asked.length < 400, `asked ${asked.length} times`);
    // Told again each ten minutes, not at each attempt.
    assert.ok(events.length >= 17 && events.length <= 19, `${events.length} events`);
    assert.equal(keeper.failures, asked.length - 1);
    await time.runUntil(6 * hour);
    assert.equal(keeper.secondsLeft, 0);
    await assert.rejects(keeper.current(), /ended at 2026-11-30T06:00:00.000Z: no association/);
  });

  it("has new ones soon after the source is back, and says so", async () => {
    answer = () => failing();
    await time.runUntil(10 * minute);
    await assert.rejects(keeper.current(), /are not there yet: 503/);
    answer = () => lasting(6 * hour);
    await time.runUntil(11 * minute + 1000);
    assert.ok((await idNow()).startsWith("key"));
    assert.match(events.at(-1)!, /^CredentialsRenewed/);
  });

  it("asks once for however many requests, at the start and after their end", async () => {
    answer = async () => {
      await sleep(2000);
      return lasting(hour);
    };
    const waiting = Promise.all(Array.from({ length: 50 }, () => keeper.current()));
    await time.runUntil(minute);
    assert.equal(new Set((await waiting).map(({ accessKeyId }) => accessKeyId)).size, 1);
    assert.deepEqual([asked.length, most], [1, 1]);
  });

  it("does not ask in a loop when requests come without any, or when what it gets is about to end", async () => {
    answer = () => failing();
    for (let second = 1; second <= 600; second++) {
      await time.runUntil(second * 1000);
      await assert.rejects(keeper.current());
    }
    assert.ok(asked.length < 25, `asked ${asked.length} times in ten minutes`);
    const before = asked.length;
    answer = () => lasting(100);
    await time.runUntil(13 * minute);
    assert.ok(asked.length - before <= 370, `asked ${asked.length - before} times in two to three minutes`);
  });

  it("renews short ones in time: those of four seconds never run out", async () => {
    answer = () => lasting(4000);
    let without = 0;
    for (let at = 1; at <= 600; at++) {
      await time.runUntil(at * 100);
      if (keeper.secondsLeft === 0) without++;
    }
    assert.equal(without, 0);
    assert.equal(most, 1);
  });

  it("does not take credentials that have ended already", async () => {
    answer = () => lasting(-1);
    await time.runUntil(1000);
    await assert.rejects(keeper.current(), /is this node's clock right\?/);
  });

  it("notices a wall clock that was set forward", async () => {
    await time.runUntil(minute);
    wallShift = 4 * hour;
    await time.runUntil(2 * minute);
    assert.equal(await idNow(), "key 2");
  });

  it("asks at once when the object store takes them for ended, for those that it refused, and not in a loop", async () => {
    await time.runUntil(minute);
    keeper.refused("key 1");
    keeper.refused("key 1");
    await time.runUntil(minute + 10);
    assert.equal(await idNow(), "key 2");
    // What comes in late was signed with the earlier ones.
    keeper.refused("key 1");
    keeper.refused("key 2");
    await time.runUntil(minute + 20);
    assert.equal(asked.length, 2);
  });
});
