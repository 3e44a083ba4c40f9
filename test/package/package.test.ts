import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { PluginProcess } from "../plugin/pluginProcess";
import { type Packed, packedPackage } from "./newcomer";

describe("the package as npm packs it", function () {
  this.timeout(600_000);
  let packed: Packed;

  before("pack and install", async () => {
    packed = await packedPackage();
  });

  it("holds what a consumer needs, and nothing of tests, stacks and simulations", () => {
    for (const needed of [
      "bin/index.js",
      "bin/index.d.ts",
      "bin/cli/main.js",
      "bin/manager/manager.js",
      "bin/manager/watchdog.js",
      "bin/manager/inspect.js",
      "LICENSE",
      "README.md",
      "PulumiPlugin.yaml",
      "bin/plugin.js",
      "schema.json",
    ]) {
      assert.ok(packed.files.includes(needed), needed);
    }
    const foreign = packed.files.filter(
      file => /(^|\/)(test|stacks|engine|scripts|simulation)\//.test(file) || /(?<!\.d)\.ts$/.test(file),
    );
    assert.deepEqual(foreign, ["scripts/prepare.cjs"]);
  });

  it("brings nothing that only development needs: Pulumi installs a plugin's devDependencies too", () => {
    const manifest = JSON.parse(readFileSync(path.join(packed.installed, "package.json"), "utf8")) as Record<
      string,
      Record<string, string> | undefined
    >;
    assert.equal(manifest.devDependencies, undefined);
    assert.deepEqual(Object.keys(manifest.scripts ?? {}), ["prepare"]);
    assert.ok(manifest.dependencies?.["@pulumi/pulumi"]);
  });

  it("can be installed again where it lies, as `pulumi package add` does", async () => {
    await packed.newcomer.shell(packed.installed, "npm run prepare");
  });

  it("is a plugin for other languages", async () => {
    const plugin = await PluginProcess.start(packed.installed);
    try {
      assert.equal(await plugin.schema(), readFileSync(path.join(packed.installed, "schema.json"), "utf8"));
    } finally {
      plugin.stop();
    }
  });

  it("declares every package that it loads", () => {
    const { installed } = packed;
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
});
