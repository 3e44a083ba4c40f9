import assert from "node:assert/strict";
import { runPromote } from "../../../cli/live/promote";
import { FakeCluster, forbidden, replicaStatus, surroundingsOf } from "./fakeCluster";

const lost = { epoch: 7, holder: "orders-0_u0", clean: false };

/** The primary's node and its volume are gone; the others were restarted, and have followed nobody since. */
function withoutCandidate(): FakeCluster {
  const cluster = new FakeCluster();
  cluster.change("orders-0", { label: undefined, ready: false, status: forbidden("the node is gone; pods/exec") });
  for (const [pod, beat] of [
    ["orders-1", 0],
    ["orders-2", 118],
  ] as const) {
    const followed = { epoch: beat > 0 ? 7 : 0, beat };
    const status = replicaStatus(pod, { following: "joining", ready: false, owner: lost, followed });
    cluster.change(pod, { label: undefined, ready: false, status });
  }
  cluster.lease = { holder: "orders-0_u0", epoch: 7 };
  return cluster;
}

async function promote(cluster: FakeCluster, ...argv: string[]) {
  const { surroundings, written } = surroundingsOf(cluster);
  const code = await runPromote(argv, surroundings);
  return { code, ...written };
}

describe("tidesql promote", () => {
  it("explains what it costs, and does nothing without the flag", async () => {
    const cluster = withoutCandidate();
    const { code, error } = await promote(cluster, "orders-2");
    assert.equal(code, 2);
    assert.match(error, /gives up, for good, every acknowledged write that is not in the bucket/);
    assert.match(error, /last primary was orders-0, in epoch 7; its volume is waited for/);
    assert.match(error, /do not answer, and may have that volume: orders-0\./);
    assert.match(error, /durability interval that is about the last quarter of a second/);
    assert.match(error, /orders-1 has followed nothing/);
    assert.match(error, /orders-2 has followed up to heartbeat 118 of epoch 7/);
    assert.match(error, /tidesql promote orders-2 --accept-data-loss --namespace shop --name orders/);
    assert.deepEqual(cluster.called("annotate"), []);
  });

  it("believes the newest record of the bucket that any node has read", async () => {
    const cluster = withoutCandidate();
    const newer = { epoch: 9, holder: "orders-2_u2", clean: false };
    cluster.change("orders-1", { status: replicaStatus("orders-1", { following: "joining", owner: newer }) });
    assert.match((await promote(cluster, "orders-2")).error, /last primary was orders-2, in epoch 9/);
  });

  it("says that nothing would be lost where the last primary left in order", async () => {
    const cluster = withoutCandidate();
    const owner = { ...lost, clean: true };
    cluster.change("orders-1", { status: replicaStatus("orders-1", { following: "joining", owner }) });
    cluster.change("orders-2", { status: replicaStatus("orders-2", { following: "joining", owner }) });
    assert.match((await promote(cluster, "orders-2")).error, /nothing would be lost/);
  });

  it("asks the node with the flag, and waits until it is the primary", async () => {
    const cluster = withoutCandidate();
    const { surroundings, written, clock } = surroundingsOf(cluster);
    cluster.onAnnotate = pod => clock.in(3000, () => cluster.change(pod, { label: "primary", annotations: {} }));
    assert.equal(await runPromote(["orders-2", "--accept-data-loss"], surroundings), 0);
    assert.deepEqual(cluster.called("annotate"), [
      "annotate pod orders-2 -n shop --overwrite tidesql.io/promote=accept-data-loss",
    ]);
    assert.equal(written.out, "orders-2 is the primary, 3.0 s after it was asked.\n");
  });

  it("withdraws what was not done in time", async () => {
    const cluster = withoutCandidate();
    const { code, error } = await promote(cluster, "orders-2", "--accept-data-loss", "--timeout", "3");
    assert.equal(code, 1);
    assert.match(error, /did not accept the request within 3 s; the request is withdrawn/);
    assert.match(cluster.called("annotate")[1]!, /tidesql\.io\/promote-$/);
  });

  const refusals: [string, (cluster: FakeCluster) => void, RegExp][] = [
    [
      "while there is a healthy primary",
      cluster => (cluster.nodes = new FakeCluster().nodes),
      /orders-0 is the primary, and serves/,
    ],
    [
      "while a replica could take over",
      cluster => cluster.change("orders-1", { status: replicaStatus("orders-1") }),
      /orders-1 has followed the last primary, and takes over by itself/,
    ],
    [
      "while the last primary's volume is there",
      cluster =>
        cluster.change("orders-0", {
          status: replicaStatus("orders-0", {
            engine: { state: "stopped", role: "replica", failures: 0, writesStopped: false },
            following: undefined,
            volume: { epoch: 7, resumable: true },
          }),
        }),
      /orders-0 has the last primary's volume, and resumes by itself/,
    ],
    [
      "a node that does not answer",
      cluster => cluster.change("orders-2", { status: forbidden("pods/exec") }),
      /orders-2 does not answer/,
    ],
    [
      "a node that there is not",
      cluster => cluster.nodes.delete("orders-2"),
      /orders-2 does not answer: there is no such pod/,
    ],
  ];
  for (const [what, prepare, message] of refusals) {
    it(`refuses ${what}, with the flag too`, async () => {
      const cluster = withoutCandidate();
      prepare(cluster);
      const { code, error } = await promote(cluster, "orders-2", "--accept-data-loss");
      assert.equal(code, 1);
      assert.match(error, message);
      assert.deepEqual(cluster.called("annotate"), []);
    });
  }

  it("wants a node's name", async () => {
    const { code, error } = await promote(withoutCandidate());
    assert.equal(code, 2);
    assert.match(error, /Name the node[^]*Usage: tidesql promote/);
    assert.match((await promote(withoutCandidate(), "orders-9")).error, /There is no node "orders-9"/);
  });
});
