import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PolicyExit } from "../../cli/policy";
import { type Verdict } from "../../policy/judge";
import { judgePrograms, writePrograms } from "./programs";

const object = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 1
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: "nginx:latest" }] }
`;

/** Programs by the name of a stack. */
const programs: Record<string, string> = {
  four: `new k8s.helm.v4.Chart("web", { chart: "./chart", namespace: "shop", version: "1.2.3", skipCrds: true, values: { tag: "latest" }, valueYamlFiles: [new pulumi.asset.FileAsset("values.yaml")], repositoryOpts: { repo: "https://charts.example" } });`,
  three: `new k8s.helm.v3.Chart("web", { path: "./chart", namespace: "shop", values: { tag: "latest" } });`,
  repository: `new k8s.helm.v3.Chart("web", { chart: "web", version: "1.2.3", fetchOpts: { repo: "https://charts.example" }, skipCRDRendering: true });`,
  release: `new k8s.helm.v3.Release("web", { chart: "./chart", namespace: "shop", values: { tag: pulumi.secret("latest") } });`,
  folder: `new k8s.kustomize.v2.Directory("web", { directory: "./overlay" });`,
  oldFolder: `new k8s.kustomize.Directory("web", { directory: "./overlay" });`,
  noFolder: `new k8s.kustomize.Directory("web", { directory: "./absent" });`,
  unknownValues: `new k8s.helm.v3.Chart("web", { path: "./chart", values: { tag: new k8s.core.v1.Namespace("n").metadata.uid.apply(id => id.slice(1)) } });`,
  unknownValues4: `new k8s.helm.v4.Chart("web", { chart: "./chart", values: { tag: new k8s.core.v1.Namespace("n").metadata.uid.apply(id => id.slice(1)) } });`,
  renderer: `new k8s.helm.v4.Chart("web", { chart: "./chart", postRenderer: { command: "./x.sh" } });`,
};

describe("objects that a chart or a kustomization makes", function () {
  this.timeout(120_000);
  const ownPath = process.env.PATH;
  let directory: string;

  /** A program that stands for one that renders: it keeps what it is told, and prints an object. */
  function install(name: string, body = `cat <<'EOF'\n${object}EOF\n`): void {
    const file = join(directory, "bin", name);
    const record = `printf '%s\\n' "$@" > "${directory}/told.txt"\n[ "$1" = template ] && cat > "${directory}/values.txt"\n`;
    writeFileSync(file, `#!/bin/sh\n${record}${body}`);
    chmodSync(file, 0o755);
  }
  const told = () => readFileSync(join(directory, "told.txt"), "utf8").trim().split("\n");

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "tidesql-charts-"));
    writePrograms(directory, programs, { "values.yaml": "tag: 1.2.3\n" });
    mkdirSync(join(directory, "overlay"));
  });
  beforeEach(() => {
    rmSync(join(directory, "bin"), { recursive: true, force: true });
    rmSync(join(directory, "told.txt"), { force: true });
    mkdirSync(join(directory, "bin"));
    // Nothing else is installed, but for the one program that the stand-ins need.
    process.env.PATH = join(directory, "bin");
    const cat = ["/bin/cat", "/usr/bin/cat"].find(existsSync);
    writeFileSync(join(directory, "bin/cat"), `#!/bin/sh\nexec ${cat} "$@"\n`, { mode: 0o755 });
  });
  afterEach(() => void (process.env.PATH = ownPath));
  after(() => rmSync(directory, { recursive: true }));

  async function run(stack: string): Promise<{ exit: number; verdict: Verdict }> {
    const { exit, out } = await judgePrograms(directory, stack, "--format", "json");
    return { exit, verdict: JSON.parse(out) as Verdict };
  }
  const broken = ({ findings }: Verdict) =>
    findings.filter(({ policy }) => policy === "workloads-image-tag").map(({ resourceName }) => resourceName);

  it("of helm.v4.Chart are judged", async () => {
    install("helm");
    const { exit, verdict } = await run("four");
    assert.equal(exit, PolicyExit.violated);
    assert.deepEqual(verdict.notJudged, []);
    assert.deepEqual(broken(verdict), ["web:shop/web"]);
    const line = told()
      .join(" ")
      .replace(/\S*values\.yaml/, "FILE");
    const options =
      "--namespace shop --version 1.2.3 --repo https://charts.example --values FILE --values - --no-hooks";
    assert.equal(line, `template web ./chart ${options}`);
    assert.deepEqual(JSON.parse(readFileSync(join(directory, "values.txt"), "utf8")), { tag: "latest" });
  });

  it("of helm.v3.Chart are judged", async () => {
    install("helm");
    const { exit, verdict } = await run("three");
    assert.equal(exit, PolicyExit.violated);
    assert.deepEqual(verdict.notJudged, []);
    assert.deepEqual(broken(verdict), ["shop/web"]);
    assert.equal(verdict.findings.find(({ urn }) => urn.endsWith("::shop/web"))?.place?.file, "index.js");
    assert.deepEqual(told().join(" "), "template web ./chart --namespace shop --values - --skip-tests --include-crds");
    await run("repository");
    const options = "--version 1.2.3 --repo https://charts.example --values - --skip-tests";
    assert.equal(told().join(" "), `template web web ${options}`);
  });

  it("of helm.v3.Release are judged", async () => {
    install("helm");
    const { exit, verdict } = await run("release");
    assert.equal(exit, PolicyExit.violated);
    assert.deepEqual(verdict.notJudged, []);
    assert.deepEqual(broken(verdict), ["web:shop/web"]);
    const line = "template web ./chart --namespace shop --values - --no-hooks --include-crds";
    assert.equal(told().join(" "), line);
    assert.deepEqual(JSON.parse(readFileSync(join(directory, "values.txt"), "utf8")), { tag: "latest" });
  });

  it("are not told by a warning before an error", async () => {
    install("helm", "echo 'warning: skipped value' >&2\necho 'Error: no such field' >&2\nexit 1\n");
    assert.equal((await run("four")).verdict.notJudged[0]!.reason, "helm fails: Error: no such field");
  });

  for (const stack of ["folder", "oldFolder"]) {
    it(`of a kustomization are judged (${stack})`, async () => {
      install("kustomize");
      const { exit, verdict } = await run(stack);
      assert.equal(exit, PolicyExit.violated);
      assert.deepEqual(verdict.notJudged, []);
      assert.equal(broken(verdict).length, 1);
      assert.deepEqual(told(), ["build", "./overlay"]);
    });
    it(`of a kustomization are rendered by kubectl where there is no kustomize (${stack})`, async () => {
      install("kubectl");
      assert.equal(broken((await run(stack)).verdict).length, 1);
      assert.deepEqual(told(), ["kustomize", "./overlay"]);
    });
  }

  const unseen: [stack: string, installed: string | undefined, type: string, reason: RegExp][] = [
    ["four", undefined, "kubernetes:helm.sh/v4:Chart", /helm is not installed here/],
    ["three", undefined, "kubernetes:helm.sh/v3:Chart", /helm is not installed here/],
    ["folder", undefined, "kubernetes:kustomize/v2:Directory", /kubectl is not installed here/],
    ["oldFolder", undefined, "kubernetes:kustomize:Directory", /kubectl is not installed here/],
    ["noFolder", "kustomize", "kubernetes:kustomize:Directory", /\.\/absent is not a folder here/],
    ["three", "broken", "kubernetes:helm.sh/v3:Chart", /helm fails: no such chart/],
    ["unknownValues", "helm", "kubernetes:helm.sh/v3:Chart", /decided during the update/],
    ["unknownValues4", "helm", "kubernetes:helm.sh/v4:Chart", /decided during the update/],
    ["renderer", "helm", "kubernetes:helm.sh/v4:Chart", /a postRenderer changes/],
  ];
  for (const [stack, installed, type, reason] of unseen) {
    it(`are reported where they cannot be told (${stack}, ${installed ?? "nothing"} installed)`, async () => {
      if (installed === "broken") install("helm", "echo 'no such chart' >&2\nexit 1\n");
      else if (installed !== undefined) install(installed);
      const { exit, verdict } = await run(stack);
      assert.equal(exit, PolicyExit.incomplete);
      assert.deepEqual(
        verdict.notJudged.map(part => [part.resourceName, part.resourceType]),
        [["web", type]],
      );
      assert.match(verdict.notJudged[0]!.reason, reason);
    });
  }
});
