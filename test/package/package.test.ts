import * as assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "mocha";

const root = path.join(__dirname, "../..");
const run = (command: string, args: string[], directory: string) =>
  execFileSync(command, args, {
    cwd: directory,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "pipe"],
  });

const program = `
const { Database, TideSql } = require("pulumi-tidesql");
const image = { existing: "registry.example/tidesql@sha256:${"0".repeat(64)}" };
const orders = new TideSql("orders", { region: "us-east-1", image, databases: ["orders"], users: [{ name: "app", grants: [{ database: "orders", privileges: ["SELECT"] }] }] });
exports.endpoint = orders.primaryEndpoint;
`;

describe("the package as npm packs it", function () {
  this.timeout(400_000);
  let folder: string;
  let files: string[];

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tidesql-consumer-"));
    const [packed] = JSON.parse(
      run("npm", ["run", "--silent", "package", "--", folder], root).replace(/^[^[]*/, ""),
    ) as {
      filename: string;
      files: { path: string }[];
    }[];
    assert.ok(packed);
    files = packed.files.map(file => file.path);
    writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    // The locked packages were installed a moment ago, so they come out of npm's cache.
    run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", path.join(folder, packed.filename)], folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("holds what a consumer needs, and nothing of tests, stacks and simulations", () => {
    for (const needed of [
      "bin/index.js",
      "bin/index.d.ts",
      "bin/cli/main.js",
      "bin/manager/manager.js",
      "bin/manager/watchdog.js",
      "LICENSE",
      "README.md",
      "PulumiPlugin.yaml",
      "bin/plugin.js",
      "schema.json",
    ]) {
      assert.ok(files.includes(needed), needed);
    }
    const foreign = files.filter(
      file => /(^|\/)(test|stacks|engine|scripts|simulation)\//.test(file) || /(?<!\.d)\.ts$/.test(file),
    );
    assert.deepEqual(foreign, ["scripts/prepare.cjs"]);
  });

  it("brings nothing that only development needs: Pulumi installs a plugin's devDependencies too", () => {
    const installed = path.join(folder, "node_modules/pulumi-tidesql/package.json");
    const manifest = JSON.parse(readFileSync(installed, "utf8")) as Record<string, Record<string, string> | undefined>;
    assert.equal(manifest.devDependencies, undefined);
    assert.deepEqual(Object.keys(manifest.scripts ?? {}), ["prepare"]);
    assert.ok(manifest.dependencies?.["@pulumi/pulumi"]);
  });

  it("can be installed again where it lies, as `pulumi package add` does", () => {
    run("npm", ["run", "prepare"], path.join(folder, "node_modules/pulumi-tidesql"));
  });

  it("is a plugin for other languages", async () => {
    const installed = path.join(folder, "node_modules/pulumi-tidesql");
    const host = path.join(folder, "node_modules/@pulumi/pulumi/cmd/run-plugin");
    const plugin = spawn(process.execPath, [host, installed, "127.0.0.1:1"], { cwd: folder });
    try {
      const [port] = (await once(createInterface(plugin.stdout), "line")) as [string];
      assert.match(port, /^[0-9]+$/);
    } finally {
      plugin.kill();
    }
  });

  it("declares every package that it loads", () => {
    const installed = path.join(folder, "node_modules/pulumi-tidesql");
    const { dependencies } = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const loaded = new Set<string>();
    for (const file of readdirSync(path.join(installed, "bin"), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".js") || file.startsWith("manager")) continue;
      for (const [, name = ""] of readFileSync(path.join(installed, "bin", file), "utf8").matchAll(
        /\brequire\("([^."][^"]*)"\)/g,
      )) {
        if (!name.startsWith("node:"))
          loaded.add(name.startsWith("@") ? name.split("/").slice(0, 2).join("/") : name.split("/")[0]!);
      }
    }
    assert.deepEqual(
      [...loaded].filter(name => !(name in dependencies)),
      [],
    );
  });

  it("is imported and planned in a folder of somebody else's", () => {
    writeFileSync(path.join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\nmain: index.js\n");
    writeFileSync(path.join(folder, "Pulumi.dev.yaml"), "config:\n  aws:region: us-east-1\n");
    writeFileSync(path.join(folder, "index.js"), program);
    const command = path.join(folder, "node_modules/.bin/tidesql");
    assert.ok(existsSync(command));
    const plan = JSON.parse(run(process.execPath, [command, "plan", "--json"], folder)) as {
      resources: { type: string }[];
    };
    const types = plan.resources.map(resource => resource.type);
    for (const type of ["tidesql:index:TideSql", "aws:eks/cluster:Cluster", "kubernetes:apps/v1:StatefulSet"]) {
      assert.ok(types.includes(type), type);
    }
  });
});
