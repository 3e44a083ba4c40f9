import { type Counters } from "../base/counters";
import { type EngineView } from "../decide/view";

/** One metric and its values; those that are undefined are left out. */
export interface Metric {
  name: string;
  type: "gauge" | "counter";
  help: string;
  values: { labels?: string; value: number | undefined }[];
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
