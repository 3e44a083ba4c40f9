import { ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { Connection, createConnection } from "mysql2/promise";
import { Durability, ManagerConfiguration } from "../../components/core/managerConfiguration";
import { databaseContainer } from "../../components/core/manifests/containers";
import { identityEnvironment } from "../../components/core/manifests/identity";
import { annotations, anySuccessor, labels, podLayout } from "../../components/core/podLayout";
import { deriveSizing } from "../../components/core/sizing";
import { ManagerBundle, readManagerBundle } from "../../components/managerBundle";
import { KubernetesApi } from "../benchmark/pods/kubernetesApi";
import { writePodFiles } from "../benchmark/pods/podFiles";
import { FolderObjectStore } from "../engine/objectStore/folderObjectStore";
import { S3Server } from "../engine/objectStore/s3Server";
import { makeCertificate, TestCertificate } from "../engine/testCertificate";
import { signatureProblem } from "../engine/objectStore/signature";
import { FakeAgent } from "../manager/credentials/fakeAgent";
import { configuration as baseConfiguration } from "../manager/views";

const name = "bench";
const namespace = "default";
const kubernetesHost = "kubernetes.default.svc";
const preload = path.join(__dirname, "../benchmark/pods/loopback.cjs");
const password = "Application-1";
const podToken = "token-of-the-service-account";
/** Pods leave the processor to this process, which stands for other machines: an API server that waits for a pod that is being seeded would cost another one its Lease. */
const nicer = 5;

export interface ProcessesOptions {
  /** MariaDB's prefix: a real engine. */
  prefix: string;
  folder: string;
  durability: Durability;
  nodes: number;
  leaseDurationSeconds: number;
  /** The managers have a role by a Pod Identity agent, whose credentials end after so long, and the bucket judges each signature and session token. Seconds. Without it they have a key, and any signature will do. */
  credentialSeconds?: number;
  /** Of a pod: what it may take is derived from it, as in a cluster. */
  memoryBytes: number;
  /** Of the write buffer; the derived one without. */
  writeBufferBytes?: number;
}

/** A database's managers as they are shipped, as processes of this machine, with the real mariadbd as their child, an API server and a bucket in this process. */
export class ManagerProcesses {
  readonly pods: string[];
  private readonly running = new Map<string, ChildProcess>();
  private readonly starts = new Map<string, number>();
  private readonly addresses: Map<string, string>;
  private environment: Record<string, string> = {};
  private kubernetes!: KubernetesApi;
  bucket!: S3Server;
  /** Where the managers have a role. */
  agent: FakeAgent | undefined;
  /** Requests that the bucket has refused for their signature or token, by S3's code. */
  readonly refusals = new Map<string, number>();

  constructor(private readonly options: ProcessesOptions) {
    this.pods = Array.from({ length: options.nodes }, (_, ordinal) => `${name}-${ordinal}`);
    this.addresses = new Map(this.pods.map((pod, ordinal) => [pod, `127.0.0.${ordinal + 2}`]));
    process.on("exit", () => this.pods.forEach(pod => this.signal(pod, "SIGKILL")));
  }

  /** Builds the manager, starts what is around it, and all pods. */
  async start(): Promise<void> {
    execFileSync("npm", ["run", "--silent", "build:manager"], { cwd: path.join(__dirname, "../..") });
    const manager = readManagerBundle();
    const apiCertificate = makeCertificate(kubernetesHost);
    this.kubernetes = await KubernetesApi.start(this.pods, apiCertificate);
    this.bucket = await S3Server.start(
      "bucket",
      undefined,
      new FolderObjectStore(path.join(this.options.folder, "bucket")),
    );
    if (this.options.credentialSeconds !== undefined) await this.startAgent(this.options.credentialSeconds);
    const hosts = {
      [kubernetesHost]: "127.0.0.1",
      ...Object.fromEntries([...this.addresses].map(([pod, address]) => [`${pod}.${name}.${namespace}.svc`, address])),
    };
    this.environment = {
      HOST_ADDRESSES: JSON.stringify(hosts),
      KUBERNETES_SERVICE_HOST: kubernetesHost,
      KUBERNETES_SERVICE_PORT: String(this.kubernetes.port),
      PATH: process.env.PATH ?? "",
    };
    const peers = makeCertificate(`*.${name}.${namespace}.svc`);
    const prefix = this.prefixForThisUser();
    for (const pod of this.pods) this.writeMounts(pod, prefix, manager, apiCertificate, peers);
    for (const pod of this.pods) this.run(pod);
  }

  private async startAgent(lifetimeSeconds: number): Promise<void> {
    const agent = (this.agent = await FakeAgent.start(podToken));
    agent.lifetimeMilliseconds = lifetimeSeconds * 1000;
    this.bucket.judge = request => {
      const problem = signatureProblem(request, id => agent.keys.get(id));
      if (problem) this.refusals.set(problem.code, (this.refusals.get(problem.code) ?? 0) + 1);
      return problem;
    };
  }

  /** The variables of a pod with a role, with the agent and the token's file where they are on this machine. */
  private identity(root: string): Record<string, string> {
    const { agent } = this;
    if (!agent) return {};
    const variables = identityEnvironment<string>({ kind: "podIdentity" });
    return Object.fromEntries(
      variables.map(({ name, value }) => [name, value.startsWith("http") ? agent.url : root + value]),
    );
  }

  /** Starts a pod's manager: its container, with what is on its volume. */
  run(pod: string): void {
    const root = this.root(pod);
    const [, ...parameters] = databaseContainer({
      image: "",
      imagePullPolicy: "",
      sizing: this.sizing,
      storage: { onInstanceStore: false },
      environment: [],
      volumes: [],
    }).command;
    const start = (this.starts.get(pod) ?? 0) + 1;
    this.starts.set(pod, start);
    const child = spawn(
      "nice",
      [
        "-n",
        `${nicer}`,
        process.execPath,
        "--require",
        preload,
        ...parameters.map(parameter => parameter.replace(/^\//, `${root}/`)),
      ],
      {
        env: {
          ...this.environment,
          POD_IP: this.addresses.get(pod),
          POD_NAME: pod,
          POD_UID: `${pod}-${start}`,
          NODE_NAME: "here",
          ...this.identity(root),
        },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      },
    );
    const out = fs.createWriteStream(this.logFile(pod), { flags: "a" });
    for (const stream of [child.stdout, child.stderr]) stream.pipe(out, { end: false });
    child.on("exit", (code, signal) => out.write(`==== the manager ended: ${code ?? signal}\n`));
    this.running.set(pod, child);
  }

  logFile(pod: string): string {
    return path.join(this.options.folder, `${pod}.log`);
  }

  /** A pod that is lost with its node: everything ends without a word. @param wipe its disk, too */
  async lose(pod: string, wipe: boolean): Promise<void> {
    const child = this.running.get(pod);
    const ended = child && child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    this.signal(pod, "SIGKILL");
    await ended;
    this.forget(pod);
    if (!wipe) return;
    const data = this.root(pod) + podLayout.dataDirectory;
    await fs.promises.rm(data, { recursive: true, force: true });
    await fs.promises.mkdir(data, { recursive: true });
  }

  /** To all processes of a pod: SIGSTOP freezes it, SIGCONT thaws it. */
  signal(pod: string, signal: NodeJS.Signals): void {
    const child = this.running.get(pod);
    if (child?.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  }

  /** SIGTERM to the manager, as when its pod is deleted; resolves when it has ended. @returns whether it has by itself: all of the pod is killed when its time is over */
  async terminate(pod: string, graceSeconds = baseConfiguration.terminationGracePeriodSeconds): Promise<boolean> {
    const child = this.running.get(pod)!;
    const ended = once(child, "exit");
    this.kubernetes.deletion(pod, graceSeconds);
    const killer = setTimeout(() => this.signal(pod, "SIGKILL"), graceSeconds * 1000);
    child.kill("SIGTERM");
    const [code] = (await ended) as [number | null];
    clearTimeout(killer);
    this.kubernetes.deletion(pod, undefined);
    this.forget(pod);
    return code === 0;
  }

  /** Asks the primary to hand over to any of the others. */
  switchOver(pod: string): void {
    this.kubernetes.annotationsOf(pod)[annotations.switchover] = anySuccessor;
  }

  /** SIGKILL to mariadbd alone. */
  killEngine(pod: string): void {
    const { engine } = this.processes(pod);
    if (engine !== undefined) process.kill(engine, "SIGKILL");
  }

  /** The PIDs of a pod's manager and of its mariadbd; undefined while there is none. */
  processes(pod: string): { manager: number; engine: number | undefined } {
    const manager = this.running.get(pod)!.pid!;
    const children = fs.readFileSync(`/proc/${manager}/task/${manager}/children`, "utf8");
    return { manager, engine: children === "" ? undefined : Number.parseInt(children, 10) };
  }

  role(pod: string): string | undefined {
    return this.kubernetes.labelsOf(pod)[labels.role];
  }

  /** The pod that carries the primary's label; undefined without one. */
  primary(): string | undefined {
    return this.pods.find(pod => this.role(pod) === "primary");
  }

  /** One primary, all others replicas. */
  healthy(): boolean {
    const roles = this.pods.map(pod => this.role(pod));
    return roles.filter(role => role === "primary").length === 1 && roles.every(role => role !== undefined);
  }

  async connect(pod = this.primary()): Promise<Connection> {
    if (pod === undefined) throw new Error("no pod is labelled primary");
    return createConnection({
      host: this.addresses.get(pod)!,
      port: podLayout.mysqlPort,
      user: "app",
      password,
      database: "app",
      ssl: { rejectUnauthorized: false },
      connectTimeout: 10_000,
    });
  }

  /** What the manager of a pod answers to Prometheus, by name and labels. */
  async metrics(pod: string): Promise<Map<string, number>> {
    const response = await fetch(`http://${this.addresses.get(pod)}:${podLayout.managerPort}/metrics`);
    const lines = (await response.text()).split("\n").filter(line => line !== "" && !line.startsWith("#"));
    return new Map(lines.map(line => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
  }

  async stop(): Promise<void> {
    for (const pod of this.pods) await this.lose(pod, false);
    this.kubernetes.stop();
    this.bucket.stop();
    this.agent?.server.stop();
  }

  /** MariaDB's programs refuse to run as root unless they are told to. */
  private prefixForThisUser(): string {
    const { prefix, folder } = this.options;
    if (process.getuid?.() !== 0) return prefix;
    const wrapped = path.join(folder, "mariadb");
    for (const program of ["bin/mariadbd", "scripts/mariadb-install-db"]) {
      const file = path.join(wrapped, program);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      const text = `#!/bin/sh\nexec "${path.join(prefix, program)}" "$@" --basedir="${prefix}" --user=root\n`;
      fs.writeFileSync(file, text, { mode: 0o755 });
    }
    return wrapped;
  }

  private forget(pod: string): void {
    this.kubernetes.labelsOf(pod)[labels.role] = "";
    delete this.kubernetes.labelsOf(pod)[labels.role];
    delete this.kubernetes.labelsOf(pod)[labels.reads];
  }

  private root(pod: string): string {
    return path.join(this.options.folder, pod);
  }

  private get sizing() {
    const { writeBufferBytes } = this.options;
    return deriveSizing({
      onInstanceStore: false,
      memoryBytes: this.options.memoryBytes,
      ...(writeBufferBytes !== undefined && { writeBufferBytes }),
    });
  }

  /** What the manifests mount into a pod. */
  private writeMounts(
    pod: string,
    prefix: string,
    manager: ManagerBundle,
    api: TestCertificate,
    peers: TestCertificate,
  ): void {
    const { durability, nodes, leaseDurationSeconds } = this.options;
    const root = this.root(pod);
    const configuration: ManagerConfiguration = {
      ...baseConfiguration,
      durability,
      ...(this.agent && { credentials: "podIdentity" as const }),
      leaseDurationSeconds,
      name,
      namespace,
      databaseId: "2d0a4c1e-7a0f-4b0c-9a55-0a4f3a7f5b11",
      headlessService: name,
      nodes,
      objectStore: {
        endpoint: this.bucket.endpoint,
        bucket: "bucket",
        region: "us-east-1",
        prefix: `${name}/`,
        useTls: false,
        pathStyle: true,
      },
      mariadbPrefix: prefix,
      databases: ["app"],
      users: [{ name: "app", host: "%", grants: [{ database: "app", privileges: ["ALL PRIVILEGES"] }] }],
    };
    for (const file of Object.values(this.identity(root)).filter(value => value.startsWith(root))) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, podToken);
    }
    // What a container's manager learns of its limit.
    fs.mkdirSync(`${root}/sys/fs/cgroup`, { recursive: true });
    fs.writeFileSync(`${root}/sys/fs/cgroup/memory.max`, String(this.options.memoryBytes));
    writePodFiles(root, {
      configuration,
      nodes,
      address: this.addresses.get(pod)!,
      sizing: this.sizing,
      manager,
      api,
      peers,
      applicationPassword: password,
      relocated: text => relocated(text, root),
    });
  }
}

/** Folders of a pod that a text names, as folders below `root`: no container has a file system of its own here. */
function relocated(text: string, root: string): string {
  return text.replaceAll(/(?<=[="])\/(?=(?:etc|opt\/tidesql|run|sys\/fs\/cgroup|var)\/|tmp\b)/g, `${root}/`);
}
