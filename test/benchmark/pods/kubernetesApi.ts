import * as http from "node:http";
import * as https from "node:https";
import { AddressInfo } from "node:net";
import { TestCertificate } from "../../engine/testCertificate";

interface KubernetesObject {
  metadata: {
    name: string;
    resourceVersion: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
  };
}

/** As much of the API server as a manager asks: leases with optimistic concurrency, pods and their labels, events. */
export class KubernetesApi {
  private readonly leases = new Map<string, KubernetesObject>();
  private readonly pods: Map<string, KubernetesObject>;
  private version = 0;

  private constructor(
    private readonly server: https.Server,
    pods: string[],
  ) {
    this.pods = new Map(
      pods.map(name => [name, { metadata: { name, resourceVersion: this.nextVersion(), labels: {} } }]),
    );
    server.on("request", (request, response) => void this.handle(request, response));
  }

  static async start(pods: string[], { certificate, key }: TestCertificate): Promise<KubernetesApi> {
    const server = https.createServer({ cert: certificate, key });
    const started = new KubernetesApi(server, pods);
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return started;
  }

  /** Called with each request, before it is answered. */
  onRequest(listener: (request: http.IncomingMessage) => void): void {
    this.server.on("request", listener);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** A pod's labels, to read and to change. @throws Error when there is no such pod */
  labelsOf(pod: string): Record<string, string> {
    const found = this.pods.get(pod);
    if (!found) throw new Error(`there is no pod ${pod}`);
    return (found.metadata.labels ??= {});
  }

  /** A pod's annotations, to read and to change. @throws Error when there is no such pod */
  annotationsOf(pod: string): Record<string, string> {
    const found = this.pods.get(pod);
    if (!found) throw new Error(`there is no pod ${pod}`);
    return (found.metadata.annotations ??= {});
  }

  /** Deletes a pod, which has so many seconds to end; undefined: its successor of the same name is there. @throws Error when there is no such pod */
  deletion(pod: string, graceSeconds: number | undefined): void {
    const found = this.pods.get(pod);
    if (!found) throw new Error(`there is no pod ${pod}`);
    delete found.metadata.deletionTimestamp;
    delete found.metadata.deletionGracePeriodSeconds;
    if (graceSeconds === undefined) return;
    found.metadata.deletionTimestamp = new Date().toISOString();
    found.metadata.deletionGracePeriodSeconds = graceSeconds;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private nextVersion(): string {
    return String(++this.version);
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const sent = chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as KubernetesObject) : undefined;
    const path = new URL(request.url ?? "/", "https://kubernetes").pathname.split("/");
    const [status, body] = this.answer(request.method ?? "", path, sent);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  private answer(method: string, path: string[], sent: KubernetesObject | undefined): [number, unknown] {
    const name = sent?.metadata.name ?? path.at(-1) ?? "";
    switch (`${method} ${path.find(part => ["leases", "pods", "events"].includes(part))}`) {
      case "GET leases":
        return this.leases.has(name) ? [200, this.leases.get(name)] : [404, {}];
      case "POST leases":
        return this.leases.has(name) ? [409, {}] : [201, this.store(name, sent!)];
      case "PUT leases": {
        const current = this.leases.get(name)?.metadata.resourceVersion;
        return current === sent?.metadata.resourceVersion ? [200, this.store(name, sent!)] : [409, {}];
      }
      case "GET pods":
        return [200, { items: [...this.pods.values()] }];
      case "PATCH pods": {
        const pod = this.pods.get(path.at(-1) ?? "");
        if (!pod) return [404, {}];
        for (const kind of ["labels", "annotations"] as const)
          for (const [name, value] of Object.entries(sent?.metadata[kind] ?? {}) as [string, string | null][]) {
            if (value === null) delete pod.metadata[kind]?.[name];
            else (pod.metadata[kind] ??= {})[name] = value;
          }
        return [200, pod];
      }
      case "POST events":
        return [201, {}];
      default:
        return [404, {}];
    }
  }

  private store(name: string, lease: KubernetesObject): KubernetesObject {
    const stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: this.nextVersion() } };
    this.leases.set(name, stored);
    return stored;
  }
}
