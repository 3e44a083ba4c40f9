import { hoursPerMonth, s3Request } from "../planning/prices";

/** One panel of the dashboard, before it has a place. */
export interface Panel {
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

/** A graph over half of the width. */
const graph = { type: "timeseries", width: 12, height: 8 } as const;

/** Dollars a month of one request a second. */
const perMonth = (dollarsEach: number) => Number((dollarsEach * hoursPerMonth * 3600).toPrecision(6));

/** What the requests cost that `rate` or `increase` counts over a range. @param factor makes of a request's price what the result is in */
function priceOf(count: "rate" | "increase", range: string, factor: (dollars: number) => number): string {
  return (
    `${factor(s3Request.write)} * sum(${count}(tidesql_bucket_requests_total{kind=~"put|list"}[${range}])) + ` +
    `${factor(s3Request.read)} * sum(${count}(tidesql_bucket_requests_total{kind="get"}[${range}]))`
  );
}

/** The panels from left to right, row by row. The first row answers "does it work"; the second shows outages; the rest says why. */
export const panels: readonly Panel[] = [
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
    description: "At 0, no node has read the log.",
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
    ...graph,
    title: "Lag of the replicas",
    description: "Age of the data that each replica shows.",
    unit: "s",
    queries: [{ expr: 'tidesql_heartbeat_age_seconds and on (pod) tidesql_role{role="replica"} == 1', legend: perPod }],
    thresholds: [2, 10],
  },
  {
    ...graph,
    title: "Lease of the primary",
    description: "Time for which the writer may still run without a renewal. It falls to 0 before a writer is fenced.",
    unit: "s",
    queries: [
      { expr: 'tidesql_lease_remaining_seconds and on (pod) tidesql_role{role="primary"} == 1', legend: perPod },
    ],
  },
  {
    ...graph,
    title: "Not in the bucket",
    description: "Bytes of table files that are missing from the bucket.",
    unit: "bytes",
    queries: [{ expr: "tidesql_not_in_bucket_bytes", legend: perPod }],
  },
  {
    ...graph,
    title: "Writes held back",
    description:
      "Share of the time for which commits are held back for the bucket and the followers; 1 while writes are stopped.",
    unit: "percentunit",
    queries: [
      { expr: "tidesql_commits_held_ratio", legend: "held, {{pod}}" },
      { expr: "tidesql_writes_stopped", legend: "stopped, {{pod}}" },
    ],
  },
  {
    ...graph,
    title: "Failovers",
    description: "Promotions, failed promotions, writers that were fenced, and exits of mariadbd, in an hour.",
    queries: [
      { expr: "sum(increase(tidesql_promotions_total[1h]))", legend: "promotions" },
      { expr: "sum(increase(tidesql_failed_promotions_total[1h]))", legend: "failed promotions" },
      { expr: "sum(increase(tidesql_fences_total[1h]))", legend: "fences" },
      { expr: "sum(increase(tidesql_engine_exits_total[1h]))", legend: "exits of mariadbd" },
    ],
  },

  {
    ...graph,
    title: "Objects",
    description: "SSTables of the largest table: many of them slow scans down. Tables and secondary indexes.",
    queries: [
      { expr: "max(tidesql_sstables_max)", legend: "SSTables of the largest table" },
      { expr: "max(tidesql_column_families)", legend: "tables and indexes" },
    ],
  },
  {
    ...graph,
    title: "Entries behind",
    description: "Entries of the log that a replica does not show yet.",
    queries: [{ expr: "scalar(max(tidesql_log_position)) - tidesql_log_shown_position", legend: perPod }],
  },
  {
    ...graph,
    title: "Latency of an append",
    description: "Average time to append an entry to the log. In commit mode, each commit waits for one.",
    unit: "s",
    queries: [
      {
        expr: "sum(rate(tidesql_log_append_seconds_total[1m])) / sum(rate(tidesql_log_entries_total[1m]))",
        legend: "append",
      },
    ],
    thresholds: [0.5, 2],
  },
  {
    ...graph,
    title: "Written to the log",
    description: "Bytes of entries a second. SSTables are not in it.",
    unit: "Bps",
    queries: [{ expr: "sum(rate(tidesql_log_bytes_total[1m]))", legend: "entries" }],
  },
  {
    ...graph,
    title: "Waiting",
    description:
      "Flushes that are not in the log yet, and commits that a replica holds back because an earlier one is missing. Both return to 0 within seconds.",
    queries: [
      { expr: "tidesql_log_flushes_open", legend: "flushes, {{pod}}" },
      { expr: "tidesql_log_held_blocks", legend: "commits held back, {{pod}}" },
    ],
  },
  {
    ...graph,
    title: "Not covered by a flush",
    description: "Bytes of commits that a takeover would have to replay.",
    unit: "bytes",
    queries: [{ expr: "tidesql_log_memory_bytes", legend: perPod }],
  },

  {
    ...graph,
    title: "Memory of mariadbd",
    description: "Resident memory of the engine. Compare it with the pod's limit.",
    unit: "bytes",
    queries: [{ expr: "tidesql_engine_resident_bytes", legend: perPod }],
  },
  {
    ...graph,
    title: "Memory of the managers",
    description: "Resident memory of process 1, part of the pod's memory.",
    unit: "bytes",
    queries: [{ expr: "tidesql_manager_resident_bytes", legend: perPod }],
  },
  {
    ...graph,
    title: "Requests to the bucket",
    description: "Requests of the managers. The engines make none.",
    unit: "reqps",
    queries: [{ expr: "sum by (kind) (rate(tidesql_bucket_requests_total[5m]))", legend: "managers, {{kind}}" }],
  },
  {
    ...graph,
    title: "Cost of these requests, dollars a month",
    description: "At the rate of the last five minutes, with S3's prices in us-east-1.",
    unit: "currencyUSD",
    queries: [{ expr: priceOf("rate", "5m", perMonth), legend: "managers" }],
  },
  {
    ...graph,
    title: "Cost of the requests so far, dollars",
    description: "Of the last 30 days, as far as Prometheus has them, with S3's prices in us-east-1.",
    unit: "currencyUSD",
    queries: [{ expr: priceOf("increase", "30d", dollars => dollars), legend: "all nodes" }],
  },
];
