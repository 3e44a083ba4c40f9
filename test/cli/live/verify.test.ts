import assert from "node:assert/strict";
import { runVerify, type VerifySurroundings } from "../../../cli/live/verify";
import type { CheckResult } from "../../../cli/live/checks";
import { FakeCluster, forbidden, passwords, primaryStatus, replicaStatus, surroundingsOf } from "./fakeCluster";
import { FakeSql } from "./fakeSql";
import { SqlFailure } from "../../../cli/live/sql";

describe("tidesql verify", () => {
  let cluster: FakeCluster;
  let sql: FakeSql;
  let prepared: ReturnType<typeof surroundingsOf>;

  beforeEach(() => {
    cluster = new FakeCluster();
    sql = new FakeSql(cluster);
    prepared = surroundingsOf(cluster);
  });

  async function verify(argv: string[] = [], ask?: VerifySurroundings["ask"]) {
    const code = await runVerify(argv, { ...prepared.surroundings, openSql: sql.connect, ask });
    return { code, ...prepared.written };
  }

  interface Report {
    passed: boolean;
    checks: CheckResult[];
    drill?: { primary?: string; labelledSeconds?: number; writesSeconds?: number; readySeconds?: number };
  }

  async function reported(...argv: string[]) {
    const { code, out } = await verify([...argv, "--json"]);
    const report = JSON.parse(out) as Report;
    const notPassed = report.checks.filter(({ outcome }) => outcome !== "passed");
    return { code, ...report, notPassed };
  }

  it("reports what a healthy database does, line by line", async () => {
    const { code, out, error } = await verify();
    assert.equal(code, 0, out);
    assert.equal(error, "");
    const lines = out.split("\n");
    assert.equal(lines[0], "orders in namespace shop");
    for (const expected of [
      /^ {2}ok {2}all pods are ready +3 of 3$/,
      /^ {2}ok {2}pods are spread +3 nodes, 3 zones \(zone-0, zone-1, zone-2\)$/,
      /^ {2}ok {2}there is one primary, which holds the Lease +orders-0, epoch 7$/,
      /^ {2}ok {2}replicas follow +2, at most 0\.4 s behind$/,
      /^ {2}ok {2}no manager reports a problem/,
      /^ {2}ok {2}a declared user logs in over TLS +app, the server's certificate verified$/,
      /^ {2}ok {2}every node has the plugin, and S3 over TLS +3 nodes, bucket bucket$/,
      /^ {2}ok {2}a row that is written is on every replica +2 replicas/,
      /^ {2}ok {2}replicas refuse writes +2 with read_only$/,
      /^ {2}ok {2}connections without TLS are refused/,
      /^ {2}ok {2}every account has a password +tried root, mysql, an anonymous user, office, reader, app$/,
    ]) {
      assert.ok(
        lines.some(line => expected.test(line)),
        `${expected}\n${out}`,
      );
    }
    assert.equal(lines.at(-2), "11 passed.");
  });

  it("leaves no table and no session behind, and prints no password", async () => {
    const { out } = await verify();
    assert.equal(sql.tables.size, 0);
    assert.equal(sql.openSessions, 0);
    for (const password of Object.values(passwords)) assert.ok(!out.includes(password));
    assert.ok(sql.logins.some(({ login }) => login.authority === "the authority"));
  });

  const faults: [string, () => void, string, RegExp][] = [
    ["a pod that is not ready", () => cluster.change("orders-2", { ready: false }), "all pods are ready", /orders-2/],
    [
      "two pods on one machine",
      () => cluster.change("orders-2", { machine: "node-a" }),
      "pods are spread",
      /3 pods share 2 nodes/,
    ],
    [
      "a Lease that somebody else holds",
      () => (cluster.lease = { holder: "orders-1_u1", epoch: 8 }),
      "there is one primary, which holds the Lease",
      /held by orders-1/,
    ],
    [
      "a replica that does not follow",
      () => cluster.change("orders-2", { status: replicaStatus("orders-2", { following: "joining" }) }),
      "replicas follow",
      /1 of 2 replicas follow/,
    ],
    [
      "an alarm",
      () => cluster.change("orders-0", { status: primaryStatus("orders-0", { alarm: "something is wrong" }) }),
      "no manager reports a problem",
      /something is wrong/,
    ],
    [
      "a server without the plugin",
      () => (sql.engine = "NO"),
      "every node has the plugin, and S3 over TLS",
      /no TidesDB engine/,
    ],
    [
      "a server that keeps its data to itself",
      () => (sql.variables = { tidesdb_object_store_backend: "LOCAL" }),
      "every node has the plugin, and S3 over TLS",
      /the object store of orders-0 is LOCAL/,
    ],
    [
      "S3 without TLS",
      () => (sql.variables = { ...sql.variables, tidesdb_s3_use_ssl: "OFF" }),
      "every node has the plugin, and S3 over TLS",
      /reached without TLS/,
    ],
    [
      "rows that do not arrive",
      () => (sql.blind = ["orders-2"]),
      "a row that is written is on every replica",
      /not on orders-2 after 15 s/,
    ],
    [
      "a replica that takes writes",
      () => (sql.writable = ["orders-1"]),
      "replicas refuse writes",
      /orders-1 accepted a write/,
    ],
    [
      "a plain connection",
      () => (sql.requireTls = false),
      "connections without TLS are refused",
      /app may connect without TLS/,
    ],
    [
      "root without a password",
      () => (sql.open = ["root"]),
      "every account has a password",
      /root logs in to orders-0/,
    ],
    ["an anonymous user", () => (sql.open = [""]), "every account has a password", /anyone logs in/],
  ];
  for (const [what, break_, check, message] of faults) {
    it(`fails for ${what}`, async () => {
      break_();
      const { code, passed, notPassed } = await reported();
      assert.equal(code, 1);
      assert.equal(passed, false);
      const failed = notPassed.find(({ name }) => name === check);
      assert.equal(failed?.outcome, "failed", JSON.stringify(notPassed));
      assert.match(failed.detail, message);
      assert.equal(sql.tables.size, 0);
    });
  }

  it("warns of what the program chose, and passes", async () => {
    const { objectStore } = cluster.configuration;
    cluster.configuration = {
      ...cluster.configuration,
      requireTls: false,
      objectStore: { ...objectStore, useTls: false },
    };
    sql.requireTls = false;
    sql.variables = { ...sql.variables, tidesdb_s3_use_ssl: "OFF" };
    const { code, notPassed } = await reported();
    assert.equal(code, 0);
    assert.deepEqual(
      notPassed.map(({ outcome }) => outcome),
      ["warning", "warning"],
    );
  });

  it("does not pass what it could not look at", async () => {
    cluster.refuse = args => (args[2] === "orders-users" ? forbidden('secrets "orders-users"') : undefined);
    const { code, notPassed } = await reported();
    assert.equal(code, 1);
    assert.deepEqual(
      notPassed.map(({ outcome }) => outcome),
      ["not checked"],
    );
    assert.match(notPassed[0]!.detail, /Forbidden/);
  });

  it("says which user it would need", async () => {
    cluster.configuration = { ...cluster.configuration, users: cluster.configuration.users.slice(0, 2) };
    const { notPassed } = await reported();
    assert.match(notPassed[0]!.detail, /declare one with CREATE, DROP, SELECT and INSERT/);
  });

  it("looks at machines only where it may", async () => {
    cluster.refuse = args => (args[1] === "nodes" ? forbidden("nodes") : undefined);
    const { code, checks } = await reported();
    assert.equal(code, 0);
    assert.match(checks.find(({ name }) => name === "pods are spread")!.detail, /zones unknown/);
  });

  it("reports a check that breaks as failed, and goes on", async () => {
    sql.refuse = (_, statement) => (statement.startsWith("SHOW") ? new SqlFailure("server has gone away") : undefined);
    const { checks, notPassed } = await reported();
    assert.equal(checks.length, 11);
    assert.deepEqual(
      notPassed.map(({ detail }) => detail),
      ["server has gone away"],
    );
  });

  describe("with --failover", () => {
    /** Labelled and open for writes after 3 s; the pod is back, as another one, after 8. */
    function failsOver({ loses = 0 }: { loses?: number } = {}): void {
      cluster.onDelete = pod => {
        cluster.nodes.delete(pod);
        for (const rows of sql.tables.values()) for (const id of [...rows].slice(rows.size - loses)) rows.delete(id);
        prepared.clock.in(3000, () => cluster.change("orders-1", { label: "primary" }));
        prepared.clock.in(8000, () =>
          cluster.nodes.set(pod, { label: "replica", uid: "u0b", machine: "node-a", status: replicaStatus(pod) }),
        );
      };
    }

    it("deletes the primary by force, and measures until another takes writes", async () => {
      failsOver();
      const { code, drill, notPassed } = await reported("--failover", "--yes");
      assert.equal(code, 0, JSON.stringify(notPassed));
      assert.deepEqual(cluster.called("delete"), ["delete pod orders-0 -n shop --grace-period=0 --force --wait=false"]);
      assert.equal(drill?.primary, "orders-1");
      assert.ok(drill.labelledSeconds! >= 3 && drill.labelledSeconds! < 3.2, String(drill.labelledSeconds));
      assert.ok(drill.writesSeconds! >= drill.labelledSeconds!);
      assert.ok(drill.readySeconds! >= 8 && drill.readySeconds! < 8.2);
      assert.equal(sql.tables.size, 0, "the new primary drops the table");
    });

    it("takes the same pod with another UID for a new primary", async () => {
      cluster.onDelete = pod => {
        cluster.nodes.delete(pod);
        prepared.clock.in(2000, () =>
          cluster.nodes.set(pod, { label: "primary", uid: "u0b", machine: "node-a", status: primaryStatus(pod) }),
        );
      };
      assert.equal((await reported("--failover", "--yes")).drill?.primary, "orders-0");
    });

    it("fails when acknowledged rows are gone", async () => {
      failsOver({ loses: 4 });
      const { code, notPassed } = await reported("--failover", "--yes");
      assert.equal(code, 1);
      assert.match(notPassed[0]!.detail, /4 of 51 acknowledged rows are lost/);
    });

    it("fails when nobody takes over", async () => {
      cluster.onDelete = pod => cluster.nodes.delete(pod);
      const { code, notPassed } = await reported("--failover", "--yes");
      assert.equal(code, 1);
      assert.match(notPassed[0]!.detail, /timed out waiting for a new primary/);
      assert.match(prepared.written.error, /waiting for a new primary/);
    });

    it("asks before, and does nothing unless the answer is yes", async () => {
      failsOver();
      const asked: string[] = [];
      const answer = (text: string) => (question: string) => {
        asked.push(question);
        return Promise.resolve(text);
      };
      const { code, error } = await verify(["--failover"], answer("y"));
      assert.equal(code, 1);
      assert.match(error, /Nothing was done/);
      assert.match(asked[0]!, /deletes orders-0 of orders by force/);
      assert.deepEqual(cluster.called("delete"), []);
      assert.equal((await verify(["--failover"], answer("yes\n"))).code, 0);
    });

    it("does nothing where nobody can be asked", async () => {
      const { code, error } = await verify(["--failover"]);
      assert.equal(code, 2);
      assert.match(error, /say --yes/);
      assert.deepEqual(cluster.called("delete"), []);
    });
  });

  it("exits with 2 for an unknown option", async () => {
    assert.match((await verify(["--fail-over"])).error, /--fail-over[^]*Usage: tidesql verify/);
  });
});
