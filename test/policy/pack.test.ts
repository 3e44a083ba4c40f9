import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { programOf } from "../../cli/judgePlan";
import { planProgram } from "../../cli/planner/planProgram";
import { checks } from "../../policy/checks";
import { type PackConfiguration } from "../../policy/configuration";
import { judge } from "../../policy/judge";
import { completed, notYetKnown, type RawResource } from "../../policy/model/resource";
import { Pack } from "../../policy/pack";
import { Preset, presetConfiguration } from "../../policy/preset";
import { serve } from "../../policy/server";
import { Analyzer, type Deployment } from "./analyzer";
import { today } from "./describePolicy";
import { goodBucket, goodDatabase, goodProgram } from "./goodProgram";
import { guide } from "./guide/program";
import { changed, plus, resource, set, withSecrets } from "./program";

const root = join(__dirname, "../..");

const identity = { name: "tidesql", version: "0.0.1", description: "" };

const violations = (deployment: Deployment) =>
  deployment.diagnostics.map(({ policy, urn, level }) => `${level} ${policy} ${urn}`).sort();

const judged = (program: readonly RawResource[], configuration: PackConfiguration = {}) =>
  judge(program, { today, configuration })
    .findings.filter(({ status }) => status === "violation")
    .map(({ policy, urn, level }) => `${level === "remediate" ? "mandatory" : level} ${policy} ${urn}`)
    .sort();

describe("the policy pack, over Pulumi's protocol", () => {
  let analyzer: Analyzer;

  before(async () => {
    analyzer = new Analyzer(await serve(new Pack(() => new Date(`${today}T12:00:00Z`)), identity));
  });
  afterEach(() => analyzer.configure({}));
  after(() => analyzer.close());

  it("announces every policy with its level and its configuration", async () => {
    const { name, policiesList, supportsconfig } = await analyzer.info();
    assert.equal(name, "tidesql");
    assert.ok(supportsconfig);
    const closing = ["not-yet-known", "not-yet-known-in-stack", "exemptions"];
    assert.deepEqual(
      policiesList.map(policy => policy.name),
      [...checks.map(({ id }) => id), ...closing],
    );
    const minimum = policiesList.find(policy => policy.name === "replicas-minimum");
    const properties = minimum?.configschema?.properties?.fieldsMap.map(([property]) => property);
    assert.deepEqual(properties?.sort(), ["exemptions", "minReplicas"]);
  });

  it("says nothing of a program with nothing wrong in it", async () => {
    const { diagnostics } = await analyzer.deploy(goodProgram);
    assert.deepEqual(diagnostics, []);
  });

  it("says of the guide's deployment what the command line says", async () => {
    const plan = await planProgram(guide, { project: "guide", stack: "prod" });
    const program = programOf(plan);
    assert.deepEqual(violations(await analyzer.deploy(program)), judged(program));
  });

  it("says the same in a first preview, in which nothing in the cluster has outputs", async () => {
    const isElsewhere = ({ type }: RawResource) => !type.startsWith("kubernetes:");
    assert.deepEqual((await analyzer.deploy(goodProgram, isElsewhere)).diagnostics, []);
    const program = programOf(await planProgram(guide, { project: "guide", stack: "prod" }));
    assert.deepEqual(violations(await analyzer.deploy(program, isElsewhere)), judged(program));
  });

  it("judges the program by outputs where they are known, and by inputs where they are not", () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const outputs = resource("t", "r", { both: 2, decidedLater: unknown, computed: unknown });
    const { inputs } = completed(outputs, { both: 1, decidedLater: "given", given: true });
    assert.deepEqual(inputs, { both: 2, decidedLater: "given", computed: unknown, given: true });
  });

  it("tells what is wrong, why, and what to write", async () => {
    const { diagnostics } = await analyzer.deploy(changed(goodDatabase, set("orders", "spec.replicas", 1)));
    assert.deepEqual(diagnostics, [
      {
        policy: "replicas-minimum",
        urn: "urn:pulumi:test::shop::kubernetes:apps/v1:StatefulSet::orders",
        level: "mandatory",
        message:
          "Every Deployment and StatefulSet, a database or not, runs enough pods for its environment.\nStatefulSet runs 1 pod; at least 2 are required. A single pod is an outage at each node upgrade, and with the " +
          "node's disk it loses what was not shipped yet.\nWrite: spec.replicas: 2",
      },
    ]);
  });

  it("reports what is not yet known as advice, and not as passed", async () => {
    const image = "spec.template.spec.containers[0].image";
    const program = changed(
      goodProgram,
      set("orders", image, notYetKnown),
      set("BucketVersioning", "versioningConfiguration", notYetKnown),
    );
    const { diagnostics, notApplicable } = await analyzer.deploy(program);
    const said = diagnostics.map(
      ({ policy, level, message }) => `${level} ${policy}: ${message.split("\n")[1]!.split(" ")[0]}`,
    );
    assert.deepEqual(said.sort(), [
      "advisory not-yet-known-in-stack: bucket-versioning",
      "advisory not-yet-known-in-stack: correctness-engine-image",
      "advisory not-yet-known: workloads-image-tag",
    ]);
    const orders = program.find(({ name, type }) => name === "orders" && type.endsWith("StatefulSet"))!;
    assert.match(notApplicable.get(orders.urn)!.get("workloads-image-tag")!, /before the update/);
    assert.match(notApplicable.get("stack")!.get("bucket-versioning")!, /before the update/);
  });

  it("is configured, and exempts until a day", async () => {
    const program = changed(goodProgram, set("orders", "spec.replicas", 1), set("data", "forceDestroy", true));
    const exemption = (expires: string) => ({ exemptions: [{ resource: "dat*", reason: "a trial", expires }] });
    await analyzer.configure({
      "replicas-minimum": { minReplicas: 1 },
      "bucket-force-destroy": exemption("2026-11-22"),
    });
    assert.deepEqual(violations(await analyzer.deploy(program)), []);

    await analyzer.configure({ "replicas-minimum": "advisory", "bucket-force-destroy": exemption("2026-11-21") });
    const urns = ["kubernetes:apps/v1:StatefulSet::orders", "aws:s3/bucket:Bucket::data"].map(
      end => `urn:pulumi:test::shop::${end}`,
    );
    assert.deepEqual(
      violations(await analyzer.deploy(program)),
      [
        `advisory replicas-minimum ${urns[0]}`,
        "mandatory exemptions stack",
        `mandatory bucket-force-destroy ${urns[1]}`,
      ].sort(),
    );
  });

  it("takes the development preset as its configuration", async () => {
    const development = presetConfiguration(Preset.development, checks);
    await analyzer.configure(development);
    const program = changed(
      goodProgram,
      set("orders", "spec.replicas", 1),
      set("platform", "deletionProtection", false),
    );
    assert.deepEqual(violations(await analyzer.deploy(program)), []);
  });

  it("sees what is a secret, whatever the level", async () => {
    await analyzer.configure({ "secrets-encrypted-in-state": "advisory" });
    const users = resource("kubernetes:core/v1:Secret", "users", { stringData: { app: "hunter2hunter2" } });
    assert.deepEqual(violations(await analyzer.deploy([withSecrets(users, "stringData")])), []);
    assert.deepEqual(violations(await analyzer.deploy([users])), [`advisory secrets-encrypted-in-state ${users.urn}`]);
  });

  it("is silent about disabled policies", async () => {
    const program = changed(goodProgram, set("orders", "spec.replicas", 1), set("data", "forceDestroy", notYetKnown));
    const ids = ["replicas-minimum", "not-yet-known-in-stack", "not-yet-known"];
    await analyzer.configure(Object.fromEntries(ids.map(id => [id, "disabled"])));
    assert.deepEqual((await analyzer.deploy(program)).diagnostics, []);
  });

  describe("remediation", () => {
    const secretSignature = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

    it("encrypts credentials in the state, and keeps what was encrypted", async () => {
      const users = withSecrets(
        resource("kubernetes:core/v1:Secret", "users", {
          metadata: { name: "users" },
          stringData: { app: "hunter2", admin: "hunter3" },
        }),
        "stringData.admin",
      );
      const { diagnostics, remediated } = await analyzer.deploy([users]);
      assert.deepEqual(remediated.get("users"), {
        metadata: { name: "users" },
        stringData: { app: { ...secretSignature, value: "hunter2" }, admin: { ...secretSignature, value: "hunter3" } },
      });
      assert.deepEqual(diagnostics, []);
    });

    it("learns what is secret, and finds it elsewhere in plain text", async () => {
      const users = withSecrets(
        resource("kubernetes:core/v1:Secret", "users", { stringData: { app: "hunter2hunter2" } }),
        "stringData",
      );
      const service = resource("kubernetes:core/v1:Service", "web", {
        metadata: { annotations: { note: "it is hunter2hunter2" } },
      });
      const { diagnostics } = await analyzer.deploy([users, service]);
      assert.deepEqual(
        diagnostics.map(({ policy, urn }) => [policy, urn]),
        [["secrets-repeated-in-plain", service.urn]],
      );
    });

    it("repairs what is safe where the level is remediate, and nothing where it is not", async () => {
      const program = changed(
        goodBucket,
        set("BucketPublicAccessBlock", "blockPublicPolicy", false),
        plus(
          resource("aws:ec2/launchTemplate:LaunchTemplate", "nodes", {
            imageId: notYetKnown,
            blockDeviceMappings: [{ ebs: { encrypted: "true" } }],
          }),
        ),
      );
      assert.equal((await analyzer.deploy(program)).remediated.size, 0);
      await analyzer.configure({ "bucket-public-access-switches": "remediate", "cluster-imdsv2": "remediate" });
      const { diagnostics, remediated } = await analyzer.deploy(program);
      assert.equal(remediated.get("BucketPublicAccessBlock")?.blockPublicPolicy, true);
      assert.deepEqual(remediated.get("nodes")?.metadataOptions, { httpTokens: "required" });
      assert.equal(remediated.get("nodes")?.imageId, "04da6b54-80e4-46f7-96ec-b56ff0331ba9");
      assert.deepEqual(diagnostics, []);
    });

    it("sends assets back whole", async () => {
      await analyzer.configure({ "bucket-force-destroy": "remediate" });
      const icon = { "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", text: "icon" };
      const bucket = resource("aws:s3/bucket:Bucket", "data", { forceDestroy: true, icon });
      const { remediated } = await analyzer.deploy([bucket]);
      assert.deepEqual(remediated.get("data"), { forceDestroy: false, icon });
    });

    it("keeps a secret a secret when it changes its value", async () => {
      await analyzer.configure({ "bucket-force-destroy": "remediate" });
      const bucket = withSecrets(resource("aws:s3/bucket:Bucket", "data", { forceDestroy: true }), "forceDestroy");
      const { remediated } = await analyzer.deploy([bucket]);
      assert.deepEqual(remediated.get("data")?.forceDestroy, { ...secretSignature, value: false });
    });

    it("leaves an exempted resource alone", async () => {
      const exemptions = [{ resource: "BucketPublicAccessBlock", reason: "a public site", expires: "2027-01-01" }];
      await analyzer.configure({ "bucket-public-access-switches": { enforcementLevel: "remediate", exemptions } });
      const program = changed(goodBucket, set("BucketPublicAccessBlock", "blockPublicPolicy", false));
      assert.equal((await analyzer.deploy(program)).remediated.size, 0);
    });
  });
});

describe("the policy pack as the Pulumi CLI starts it", () => {
  let child: ChildProcess | undefined;
  after(() => child?.kill());

  it("serves from its folder", async () => {
    const launcher = join(dirname(require.resolve("@pulumi/pulumi/package.json")), "cmd/run-policy-pack");
    child = spawn(process.execPath, [launcher, "127.0.0.1:0", "."], {
      cwd: join(root, "policy"),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const port = await new Promise<number>((resolve, reject) => {
      let errors = "";
      child!.stderr!.on("data", (text: Buffer) => (errors += text.toString()));
      child!.stdout!.on("data", (text: Buffer) => resolve(Number(text.toString())));
      child!.on("exit", code => reject(new Error(`it ended with ${code}: ${errors}`)));
    });
    const analyzer = new Analyzer(port);
    const { name, version, policiesList } = await analyzer.info();
    analyzer.close();
    assert.equal(name, "tidesql");
    assert.equal(policiesList.length, checks.length + 3);
    const { version: packageVersion } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      version: string;
    };
    assert.equal(version, packageVersion);
  });
});
