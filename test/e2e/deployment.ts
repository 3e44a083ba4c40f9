import type { Connection } from "mysql2/promise";
import { labels, podLayout } from "../../components/core/podLayout";
import { connectMysql, direct, forwarded, Target } from "./connection";
import { Environment } from "./environment";
import { isReady, KubernetesObject, Pod } from "./kubernetes";
import { LedgerWriter, WriterOptions } from "./writer";

interface Service extends KubernetesObject {
  spec: { clusterIP: string };
}

export interface DeploymentOptions {
  /** The database's name. */
  name: string;
  namespace: string;
  /** Number of pods. */
  nodes: number;
  /** A database that the stack declares. */
  database: string;
  /** The user that tests connect as, declared in the stack with all rights on that database. */
  user: string;
  /** Folder of the manifests that were applied, where it was deployed in that way. It holds Secrets. */
  manifests?: string;
}

/** How a connection is secured: see `Deployment.connect`. */
export type Security = "verified" | "plain" | { authority: string };

/** A database that is running on the cluster, as a client and as an operator see it. */
export class Deployment {
  private credentials: { password: string; authority: string } | undefined;
  private readonly serviceAddresses = new Map<string, string>();

  constructor(
    readonly environment: Environment,
    readonly options: DeploymentOptions,
  ) {}

  get kubernetes() {
    return this.environment.kubernetes;
  }

  /** The database's pods by name, those that are on their way out included. */
  async pods(): Promise<Pod[]> {
    const all = await this.kubernetes.list<Pod>("pods", this.options.namespace);
    const own = new RegExp(`^${this.options.name}-\\d+$`);
    return all.filter(pod => own.test(pod.metadata.name));
  }

  /** The pod that carries the primary's label. @throws Error when none or more than one does */
  async primary(): Promise<Pod> {
    const primaries = (await this.pods()).filter(pod => roleOf(pod) === "primary");
    const [primary] = primaries;
    if (primary && primaries.length === 1) return primary;
    throw new Error(`${primaries.length} pods carry the label of a primary`);
  }

  /** Waits until every pod is ready, one is primary and all others are replicas. */
  async healthy(deadlineSeconds: number): Promise<Pod[]> {
    const { name, namespace, nodes } = this.options;
    const look = async () => {
      const pods = await this.pods();
      const whole = pods.length === nodes && pods.every(pod => isReady(pod) && !pod.metadata.deletionTimestamp);
      const roles = pods.map(roleOf);
      const parted =
        roles.filter(role => role === "primary").length === 1 &&
        roles.filter(role => role === "replica").length === nodes - 1;
      return whole && parted && pods;
    };
    return this.kubernetes.until(`${name} to be healthy`, look, { deadlineSeconds, namespace });
  }

  /**
   * Opens a connection through a service or to one pod.
   * @param security `verified`: TLS, and the server's certificate must come from the deployment's own authority; or from another one, given as PEM
   */
  async connect(to: "primary" | "replica" | Pod, security: Security = "verified"): Promise<Connection> {
    const { authority, password } = await this.readCredentials();
    const trusted = security === "verified" ? authority : security === "plain" ? undefined : security.authority;
    return connectMysql(await this.target(to), { user: this.options.user, password, authority: trusted });
  }

  /** The rows of one query; the connection is opened for it and closed. */
  async query<T>(to: "primary" | "replica" | Pod, sql: string): Promise<T[]> {
    const connection = await this.connect(to);
    try {
      const [rows] = await connection.query(sql);
      return rows as T[];
    } finally {
      connection.destroy();
    }
  }

  /** Starts a client that writes at a steady rate through the primary service. */
  write(options: Omit<WriterOptions, "connect">): LedgerWriter {
    return new LedgerWriter({ ...options, connect: () => this.connect("primary") });
  }

  /** The unique numbers of all rows of a ledger's table. */
  async ids(to: "primary" | "replica" | Pod, table: string): Promise<number[]> {
    const rows = await this.query<{ id: number }>(to, `SELECT id FROM ${table}`);
    return rows.map(row => Number(row.id));
  }

  /** What the manager, process 1, keeps resident. MB. */
  async managerMemory(pod: Pod): Promise<number> {
    const { namespace } = this.options;
    const status = await this.kubernetes.exec(pod.metadata.name, podLayout.containerName, namespace, [
      "cat",
      "/proc/1/status",
    ]);
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kibibytes === undefined) throw new Error(`process 1 of ${pod.metadata.name} tells no VmRSS`);
    return (Number(kibibytes) * 1024) / 1_000_000;
  }

  private async target(to: "primary" | "replica" | Pod): Promise<Target> {
    const { name, namespace } = this.options;
    const { environment } = this;
    const service = typeof to === "string" ? `${name}-${to}` : `${name}-replica`;
    const host = `${service}.${namespace}.svc`;
    const forward = environment.route === "forward";
    if (forward) {
      const resource = typeof to === "string" ? `service/${service}` : `pod/${to.metadata.name}`;
      const { kubeconfig } = this.kubernetes;
      return { host, open: () => forwarded(kubeconfig, namespace, resource, podLayout.mysqlPort) };
    }
    const address = typeof to === "string" ? await this.serviceAddress(service) : (to.status.podIP ?? "");
    return { host, open: () => direct(address, podLayout.mysqlPort) };
  }

  /** Looked up once: it stays as long as the service does, and a client must go on while the API server is away. */
  private async serviceAddress(service: string): Promise<string> {
    const known = this.serviceAddresses.get(service);
    if (known !== undefined) return known;
    const { spec } = await this.kubernetes.get<Service>("service", service, this.options.namespace);
    this.serviceAddresses.set(service, spec.clusterIP);
    return spec.clusterIP;
  }

  private async readCredentials() {
    if (this.credentials) return this.credentials;
    const { name, namespace, user } = this.options;
    const users = await this.kubernetes.secret(`${name}-users`, namespace);
    const tls = await this.kubernetes.secret(`${name}-tls`, namespace);
    this.credentials = { password: users[user] ?? "", authority: tls["ca.crt"] ?? "" };
    return this.credentials;
  }
}

export function roleOf(pod: Pod): string | undefined {
  return pod.metadata.labels?.[labels.role];
}
