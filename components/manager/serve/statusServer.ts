import { readFileSync } from "node:fs";
import * as http from "node:http";
import { podLayout } from "../../core/podLayout";
import { tickMilliseconds } from "../base/intervals";
import { Clock, Monotonic } from "../base/ports";
import { StatusDocument } from "./statusDocument";

/** A loop that did not come round for so long hangs. Milliseconds. */
const hungAfter = 50 * tickMilliseconds;

/** What a node says of itself over HTTP. */
export interface StatusPages {
  /** When the manager's loop last came round. */
  readonly lastTick: Monotonic;
  ready(): boolean;
  whyNotReady(): string;
  /** Prometheus text. */
  metrics(now: Monotonic): string;
  /** @param certificate PEM of the server's, where it can be read */
  status(now: Monotonic, certificate?: string): StatusDocument;
}

/** `/healthz` (the manager runs), `/readyz` (this pod may get traffic), `/metrics` and `/status`, in plain HTTP for the kubelet, Prometheus and `tidesql status`. */
export function serveStatus(
  pages: StatusPages,
  clock: Pick<Clock, "now">,
  port: number = podLayout.managerPort,
): http.Server {
  const server = http.createServer((request, response) => {
    switch (request.url) {
      case "/healthz": {
        const healthy = clock.now() - pages.lastTick < hungAfter;
        return response.writeHead(healthy ? 200 : 503).end(healthy ? "ok" : "the manager is not responding");
      }
      case "/readyz": {
        const ready = pages.ready();
        return response.writeHead(ready ? 200 : 503).end(ready ? "ok" : pages.whyNotReady());
      }
      case "/metrics":
        return response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(pages.metrics(clock.now()));
      case "/status": {
        const status = pages.status(clock.now(), serverCertificate());
        return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(status));
      }
      default:
        return response.writeHead(404).end();
    }
  });
  return server.listen(port);
}

/** Read each time: the kubelet replaces the file when its Secret changes. */
function serverCertificate(): string | undefined {
  try {
    return readFileSync(`${podLayout.tlsSecretDirectory}/tls.crt`, "utf8");
  } catch {
    return undefined;
  }
}
