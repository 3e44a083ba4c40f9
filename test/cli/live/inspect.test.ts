import assert from "node:assert/strict";
import { runCheck } from "../../../cli/live/check";
import { runHistory } from "../../../cli/live/history";
import { KubectlError, type Kubectl } from "../../../cli/live/kubectl";
import type { Surroundings } from "../../../cli/live/surroundings";
import { createLog } from "../../../components/manager/store/log/seal";
import { s3Bucket } from "../../../components/manager/store/bucket/s3Bucket";
import { S3Server } from "../../engine/objectStore/s3Server";
import { steppedClock } from "../../manager/store/memoryBucket";

const history = {
  place: "s3://orders-data/orders/",
  databaseId: "d1",
  every: {
    from: { position: 90210, time: "2026-11-29T14:00:00.000Z" },
    until: { position: 120345, time: "2026-11-30T14:03:00.000Z" },
  },
  daily: [{ position: 7, time: "2026-11-28T00:00:01.000Z" }],
};
const report = {
  place: "s3://orders-data/orders/",
  databaseId: "d1",
  epoch: 4,
  position: 120345,
  from: 90210,
  entries: { read: 30136, bytes: 4_300_000_000, seals: 1 },
  checkpoints: { compared: 48, read: 7 },
  objects: { named: 212, bytes: 81_000_000_000 },
  unnamed: { objects: 2, bytes: 512 },
  problems: [] as string[],
};

/** A cluster with one database of two pods, whose program answers. */
function cluster(answer: string | Error) {
  const asked: (readonly string[])[] = [];
  const pod = (name: string, role: string) => ({
    metadata: { name, uid: name, labels: { "tidesql.io/role": role } },
    spec: {},
    status: { conditions: [{ type: "Ready", status: "True" }] },
  });
  const kubectl: Kubectl = {
    run: args => {
      asked.push(args);
      if (args[0] === "exec") return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      const items = args.includes("statefulsets")
        ? [{ metadata: { name: "orders", namespace: "shop" }, spec: { replicas: 2, template: { spec: {} } } }]
        : [pod("orders-0", "primary"), pod("orders-1", "replica")];
      return Promise.resolve(JSON.stringify({ items }));
    },
    forward: () => Promise.reject(new Error("nothing is forwarded")),
  };
  const out: string[] = [];
  const error: string[] = [];
  const surroundings: Surroundings = {
    out: { write: (text: string) => out.push(text) },
    error: { write: (text: string) => error.push(text) },
    kubectl: () => kubectl,
    clock: { now: () => 0, today: () => new Date(0), sleep: () => new Promise(() => undefined) },
  } as unknown as Surroundings;
  return { surroundings, asked, out: () => out.join(""), error: () => error.join("") };
}

describe("tidesql history and check", () => {
  it("ask a replica, beside its manager, and show what there is", async () => {
    const { surroundings, asked, out } = cluster(`reading\n${JSON.stringify(history)}\n`);
    assert.equal(await runHistory([], surroundings), 0);
    const exec = asked.find(([first]) => first === "exec")!;
    assert.deepEqual([exec[1], exec.slice(-2)], ["orders-1", ["/opt/tidesql/manager/inspect.js", "history"]]);
    assert.equal(
      out(),
      [
        "s3://orders-data/orders/",
        "  checkpoint               7  2026-11-28T00:00:01.000Z",
        "  every position from  90210  2026-11-29T14:00:00.000Z",
        "  to                  120345  2026-11-30T14:03:00.000Z",
        "",
      ].join("\n"),
    );
  });

  it("print JSON", async () => {
    const { surroundings, out } = cluster(JSON.stringify(history));
    assert.equal(await runHistory(["--json"], surroundings), 0);
    assert.deepEqual(JSON.parse(out()), history);
  });

  it("exit with 1 when something is wrong, and say what", async () => {
    const well = cluster(JSON.stringify(report));
    assert.equal(await runCheck([], well.surroundings), 0);
    assert.match(well.out(), /positions 90210 to 120345 in one line, epoch 4, 1 seals, 4\.30 GB/);
    assert.match(well.out(), /Nothing is wrong\.\n$/);
    const wrong = cluster(JSON.stringify({ ...report, problems: ["data/1/v3 is missing, which the log names"] }));
    assert.equal(await runCheck(["--volume"], wrong.surroundings), 1);
    assert.match(wrong.out(), /^! data\/1\/v3 is missing/m);
    assert.deepEqual(wrong.asked.at(-1)!.slice(-2), ["check", "--volume"]);
  });

  it("say that the manager is older than they are", async () => {
    const old = cluster(new KubectlError("failed", "Error: Cannot find module '/opt/tidesql/manager/inspect.js'"));
    assert.equal(await runHistory([], old.surroundings), 1);
    assert.match(old.error(), /its manager is older than this command/);
  });

  it("refuse options that do not go together", async () => {
    const refused = async (argv: string[], reason: RegExp) => {
      const { surroundings, error } = cluster("");
      assert.equal(await runCheck(argv, surroundings), 2);
      assert.match(error(), reason);
    };
    await refused(["--prefix", "orders/"], /--bucket/);
    await refused(["--volume", "--bucket", "b"], /asks no pod/);
    await refused(["--bucket", "b"], /AWS_ACCESS_KEY_ID/);
  });

  it("read the bucket from here when there is no cluster", async () => {
    const server = await S3Server.start("orders-data");
    const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    const before = keys.map(key => process.env[key]);
    try {
      for (const key of keys) process.env[key] = "tests";
      const bucket = s3Bucket(
        {
          endpoint: server.endpoint,
          bucket: "orders-data",
          region: "us-east-1",
          prefix: "orders/",
          useTls: false,
          pathStyle: true,
        },
        { current: () => Promise.resolve({ accessKeyId: "tests", secretAccessKey: "tests" }) },
      );
      await createLog(bucket, "d1", "test", steppedClock());
      const options = ["--bucket", "orders-data", "--prefix", "orders/", "--endpoint", `http://${server.endpoint}`];
      const listed = cluster("");
      assert.equal(await runHistory(options, listed.surroundings), 0);
      assert.match(listed.out(), /^s3:\/\/orders-data\/orders\/\n {2}every position from 0 {2}2027-01-15T08/);
      assert.deepEqual(listed.asked, []);
      const checked = cluster("");
      assert.equal(await runCheck(options, checked.surroundings), 0);
      const other = cluster("");
      assert.equal(await runHistory([...options.slice(0, 3), "other/", ...options.slice(4)], other.surroundings), 1);
      assert.match(other.error(), /there is no log under this prefix/);
    } finally {
      keys.forEach((key, index) => {
        if (before[index] === undefined) delete process.env[key];
        else process.env[key] = before[index];
      });
      server.stop();
    }
  });
});
