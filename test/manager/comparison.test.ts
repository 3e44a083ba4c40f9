import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  inheritedFiles,
  highestWalGeneration,
  missingInBucket,
  walGeneration,
} from "../../components/manager/comparison";

const file = (name: string, size: number, md5?: string) => ({ name, size, md5 });
const object = (key: string, size: number, etag = "-") => ({ key, size, etag });

describe("what the bucket lacks", () => {
  it("is nothing when every file is there in its size", () => {
    const files = [file("shop__t/L1_1.klog", 90), file("uwal_4.log", 500)];
    assert.deepEqual(missingInBucket(files, [object("shop__t/L1_1.klog", 90), object("uwal_4.log", 500)]), []);
  });

  it("is a table's file that was never sent", () => {
    assert.deepEqual(missingInBucket([file("shop__t/L1_2.vlog", 70)], []), [
      { name: "shop__t/L1_2.vlog", missingBytes: 70 },
    ]);
  });

  it("is the end of the active WAL", () => {
    const files = [file("uwal_4.log", 500)];
    assert.deepEqual(missingInBucket(files, [object("uwal_4.log", 480)]), [{ name: "uwal_4.log", missingBytes: 20 }]);
  });

  it("is not an older WAL, whose rows are in tables' files, nor one without an entry", () => {
    assert.deepEqual(missingInBucket([file("uwal_3.log", 900), file("uwal_12.log", 8)], []), []);
  });

  it("is a WAL that was left just now, whose flush may not be over", () => {
    const files = [file("uwal_3.log", 900), file("uwal_4.log", 8)];
    assert.deepEqual(missingInBucket(files, []), [{ name: "uwal_3.log", missingBytes: 900 }]);
    assert.deepEqual(missingInBucket(files, [object("uwal_3.log", 900)]), []);
  });

  it("is a manifest whose content differs at the same size", () => {
    const md5 = "a".repeat(32);
    assert.equal(
      missingInBucket([file("shop__t/MANIFEST", 40, md5)], [object("shop__t/MANIFEST", 40, "b".repeat(32))]).length,
      1,
    );
    assert.equal(missingInBucket([file("shop__t/MANIFEST", 40, md5)], [object("shop__t/MANIFEST", 40, md5)]).length, 0);
    // An ETag that is no MD5 proves nothing: the size has to do.
    assert.equal(
      missingInBucket([file("shop__t/MANIFEST", 40, md5)], [object("shop__t/MANIFEST", 40, "x-2")]).length,
      0,
    );
  });

  it("is no manifest that has not changed since the promotion: a replica writes its own", () => {
    const md5 = "a".repeat(32);
    const files = [file("shop__t/MANIFEST", 40, md5)];
    const objects = [object("shop__t/MANIFEST", 38, "b".repeat(32))];
    const inherited = inheritedFiles(files, objects, ["shop__t"]);
    assert.deepEqual(missingInBucket(files, objects, inherited), []);
    const flushed = [file("shop__t/MANIFEST", 40, "c".repeat(32))];
    assert.equal(missingInBucket(flushed, objects, inherited).length, 1);
  });

  it("is a manifest over which a replica that started has put another since the promotion", () => {
    const files = [file("shop__t/MANIFEST", 40, "a".repeat(32))];
    const inherited = inheritedFiles(files, [object("shop__t/MANIFEST", 40, "a".repeat(32))], ["shop__t"]);
    const emptied = [object("shop__t/MANIFEST", 11, "e".repeat(32))];
    assert.deepEqual(missingInBucket(files, emptied, inherited), [{ name: "shop__t/MANIFEST", missingBytes: 29 }]);
  });

  it("knows the generation of a WAL by its name, as a number", () => {
    assert.equal(walGeneration("uwal_12.log"), 12);
    assert.equal(walGeneration("uwal_12.log.tmp"), undefined);
    assert.equal(highestWalGeneration(["uwal_9.log", "uwal_10.log", "LOCK"]), 10);
    assert.equal(highestWalGeneration([]), undefined);
  });
});
