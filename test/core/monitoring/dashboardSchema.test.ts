import assert from "node:assert/strict";
import path from "node:path";
import { dashboardData } from "../../../components/core/manifests/monitoring";
import { databaseNames } from "../../../components/core/names";
import { DeclaredType } from "./declaredType";

interface PanelOfFile extends Record<string, unknown> {
  title: string;
  type: string;
  fieldConfig: { defaults: { thresholds: unknown; unit: string; max?: number } };
}

const kinds: Record<string, string> = {
  stat: "stat/panelcfg/x/StatPanelCfg_types.gen",
  timeseries: "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
  "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen",
};

/** The dashboard's file, against the types that Grafana publishes of its dashboards with each release. */
describe("the dashboard's file", function () {
  this.timeout(60_000);
  const [text = ""] = Object.values(dashboardData(databaseNames("orders", "shop", 3)));
  const file = JSON.parse(text) as { panels: PanelOfFile[] };
  const imports = Object.entries(kinds).map(
    ([kind, file]) =>
      `import type { Options as ${nameOf(kind)} } from "@grafana/schema/dist/esm/raw/composable/${file}";`,
  );
  const options = Object.keys(kinds).map(kind => `type ${nameOf(kind)}Options = Partial<${nameOf(kind)}>;`);
  const declaration = `
    import type { Dashboard, Panel } from "@grafana/schema";
    ${imports.join("\n")}
    type Target = { refId: string; datasource: { type: "prometheus"; uid: string }; expr: string; legendFormat: string };
    type File = Omit<Dashboard, "panels"> & { panels: (Omit<Panel, "targets"> & { targets: Target[] })[] };
    ${options.join("\n")}
  `;
  let declared: Map<string, DeclaredType>;
  let dashboards: DeclaredType;
  before("read Grafana's types", () => {
    declared = DeclaredType.of(path.join(__dirname, "subject.ts"), declaration);
    dashboards = declared.get("File")!;
  });

  it("has what Grafana's dashboards and panels have, and nothing else", () => {
    assert.ok(file.panels.length > 10);
    assert.deepEqual(dashboards.problems(file), []);
  });

  it("draws shares of the time up to 100 %, also while all of them are 0", () => {
    const shares = file.panels.filter(({ fieldConfig }) => fieldConfig.defaults.unit === "percentunit");
    assert.notEqual(shares.length, 0);
    for (const { title, fieldConfig } of shares) assert.equal(fieldConfig.defaults.max, 1, title);
  });

  it("is checked strictly: a slip, a wrong kind of value and a value that Grafana does not know are found", () => {
    const [first] = file.panels;
    const broken = (change: object) => dashboards.problems({ ...file, panels: [{ ...first, ...change }] });
    assert.deepEqual(broken({}), []);
    assert.match(broken({ desciption: "" }).join(), /^\$\.panels\[0\]\.desciption is unknown/);
    assert.match(
      broken({ gridPos: { x: "0", y: 0, w: 1, h: 1 } }).join(),
      /panels\[0\]\.gridPos\.x is "0", not number/,
    );
    assert.match(
      broken({ fieldConfig: { defaults: { thresholds: { mode: "absolut", steps: [] } }, overrides: [] } }).join(),
      /thresholds\.mode is "absolut"/,
    );
    assert.match(dashboards.problems({ ...file, refresh: 10 }).join(), /^\$\.refresh is 10, not string$/);
  });

  for (const kind of Object.keys(kinds)) {
    it(`has options that a ${kind} panel has`, () => {
      const options = declared.get(`${nameOf(kind)}Options`)!;
      const panels = file.panels.filter(({ type }) => type === kind);
      assert.ok(panels.length > 0);
      for (const panel of panels) assert.deepEqual(options.problems(panel.options), [], panel.title);
      assert.notDeepEqual(options.problems({ textmode: "name" }), []);
    });
  }

  it("has panels of these kinds only", () => {
    assert.deepEqual([...new Set(file.panels.map(({ type }) => type))].sort(), Object.keys(kinds).sort());
  });
});

function nameOf(kind: string): string {
  return kind.replace(/\W/g, "_");
}
