import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { failureOf, KubectlError, KubectlProblem } from "../../../cli/live/kubectl";
import { runStatus } from "../../../cli/live/status";
import { readableBytes } from "../../../cli/live/statusScreen";
import { FakeClock, FakeCluster, forbidden, primaryStatus, replicaStatus, surroundingsOf } from "./fakeCluster";

async function status(cluster: FakeCluster, ...argv: string[]) {
  const { surroundings, written } = surroundingsOf(cluster);
  const code = await runStatus(argv, surroundings);
  return { code, ...written };
}

/** The node's line as cells. */
const lineOf = (out: string, pod: string) =>
  (out.split("\n").find(line => line.startsWith(`  ${pod}`)) ?? "").trim().split(/ {2,}/);

describe("tidesql status", () => {
  let cluster: FakeCluster;

  beforeEach(() => {
    cluster = new FakeCluster();
  });

  it("shows a healthy database on one screen", async () => {
    const { code, out, error } = await status(cluster);
    assert.equal(code, 0);
    assert.equal(error, "");
    assert.equal(
      out,
      [
        "orders in namespace shop: healthy",
        "  primary   orders-0 on node-a",
        "  lease     epoch 7, held by orders-0_u0, for another 2.9 s unless renewed",
        "  replicas  2 of 2 could take over",
        "",
        "  node      machine  role     epoch    lag  state            not in bucket  certificate  engine  restarts",
        "  orders-0  node-a   primary      7  0.4 s  open for writes            0 B     731 days  4.5.7          0",
        "  orders-1  node-b   replica      7  0.4 s  following                    -     731 days  4.5.7          0",
        "  orders-2  node-c   replica      7  0.4 s  following                    -     731 days  4.5.7          0",
        "",
      ].join("\n"),
    );
  });

  it("shows a node that does not answer as such, and all the others", async () => {
    cluster.change("orders-2", { status: new KubectlError(KubectlProblem.timeout, "no answer in 6 s") });
    const { code, out } = await status(cluster);
    assert.equal(code, 1);
    assert.match(out, /! orders-2 does not answer \(Running\): no answer in 6 s/);
    assert.equal(lineOf(out, "orders-2")[5], "no answer");
    assert.equal(lineOf(out, "orders-1")[5], "following");
  });

  for (const [what, answer] of [
    [
      "a manager without a status",
      failureOf(
        "its manager has no /status: the database is older than this command\ncommand terminated with exit code 1",
      ),
    ],
    ["words that are no JSON", "<html>"],
    ["JSON of another kind", '{"pod":"orders-2"}'],
    ["null", "null"],
  ] as const) {
    it(`is not upset by ${what}`, async () => {
      cluster.change("orders-2", { status: answer });
      const { code, out } = await status(cluster);
      assert.equal(code, 1);
      assert.match(
        out,
        /! orders-2 does not answer \(Running\): its manager( has no|'s answer is not a status document)/,
      );
    });
  }

  it("shows why a pod waits, and a pod that is not there", async () => {
    cluster.nodes.delete("orders-1");
    cluster.change("orders-2", { waiting: "ImagePullBackOff", status: failureOf("error: container not found") });
    const { code, out } = await status(cluster);
    assert.equal(code, 1);
    assert.equal(lineOf(out, "orders-2")[5], "ImagePullBackOff");
    assert.match(out, /! orders-1 does not answer \(no pod\): there is no such pod/);
  });

  it("says that there is no primary, and what the managers wait for", async () => {
    const alarm = "no candidate: waiting for the last primary's volume";
    for (const pod of ["orders-0", "orders-1", "orders-2"]) {
      cluster.change(pod, {
        label: undefined,
        ready: false,
        status: replicaStatus(pod, { following: "joining", alarm }),
      });
    }
    cluster.lease = { holder: "", epoch: 7 };
    const { code, out } = await status(cluster);
    assert.equal(code, 1);
    assert.match(out, /primary +none/);
    assert.match(out, /! no primary: writes have nowhere to go/);
    assert.equal(out.split(alarm).length, 2, "the alarm that three managers raise is said once");
  });

  it("does not call replicas late while nobody writes, or before they follow", async () => {
    const late = { heartbeatAgeSeconds: 42 };
    cluster.change("orders-2", { status: replicaStatus("orders-2", { ...late, following: "joining" }) });
    assert.doesNotMatch((await status(cluster)).out, /behind/);
    cluster.change("orders-0", { label: undefined });
    cluster.change("orders-1", { status: replicaStatus("orders-1", late) });
    assert.doesNotMatch((await status(cluster)).out, /behind/);
  });

  it("says that two pods are labelled primary", async () => {
    cluster.change("orders-1", { label: "primary" });
    const { code, out } = await status(cluster);
    assert.equal(code, 1);
    assert.match(out, /! 2 pods are labelled primary \(orders-0 and orders-1\)/);
  });

  it("says that the Lease is somebody else's", async () => {
    cluster.lease = { holder: "orders-1_u1", epoch: 8 };
    assert.match((await status(cluster)).out, /orders-0 is labelled primary, and the Lease is held by orders-1/);
  });

  const illnesses: [string, (ill: FakeCluster) => void, RegExp][] = [
    [
      "a replica far behind",
      ill => ill.change("orders-1", { status: replicaStatus("orders-1", { heartbeatAgeSeconds: 42 }) }),
      /orders-1 is behind by 42 s/,
    ],
    [
      "a primary that writes no heartbeat",
      ill => ill.change("orders-0", { status: primaryStatus("orders-0", { heartbeatAgeSeconds: 15 }) }),
      /orders-0 has written no heartbeat for 15 s/,
    ],
    [
      "data that does not reach the bucket",
      ill =>
        ill.change("orders-0", {
          status: primaryStatus("orders-0", { notInBucket: { bytes: 3 << 20, objects: 2, oldestSeconds: 75 } }),
        }),
      /orders-0 has had data for 75 s that is not in the bucket/,
    ],
    [
      "writes that are stopped",
      ill => {
        const status = primaryStatus("orders-0");
        ill.change("orders-0", { status: { ...status, engine: { ...status.engine, writesStopped: true } } });
      },
      /orders-0 has stopped writes[^]*writes stopped/,
    ],
    [
      "a certificate that ends soon",
      ill =>
        ill.change("orders-1", { status: replicaStatus("orders-1", { certificateExpires: "2026-06-11T00:00:00Z" }) }),
      /orders-1: its certificate expires in 10 days/,
    ],
    [
      "a certificate that has expired",
      ill =>
        ill.change("orders-1", { status: replicaStatus("orders-1", { certificateExpires: "2026-05-01T00:00:00Z" }) }),
      /orders-1: its certificate has expired/,
    ],
    [
      "a refusal",
      ill =>
        ill.change("orders-1", {
          status: replicaStatus("orders-1", { refusal: { reason: "ForeignData", message: "belongs to database d2" } }),
        }),
      /orders-1 has refused to start: belongs to database d2/,
    ],
    [
      "an engine that does not start",
      ill =>
        ill.change("orders-1", {
          status: replicaStatus("orders-1", {
            engine: { state: "stopped", role: "replica", failures: 3, writesStopped: false },
            following: undefined,
          }),
        }),
      /orders-1: mariadbd is stopped, after 3 failures/,
    ],
    [
      "two versions of the engine",
      ill =>
        ill.change("orders-1", {
          status: replicaStatus("orders-1", {
            engine: { state: "running", role: "replica", version: "4.6.0", failures: 0, writesStopped: false },
          }),
        }),
      /engine versions differ \(4\.5\.7, 4\.6\.0\)/,
    ],
    [
      "no replica that could take over",
      ill => {
        for (const pod of ["orders-1", "orders-2"]) {
          ill.change(pod, { label: undefined, status: replicaStatus(pod, { following: "joining" }) });
        }
      },
      /no replica follows: should the primary be lost/,
    ],
  ];
  for (const [what, fallIll, message] of illnesses) {
    it(`is degraded by ${what}`, async () => {
      fallIll(cluster);
      const { code, out } = await status(cluster);
      assert.equal(code, 1);
      assert.match(out, message);
    });
  }

  it("is the same as JSON", async () => {
    cluster.change("orders-2", { status: forbidden("pods/exec") });
    const { code, out } = await status(cluster, "--json");
    const document = JSON.parse(out) as {
      healthy: boolean;
      problems: string[];
      nodes: { pod: string }[];
      lease: unknown;
    };
    assert.equal(code, 1);
    assert.equal(document.healthy, false);
    assert.match(document.problems.join(), /orders-2 does not answer .*forbidden/);
    assert.deepEqual(
      document.nodes.map(({ pod }) => pod),
      ["orders-0", "orders-1", "orders-2"],
    );
    assert.deepEqual(document.lease, { holder: "orders-0_u0", epoch: 7 });
  });

  it("says that the Lease may not be read, and shows the rest", async () => {
    cluster.refuse = args => (args[1] === "lease" ? forbidden('leases "orders"') : undefined);
    const { code, out } = await status(cluster);
    assert.equal(code, 1);
    assert.match(out, /the Lease cannot be read: .*forbidden/);
    assert.equal(lineOf(out, "orders-0")[5], "open for writes");
  });

  it("looks again and again, over an outage of the API server too", async () => {
    const clock = new FakeClock();
    const over = new AbortController();
    const { surroundings, written } = surroundingsOf(cluster, { clock, signal: over.signal });
    clock.in(2000, () => (cluster.refuse = () => failureOf("The connection to the server was refused")));
    clock.in(4000, () => {
      cluster.refuse = () => undefined;
      cluster.change("orders-1", { restarts: 5 });
      over.abort();
    });
    assert.equal(await runStatus(["--watch"], surroundings), 0);
    const screens = written.out.split("orders in namespace");
    assert.equal(screens.length, 3);
    assert.match(screens[1]!, /connection to the server was refused/);
    assert.equal(lineOf(screens[2]!, "orders-1").at(-1), "5");
  });

  it("fits into a terminal of 80 columns, without what a healthy database can be judged without", async () => {
    const { surroundings, written } = surroundingsOf(cluster, { isTTY: true, columns: 80 });
    assert.equal(await runStatus([], surroundings), 0);
    const lines = stripVTControlCharacters(written.out).split("\n");
    assert.deepEqual(
      lines.filter(line => line.length > 80),
      [],
    );
    assert.ok(lines.includes("  lease     epoch 7, held by orders-0, for another 2.9 s unless renewed"));
    assert.ok(
      lines.includes("  node      machine  role     epoch    lag  state            not in bucket"),
      lines.join("\n"),
    );
  });

  it("has every column in a terminal of 200 columns, and where it is piped", async () => {
    for (const stream of [{ isTTY: true, columns: 200 }, {}]) {
      const { surroundings, written } = surroundingsOf(cluster, stream);
      await runStatus([], surroundings);
      const text = stripVTControlCharacters(written.out);
      assert.match(text, /^ {2}node .* machine .* certificate .* engine .* restarts$/m);
      assert.match(text, /held by orders-0_u0,/);
    }
  });

  it("colours where a person looks, and not where NO_COLOR is set", async () => {
    cluster.change("orders-1", { label: "primary" });
    const before = process.env.NO_COLOR;
    try {
      for (const [value, isColoured] of [
        ["", true],
        ["1", false],
      ] as const) {
        process.env.NO_COLOR = value;
        const { surroundings, written } = surroundingsOf(cluster, { isTTY: true });
        await runStatus([], surroundings);
        assert.equal(written.out.includes("\u001b["), isColoured);
      }
    } finally {
      if (before === undefined) delete process.env.NO_COLOR;
      else process.env.NO_COLOR = before;
    }
  });

  describe("finds the database", () => {
    it("wherever it is, when it is the only one", async () => {
      await status(cluster);
      assert.match(cluster.called("get")[0]!, /--all-namespaces/);
      assert.ok(cluster.called("get").some(call => call.startsWith("get pods -n shop")));
    });

    it("by its name and namespace when there are several, and lists them otherwise", async () => {
      cluster.databases.push({ name: "users", namespace: "shop" }, { name: "orders", namespace: "test" });
      const { code, error } = await status(cluster);
      assert.equal(code, 2);
      assert.match(
        error,
        /--namespace shop --name orders\n +--namespace shop --name users\n +--namespace test --name orders/,
      );
      assert.equal((await status(cluster, "-n", "shop", "--name", "orders")).code, 0);
    });

    it("where kubectl looks, for a user who may not look everywhere", async () => {
      cluster.refuse = args => (args.includes("--all-namespaces") ? forbidden("statefulsets.apps") : undefined);
      assert.equal((await status(cluster)).code, 0);
    });

    it("or says that there is none", async () => {
      cluster.databases = [];
      const nowhere = await status(cluster);
      assert.equal(nowhere.code, 2);
      assert.match(nowhere.error, /There is no TideSQL database in this cluster/);
      assert.match((await status(cluster, "-n", "shop")).error, /no TideSQL database in the namespace "shop"/);
      assert.match((await status(cluster, "-n", "shpo")).error, /There is no namespace "shpo"/);
      assert.match((await status(cluster, "--name", "users")).error, /no TideSQL database "users"/);
    });

    it("or says why the cluster cannot be asked", async () => {
      cluster.refuse = () => forbidden("statefulsets.apps");
      const { code, out, error } = await status(cluster);
      assert.equal(code, 2);
      assert.equal(out, "");
      assert.match(error, /Forbidden/);
    });
  });

  for (const [what, argv, message] of [
    ["an unknown option", ["--frobnicate"], /--frobnicate[^]*Usage: tidesql status/],
    ["a word too many", ["orders-1"], /Unexpected argument "orders-1"/],
    ["an interval that is none", ["--interval", "soon"], /--interval takes seconds/],
  ] as const) {
    it(`exits with 2 for ${what}`, async () => {
      const { code, error } = await status(cluster, ...argv);
      assert.equal(code, 2);
      assert.match(error, message);
      assert.deepEqual(cluster.calls, []);
    });
  }

  it("writes bytes for people", () => {
    assert.deepEqual([0, 1023, 1024, 3 << 20, 250 * 2 ** 30, 2 ** 50].map(readableBytes), [
      "0 B",
      "1023 B",
      "1.0 KiB",
      "3.0 MiB",
      "250 GiB",
      "1024 TiB",
    ]);
  });
});
