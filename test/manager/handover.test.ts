import assert from "node:assert/strict";
import { HandoverContext, handoverStep } from "../../components/manager/handover";
import { followerStatus } from "./views";

describe("the last comparison of a handover", () => {
  let now: number;
  let sent: number[];
  let heldUntil: number;
  /** Until then a replica opens the bucket. */
  let opensUntil: number;

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
      },
      hurries,
      holds: () => now < heldUntil,
      sendEverything: () => {
        sent.push(now);
        return Promise.resolve();
      },
    } as unknown as HandoverContext;
  };

  beforeEach(() => {
    now = 0;
    sent = [];
    opensUntil = 0;
    heldUntil = Infinity;
  });

  it("is made at once when no replica opens the bucket", async () => {
    await handoverStep("compareAgain", context(false));
    assert.deepEqual(sent, [0]);
  });

  it("comes after a replica that opens the bucket, whose older manifests it puts right", async () => {
    opensUntil = 1200;
    await handoverStep("compareAgain", context(false));
    assert.deepEqual(sent, [1200]);
  });

  it("does not wait for ever, and hardly at all where the pod is about to be killed", async () => {
    opensUntil = Infinity;
    await handoverStep("compareAgain", context(false));
    assert.deepEqual(sent, [5000]);
    now = 0;
    await handoverStep("compareAgain", context(true));
    assert.deepEqual(sent, [5000, 400]);
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
