import { createHash } from "node:crypto";
import { hoursPerMonth, s3Request } from "../planning/prices";
import { readsPerPoll } from "../planning/storeRequests";
import { podSelector, selecting, WatchedDatabase } from "./rules";

/** One panel of the dashboard, before it has a place. */
interface Panel {
  title: string;
  /** What a person on call reads from it. */
  description: string;
  type: "stat" | "timeseries" | "state-timeline";
  /** Grafana's name of the unit. Default: a plain number. */
  unit?: string;
  /** Of 24. */
  width: number;
  height: number;
  queries: { expr: string; legend: string }[];
  /** From which value on it is orange, and red. */
  thresholds?: [orange: number, red: number];
  /** A value that is worse when it is lower turns red below the first one. */
  least?: number;
}

const perPod = "{{pod}}";

/** Polls of all replicas, each of which is a listing and some reads. */
const pollsPerSecond = 'sum(tidesql_role{role="replica"}) / max(tidesql_replica_sync_interval_seconds)';

/** On the log there are none: each manager's reads are counted. */
const noPolls = "0 * max(tidesql_log_position)";

/** Dollars a month of one request a second. */
const perMonth = (dollarsEach: number) => Number((dollarsEach * hoursPerMonth * 3600).toPrecision(6));

/** The first row answers "does it work"; the second shows outages; the rest says why. */
const panels: Panel[] = [
  {
    title: "Primaries",
    description: "1 is right. At 0, no node accepts writes.",
    type: "stat",
    width: 4,
    height: 4,
    queries: [{ expr: 'sum(tidesql_role{role="primary"})', legend: "" }],
    least: 1,
  },
  {
    title: "Primary",
    description: "The pod that accepts writes.",
    type: "stat",
    width: 5,
    height: 4,
    queries: [{ expr: 'tidesql_role{role="primary"} == 1', legend: perPod }],
  },
  {
    title: "Nodes that could take over",
    description: "At 0, the next failover has to wait for the old primary's volume.",
    type: "stat",
    width: 5,
    height: 4,
    queries: [{ expr: "sum(tidesql_candidate)", legend: "" }],
    least: 1,
  },
  {
    title: "Would be lost with the primary and its disk",
    description: "Age of the oldest write that is not in the bucket: the live RPO.",
    type: "stat",
    unit: "s",
    width: 5,
    height: 4,
    queries: [{ expr: "max(tidesql_not_in_bucket_seconds)", legend: "" }],
    thresholds: [2, 10],
  },
  {
    title: "Alarms",
    description: "Managers that need manual intervention. Their logs say why.",
    type: "stat",
    width: 5,
    height: 4,
    queries: [{ expr: "sum(tidesql_alarm)", legend: "" }],
    thresholds: [1, 1],
  },
  {
    title: "Roles over time",
    description: "Who was primary when. A gap is an outage for writers.",
    type: "state-timeline",
    width: 24,
    height: 6,
    queries: [{ expr: 'max by (pod) (tidesql_role{role="primary"})', legend: perPod }],
  },
  {
    title: "Lag of the replicas",
    description: "Age of the data that each replica shows.",
    type: "timeseries",
    unit: "s",
    width: 12,
    height: 8,
    queries: [{ expr: 'tidesql_heartbeat_age_seconds and on (pod) tidesql_role{role="replica"} == 1', legend: perPod }],
    thresholds: [2, 10],
  },
  {
    title: "Lease of the primary",
    description: "Time for which the writer may still run without a renewal. It falls to 0 before a writer is fenced.",
    type: "timeseries",
    unit: "s",
    width: 12,
    height: 8,
    queries: [
      { expr: 'tidesql_lease_remaining_seconds and on (pod) tidesql_role{role="primary"} == 1', legend: perPod },
    ],
  },
  {
    title: "Not in the bucket",
    description: "Bytes of table files that are missing from the bucket.",
    type: "timeseries",
    unit: "bytes",
    width: 12,
    height: 8,
    queries: [{ expr: "tidesql_not_in_bucket_bytes", legend: perPod }],
  },
  {
    title: "Writes held back",
    description:
      "Share of the time for which commits are held back for the bucket and the followers; 1 while writes are stopped.",
    type: "timeseries",
    unit: "percentunit",
    width: 12,
    height: 8,
    queries: [
      { expr: "tidesql_commits_held_ratio", legend: "held, {{pod}}" },
      { expr: "tidesql_writes_stopped", legend: "stopped, {{pod}}" },
    ],
  },
  {
    title: "Failovers",
    description: "Promotions, failed promotions, writers that were fenced, and exits of mariadbd, in an hour.",
    type: "timeseries",
    width: 12,
    height: 8,
    queries: [
      { expr: "sum(increase(tidesql_promotions_total[1h]))", legend: "promotions" },
      { expr: "sum(increase(tidesql_failed_promotions_total[1h]))", legend: "failed promotions" },
      { expr: "sum(increase(tidesql_fences_total[1h]))", legend: "fences" },
      { expr: "sum(increase(tidesql_engine_exits_total[1h]))", legend: "exits of mariadbd" },
    ],
  },
  {
    title: "Objects",
    description: "SSTables of the largest table slow scans down; WAL objects and column families end at 256.",
    type: "timeseries",
    width: 12,
    height: 8,
    queries: [
      { expr: "max(tidesql_sstables_max)", legend: "SSTables of the largest table" },
      { expr: "max(tidesql_wal_objects)", legend: "WAL objects" },
      { expr: "max(tidesql_column_families)", legend: "column families" },
    ],
  },
  {
    title: "Memory of mariadbd",
    description: "Resident memory of the engine. Compare it with the pod's limit.",
    type: "timeseries",
    unit: "bytes",
    width: 12,
    height: 8,
    queries: [{ expr: "tidesql_engine_resident_bytes", legend: perPod }],
  },
  {
    title: "Memory of the managers",
    description: "Resident memory of process 1, part of the pod's memory.",
    type: "timeseries",
    unit: "bytes",
    width: 12,
    height: 8,
    queries: [{ expr: "tidesql_manager_resident_bytes", legend: perPod }],
  },
  {
    title: "Requests to the bucket",
    description:
      "Requests of the managers are counted. Those of the replicas' polls follow from the interval, the replicas and the WAL objects. Uploads by the primary's engine are not in it: at most ten a second while there are writes.",
    type: "timeseries",
    unit: "reqps",
    width: 12,
    height: 8,
    queries: [
      { expr: "sum by (kind) (rate(tidesql_bucket_requests_total[5m]))", legend: "managers, {{kind}}" },
      {
        expr: `${pollsPerSecond} * (${1 + readsPerPoll.fixed} + max(tidesql_wal_objects)) or ${noPolls}`,
        legend: "polls of the replicas",
      },
    ],
  },
  {
    title: "Cost of these requests, dollars a month",
    description: "At the rate of the last five minutes, with S3's prices in us-east-1.",
    type: "timeseries",
    unit: "currencyUSD",
    width: 12,
    height: 8,
    queries: [
      {
        expr:
          `${perMonth(s3Request.write)} * sum(rate(tidesql_bucket_requests_total{kind=~"put|list"}[5m])) + ` +
          `${perMonth(s3Request.read)} * sum(rate(tidesql_bucket_requests_total{kind="get"}[5m]))`,
        legend: "managers",
      },
      {
        expr: `${pollsPerSecond} * (${perMonth(s3Request.write)} + ${perMonth(s3Request.read)} * (${readsPerPoll.fixed} + max(tidesql_wal_objects))) or ${noPolls}`,
        legend: "polls of the replicas",
      },
    ],
  },
];

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
