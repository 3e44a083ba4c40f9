import * as assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { after, before, describe, it } from "mocha";
import { Secret } from "../../cli/planner/values";
import { startProgram } from "./languageHost";

const root = path.join(__dirname, "../..");
const storeKeys = { accessKeyId: new Secret("minioadmin"), secretAccessKey: new Secret("sesame-sesame") };
const under = (project: string, values: Record<string, Secret>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${project}:${key}`, value]));

/** Stacks of some examples, one of each kind of component, with what stands for all that they make. test/examples plans every example. */
const examples: [folder: string, stack: string, makes: string, config?: Record<string, Secret>][] = [
  ["smallest", "dev", "tidesql:index:TideSql"],
  ["s3-compatible", "prod", "tidesql:index:Database", under("s3-compatible", storeKeys)],
  ["multi-stack/infrastructure", "prod", "tidesql:index:Cluster"],
  ["multi-stack/database", "prod", "tidesql:index:Database"],
];

// A compiler starts for each program, several at a time on a busy machine.
describe("started by Pulumi's language host", function () {
  this.timeout(600_000);

  it("the stack prod compiles and registers everything", async () => {
    const { exitCode, resources, logged } = await startProgram(root, "prod");
    assert.equal(exitCode, 0, logged.join("\n"));
    assert.ok(resources.some(({ type }) => type === "kubernetes:apps/v1:StatefulSet"));
    assert.ok(resources.some(({ type }) => type === "aws:eks/cluster:Cluster"));
  });

  it("a stack with an argument that is wrong ends with its name and the way out, and no stack trace", async () => {
    const { exitCode, resources, logged } = await startProgram(root, "prod", { "tidesql:replicas": "3" });
    assert.equal(exitCode, 32);
    assert.match(logged.join("\n"), /TideSql "tidesql" has invalid arguments:\n {2}replicas: is 3, .* write at most 2/);
    assert.doesNotMatch(logged.join("\n"), /unhandled exception|^\s+at /m);
    assert.deepEqual(
      resources.filter(({ type }) => type !== "pulumi:pulumi:Stack"),
      [],
    );
  });

  it("the stack local compiles and registers everything", async () => {
    const { exitCode, resources, logged } = await startProgram(root, "local", under("tidesql", storeKeys));
    assert.equal(exitCode, 0, logged.join("\n"));
    assert.ok(resources.some(({ type }) => type === "kubernetes:apps/v1:StatefulSet"));
  });

  it("the stack local without a key can be previewed, with the command that sets it", async () => {
    const { exitCode, logged } = await startProgram(root, "local");
    assert.equal(exitCode, 0, logged.join("\n"));
    assert.match(logged.join("\n"), /pulumi config set --secret tidesql:accessKeyId/);
  });

  it("the stack local without a key is not updated: the command that sets it, no stack trace, and nothing made", async () => {
    const { exitCode, resources, logged } = await startProgram(root, "local", {}, "update");
    assert.equal(exitCode, 32);
    assert.deepEqual(
      resources.map(({ type }) => type).filter(type => type !== "pulumi:pulumi:Stack"),
      [],
    );
    assert.match(logged.join("\n"), /error: .*\n.*pulumi config set --secret tidesql:accessKeyId/);
    assert.doesNotMatch(logged.join("\n"), /\bat .*stacks/);
  });

  describe("the example", () => {
    let folder: string;

    before("is copied beside the installed package", async () => {
      folder = mkdtempSync(path.join(tmpdir(), "tidesql-examples-"));
      cpSync(path.join(root, "examples"), folder, { recursive: true });
      const modules = path.join(folder, "node_modules");
      mkdirSync(path.join(modules, "pulumi-tidesql/bin"), { recursive: true });
      for (const name of readdirSync(path.join(root, "node_modules")).filter(entry => !entry.startsWith(".")))
        symlinkSync(path.join(root, "node_modules", name), path.join(modules, name));
      const installed = path.join(modules, "pulumi-tidesql");
      for (const file of ["package.json", "schema.json"]) cpSync(path.join(root, file), path.join(installed, file));
      for (const part of ["bin/manager", "components"]) symlinkSync(path.join(root, part), path.join(installed, part));
      await build({
        entryPoints: [path.join(root, "index.ts")],
        outfile: path.join(installed, "bin/index.js"),
        bundle: true,
        packages: "external",
        platform: "node",
        target: "node22",
        logLevel: "warning",
      });
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    for (const [name, stack, makes, config] of examples) {
      it(`${name} compiles and registers everything`, async () => {
        const { exitCode, resources, logged } = await startProgram(path.join(folder, name), stack, config);
        assert.equal(exitCode, 0, logged.join("\n"));
        assert.ok(resources.some(({ type }) => type === makes));
      });
    }
  });
});
