import * as assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";

const root = path.join(__dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

const page = read("docs/operations.md");
const manager = readdirSync(path.join(root, "components/manager"), { recursive: true, encoding: "utf8" })
  .filter(file => file.endsWith(".ts"))
  .map(file => read(`components/manager/${file}`))
  .join("\n");
const declared = manager.matchAll(/(?:\bone\(|\bname:)\s*"([a-z_]+)",\s*(?:type: )?"(?:gauge|counter)"/g);
const metrics = [...new Set([...declared].map(([, name]) => `tidesql_${name}`))];
const { groups } = parse(read("docs/alerts.yaml")) as {
  groups: {
    rules: { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } }[];
  }[];
};
const alerts = groups.flatMap(({ rules }) => rules);

describe("docs/operations.md", () => {
  it("explains every metric that the manager has", () => {
    assert.ok(metrics.length >= 35, String(metrics));
    assert.deepEqual(
      metrics.filter(name => !page.includes(`| \`${name}\``)),
      [],
    );
  });

  it("explains no metric that the manager has not", () => {
    const explained = [...page.matchAll(/^\| `(tidesql_[a-z_]+)`/gm)].map(([, name]) => name!);
    assert.deepEqual(
      explained.filter(name => !metrics.includes(name)),
      [],
    );
  });

  it("explains every event that the manager writes", () => {
    const reasons = [
      ...manager.matchAll(/\bevent\("(?:Normal|Warning)", "(\w+)"/g),
      ...manager.matchAll(/\breason: "([A-Z]\w+)"/g),
    ].map(([, reason]) => reason!);
    assert.ok(reasons.includes("Promoted") && reasons.includes("NotInBucket"), String(reasons));
    assert.deepEqual(
      [...new Set(reasons)].filter(reason => !page.includes(`\`${reason}\``)),
      [],
    );
  });

  it("has a runbook for every alert, and for nothing else", () => {
    const sections = [...page.matchAll(/^### (Tidesql\w+)$/gm)].map(([, name]) => name!);
    assert.deepEqual(sections.sort(), alerts.map(({ alert }) => alert).sort());
  });

  it("links to sections that there are", () => {
    const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(" ", "-"));
    for (const [, anchor = ""] of page.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.includes(anchor), anchor);
  });
});

describe("docs/alerts.yaml", () => {
  it("asks for metrics that the manager has", () => {
    for (const { alert, expr } of alerts) {
      const asked = expr.match(/tidesql_[a-z_]+/g) ?? [];
      assert.ok(asked.length > 0, alert);
      for (const name of asked) assert.ok(metrics.includes(name), `${name} of ${alert}`);
    }
  });

  it("says of each how bad it is, and what", () => {
    for (const { alert, labels, annotations } of alerts) {
      assert.match(labels.severity, /^(critical|warning)$/, alert);
      assert.ok(annotations.summary.length > 20, alert);
    }
  });
});
