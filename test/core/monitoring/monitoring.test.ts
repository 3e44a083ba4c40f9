import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import {
  dashboardData,
  dashboardManifest,
  podMonitorManifest,
  prometheusRuleManifest,
} from "../../../components/core/manifests/monitoring";
import { dashboard } from "../../../components/core/monitoring/dashboard";
import { rulesFor, selecting } from "../../../components/core/monitoring/rules";
import { databaseNames } from "../../../components/core/names";
import { alertingRules } from "../../../components/database/monitoring";

const names = databaseNames("orders", "shop", 3);
const selector = 'namespace="shop",pod=~"orders-[0-9]+"';
const source = (file: string) => readFileSync(path.join(__dirname, "../../../components/manager", file), "utf8");
const declarations = ["metrics", "usage", "pages", "credentialMetrics"].map(file => source(`serve/${file}.ts`)).join();
const metrics = [...declarations.matchAll(/(?:\bone\(|\bname:)\s*"([a-z_]+)"/g)].map(([, name]) => `tidesql_${name}`);

describe("monitoring", () => {
  it("asks for one database's metrics, beside what a rule asks already", () => {
    assert.equal(
      selecting('sum by (pod) (tidesql_role{role="primary"} offset 10m) unless tidesql_alarm > 0', selector),
      `sum by (pod) (tidesql_role{${selector},role="primary"} offset 10m) unless tidesql_alarm{${selector}} > 0`,
    );
  });

  it("has every alert of docs/alerts.yaml, each metric in it with the selector", () => {
    const { groups } = rulesFor(alertingRules(), names);
    const all = groups.flatMap(({ rules }) => rules);
    assert.ok(all.length >= 14);
    for (const { expr } of all) {
      const asked = expr.match(/tidesql_[a-z_]+/g) ?? [];
      assert.equal(expr.split(selector).length - 1, asked.length, expr);
    }
  });

  describe("dashboard", () => {
    const made = dashboard(names);
    const expressions = made.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

    it("asks for metrics that the manager has, of this database only", () => {
      assert.ok(metrics.length > 14);
      for (const expr of expressions) {
        const asked = expr.match(/tidesql_[a-z_]+/g) ?? [];
        assert.ok(asked.length > 0, expr);
        for (const metric of asked) assert.ok(metrics.includes(metric), metric);
        assert.equal(expr.split(selector).length - 1, asked.length, expr);
      }
    });

    it("has panels side by side, none over another, each with an id of its own", () => {
      const cells = new Set<string>();
      for (const { gridPos, title } of made.panels) {
        assert.ok(gridPos.x + gridPos.w <= 24, title);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            assert.ok(!cells.has(`${x},${y}`), title);
            cells.add(`${x},${y}`);
          }
        }
      }
      assert.equal(new Set(made.panels.map(({ id }) => id)).size, made.panels.length);
    });

    it("is another one for another database, and the same for the same", () => {
      assert.notEqual(made.uid, dashboard(databaseNames("orders", "other", 3)).uid);
      assert.deepEqual(made, dashboard(names));
      assert.ok(made.uid.length <= 40);
    });
  });

  it("is in objects that Grafana and the Prometheus operator find by their labels", () => {
    const labels = { release: "stack" };
    for (const { metadata } of [
      podMonitorManifest(names, labels),
      prometheusRuleManifest(names, labels, {}),
      dashboardManifest(names, labels, {}),
    ]) {
      assert.equal(metadata.namespace, "shop");
      assert.equal(metadata.labels.release, "stack");
    }
    const { data, metadata } = dashboardManifest(names, {}, dashboardData(names));
    assert.equal(metadata.labels.grafana_dashboard, "1");
    for (const text of Object.values(data)) JSON.parse(text);
  });

  it("has rules and queries that Prometheus can read", function () {
    if (spawnSync("promtool", ["--version"]).status !== 0) this.skip();
    const folder = mkdtempSync(path.join(os.tmpdir(), "rules-"));
    try {
      const panels = dashboard(names).panels;
      const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => ({ expr })));
      const recorded = queries.map(({ expr }, index) => ({ record: `dashboard:query_${index}`, expr }));
      const { groups } = rulesFor(alertingRules(), names);
      const file = path.join(folder, "rules.yaml");
      writeFileSync(file, stringify({ groups: [...groups, { name: "dashboard", rules: recorded }] }));
      const said = execFileSync("promtool", ["check", "rules", file], { encoding: "utf8" });
      assert.match(said, new RegExp(`SUCCESS: ${groups.flatMap(({ rules }) => rules).length + recorded.length} rules`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("fires an alert for the database that has no primary, and for no other", function () {
    if (spawnSync("promtool", ["--version"]).status !== 0) this.skip();
    const folder = mkdtempSync(path.join(os.tmpdir(), "rules-"));
    try {
      writeFileSync(path.join(folder, "rules.yaml"), stringify(rulesFor(alertingRules(), names)));
      const role = (pod: string, namespace: string) =>
        `tidesql_role{namespace="${namespace}",pod="${pod}",role="primary"}`;
      const scenario = {
        rule_files: ["rules.yaml"],
        evaluation_interval: "5s",
        tests: [
          {
            interval: "5s",
            input_series: [
              { series: role("orders-0", "shop"), values: "1x5 0x20" },
              { series: role("orders-1", "shop"), values: "0x25" },
              // Primaries of others do not count.
              { series: role("carts-0", "shop"), values: "1x25" },
              { series: role("orders-0", "other"), values: "1x25" },
            ],
            alert_rule_test: [
              { eval_time: "20s", alertname: "TidesqlNoPrimary", exp_alerts: [] },
              {
                eval_time: "60s",
                alertname: "TidesqlNoPrimary",
                exp_alerts: [
                  {
                    exp_labels: { namespace: "shop", severity: "critical" },
                    exp_annotations: { summary: "No node of shop accepts writes." },
                  },
                ],
              },
            ],
          },
        ],
      };
      writeFileSync(path.join(folder, "test.yaml"), stringify(scenario));
      const { stdout, stderr, status } = spawnSync("promtool", ["test", "rules", path.join(folder, "test.yaml")], {
        encoding: "utf8",
      });
      assert.equal(status, 0, stdout + stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
