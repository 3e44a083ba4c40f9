import assert from "node:assert/strict";
import { SealEntry } from "../../../components/manager/store/log/entry";
import { RivalWatch } from "../../../components/manager/transitions/rivalWatch";

const seal = (epoch: number, cluster?: string): SealEntry => ({
  kind: "seal",
  epoch,
  position: 10 * epoch,
  nonce: "n",
  time: 0,
  nextEpoch: epoch + 1,
  author: "orders-0",
  ...(cluster && { cluster }),
});

describe("the watch for another deployment", () => {
  it("knows it by the last seal, and sees it write when the log grows", () => {
    const watch = new RivalWatch("here");
    watch.saw(seal(1, "there"), 25, 1000);
    assert.deepEqual(watch.rival(2), { author: "orders-0", cluster: "there", grows: false, quietSince: 1000 });
    watch.saw(seal(1, "there"), 25, 2000);
    assert.equal(watch.rival(2)?.quietSince, 1000);
    watch.saw(seal(1, "there"), 26, 3000);
    assert.deepEqual(watch.rival(2), { author: "orders-0", cluster: "there", grows: true, quietSince: 3000 });
    // This node has sealed its epoch.
    assert.equal(watch.rival(3), undefined);
  });

  it("takes a seal that has just come for a sign of life", () => {
    const watch = new RivalWatch("here");
    watch.saw(seal(1, "here"), 25, 1000);
    assert.equal(watch.rival(2), undefined);
    watch.saw(seal(3, "there"), 30, 2000);
    assert.equal(watch.rival(4)?.grows, true);
  });

  it("tells nobody apart by a seal of an earlier build, or without knowing its own deployment", () => {
    const watch = new RivalWatch("here");
    watch.saw(seal(1), 25, 1000);
    assert.equal(watch.rival(2), undefined);
    const unknown = new RivalWatch(undefined);
    unknown.saw(seal(1, "there"), 25, 1000);
    assert.equal(unknown.rival(2), undefined);
  });
});
