import { createHash } from "node:crypto";
import { type Panel, panels } from "./panels";
import { podSelector, selecting, WatchedDatabase } from "./rules";

/** A Grafana dashboard for one database, as its file format wants it (schema version 39, Grafana 10 and later). The data source is chosen in it. */
export function dashboard(names: WatchedDatabase) {
  const { namespace, database } = names;
  const selector = podSelector(names);
  return {
    uid: uidOf(`${namespace}/${database}`),
    title: `TideSQL: ${database} in ${namespace}`,
    tags: ["tidesql"],
    schemaVersion: 39,
    editable: true,
    refresh: "10s",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    templating: {
      list: [{ name: "source", label: "Data source", type: "datasource", query: "prometheus" }],
    },
    panels: placed(panels).map(({ panel, gridPos }, index) => panelJson(panel, gridPos, index + 1, selector)),
  };
}

const dataSource = { type: "prometheus", uid: "${source}" };

function panelJson(panel: Panel, gridPos: Place, id: number, selector: string) {
  const { title, description, type, unit = "none", queries } = panel;
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource: dataSource,
    fieldConfig: {
      defaults: { unit, min: 0, ...(unit === "percentunit" && { max: 1 }), thresholds: thresholdsOf(panel) },
      overrides: [],
    },
    options: type === "stat" ? { ...(queries[0]?.legend ? { textMode: "name" } : {}), colorMode: "background" } : {},
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource: dataSource,
      expr: selecting(expr, selector),
      legendFormat: legend,
    })),
  };
}

function thresholdsOf({ thresholds, least }: Panel) {
  const green = { color: "green", value: null };
  if (least !== undefined) {
    return {
      mode: "absolute",
      steps: [
        { color: "red", value: null },
        { color: "green", value: least },
      ],
    };
  }
  const [orange, red] = thresholds ?? [];
  return {
    mode: "absolute",
    steps: [
      green,
      ...(orange !== undefined && orange !== red ? [{ color: "orange", value: orange }] : []),
      ...(red !== undefined ? [{ color: "red", value: red }] : []),
    ],
  };
}

interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** From left to right, row by row. The panels of a row are of one height. */
function placed(all: readonly Panel[]): { panel: Panel; gridPos: Place }[] {
  let [x, y, rowHeight] = [0, 0, 0];
  return all.map(panel => {
    if (x + panel.width > 24) [x, y] = [0, y + rowHeight];
    const gridPos = { x, y, w: panel.width, h: panel.height };
    [x, rowHeight] = [x + panel.width, panel.height];
    return { panel, gridPos };
  });
}

/** Grafana takes 40 characters. The same for the same database, so that a dashboard is replaced and never doubled. */
function uidOf(text: string): string {
  return `tidesql-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}
