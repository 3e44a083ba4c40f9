import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checks } from "../../policy/checks";
import { configurationFaults, type PackConfiguration } from "../../policy/configuration";
import { exemptionFault } from "../../policy/exemption";
import { policyReference, tableMarkers } from "../../policy/format/markdown";

const file = join(__dirname, "../../docs/policies.md");
const page = readFileSync(file, "utf8");

describe("docs/policies.md", () => {
  it("has the policies as the code has them", () => {
    const written = page.split(tableMarkers.start)[1]?.split(tableMarkers.end)[0]?.trim();
    assert.equal(written, policyReference(checks).trim(), "run `npm run docs:policies`");
  });

  it("has a row for each policy with level, reason, way out and configuration", () => {
    for (const { id, level, configuration } of checks) {
      const row = page.split("\n").find(line => line.startsWith(`| \`${id}\` |`)) ?? "";
      const cells = row.split(/(?<!\\)\|/).slice(1, -1);
      assert.equal(cells.length, 5, id);
      assert.ok(cells[1]!.includes(level) && cells[2]!.length > 20 && cells[3]!.length > 5, row);
      for (const property of Object.keys(configuration ?? {}))
        assert.ok(cells[4]!.includes(`\`${property}\``), `${id}.${property}`);
    }
  });

  it("shows a configuration that can be used", () => {
    const [, json] = /```json\n([\s\S]+?)```/.exec(page)!;
    const configuration = JSON.parse(json!) as PackConfiguration;
    assert.deepEqual(configurationFaults(checks, configuration), []);
    for (const [policy, setting] of Object.entries(configuration)) {
      const exemptions = typeof setting === "string" ? [] : (setting.exemptions ?? []);
      for (const exemption of exemptions)
        assert.equal(exemptionFault({ ...exemption, policy }, "2026-11-22"), undefined);
    }
  });

  it("links to what exists", () => {
    for (const [, target] of page.matchAll(/\]\((\.[^)#]+)/g))
      assert.ok(existsSync(join(dirname(file), target!)), target);
  });
});
