import assert from "node:assert/strict";
import { LateUploads } from "../../components/manager/lateUploads";

const wal = (generation: number, size: number) => ({ key: `uwal_${generation}.log`, size, etag: "e" });
const atPromotion = [wal(1, 100), wal(2, 50), { key: "shop__t/MANIFEST", size: 9, etag: "m" }];

describe("what an earlier primary sends after another was promoted", () => {
  let late: LateUploads;
  beforeEach(() => {
    late = new LateUploads();
    late.begin({ stored: atPromotion, engineEpoch: 4 });
  });

  it("is suspected where an object has grown, or has come since", () => {
    assert.deepEqual(late.suspects([wal(1, 100), wal(2, 51), wal(3, 8)], []), [2, 3]);
  });

  it("is not what is as it was, has shrunk or is gone, nor what has proved to be this primary's own", () => {
    assert.deepEqual(late.suspects([wal(1, 100), wal(2, 20)], []), []);
    assert.ok(!late.isLate(3, 4) && !late.isLate(4, 0) && late.isLate(5, 3));
    assert.deepEqual(late.suspects([wal(3, 500), wal(4, 500), wal(5, 500)], []), [5]);
  });

  it("is nothing that a manager could know that began on the last primary's own volume", () => {
    const fresh = new LateUploads();
    fresh.begin(undefined);
    assert.deepEqual(fresh.suspects([wal(1, 100)], []), []);
  });

  it("is not this node's own WAL, which may have an earlier number", () => {
    assert.deepEqual(late.suspects([wal(1, 900)], [{ name: "uwal_1.log", size: 900 }]), []);
  });

  it("is found again when it is sent again, and its age is that of the last removal", () => {
    assert.equal(late.age(5), undefined);
    late.removed(2, 10);
    assert.deepEqual(late.suspects([wal(2, 30)], []), [2]);
    assert.equal(late.age(25), 15);
  });

  it("is this primary's own, too, where it has cut a WAL short that is nowhere else any more", () => {
    late.grew({ generation: 5, bytes: 300 });
    late.grew({ generation: 5, bytes: 400 });
    assert.deepEqual(late.cutShort([wal(5, 400)], [], 10), []);
    // Its engine still has it, and sends it.
    assert.deepEqual(late.cutShort([wal(5, 200)], [{ name: "uwal_5.log", size: 400 }], 20), []);
    assert.equal(late.age(20), undefined);
    assert.deepEqual(late.cutShort([wal(4, 10), wal(5, 399)], [], 30), [5]);
    assert.deepEqual(late.cutShort([wal(5, 399)], [], 40), []);
    assert.equal(late.age(45), 15);
    late.grew({ generation: 6, bytes: 100 });
    late.begin({ stored: [], engineEpoch: 5 });
    assert.deepEqual(late.cutShort([wal(6, 50)], [], 50), []);
  });

  it("is still known to a primary that was resumed on its own volume, and not to the next one", () => {
    late.removed(2, 10);
    late.begin(undefined);
    assert.deepEqual(late.suspects([wal(1, 101)], []), [1]);
    assert.equal(late.age(11), 1);
    late.begin({ stored: [wal(1, 101)], engineEpoch: 5 });
    assert.deepEqual(late.suspects([wal(1, 101)], []), []);
    assert.equal(late.age(11), undefined);
  });
});
