import { type Counters } from "./counters";
import { Manager } from "./manager";
import { usageMetrics, type Usage } from "./usage";
import { type EngineView } from "./view";

/** One metric and its values; those that are undefined are left out. */
export interface Metric {
  name: string;
  type: "gauge" | "counter";
  help: string;
  values: { labels?: string; value: number | undefined }[];
}

/** Prometheus text. */
export function metrics(manager: Manager, usage: Usage, now: number): string {
  const view = manager.view();
  const { counters } = manager;
  const all: Metric[] = [
    roleMetric(view.engine),
    one("epoch", "gauge", "Epoch of the lease as this node knows it.", view.lease?.epoch),
    one("owner_epoch", "gauge", "Epoch that the bucket records.", view.owner?.epoch),
    one(
      "lease_remaining_seconds",
      "gauge",
      "Time for which a writer may still run here without a renewal.",
      remaining(view.hold?.deadline, now),
    ),
    one(
      "candidate",
      "gauge",
      "1 if promoting this node would lose nothing that the durability mode promises to keep.",
      view.following === "following" ? 1 : 0,
    ),
    one(
      "heartbeat_age_seconds",
      "gauge",
      "Primary: time since the last heartbeat was written. Replica: time since a new heartbeat was last seen (the live lag).",
      manager.heartbeatAgeSeconds(),
    ),
    ...eventMetrics(manager),
    one(
      "commits_held_ratio",
      "gauge",
      "Share of the time for which commits are held back so that the bucket and the followers keep up.",
      manager.hold(),
    ),
    one("compactions_total", "counter", "Tables compacted on demand.", counters.compactions),
    one("writes_stopped", "gauge", "1 while the primary refuses writes.", view.writesStopped ? 1 : 0),
    ...bucketMetrics(manager),
    ...usageMetrics(usage),
    one("manager_resident_bytes", "gauge", "Resident memory of the manager process.", process.memoryUsage.rss()),
  ];
  return prometheusText(all);
}

/** What Prometheus reads. */
export function prometheusText(metrics: readonly Metric[]): string {
  return metrics.map(render).join("");
}

/** 1 for the role of a node's engine, 0 for the others. */
export function roleMetric({ state, role }: EngineView): Metric {
  const own = state === "running" ? role : "none";
  return {
    name: "role",
    type: "gauge",
    help: "1 for the role of this node, 0 for the others.",
    values: ["primary", "promoting", "replica", "none"].map(value => ({
      labels: `role="${value}"`,
      value: value === own ? 1 : 0,
    })),
  };
}

/** What a manager counts, whatever it keeps the database in. */
export function eventMetrics({ alarm, counters }: { alarm: string; counters: Readonly<Counters> }): Metric[] {
  return [
    one("alarm", "gauge", "1 while the manager cannot go on without help; its log says why.", alarm === "" ? 0 : 1),
    one("promotions_total", "counter", "Promotions that completed.", counters.promotions),
    one("failed_promotions_total", "counter", "Promotions that failed.", counters.failedPromotions),
    one("engine_starts_total", "counter", "Starts of mariadbd.", counters.engineStarts),
    one("engine_exits_total", "counter", "Exits of mariadbd, requested or not.", counters.engineExits),
    one(
      "fences_total",
      "counter",
      "Times that a writer was killed because it had lost the right to write.",
      counters.fences,
    ),
    one("heartbeat_failures_total", "counter", "Heartbeats that could not be written.", counters.heartbeatFailures),
    one(
      "confirmations_total",
      "counter",
      "Times that peers confirmed this primary while the API server did not answer.",
      counters.confirmations,
    ),
    one(
      "write_stops_total",
      "counter",
      "Times that writes were stopped because they could not be made durable.",
      counters.writeStops,
    ),
  ];
}

/** What a primary knows of the bucket; nothing on other nodes. */
function bucketMetrics(manager: Manager): Metric[] {
  const figures = manager.notInBucket();
  return [
    one(
      "not_in_bucket_seconds",
      "gauge",
      "Age of the oldest write that would be lost with this node and its disk: the live RPO.",
      figures?.oldestSeconds,
    ),
    one("not_in_bucket_bytes", "gauge", "Bytes of table files that are missing from the bucket.", figures?.bytes),
    one("not_in_bucket_objects", "gauge", "Table files that are missing from the bucket.", figures?.objects),
    one("wal_objects", "gauge", "WAL objects in the bucket: the engine reads the first 256.", figures?.walObjects),
    one(
      "column_families",
      "gauge",
      "Tables and secondary indexes in the bucket: the engine finds the first 256.",
      figures?.columnFamilies,
    ),
    one(
      "sstables_max",
      "gauge",
      "SSTables of the table that has the most.",
      figures && Math.max(0, ...figures.sstables.values()),
    ),
  ];
}

/** A metric with one value. */
export function one(name: string, type: Metric["type"], help: string, value: number | undefined): Metric {
  return { name, type, help, values: [{ value }] };
}

/** Seconds until a deadline; 0 without one. */
export function remaining(deadline: number | undefined, now: number): number {
  return deadline === undefined ? 0 : Math.max(0, (deadline - now) / 1000);
}

function render({ name, type, help, values }: Metric): string {
  const full = `tidesql_${name}`;
  const lines = values
    .filter(({ value }) => value !== undefined)
    .map(({ labels, value }) => `${full}${labels ? `{${labels}}` : ""} ${value}\n`);
  return lines.length === 0 ? "" : `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("")}`;
}
