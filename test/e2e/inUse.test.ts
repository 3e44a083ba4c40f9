import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectionSecretName } from "../../components/core/connections";
import { dashboard } from "../../components/core/monitoring/dashboard";
import { databaseNames } from "../../components/core/names";
import { podLayout } from "../../components/core/podLayout";
import { makeCertificate } from "../engine/testCertificate";
import { ClientMachine, clients, type RunningClient } from "./clientPrograms";
import { Deployment } from "./deployment";
import { KubernetesObject } from "./kubernetes";
import { deployLocalStack, projectFolder, remove } from "./localStack";
import { Prometheus, prometheusPrograms } from "./prometheus";

/** Rows of a client that show that it works. */
const steadyRows = 20;
/** A pod must be back and following this soon. Seconds. */
const healthySeconds = 120;

type Prepared = Awaited<ReturnType<(typeof clients)[number]["prepare"]>>;

describe("a database that applications use and Prometheus watches", function () {
  let deployment: Deployment;
  let folder: string;
  let machine: ClientMachine | undefined;

  before("deploy the database", async function () {
    deployment = await deployLocalStack();
    // Addresses of Services, and mounts, are of this machine.
    if (deployment.environment.route !== "direct") this.skip();
    await deployment.healthy(healthySeconds);
    folder = mkdtempSync(join(tmpdir(), "tidesql-clients-"));
  });

  after("remove it", async () => {
    machine?.remove();
    if (folder) rmSync(folder, { recursive: true, force: true });
    if (deployment) await remove(deployment);
  });

  describe("connection strings, as they are in the Secret", () => {
    const prepared = new Map<string, Prepared>();
    let running: Map<string, RunningClient>;
    let secret: Record<string, string>;
    const anotherName = "another.example";
    const tableOf = (name: string) => `${deployment.options.database}.by_${name}`;

    before("mount the Secret", async () => {
      const { name, namespace, user } = deployment.options;
      secret = await deployment.kubernetes.secret(connectionSecretName({ database: name }, user), namespace);
      const service = await deployment.kubernetes.get<KubernetesObject & { spec: { clusterIP: string } }>(
        "service",
        `${name}-primary`,
        namespace,
      );
      const { clusterIP } = service.spec;
      machine = new ClientMachine(join(folder, "machine"), name, secret, {
        [secret.host ?? ""]: clusterIP,
        [anotherName]: clusterIP,
      });
      for (const client of clients) {
        await deployment.query("primary", `CREATE TABLE ${tableOf(client.name)} (id BIGINT NOT NULL PRIMARY KEY)`);
      }
    });

    afterEach("stop what a failed test left running", async () => {
      for (const client of running?.values() ?? []) await client.stop();
    });

    for (const client of clients) {
      const needs = client.needs === undefined ? "" : ` (needs ${client.needs})`;

      it(`${client.name} verifies the server's authority and name${needs}`, async function () {
        const program = await client.prepare().catch((error: unknown) => {
          console.log(`        not here: ${String(error).split("\n")[0]}`);
          this.skip();
        });
        prepared.set(client.name, program);
        const { name } = deployment.options;
        const strangers: Record<string, Record<string, string>> = {
          authority: { "ca.crt": makeCertificate(secret.host ?? "").certificate },
          name: renamed(secret, anotherName),
        };
        running = new Map();
        for (const [kind, keys] of Object.entries(strangers)) {
          const replaced = kind === "authority" ? { ...keys, ...reissued(secret, keys["ca.crt"] ?? "") } : keys;
          const elsewhere = machine!.with(join(folder, `${client.name}-${kind}`), name, replaced);
          const started = elsewhere.start(program, tableOf(client.name));
          running.set(kind, started);
          const refused = () => started.failures.some(line => /certificate|altnames|SSL|tls|x509|verify/i.test(line));
          await started.until(`the server of another ${kind} to be refused`, refused);
          assert.deepEqual(started.acknowledged, [], kind);
          await started.stop();
        }
      });
    }

    it("all of them write on across a switchover, and lose no row", async () => {
      running = new Map([...prepared].map(([name, program]) => [name, machine!.start(program, tableOf(name))]));
      for (const client of running.values()) await client.more(steadyRows);
      const before = await deployment.primary();
      const { namespace } = deployment.options;
      const annotate = ["annotate", "pod", before.metadata.name, "tidesql.io/switchover=any", "-n", namespace];
      await deployment.kubernetes.kubectl(annotate);
      const another = async () => (await deployment.primary()).metadata.uid !== before.metadata.uid;
      await deployment.kubernetes.until("another primary", another, { deadlineSeconds: 60, namespace });
      for (const [name, client] of running) {
        await client.more(steadyRows);
        await client.stop();
        console.log(`        ${name}: ${client.acknowledged.length} rows, ${client.failures.length} failed insertions`);
        const present = new Set(await deployment.ids("primary", tableOf(name)));
        assert.deepEqual(
          client.acknowledged.filter(id => !present.has(id)),
          [],
          name,
        );
      }
    });
  });

  describe("Prometheus (needs Debian's package, or prometheus on the path)", () => {
    let prometheus: Prometheus | undefined;

    before("start it", async function () {
      await prometheusPrograms().catch((error: unknown) => {
        console.log(`        not here: ${String(error).split("\n")[0]}`);
        this.skip();
      });
      const targets = (await deployment.pods()).map(({ metadata, status }) => ({
        namespace: deployment.options.namespace,
        pod: metadata.name,
        address: `${status.podIP}:${podLayout.managerPort}`,
      }));
      prometheus = await Prometheus.start(targets, join(projectFolder, "docs/alerts.yaml"));
    });
    after(() => prometheus?.stop());

    const eventually = <T>(what: string, look: () => Promise<T | undefined | false>) =>
      deployment.kubernetes.until(what, look, { deadlineSeconds: 90, namespace: deployment.options.namespace });

    it("reads the metrics of the three pods", async () => {
      await eventually("three targets", async () => (await prometheus!.query("up == 1")).length === 3);
      const primaries = await prometheus!.query('tidesql_role{role="primary"} == 1');
      assert.deepEqual(
        primaries.map(({ metric }) => metric.pod),
        [(await deployment.primary()).metadata.name],
      );
    });

    it("has an answer for each panel of the dashboard", async () => {
      const { name, namespace, nodes } = deployment.options;
      const { panels } = dashboard(databaseNames(name, namespace, nodes));
      assert.ok(panels.length > 10);
      for (const { title, targets } of panels) {
        for (const { expr } of targets) {
          await eventually(`${title}: ${expr}`, async () => (await prometheus!.query(expr)).length > 0);
        }
      }
    });

    it("fires the alert of docs/alerts.yaml when writes do not reach the bucket, and ends it", async () => {
      const table = `${deployment.options.database}.watched`;
      await deployment.query("primary", `CREATE TABLE ${table} (id BIGINT NOT NULL PRIMARY KEY)`);
      assert.ok(!(await prometheus!.firing()).includes("TidesqlNotInBucket"));
      const writer = deployment.write({ table });
      const { sandbox } = deployment.environment;
      try {
        await sandbox!.objectStoreFault("down");
        await eventually("the alert", async () => (await prometheus!.firing()).includes("TidesqlNotInBucket"));
      } finally {
        await sandbox!.objectStoreFault("up");
        await writer.stop();
      }
      await eventually("the alert's end", async () => !(await prometheus!.firing()).includes("TidesqlNotInBucket"));
      for (const { name, health, lastError } of await prometheus!.rules())
        assert.equal(health, "ok", `${name}: ${lastError}`);
    });
  });
});

/** The Secret's strings for a server of another name. */
function renamed(secret: Record<string, string>, name: string): Record<string, string> {
  const host = secret.host ?? "";
  return Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, value.replaceAll(host, name)]));
}

/** The strings that hold the authority itself, with another one. */
function reissued(secret: Record<string, string>, authority: string): Record<string, string> {
  const own = JSON.stringify(secret["ca.crt"]).slice(1, -1);
  const other = JSON.stringify(authority).slice(1, -1);
  const spellings: [string, string][] = [
    [own, other],
    [encodeURIComponent(own), encodeURIComponent(other)],
  ];
  return Object.fromEntries(
    Object.entries(secret)
      .filter(([key]) => key !== "ca.crt")
      .map(([key, value]) => [key, spellings.reduce((text, [from, to]) => text.replaceAll(from, to), value)]),
  );
}
