import assert from "node:assert/strict";
import { Vacancy } from "../../../components/manager/cluster/vacancy";
import { lease, podRecord } from "../views";

describe("the time in which nobody holds the Lease", () => {
  let at: number;
  const vacancy = () => new Vacancy({ now: () => at });
  beforeEach(() => (at = 100_000));

  it("does not begin anew while it lasts", () => {
    const free = vacancy();
    free.lasts();
    at += 500;
    free.lasts();
    assert.equal(free.since, 100_000);
    free.end();
    assert.equal(free.since, undefined);
    free.lasts();
    assert.equal(free.since, 100_500);
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
});
