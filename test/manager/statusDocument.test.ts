import assert from "node:assert/strict";
import { type StatusSource, statusDocument } from "../../components/manager/statusDocument";
import type { View } from "../../components/manager/view";
import { makeCertificate } from "../engine/testCertificate";
import { lastPrimary, now, primary, replica } from "./views";

const counters = {
  promotions: 2,
  failedPromotions: 1,
  engineStarts: 3,
  engineExits: 2,
  fences: 1,
  heartbeatFailures: 0,
  confirmations: 0,
  writeStops: 0,
  compactions: 0,
};

const managerOf = (view: View, changes: Partial<StatusSource> = {}): StatusSource => ({
  view: () => view,
  ready: () => true,
  heartbeatAgeSeconds: () => 0.4,
  notInBucket: () => undefined,
  alarm: "",
  counters,
  ...changes,
});

/** As the client reads it: what is undefined is not there. */
const read = (view: View, changes?: Partial<StatusSource>, certificate?: string) =>
  JSON.parse(JSON.stringify(statusDocument(managerOf(view, changes), now, certificate))) as Record<string, unknown>;

describe("the status document", () => {
  it("says of a primary how long it may go on, and not that it follows", () => {
    const view = primary();
    const status = read(primary({ engine: { ...view.engine, version: "4.5.7" } }));
    assert.deepEqual(status.lease, { holder: "orders-1_b", epoch: 8, remainingSeconds: 3 });
    assert.deepEqual(status.engine, {
      state: "running",
      role: "primary",
      version: "4.5.7",
      failures: 0,
      writesStopped: false,
    });
    assert.deepEqual(status.owner, { epoch: 8, holder: "orders-0_a", clean: false });
    assert.deepEqual(status.volume, { epoch: 8, resumable: false });
    assert.equal(status.following, undefined);
    assert.equal(status.heartbeatAgeSeconds, 0.4);
    assert.equal(status.durability, "interval");
  });

  it("says of a replica whether it follows, and that it may not write", () => {
    const status = read(replica({ following: "joining" }));
    assert.equal(status.following, "joining");
    assert.deepEqual(status.followed, { epoch: 7, beat: 40 });
    assert.equal((status.lease as { remainingSeconds: number }).remainingSeconds, 0);
  });

  it("never says that time is left after the deadline", () => {
    const view = primary();
    const status = read(primary({ hold: { ...view.hold!, deadline: now - 5000 } }));
    assert.equal((status.lease as { remainingSeconds: number }).remainingSeconds, 0);
  });

  it("leaves out what this node has not read yet", () => {
    const status = read(replica({ lease: undefined, owner: undefined }), { heartbeatAgeSeconds: () => undefined });
    for (const absent of ["lease", "owner", "heartbeatAgeSeconds", "refusal", "alarm", "certificateExpires"]) {
      assert.ok(!(absent in status), absent);
    }
  });

  it("says what only a primary has, and that it has stopped writes over it", () => {
    const figures = { bytes: 5, objects: 2, oldestSeconds: 7, walObjects: 3, columnFamilies: 1, sstables: new Map() };
    const status = read(primary({ writesStopped: true }), { notInBucket: () => figures });
    assert.deepEqual(status.notInBucket, { bytes: 5, objects: 2, oldestSeconds: 7 });
    assert.equal((status.engine as { writesStopped: boolean }).writesStopped, true);
  });

  it("says why a node does nothing", () => {
    const refusal = { reason: "ForeignData", message: "belongs to database d2" } as const;
    const status = read(lastPrimary({ refusal }), { alarm: "no candidate" });
    assert.deepEqual(status.refusal, refusal);
    assert.equal(status.alarm, "no candidate");
  });

  it("says how long the certificate is valid, and is there when that cannot be read", () => {
    const { certificate } = makeCertificate("orders");
    assert.equal(read(primary(), {}, certificate).certificateExpires, "2049-12-31T23:59:59.000Z");
    assert.equal(read(primary(), {}, "no certificate").certificateExpires, undefined);
  });

  it("names none of the configuration's keys, users and addresses", () => {
    const text = JSON.stringify(statusDocument(managerOf(primary()), now));
    for (const word of ["app", 'bucket"', "s3.us-east-1", "shop"]) assert.ok(!text.includes(word), word);
  });
});
