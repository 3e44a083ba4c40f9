import { configuration as managerConfiguration } from "../../manager/views";
import { noCounts } from "../../../components/manager/base/counters";
import type { StatusDocument } from "../../../components/manager/serve/statusDocument";
import type { ManagerConfiguration } from "../../../components/core/managerConfiguration";
import { failureOf, type Kubectl, KubectlError, type PortForward } from "../../../cli/live/kubectl";
import type { LiveClock, Surroundings } from "../../../cli/live/surroundings";

/** What a test may say of one node; the rest is that of a healthy one. */
export interface NodeScript {
  label?: "primary" | "replica";
  uid: string;
  machine?: string;
  ready?: boolean;
  restarts?: number;
  waiting?: string;
  annotations?: Record<string, string>;
  /** What its manager answers; a text is printed as it is; an error is kubectl's. */
  status: StatusDocument | string | Error;
}

/** The day of every test. */
export const today = new Date("2026-06-01T00:00:00Z");

/** A healthy replica's status. */
export function replicaStatus(pod: string, changes: Partial<StatusDocument> = {}): StatusDocument {
  return {
    database: "orders",
    pod,
    durability: "interval",
    ready: true,
    engine: { state: "running", role: "replica", version: "4.5.7", failures: 0, writesStopped: false },
    following: "following",
    followed: { epoch: 7, beat: 120 },
    heartbeatAgeSeconds: 0.4,
    lease: { holder: "orders-0_u0", epoch: 7, remainingSeconds: 0 },
    owner: { epoch: 7, holder: "orders-0_u0", clean: false },
    volume: { resumable: false },
    certificateExpires: "2028-06-01T00:00:00.000Z",
    counters: { ...noCounts(), engineStarts: 1 },
    managerResidentBytes: 80_000_000,
    ...changes,
  };
}

/** A healthy primary's status. */
export function primaryStatus(pod: string, changes: Partial<StatusDocument> = {}): StatusDocument {
  return replicaStatus(pod, {
    engine: { state: "running", role: "primary", version: "4.5.7", failures: 0, writesStopped: false },
    following: undefined,
    lease: { holder: "orders-0_u0", epoch: 7, remainingSeconds: 2.9 },
    volume: { epoch: 7, resumable: false },
    notInBucket: { bytes: 0, objects: 0, oldestSeconds: 0 },
    ...changes,
  });
}

/** What the database was deployed with. */
export const configuration: ManagerConfiguration = {
  ...managerConfiguration,
  databases: ["shop"],
  users: [
    { name: "office", host: "10.0.%", grants: [{ database: "shop", privileges: ["ALL PRIVILEGES"] }] },
    { name: "reader", host: "%", grants: [{ database: "shop", privileges: ["SELECT"] }] },
    { name: "app", host: "%", grants: [{ database: "shop", privileges: ["SELECT", "INSERT", "CREATE", "DROP"] }] },
  ],
};

/** The passwords of its users. */
export const passwords: Record<string, string> = {
  office: "Office-1-pass",
  reader: "Reader-1-pass",
  app: "App #1 pa;ss=",
};

/** kubectl's own words when a user may not do something. */
export function forbidden(what: string): KubectlError {
  return failureOf(`Error from server (Forbidden): ${what} is forbidden: User "eve" cannot do that in the namespace`);
}

/** A cluster with the database `orders` in the namespace `shop`: primary `orders-0`, replicas `orders-1` and `orders-2`. */
export class FakeCluster implements Kubectl {
  readonly calls: string[][] = [];
  nodes = new Map<string, NodeScript>([
    ["orders-0", { label: "primary", uid: "u0", machine: "node-a", status: primaryStatus("orders-0") }],
    ["orders-1", { label: "replica", uid: "u1", machine: "node-b", status: replicaStatus("orders-1") }],
    ["orders-2", { label: "replica", uid: "u2", machine: "node-c", status: replicaStatus("orders-2") }],
  ]);
  replicas = 3;
  lease: { holder: string; epoch: number } | undefined = { holder: "orders-0_u0", epoch: 7 };
  databases = [{ name: "orders", namespace: "shop" }];
  namespaces = ["shop", "default"];
  configuration = configuration;
  events: { reason: string; message: string; lastTimestamp: string }[] = [];
  /** Called with each pod that is deleted. */
  onDelete: (pod: string) => void = () => undefined;
  /** Ports that are open. */
  readonly forwards: { resource: string; isOpen: boolean; end: (said: string) => void }[] = [];
  /** Called before each call; what it returns is thrown. */
  refuse: (args: readonly string[]) => Error | undefined = () => undefined;
  /** Called with each annotation that is set. */
  onAnnotate: (pod: string, key: string, value: string) => void = () => undefined;

  change(pod: string, changes: Partial<NodeScript>): void {
    const node = this.nodes.get(pod);
    if (!node) throw new Error(`the fake has no ${pod}`);
    this.nodes.set(pod, { ...node, ...changes });
  }

  run(args: readonly string[]): Promise<string> {
    return Promise.resolve().then(() => {
      this.calls.push([...args]);
      const refusal = this.refuse(args);
      if (refusal) throw refusal;
      return this.answer(args);
    });
  }

  forward(_namespace: string, resource: string, _port: number | string, localPort?: number): Promise<PortForward> {
    let end: (said: string) => void = () => undefined;
    const ended = new Promise<string>(resolve => (end = resolve));
    const forward = { resource, isOpen: true, end };
    this.forwards.push(forward);
    const close = () => {
      forward.isOpen = false;
      end("");
    };
    return Promise.resolve({ localPort: localPort ?? 40_123, ended, close });
  }

  /** The words of all calls that begin with one word. */
  called(verb: string): string[] {
    return this.calls.filter(([first]) => first === verb).map(call => call.join(" "));
  }

  private answer(args: readonly string[]): string {
    const [verb, what, name] = args;
    const namespace = args[args.indexOf("-n") + 1];
    switch (verb) {
      case "get":
        return this.get(what ?? "", name ?? "", args.includes("-n") ? namespace : undefined);
      case "exec":
        return this.exec(what ?? "");
      case "annotate":
        return this.annotate(name ?? "", args.at(-1) ?? "");
      case "delete":
        this.onDelete(name ?? "");
        return `pod "${name}" force deleted`;
      default:
        throw new Error(`the fake does not know ${args.join(" ")}`);
    }
  }

  private get(kind: string, name: string, namespace: string | undefined): string {
    switch (kind) {
      case "statefulsets":
        return list(
          this.databases
            .filter(database => namespace === undefined || database.namespace === namespace)
            .map(metadata => ({ metadata, spec: { replicas: this.replicas, template } })),
        );
      case "pods":
        return list([...this.nodes].map(([pod, node]) => podObject(pod, node)));
      case "lease":
        if (!this.lease) throw failureOf('Error from server (NotFound): leases "orders" not found');
        return JSON.stringify({
          metadata: { name },
          spec: { holderIdentity: this.lease.holder || null, leaseTransitions: this.lease.epoch },
        });
      case "configmap":
        return JSON.stringify({ metadata: { name }, data: { "manager.json": JSON.stringify(this.configuration) } });
      case "secret":
        return this.secret(name);
      case "events":
        return list(this.events);
      case "nodes":
        return list(
          [...this.nodes.values()].map(({ machine = "" }, index) => ({
            metadata: { name: machine, labels: { "topology.kubernetes.io/zone": `zone-${index}` } },
          })),
        );
      case "namespace":
        if (!this.namespaces.includes(name)) {
          throw failureOf(`Error from server (NotFound): namespaces "${name}" not found`);
        }
        return `namespace/${name}`;
      default:
        throw new Error(`the fake has no ${kind}`);
    }
  }

  private secret(name: string): string {
    const contents: Record<string, Record<string, string>> = {
      "orders-users": passwords,
      "shop-certificate": { "ca.crt": "the authority\n", "tls.key": "the key" },
    };
    const found = contents[name];
    if (!found) throw failureOf(`Error from server (NotFound): secrets "${name}" not found`);
    const data = Object.entries(found).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
    return JSON.stringify({ metadata: { name }, data: Object.fromEntries(data) as object });
  }

  private exec(pod: string): string {
    const status = this.nodes.get(pod)?.status ?? new Error(`no pod ${pod}`);
    if (status instanceof Error) throw status;
    return typeof status === "string" ? status : JSON.stringify(status);
  }

  private annotate(pod: string, change: string): string {
    const node = this.nodes.get(pod);
    if (!node) throw failureOf(`Error from server (NotFound): pods "${pod}" not found`);
    const [key = "", value] = change.split("=");
    const annotations = { ...node.annotations };
    if (value === undefined) delete annotations[key.replace(/-$/, "")];
    else annotations[key] = value;
    this.change(pod, { annotations });
    if (value !== undefined) this.onAnnotate(pod, key, value);
    return `pod/${pod} annotated`;
  }
}

/** The pods' template, as far as the commands read it: the certificate is in a Secret that was there before. */
const template = {
  spec: {
    volumes: [
      { name: "users", secret: { secretName: "orders-users" } },
      { name: "tls", secret: { secretName: "shop-certificate" } },
    ],
  },
};

function podObject(
  name: string,
  { label, uid, machine, ready = true, restarts = 0, waiting, annotations }: NodeScript,
) {
  const state = waiting === undefined ? {} : { waiting: { reason: waiting } };
  return {
    metadata: { name, uid, annotations, labels: label === undefined ? {} : { "tidesql.io/role": label } },
    spec: { nodeName: machine },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [{ name: "tidesql", restartCount: restarts, state }],
    },
  };
}

function list(items: unknown[]): string {
  return JSON.stringify({ kind: "List", items });
}

/** Time that passes only when somebody waits. */
export class FakeClock implements LiveClock {
  private time = 0;
  private readonly events: { at: number; happen: () => void }[] = [];

  now(): number {
    return this.time;
  }

  today(): Date {
    return today;
  }

  /** Something that happens while a command waits. */
  in(milliseconds: number, happen: () => void): void {
    this.events.push({ at: this.time + milliseconds, happen });
  }

  sleep(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    for (const event of this.events.filter(({ at }) => at <= this.time)) {
      this.events.splice(this.events.indexOf(event), 1);
      event.happen();
    }
    return Promise.resolve();
  }
}

/** Surroundings of a command, and what it wrote. */
export function surroundingsOf(
  cluster: Kubectl,
  {
    isTTY = false,
    columns = 120,
    clock = new FakeClock(),
    signal,
  }: { isTTY?: boolean; columns?: number; clock?: FakeClock; signal?: AbortSignal } = {},
) {
  const written = { out: "", error: "" };
  const surroundings: Surroundings = {
    out: { write: text => (written.out += text), isTTY, columns },
    error: { write: text => (written.error += text), isTTY },
    kubectl: () => cluster,
    clock,
    signal,
  };
  return { surroundings, written, clock };
}
