import assert from "node:assert/strict";
import {
  droppedOf,
  inheritedFiles,
  isDropped,
  missingInBucket,
  withoutRevived,
} from "../../components/manager/comparison";
import { orphans, tableFolder } from "../../components/manager/orphans";

const folders = [
  "shop__orders",
  "shop__orders__by_customer",
  "shop__old",
  "__tidesql_schema",
  "tidesql_internal__beat",
];

describe("what is left of dropped tables", () => {
  it("is every folder without a definition, but for the engine's, the manager's and those of indexes", () => {
    assert.deepEqual([...orphans(folders, [tableFolder("shop", "orders")])], ["shop__old"]);
    assert.deepEqual([...orphans(folders, [tableFolder("Shop", "Orders"), "shop__old"])], []);
  });

  it("is never guessed of a name that a folder writes differently", () => {
    assert.deepEqual([...orphans(["shop__a@002db"], [])], []);
  });

  it("is not missed in the bucket, until the table is made anew", () => {
    const files = ["shop__orders/L1_1.klog", "shop__orders/MANIFEST", "shop__old/L1_1.klog"].map(name => ({
      name,
      size: 50,
    }));
    const missing = (inherited: ReadonlyMap<string, string>) =>
      missingInBucket(files, [], inherited).map(({ name }) => name);
    const inherited = inheritedFiles(files, [], ["shop__orders"]);
    assert.deepEqual(missing(inherited), ["shop__orders/L1_1.klog"]);
    assert.ok(isDropped("shop__old/L1_9.klog", inherited));
    assert.ok(!isDropped("uwal_3.log", inherited));
    const revived = withoutRevived(inherited, ["shop__orders", "shop__old"]);
    assert.deepEqual(missing(revived), ["shop__orders/L1_1.klog", "shop__old/L1_1.klog"]);
  });

  it("is not what has rows in the bucket, whatever the definitions say", () => {
    const files = [{ name: "shop__old/L1_1.klog", size: 50 }];
    assert.deepEqual([...inheritedFiles(files, [{ key: "shop__old/L1_0.klog", size: 70, etag: "e" }], [])], []);
    assert.deepEqual(
      [...inheritedFiles(files, [{ key: "shop__old/MANIFEST", size: 70, etag: "e" }], [])],
      [["shop__old", ""]],
    );
  });

  it("is all that a resumed last primary has of others: its manifests are the truth", () => {
    const inherited = new Map([
      ["shop__old", ""],
      ["shop__orders/MANIFEST", "a"],
    ]);
    assert.deepEqual([...droppedOf(inherited)], [["shop__old", ""]]);
  });
});

describe("files that the engine has made empty of objects that it did not find", () => {
  it("are never sent to the bucket", () => {
    const files = [
      { name: "shop__orders/L1_1.klog", size: 8 },
      { name: "shop__orders/L1_1.vlog", size: 0 },
      { name: "shop__orders/L1_2.klog", size: 9 },
      { name: "shop__orders/L1_2.vlog", size: 0 },
    ];
    assert.deepEqual(
      missingInBucket(files, []).map(({ name }) => name),
      ["shop__orders/L1_2.klog", "shop__orders/L1_2.vlog"],
    );
  });
});
