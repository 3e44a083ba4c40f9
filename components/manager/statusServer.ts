import { readFileSync } from "node:fs";
import * as http from "node:http";
import { podLayout } from "../core/podLayout";
import { Manager, tickMilliseconds } from "./manager";
import { Clock } from "./ports";
import { statusDocument } from "./statusDocument";

/** A loop that did not come round for so long hangs. Milliseconds. */
const hungAfter = 50 * tickMilliseconds;

/** `/healthz` (the manager runs), `/readyz` (this pod may get traffic), `/metrics` and `/status`, in plain HTTP for the kubelet, Prometheus and `tidesql status`. */
export function serveStatus(manager: Manager, clock: Clock, port: number = podLayout.managerPort): http.Server {
  const server = http.createServer((request, response) => {
    switch (request.url) {
      case "/healthz": {
        const healthy = clock.now() - manager.lastTick < hungAfter;
        return response.writeHead(healthy ? 200 : 503).end(healthy ? "ok" : "the manager hangs");
      }
      case "/readyz": {
        const ready = manager.ready();
        return response.writeHead(ready ? 200 : 503).end(ready ? "ok" : whyNotReady(manager));
      }
      case "/metrics":
        return response
          .writeHead(200, { "content-type": "text/plain; version=0.0.4" })
          .end(metrics(manager, clock.now()));
      case "/status": {
        const status = statusDocument(manager, clock.now(), serverCertificate());
        return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(status));
      }
      default:
        return response.writeHead(404).end();
    }
  });
  return server.listen(port);
}

/** Read anew each time: the kubelet replaces the file when its Secret changes. */
function serverCertificate(): string | undefined {
  try {
    return readFileSync(`${podLayout.tlsSecretDirectory}/tls.crt`, "utf8");
  } catch {
    return undefined;
  }
}

function whyNotReady(manager: Manager): string {
  const { refusal, engine, following, hold, stopping } = manager.view();
  if (refusal) return refusal.message;
  if (stopping) return "is leaving";
  if (engine.state !== "running") return `mariadbd is ${engine.state}`;
  if (hold) return "is being promoted";
  return following === "missed" ? "may have missed writes" : "has not yet followed a flush of the primary";
}

interface Metric {
  name: string;
  type: "gauge" | "counter";
  help: string;
  values: { labels?: string; value: number | undefined }[];
}

/** Prometheus text. */
export function metrics(manager: Manager, now: number): string {
  const view = manager.view();
  const { counters } = manager;
  const role = view.engine.state === "running" ? view.engine.role : "none";
  const one = (name: string, type: Metric["type"], help: string, value: number | undefined): Metric => ({
    name,
    type,
    help,
    values: [{ value }],
  });
  const all: Metric[] = [
    {
      name: "role",
      type: "gauge",
      help: "1 for the role that this node has.",
      values: ["primary", "promoting", "replica", "none"].map(value => ({
        labels: `role="${value}"`,
        value: value === role ? 1 : 0,
      })),
    },
    one("epoch", "gauge", "Epoch of the lease as this node knows it.", view.lease?.epoch),
    one("owner_epoch", "gauge", "Epoch that the bucket names.", view.owner?.epoch),
    one(
      "lease_remaining_seconds",
      "gauge",
      "Time that a writer may still run here without a renewal.",
      remaining(view.hold?.deadline, now),
    ),
    one(
      "candidate",
      "gauge",
      "1 when this node could be promoted without a loss that its durability mode rules out.",
      view.following === "following" ? 1 : 0,
    ),
    one(
      "heartbeat_age_seconds",
      "gauge",
      "Primary: since the last heartbeat was written. Replica: since the last new one was followed (the live lag).",
      manager.heartbeatAgeSeconds(),
    ),
    one(
      "alarm",
      "gauge",
      "1 while the manager can do nothing without help; its log says why.",
      manager.alarm === "" ? 0 : 1,
    ),
    one("promotions_total", "counter", "Promotions that ended open for writes.", counters.promotions),
    one("failed_promotions_total", "counter", "Promotions that were given up.", counters.failedPromotions),
    one("engine_starts_total", "counter", "Starts of mariadbd.", counters.engineStarts),
    one("engine_exits_total", "counter", "Ends of mariadbd, wanted or not.", counters.engineExits),
    one(
      "fences_total",
      "counter",
      "Times that a writer was killed because it might not write any more.",
      counters.fences,
    ),
    one("heartbeat_failures_total", "counter", "Heartbeats that the engine did not take.", counters.heartbeatFailures),
    one("manager_resident_bytes", "gauge", "Memory of the manager itself.", process.memoryUsage.rss()),
  ];
  return all.map(render).join("");
}

function remaining(deadline: number | undefined, now: number): number {
  return deadline === undefined ? 0 : Math.max(0, (deadline - now) / 1000);
}

function render({ name, type, help, values }: Metric): string {
  const full = `tidesql_${name}`;
  const lines = values
    .filter(({ value }) => value !== undefined)
    .map(({ labels, value }) => `${full}${labels ? `{${labels}}` : ""} ${value}\n`);
  return lines.length === 0 ? "" : `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("")}`;
}
