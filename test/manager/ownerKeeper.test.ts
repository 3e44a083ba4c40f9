import assert from "node:assert/strict";
import { Conflict, Ports, StoredObject } from "../../components/manager/ports";
import { OwnerKeeper, StoredOwner } from "../../components/manager/ownerKeeper";
import { newProbeKey } from "../../components/manager/conditionalWriteProbe";
import { whyUnsupported } from "../../components/manager/engineVersion";
import { OwnerRecord } from "../../components/manager/view";
import { configuration, owner } from "./views";

describe("a prefix of the bucket", () => {
  let objects: StoredObject[];
  let record: OwnerRecord | undefined;
  let honoursConditions: boolean;
  let written: OwnerRecord[];
  /** Another database is a moment faster. */
  let rival: OwnerRecord | undefined;
  /** When what was read arrives. */
  let slowly: (read: StoredOwner | undefined) => Promise<StoredOwner | undefined>;

  beforeEach(() => {
    objects = [];
    record = undefined;
    honoursConditions = true;
    written = [];
    rival = undefined;
    slowly = read => Promise.resolve(read);
  });

  function keeper(): OwnerKeeper {
    const ports = {
      clock: { now: () => 0 },
      log: () => undefined,
      store: {
        readOwner: () => slowly(record && { record, etag: "1" }),
        list: () => Promise.resolve(objects),
        supportsConditionalWrites: () => Promise.resolve(honoursConditions),
        writeOwner: (made: OwnerRecord) => {
          if (rival) {
            record = rival;
            return Promise.reject(new Conflict("owner.json"));
          }
          written.push(made);
          return Promise.resolve("2");
        },
      },
    };
    return new OwnerKeeper(configuration, ports as unknown as Ports);
  }

  it("is claimed when it is empty, and belongs to this database from then on", async () => {
    const claiming = keeper();
    assert.equal(await claiming.read(), undefined);
    assert.deepEqual(
      written.map(({ databaseId, epoch }) => ({ databaseId, epoch })),
      [{ databaseId: configuration.databaseId, epoch: 0 }],
    );
    assert.equal(claiming.stored?.etag, "2");
  });

  it("of another database is refused, by both names, and nothing is written", async () => {
    record = owner({ databaseId: "another" });
    const refusal = await keeper().read();
    assert.equal(refusal?.reason, "ForeignData");
    assert.match(refusal?.message ?? "", /s3:\/\/bucket\/orders\/ belongs to database another, this one is d1/);
    assert.deepEqual(written, []);
  });

  it("that two databases claim at once belongs to the first: the second is refused at its next look", async () => {
    rival = owner({ databaseId: "another" });
    const second = keeper();
    await assert.rejects(second.read(), Conflict);
    assert.equal((await second.read())?.reason, "ForeignData");
  });

  it("keeps the record that this node has written while an older answer was on its way", async () => {
    record = owner({ epoch: 7 });
    const reading = keeper();
    await reading.read();
    let answer: () => void = () => assert.fail("nothing was read");
    slowly = read => new Promise(resolve => (answer = () => resolve(read)));
    const late = reading.read();
    reading.set({ record: owner({ epoch: 8 }), etag: "8" });
    answer();
    assert.equal(await late, undefined);
    assert.equal(reading.stored?.record.epoch, 8);
    assert.equal(reading.stored.etag, "8");
    // And believes what it reads from then on.
    slowly = read => Promise.resolve(read);
    record = owner({ epoch: 9 });
    await reading.read();
    assert.equal(reading.stored.record.epoch, 9);
  });

  it("that holds data without a record is not overwritten", async () => {
    objects = [{ key: "data/shop__orders/MANIFEST", size: 9, etag: "e" }];
    const refusal = await keeper().read();
    assert.equal(refusal?.reason, "UnknownData");
    assert.match(refusal?.message ?? "", /not overwritten/);
    assert.deepEqual(written, []);
  });

  it("is as good as empty with the probes of nodes that start at the same time, or died at it", async () => {
    objects = [newProbeKey(), newProbeKey(), "conditional-write-probe"].map(key => ({ key, size: 2, etag: "e" }));
    assert.equal(await keeper().read(), undefined);
    assert.equal(written.length, 1);
  });

  it("in a store without conditional writes is refused, by the store's name", async () => {
    honoursConditions = false;
    const refusal = await keeper().read();
    assert.equal(refusal?.reason, "NoConditionalWrites");
    assert.match(refusal?.message ?? "", /s3\.us-east-1\.amazonaws\.com ignores If-None-Match or If-Match/);
    assert.deepEqual(written, []);
  });
});

describe("an engine's version", () => {
  it("must be one that keeps tables made after a failover", () => {
    assert.match(whyUnsupported("4.5.6", undefined) ?? "", /4\.5\.7/);
    assert.equal(whyUnsupported("4.5.7", undefined), undefined);
  });

  it("must be able to read what was written last: the same two numbers, or later ones", () => {
    assert.equal(whyUnsupported("4.6.1", "4.6.3"), undefined);
    assert.equal(whyUnsupported("4.7.0", "4.6.3"), undefined);
    assert.match(whyUnsupported("4.5.9", "4.6.0") ?? "", /last written by 4\.6\.0.*use an image with 4\.6 or later/);
  });
});
