import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PolicyExit } from "../../cli/policy";
import { type Verdict } from "../../policy/judge";
import { judgePrograms, writePrograms } from "./programs";

const manifest = `apiVersion: v1
kind: Secret
metadata: { name: login, namespace: shop }
stringData: { user: someone }
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: nginx:latest
`;

/** Programs by the name of a stack. */
const programs: Record<string, string> = {
  file: `new k8s.yaml.v2.ConfigFile("web", { file: "web.yaml" });`,
  group: `new k8s.yaml.v2.ConfigGroup("web", { files: ["w*.yaml"] });`,
  old: `new k8s.yaml.ConfigFile("web", { file: "web.yaml" });`,
  list: `new k8s.yaml.v2.ConfigGroup("web", { yaml: "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: y}}]}" });`,
  absent: `new k8s.yaml.v2.ConfigFile("web", { file: "other.yaml" });`,
  remote: `new k8s.yaml.v2.ConfigFile("web", { file: "https://example.com/web.yaml" });`,
  release: `new k8s.helm.v3.Release("web", { chart: "web" });`,
  component: `class Mesh extends pulumi.ComponentResource { constructor(n) { super("mesh:index:Mesh", n, {}, {}, true); } } new Mesh("mesh");`,
  code: `
new k8s.core.v1.ConfigMap("settings", { data: { "a.txt": "x" }, metadata: { annotations: { "shop/db-password": "Summer2026!" } } });`,
};

describe("objects that a component makes of files", function () {
  this.timeout(120_000);
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "tidesql-rendered-"));
    writePrograms(directory, programs, { "web.yaml": manifest });
  });
  after(() => rmSync(directory, { recursive: true }));

  const run = (stack: string, ...argv: string[]) => judgePrograms(directory, stack, ...argv);

  for (const stack of ["file", "group"]) {
    it(`are judged with the line of the file (${stack})`, async () => {
      const { exit, out } = await run(stack, "--format", "json");
      const { findings, notJudged } = JSON.parse(out) as Verdict;
      assert.equal(exit, PolicyExit.violated);
      assert.deepEqual(notJudged, []);
      const tag = findings.find(({ policy }) => policy === "workloads-image-tag");
      assert.deepEqual(tag?.place, { file: "web.yaml", line: 19 });
      const replicas = findings.find(({ policy }) => policy === "replicas-minimum");
      assert.deepEqual(replicas?.place, { file: "web.yaml", line: 12 });
      assert.ok(!findings.some(({ policy }) => policy === "secrets-encrypted-in-state"), "a Secret's data is a secret");
    });
  }

  it("of the first version are judged too", async () => {
    const { exit, out } = await run("old");
    assert.equal(exit, PolicyExit.violated);
    assert.match(out, /mandatory workloads-image-tag/);
  });

  it("of a list are judged one by one", async () => {
    const { exit, out } = await run("list", "--format", "json");
    assert.equal(exit, PolicyExit.content);
    assert.equal((JSON.parse(out) as Verdict).resources, 3);
  });

  const unseen: [stack: string, reason: RegExp][] = [
    ["absent", /other\.yaml is no file here/],
    ["remote", /https:\/\/example\.com\/web\.yaml is not at hand/],
    ["release", /helm (?:is not installed|fails)/],
    ["component", /mesh \(mesh:index:Mesh\)\n.*runs in its own plugin/],
  ];
  for (const [stack, reason] of unseen) {
    it(`are reported as not judged where they are not at hand (${stack})`, async () => {
      const { exit, out } = await run(stack);
      assert.equal(exit, PolicyExit.incomplete);
      assert.match(out, reason);
      assert.match(out, /1 parts? not judged/);
      assert.equal((await run(stack, "--allow-unjudged")).exit, PolicyExit.content);
    });
  }

  it("stand in every report where they are not judged", async () => {
    assert.match((await run("component", "--format", "junit")).out, /<skipped message="could not be judged/);
    assert.match((await run("component", "--format", "sarif")).out, /"toolExecutionNotifications": \[\s*\{/);
  });

  it("have the line of the program where the program makes them", async () => {
    const { findings } = JSON.parse((await run("code", "--format", "json")).out) as Verdict;
    const finding = findings.find(({ policy }) => policy === "secrets-in-metadata");
    assert.equal(finding?.place?.file, "index.js");
    assert.ok((finding.place.line ?? 0) > 3);
  });

  it("cannot be reported to a file that cannot be written", async () => {
    const { exit, out } = await run("list", "--output", join(directory, "absent", "report.txt"));
    assert.equal(exit, PolicyExit.failed);
    assert.match(out, /--output .* cannot be written/);
  });
});
