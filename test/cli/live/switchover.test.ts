import assert from "node:assert/strict";
import { runSwitchover } from "../../../cli/live/switchover";
import { FakeCluster, forbidden, primaryStatus, replicaStatus, surroundingsOf } from "./fakeCluster";

const annotation = "tidesql.io/switchover";

async function switchover(cluster: FakeCluster, argv: string[], options: Parameters<typeof surroundingsOf>[1] = {}) {
  const { surroundings, written, clock } = surroundingsOf(cluster, options);
  const code = await runSwitchover(argv, surroundings);
  return { code, ...written, seconds: clock.now() / 1000 };
}

/** The managers hand over this long after they were asked. Milliseconds. */
function handsOver(cluster: FakeCluster, options: ReturnType<typeof surroundingsOf>, to: string, after: number) {
  cluster.onAnnotate = pod => {
    options.clock.in(after / 2, () => cluster.change(pod, { label: undefined, annotations: {} }));
    options.clock.in(after, () => {
      cluster.change(pod, { label: "replica" });
      cluster.change(to, { label: "primary" });
    });
  };
}

describe("tidesql switchover", () => {
  let cluster: FakeCluster;

  beforeEach(() => {
    cluster = new FakeCluster();
  });

  it("asks the primary, waits for the new one, and says how long it took", async () => {
    const prepared = surroundingsOf(cluster);
    handsOver(cluster, prepared, "orders-2", 2250);
    const code = await runSwitchover(["orders-2"], prepared.surroundings);
    assert.equal(code, 0);
    assert.deepEqual(cluster.called("annotate"), [`annotate pod orders-0 -n shop --overwrite ${annotation}=orders-2`]);
    assert.equal(prepared.written.out, "orders-2 is the primary, 2.3 s after orders-0 was asked to hand over.\n");
    assert.match(prepared.written.error, /no primary at the moment: waiting for the new one \(1 s\)\n/);
  });

  it("leaves the choice to the managers when no node is named, and is silent when it is quick", async () => {
    const prepared = surroundingsOf(cluster);
    handsOver(cluster, prepared, "orders-1", 750);
    assert.equal(await runSwitchover([], prepared.surroundings), 0);
    assert.match(cluster.called("annotate")[0]!, new RegExp(`${annotation}=any$`));
    assert.equal(prepared.written.error, "");
  });

  it("shows its progress in one line of a terminal", async () => {
    const prepared = surroundingsOf(cluster, { isTTY: true });
    handsOver(cluster, prepared, "orders-1", 5000);
    await runSwitchover([], prepared.surroundings);
    const [before, ...lines] = prepared.written.error.split("\r\u001b[K");
    assert.equal(before, "");
    assert.match(lines[0]!, /waiting for orders-0/);
    assert.equal(lines.at(-1), "", "the line makes room for the result");
    assert.ok(!prepared.written.error.includes("\n"));
  });

  it("takes two labels for a moment of the handover, not for its end", async () => {
    cluster.change("orders-0", { label: "replica", status: replicaStatus("orders-0") });
    cluster.change("orders-2", { label: "primary", status: primaryStatus("orders-2") });
    const prepared = surroundingsOf(cluster);
    cluster.onAnnotate = () => {
      prepared.clock.in(500, () => cluster.change("orders-0", { label: "primary" }));
      prepared.clock.in(1500, () => cluster.change("orders-2", { label: "replica" }));
    };
    await runSwitchover([], prepared.surroundings);
    assert.match(prepared.written.out, /orders-0 is the primary, 1\.5 s/);
  });

  it("exits with 1 when another node than the wanted one took over", async () => {
    const prepared = surroundingsOf(cluster);
    handsOver(cluster, prepared, "orders-1", 1000);
    assert.equal(await runSwitchover(["orders-2"], prepared.surroundings), 1);
    assert.match(prepared.written.out, /orders-1 is the primary/);
    assert.match(prepared.written.error, /orders-2 was requested, but could not take over/);
  });

  it("withdraws a request that nobody takes, and says what is wrong", async () => {
    cluster.onAnnotate = () =>
      cluster.change("orders-0", { status: primaryStatus("orders-0", { heartbeatAgeSeconds: 30 }) });
    const { code, out, error, seconds } = await switchover(cluster, ["--timeout", "5"]);
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.match(error, /orders-0 did not accept the request within 5 s; the request is withdrawn/);
    assert.match(error, /orders-0 has written no heartbeat for 30 s/);
    assert.match(error, /kubectl logs -n shop/);
    assert.equal(cluster.called("annotate")[1], `annotate pod orders-0 -n shop --overwrite ${annotation}-`);
    assert.equal(seconds, 5);
  });

  it("says so when the request was taken and nobody became primary", async () => {
    cluster.onAnnotate = pod => cluster.change(pod, { label: undefined, annotations: {} });
    const { code, error } = await switchover(cluster, ["--timeout", "5"]);
    assert.equal(code, 1);
    assert.match(error, /orders-0 accepted the request, but there is no new primary after 5 s/);
    assert.match(error, /no primary: writes have nowhere to go/);
    assert.equal(cluster.called("annotate").length, 1, "nothing is left to withdraw");
  });

  it("says at once when the primary turns the request down, in its words", async () => {
    const event = (reason: string, message: string, minute: number) => ({
      reason,
      message,
      lastTimestamp: `2026-06-01T00:0${minute}:00Z`,
    });
    cluster.onAnnotate = pod => {
      cluster.events = [
        event("SwitchoverRefused", "no replica is following, so none could take over", 2),
        event("SwitchoverFailed", "an old story", 1),
        event("NoCandidate", "another matter", 3),
      ];
      cluster.change(pod, { annotations: {} });
    };
    const { code, error, seconds } = await switchover(cluster, []);
    assert.equal(code, 1);
    assert.equal(error, "orders-0 is still the primary: no replica is following, so none could take over\n");
    assert.ok(seconds < 2);
  });

  it("outlasts an API server that is away for a while", async () => {
    const prepared = surroundingsOf(cluster);
    handsOver(cluster, prepared, "orders-1", 4000);
    const { onAnnotate } = cluster;
    cluster.onAnnotate = (...change) => {
      onAnnotate(...change);
      cluster.refuse = () => forbidden("everything");
      prepared.clock.in(5000, () => (cluster.refuse = () => undefined));
    };
    assert.equal(await runSwitchover([], prepared.surroundings), 0);
    assert.match(prepared.written.error, /the cluster does not answer/);
  });

  const refusals: [string, (ill: FakeCluster) => void, string[], RegExp][] = [
    [
      "a node that there is not",
      () => undefined,
      ["orders-9"],
      /no node "orders-9" in orders\. There are: orders-0, orders-1, orders-2/,
    ],
    [
      "a node that does not follow",
      ill => ill.change("orders-1", { status: replicaStatus("orders-1", { following: "joining" }) }),
      ["orders-1"],
      /orders-1 cannot take over: it does not follow the primary yet/,
    ],
    [
      "a node that does not answer",
      ill => ill.change("orders-1", { status: forbidden("pods/exec") }),
      ["orders-1"],
      /orders-1 cannot take over: its manager does not answer/,
    ],
    [
      "no replica that follows",
      ill => {
        for (const pod of ["orders-1", "orders-2"]) {
          ill.change(pod, { status: replicaStatus(pod, { following: "joining" }) });
        }
      },
      [],
      /No replica could take over/,
    ],
    ["no primary", ill => ill.change("orders-0", { label: undefined }), [], /There is no primary that could hand over/],
    [
      "two primaries",
      ill => ill.change("orders-1", { label: "primary" }),
      [],
      /orders-0 and orders-1 are labelled primary/,
    ],
  ];
  for (const [what, fallIll, argv, message] of refusals) {
    it(`refuses ${what}, and asks nobody`, async () => {
      fallIll(cluster);
      const { code, error } = await switchover(cluster, argv);
      assert.equal(code, 1);
      assert.match(error, message);
      assert.deepEqual(cluster.called("annotate"), []);
    });
  }

  it("has nothing to do when the node is already the primary", async () => {
    const { code, out } = await switchover(cluster, ["orders-0"]);
    assert.equal(code, 0);
    assert.match(out, /orders-0 is already the primary/);
    assert.deepEqual(cluster.called("annotate"), []);
  });

  it("says that the user may not annotate pods", async () => {
    cluster.refuse = args => (args[0] === "annotate" ? forbidden('pods "orders-0"') : undefined);
    const { code, error } = await switchover(cluster, []);
    assert.equal(code, 2);
    assert.match(error, /Forbidden/);
  });

  it("exits with 2 when the command line is wrong", async () => {
    for (const argv of [
      ["a", "b"],
      ["--timeout", "0"],
      ["--tmeout", "5"],
    ]) {
      assert.equal((await switchover(cluster, argv)).code, 2);
    }
  });
});
