import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Random } from "./random";
import { SimulatedVolume } from "./volume";

const path = "/table/L1_2.klog";

/** What a name stands for after the power was lost, in many ways to lose it. */
function afterPowerLoss(prepare: (volume: SimulatedVolume) => void): string[] {
  const found = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const volume = new SimulatedVolume();
    volume.write(path, Buffer.from("old"));
    volume.sync(volume.inode(path));
    prepare(volume);
    volume.losePower(new Random(seed));
    found.add(volume.has(path) ? volume.read(path).toString() : "nothing");
  }
  return [...found].sort();
}

describe("the simulated volume that loses its power", () => {
  it("brings back a file whose removal no sync has covered", () => {
    const found = afterPowerLoss(volume => volume.remove(path));
    assert.deepEqual(found, ["nothing", "old"]);
  });

  const waysToGo: Record<string, (volume: SimulatedVolume) => void> = {
    "was removed": volume => volume.remove(path),
    "was renamed": volume => volume.rename(path, "/table/L2_2.klog"),
  };
  for (const [way, go] of Object.entries(waysToGo)) {
    it(`keeps a synced file under the name of one that ${way}`, () => {
      const found = afterPowerLoss(volume => {
        go(volume);
        volume.write(path, Buffer.from("new"));
        volume.sync(volume.inode(path));
      });
      assert.deepEqual(found, ["new"]);
    });

    it(`may bring back one that ${way} while the new one is not synced`, () => {
      const found = afterPowerLoss(volume => {
        go(volume);
        volume.write(path, Buffer.from("new"));
      });
      assert.ok(found.includes("old"), found.join());
    });
  }
});
