import { readFileSync } from "node:fs";
import * as http from "node:http";
import { podLayout } from "../core/podLayout";
import { Manager, tickMilliseconds } from "./manager";
import { metrics } from "./metrics";
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
