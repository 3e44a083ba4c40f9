import assert from "node:assert/strict";
import { HandoverContext, handoverStep } from "../../components/manager/handover";
import { followerStatus } from "./views";

describe("the last comparison of a handover", () => {
  let now: number;
  let sent: number[];
  let heldUntil: number;
  /** Until then a replica opens the bucket. */
  let opensUntil: number;
  /** Until then the bucket is found to lack something each time. */
  let lacksUntil: number;
  let disturbedAt: number | undefined;
  const manifests = [...Array(10).keys()].map(i => ({ key: `data/shop__t${i}/MANIFEST`, size: 1, etag: "" }));
  const listing = 10;

  const context = (hurries: boolean) => {
    const peer = () => followerStatus("db-1", { following: "none", opens: now < opensUntil });
    return {
      ports: {
        clock: {
          now: () => now,
          sleep: (milliseconds: number) => {
            now += milliseconds;
            return Promise.resolve();
          },
        },
        peers: { askAll: () => Promise.resolve([peer()]) },
        store: {
          list: () => {
            now += listing;
            return Promise.resolve(manifests);
          },
          readEngineEpoch: () => {
            now += listing;
            return Promise.resolve(1);
          },
        },
      },
      hurries,
      holds: () => now < heldUntil,
      sendEverything: () => {
        sent.push(now);
        if (now < lacksUntil) disturbedAt = now;
        return Promise.resolve();
      },
      disturbedAt: () => disturbedAt,
      onDisturbed: () => {
        disturbedAt = now;
      },
    } as unknown as HandoverContext;
  };

  beforeEach(() => {
    now = 0;
    sent = [];
    opensUntil = 0;
    heldUntil = Infinity;
    lacksUntil = 0;
    disturbedAt = undefined;
  });

  it("is made at once when no replica opens the bucket", async () => {
    await handoverStep("compareAgain", context(false));
    assert.deepEqual(sent, [0]);
  });

  it("comes after a replica that opens the bucket, whose older manifests it puts right", async () => {
    opensUntil = 1200;
    await handoverStep("compareAgain", context(false));
    assert.equal(sent[0], 1200);
    assert.ok(sent.at(-1)! > 1700, String(sent));
  });

  it("is made until no follower can go by an old manifest any more that was there, and delete files from the bucket for it", async () => {
    disturbedAt = 0;
    lacksUntil = 300;
    await handoverStep("compareAgain", context(false));
    // Its own look lasts half a second at least, and two requests for each manifest.
    const last = sent.at(-1)!;
    const lastLacking = sent.filter(at => at < lacksUntil).at(-1)!;
    assert.ok(last - lastLacking >= 500 + 2 * manifests.length * listing - listing, String(sent));
    now = 0;
    sent = [];
    lacksUntil = Infinity;
    await handoverStep("compareAgain", context(true));
    assert.deepEqual(sent, [0]);
  });

  it("does not wait for ever, and hardly at all where the pod is about to be killed", async () => {
    opensUntil = Infinity;
    await handoverStep("compareAgain", context(false));
    assert.equal(sent[0], 5000);
    assert.ok(now < 25_000, String(now));
    now = 0;
    sent = [];
    await handoverStep("compareAgain", context(true));
    assert.deepEqual(sent, [400]);
  });

  it("sends nothing once the lease is over: what is in the bucket may be another primary's", async () => {
    opensUntil = 1200;
    heldUntil = 1000;
    await assert.rejects(handoverStep("compareAgain", context(false)), /the lease was lost/);
    assert.deepEqual(sent, []);
  });

  it("fails when the bucket lacks something that cannot be sent", async () => {
    const failing = { ...context(false), sendEverything: () => Promise.reject(new Error("the bucket still lacks")) };
    await assert.rejects(handoverStep("compareAgain", failing), /still lacks/);
  });
});
