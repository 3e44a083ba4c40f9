import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readManagerBundle } from "../../components/managerBundle";
import { defaultNodeImage } from "../../components/nodeImage";

describe("manager bundle", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "bundle-"));
    writeFileSync(path.join(root, "package.json"), JSON.stringify({ name: "pulumi-tidesql" }));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function build(manager = "// manager"): void {
    mkdirSync(path.join(root, "bin/manager"), { recursive: true });
    writeFileSync(path.join(root, "bin/manager/manager.js"), manager);
    writeFileSync(path.join(root, "bin/manager/watchdog.js"), "// watchdog");
    writeFileSync(path.join(root, "bin/manager/inspect.js"), "// inspect");
  }

  it("is found from the sources and from the compiled package, past other packages' folders", () => {
    build();
    for (const start of ["components", "bin/components", "bin/components/nested"]) {
      mkdirSync(path.join(root, start), { recursive: true });
      assert.deepEqual(readManagerBundle(path.join(root, start)), {
        manager: "// manager",
        watchdog: "// watchdog",
        inspect: "// inspect",
      });
    }
    writeFileSync(path.join(root, "components/package.json"), JSON.stringify({ name: "another" }));
    assert.equal(readManagerBundle(path.join(root, "components")).manager, "// manager");
  });

  it("says how to build it where it is missing", () => {
    assert.throws(() => readManagerBundle(root), /manager\.js is missing: run "npm run build:manager"/);
  });

  it("says that it does not fit into a ConfigMap", () => {
    build("x".repeat(1024 * 1024));
    assert.throws(() => readManagerBundle(root), /a ConfigMap holds 1048576/);
  });

  it("says where it looked when the package is not there", () => {
    rmSync(path.join(root, "package.json"));
    assert.throws(() => readManagerBundle(root), /package\.json of pulumi-tidesql/);
  });
});

describe("Node image", () => {
  it("has the version that the tests run with", () => {
    const lock = JSON.parse(readFileSync(path.join(__dirname, "../../package-lock.json"), "utf8")) as {
      packages: Record<string, { version: string }>;
    };
    assert.equal(defaultNodeImage, `docker.io/library/node:${lock.packages["node_modules/node"]?.version}-slim`);
  });
});
