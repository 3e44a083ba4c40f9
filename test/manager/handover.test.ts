import assert from "node:assert/strict";
import { HandoverContext, handoverStep } from "../../components/manager/handover";
import { followerStatus, podRecord } from "./views";

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
      hurries: () => hurries,
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

describe("the WALs of a node that has left in order", () => {
  let flushTakes: number;
  const leave = async () => {
    let now = 0;
    let hasFlushed = false;
    let dropped = false;
    const context = () =>
      ({
        ports: {
          clock: { now: () => now },
          engine: { flush: () => Promise.resolve(void (now += flushTakes)) },
          volume: { dropFlushedWals: () => Promise.resolve(void (dropped = true)) },
        },
        onFlushed: (isCertain: boolean) => (hasFlushed = isCertain),
        hasFlushed,
      }) as unknown as HandoverContext;
    await handoverStep("flush", context());
    await handoverStep("dropFlushedWals", context());
    return dropped;
  };

  it("go, since the engine would replay them over newer rows", async () => {
    flushTakes = 500;
    assert.equal(await leave(), true);
  });

  it("stay where the engine may have answered before it had flushed everything", async () => {
    flushTakes = 4100;
    assert.equal(await leave(), false);
  });
});

describe("leaving in a hurry", () => {
  const owner = { databaseId: "d1", epoch: 7, holder: "orders-0_a", volumeId: "v0", clean: false };
  let calls: string[];
  let noted: HandoverContext["beat"];
  let readOnlyHangs: boolean;
  let isDisordered: boolean;

  const context = (beat?: number) =>
    ({
      ports: {
        log: () => undefined,
        volume: { walFiles: () => Promise.resolve([{ generation: 3, bytes: 100, isDisordered }]) },
        engine: {
          flush: () => Promise.resolve(void calls.push("flush")),
          setReadOnly: (_on: boolean, timeout: number) => {
            calls.push("setReadOnly");
            return readOnlyHangs ? Promise.reject(new Error(`no answer in ${timeout} ms`)) : Promise.resolve();
          },
          walGeneration: () => Promise.resolve(3),
          writeHeartbeat: (heartbeat: object) => Promise.resolve(void calls.push(JSON.stringify(heartbeat))),
        },
        store: {
          writeOwner: (record: object, etag: string) =>
            Promise.resolve(void calls.push(`${etag} ${JSON.stringify(record)}`)).then(() => "e2"),
        },
      },
      owner: { record: owner, etag: "e1" },
      onOwner: () => undefined,
      nextBeat: () => 41,
      onLastBeat: (last: number) => (noted = last),
      beat,
    }) as unknown as HandoverContext;

  beforeEach(() => {
    calls = [];
    noted = undefined;
    readOnlyHangs = false;
    isDisordered = false;
  });

  it("writes a last heartbeat behind everything that it has acknowledged", async () => {
    await handoverStep("closeInHurry", context());
    assert.deepEqual(calls, ["setReadOnly", JSON.stringify({ epoch: 7, beat: 41, generation: 3 })]);
    assert.equal(noted, 41);
  });

  it("flushes first what followers have passed over", async () => {
    isDisordered = true;
    await handoverStep("closeInHurry", context());
    assert.deepEqual(calls, ["setReadOnly", "flush", JSON.stringify({ epoch: 7, beat: 41, generation: 3 })]);
  });

  it("goes on without one where commits take too long", async () => {
    readOnlyHangs = true;
    await handoverStep("closeInHurry", context());
    assert.deepEqual(calls, ["setReadOnly"]);
    assert.equal(noted, undefined);
  });

  it("tells the bucket of that heartbeat, and does not call itself clean: fresh nodes may not read all that was half flushed", async () => {
    await handoverStep("noteLastBeat", context(41));
    assert.deepEqual(calls, [`e1 ${JSON.stringify({ ...owner, lastBeat: { epoch: 7, beat: 41 } })}`]);
    calls = [];
    await handoverStep("noteLastBeat", context());
    assert.deepEqual(calls, []);
  });
});

describe("the successor of a primary that leaves", () => {
  const peers = {
    behind: followerStatus("orders-1", { epoch: 7, beat: 41 }),
    ahead: followerStatus("orders-2", { epoch: 7, beat: 42 }),
    ofEarlierEpoch: followerStatus("orders-3", { epoch: 6, beat: 99 }),
    joining: followerStatus("orders-4", { following: "none", epoch: 7, beat: 50 }),
  };

  /** The pod that the Lease is given back for. */
  async function named(
    answers: ReturnType<typeof followerStatus>[],
    changes: { sound?: string[]; wanted?: string; updated?: string[] } = {},
  ): Promise<string | undefined> {
    let successor: string | undefined;
    const revision = (pod: string) => (changes.updated?.includes(pod) ? "new" : "old");
    const context = {
      ports: {
        peers: { askAll: () => Promise.resolve(answers) },
        kubernetes: {
          readPods: () =>
            Promise.resolve(
              ["orders-0", "orders-1", "orders-2", "orders-3"].map(name =>
                podRecord(name, { revision: revision(name) }),
              ),
            ),
        },
      },
      pod: "orders-0",
      sound: new Set(changes.sound ?? []),
      wanted: changes.wanted,
      release: (pod: string) => Promise.resolve(void (successor = pod)),
    };
    await handoverStep("release", context as unknown as HandoverContext);
    return successor;
  }

  const { behind, ahead, ofEarlierEpoch, joining } = peers;

  it("is the follower that has followed farthest: by epoch, and then by heartbeat", async () => {
    assert.equal(await named([behind, ofEarlierEpoch, ahead]), "orders-2");
    assert.equal(await named([ofEarlierEpoch, behind]), "orders-1");
  });

  it("is one that lacked nothing when the handover began, where there is one", async () => {
    assert.equal(await named([behind, ahead], { sound: ["orders-1"] }), "orders-1");
  });

  it("is the one that was asked for, or has been replaced already by a rollout", async () => {
    assert.equal(await named([behind, ahead], { wanted: "orders-1" }), "orders-1");
    assert.equal(await named([behind, ahead], { updated: ["orders-1"] }), "orders-1");
    assert.equal(await named([behind, ahead], { wanted: "orders-2", updated: ["orders-1"] }), "orders-2");
  });

  it("is nobody by name where nobody follows", async () => {
    assert.equal(await named([joining]), "");
    assert.equal(await named([]), "");
  });
});
