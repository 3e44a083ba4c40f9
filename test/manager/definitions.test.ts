import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import { definitionsFolder, missingCopies } from "../../components/manager/definitions";

const objects = (...names: string[]) => names.map(key => ({ key, size: 1, etag: "" }));

describe("copies of the table of definitions", () => {
  it("are made of merged files, under the name that other nodes look for, values first", () => {
    const merged = objects(
      `${definitionsFolder}L1P0_7.klog`,
      `${definitionsFolder}L1P0_7.vlog`,
      `${definitionsFolder}MANIFEST`,
    );
    assert.deepEqual(missingCopies(merged), [
      { from: `${definitionsFolder}L1P0_7.vlog`, to: `${definitionsFolder}L1_7.vlog` },
      { from: `${definitionsFolder}L1P0_7.klog`, to: `${definitionsFolder}L1_7.klog` },
    ]);
  });

  it("are made once, and of nothing else", () => {
    const done = objects(
      `${definitionsFolder}L1P0_7.klog`,
      `${definitionsFolder}L1_7.klog`,
      `${definitionsFolder}L1_8.klog`,
    );
    assert.deepEqual(missingCopies(done), []);
    assert.deepEqual(missingCopies(objects("data/shop__orders/L1_7.klog", "data/uwal_7.log")), []);
  });

  it("are made of any table's files, should they be merged so", () => {
    assert.deepEqual(missingCopies(objects("data/shop__orders/L2P13_7.klog")), [
      { from: "data/shop__orders/L2P13_7.klog", to: "data/shop__orders/L2_7.klog" },
    ]);
  });
});
