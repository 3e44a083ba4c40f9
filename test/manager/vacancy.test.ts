import assert from "node:assert/strict";
import { Vacancy } from "../../components/manager/vacancy";
import { lease, podRecord } from "./views";

describe("the time in which nobody holds the Lease", () => {
  let at: number;
  const vacancy = () => new Vacancy({ now: () => at }, 0.5);
  beforeEach(() => (at = 100_000));

  it("begins two margins after the last holder's right to write, unless that gave the Lease back", () => {
    const ranOut = vacancy();
    assert.equal(ranOut.silentMilliseconds(), 0);
    ranOut.lasts(lease({ released: false }));
    const released = vacancy();
    released.lasts(lease({ released: true, holder: "" }));
    at += 300;
    assert.equal(ranOut.silentMilliseconds(), 1300);
    assert.equal(released.silentMilliseconds(), 300);
    ranOut.end();
    assert.equal(ranOut.silentMilliseconds(), 0);
  });

  it("does not begin anew while it lasts", () => {
    const free = vacancy();
    free.lasts(lease());
    at += 500;
    free.lasts(lease());
    assert.equal(free.since, 100_000);
  });

  it("leaves a poll in doubt where this node could not reach the bucket just now", () => {
    const free = vacancy();
    free.lasts(lease({ unchangedSince: at - 4500 }));
    assert.equal(free.pollMayHangMilliseconds(at - 4800, -Infinity), 0);
    assert.equal(free.pollMayHangMilliseconds(at - 4800, at - 4000), 6000);
    assert.equal(free.pollMayHangMilliseconds(at - 4800, at - 11_000), 0);
  });

  it("and where its engine had seen nothing for long when the last primary was last heard of", () => {
    const ranOut = vacancy();
    ranOut.lasts(lease({ unchangedSince: at - 4500 }));
    assert.equal(ranOut.pollMayHangMilliseconds(at - 8600, -Infinity), 10_000);
    const released = vacancy();
    released.lasts(lease({ unchangedSince: at - 4500, released: true, holder: "" }));
    assert.equal(released.pollMayHangMilliseconds(at - 8600, -Infinity), 0);
  });

  it("knows a holder whose pod is gone, from what was read while it held the Lease", () => {
    const held = vacancy();
    held.sawPods([podRecord("orders-0", { leaving: true }), podRecord("orders-1")], lease());
    assert.equal(held.goneHolder, undefined);
    held.sawPods([podRecord("orders-0", { uid: "another" }), podRecord("orders-1")], lease());
    assert.equal(held.goneHolder, "orders-0_a");
    const released = vacancy();
    released.sawPods([], lease({ holder: "" }));
    released.sawPods([], undefined);
    assert.equal(released.goneHolder, undefined);
  });

  it("knows from the pods whether the last holder's volume is about to come back", () => {
    const holder = lease({ holder: "orders-0_a" });
    const others = [podRecord("orders-1", { uid: "b" })];
    for (const [returns, own] of [
      [false, [podRecord("orders-0")]],
      [true, [podRecord("orders-0", { runs: false })]],
      [true, [podRecord("orders-0", { uid: "c" })]],
      [true, []],
    ] as const) {
      const free = vacancy();
      free.sawPods([...own, ...others], holder);
      assert.equal(free.holderReturns, undefined, "the Lease is held");
      free.lasts(holder);
      free.sawPods([...own, ...others], holder);
      assert.equal(free.holderReturns, returns);
    }
  });

  it("remembers that it is, while its container runs again and its manager is not there yet", () => {
    const free = vacancy();
    free.lasts(lease());
    free.sawPods([podRecord("orders-0", { runs: false })], lease());
    free.sawPods([podRecord("orders-0")], lease());
    assert.equal(free.holderReturns, true);
    free.end();
    free.lasts(lease());
    assert.equal(free.holderReturns, undefined);
  });

  it("does not wait for whoever was edited out of the Lease", () => {
    const free = vacancy();
    free.lasts(lease({ holder: "" }));
    free.sawPods([], lease({ holder: "" }));
    assert.equal(free.holderReturns, false);
  });
});
