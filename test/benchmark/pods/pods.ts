import { ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ManagerConfiguration } from "../../../components/core/managerConfiguration";
import { databaseContainer } from "../../../components/core/manifests/containers";
import { podLayout } from "../../../components/core/podLayout";
import { deriveSizing } from "../../../components/core/sizing";
import { ManagerBundle, readManagerBundle } from "../../../components/managerBundle";
import { buildEngine } from "../../engine/build";
import { S3Server } from "../../engine/objectStore/s3Server";
import { makeCertificate, TestCertificate } from "../../engine/testCertificate";
import { projectFolder } from "../childProcess";
import { configuration as managerConfiguration } from "../../manager/views";
import { KubernetesApi } from "./kubernetesApi";
import { writePodFiles } from "./podFiles";

const name = "bench";
const namespace = "default";
const kubernetesHost = "kubernetes.default.svc";
const storeHost = "s3.bench.svc";
const preload = path.join(__dirname, "loopback.cjs");
const sizing = deriveSizing({ onInstanceStore: false });

/** A database's pods as processes of this machine: the manager as the manifests start it, bundled as it is shipped, and the simulated engine as its child. */
export class Pods {
  readonly pods: Pod[] = [];
  /** What the managers have asked, by pod: the engines' own requests are not among them. */
  readonly requests = { kubernetes: new Map<string, number>(), store: new Map<string, number>() };

  private constructor(
    private readonly folder: string,
    private readonly kubernetes: KubernetesApi,
    private readonly store: S3Server,
  ) {
    for (const [service, requests] of [
      [kubernetes, this.requests.kubernetes],
      [store, this.requests.store],
    ] as const) {
      service.onRequest(({ headers: { "user-agent": agent = "" } }) => {
        const pod = /^tidesql-manager (.+)$/.exec(agent)?.[1];
        if (pod !== undefined) requests.set(pod, (requests.get(pod) ?? 0) + 1);
      });
    }
  }

  /** @param nodes number of pods; @param output takes what they print */
  static async start(nodes: number, output: (text: string) => void): Promise<Pods> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pods-"));
    const names = Array.from({ length: nodes }, (_, ordinal) => `${name}-${ordinal}`);
    const addresses = new Map(names.map((pod, ordinal) => [pod, `127.0.0.${ordinal + 2}`]));
    const apiCertificate = makeCertificate(kubernetesHost);
    const storeCertificate = makeCertificate(storeHost);
    const kubernetes = await KubernetesApi.start(names, apiCertificate);
    const store = await S3Server.start("bucket", storeCertificate);
    const started = new Pods(folder, kubernetes, store);
    const authority = path.join(folder, "store.crt");
    fs.writeFileSync(authority, storeCertificate.certificate);
    const hosts = {
      [kubernetesHost]: "127.0.0.1",
      [storeHost]: "127.0.0.1",
      ...Object.fromEntries([...addresses].map(([pod, address]) => [`${pod}.${name}.${namespace}.svc`, address])),
    };
    const environment = {
      HOST_ADDRESSES: JSON.stringify(hosts),
      KUBERNETES_SERVICE_HOST: kubernetesHost,
      KUBERNETES_SERVICE_PORT: String(kubernetes.port),
      // The store's certificate is one of a public authority, as that of S3 is.
      NODE_EXTRA_CA_CERTS: authority,
    };
    const manager = buildManager();
    const mariadbPrefix = await installEngine(folder);
    const peers = makeCertificate(`*.${name}.${namespace}.svc`);
    for (const [pod, address] of addresses) {
      const root = path.join(folder, pod);
      writeMounts(root, {
        address,
        apiCertificate,
        peers,
        storePort: Number(store.endpoint.split(":")[1]),
        mariadbPrefix,
        nodes,
        manager,
      });
      started.pods.push(new Pod(pod, root, { ...environment, POD_IP: address }, output));
    }
    return started;
  }

  async stop(): Promise<void> {
    for (const pod of this.pods) await pod.stop();
    this.kubernetes.stop();
    this.store.stop();
    fs.rmSync(this.folder, { recursive: true });
  }
}

/** A manager with its engine. */
export class Pod {
  private readonly process: ChildProcess;
  private readonly address: string;

  constructor(
    readonly name: string,
    root: string,
    environment: Record<string, string>,
    output: (text: string) => void,
  ) {
    this.address = environment.POD_IP ?? "";
    const container = databaseContainer({
      image: "",
      imagePullPolicy: "",
      sizing,
      storage: { onInstanceStore: false },
      environment: [],
      volumes: [],
    });
    const [, ...parameters] = container.command;
    const relocatedParameters = parameters.map(parameter => parameter.replace(/^\//, `${root}/`));
    this.process = spawn(process.execPath, ["--require", preload, ...relocatedParameters], {
      env: {
        ...environment,
        POD_NAME: name,
        POD_UID: name,
        NODE_NAME: "here",
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => output(text));
    }
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** What the kubelet and Prometheus ask. */
  async get(path: "/healthz" | "/readyz" | "/metrics"): Promise<{ status: number; body: string }> {
    if (this.process.exitCode !== null) throw new Error(`${this.name} has ended`);
    const response = await fetch(`http://${this.address}:${podLayout.managerPort}${path}`);
    return { status: response.status, body: await response.text() };
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.process, "exit");
    // The manager is a process group of its own, with its engine.
    process.kill(-this.pid, "SIGKILL");
    await ended;
  }
}

/** The simulated engine where the image has MariaDB. @returns its prefix */
async function installEngine(folder: string): Promise<string> {
  const prefix = path.join(folder, "mariadb");
  const bundle = await buildEngine(path.join(prefix, "engine.js"));
  for (const program of ["bin/mariadbd", "scripts/mariadb-install-db"]) {
    const file = path.join(prefix, program);
    fs.mkdirSync(path.dirname(file));
    const command = [process.execPath, "--require", preload, bundle, path.basename(program)];
    fs.writeFileSync(file, `#!/bin/sh\nexec ${command.map(word => `'${word}'`).join(" ")} "$@"\n`, { mode: 0o755 });
  }
  return prefix;
}

interface Mounts {
  address: string;
  apiCertificate: TestCertificate;
  peers: TestCertificate;
  storePort: number;
  mariadbPrefix: string;
  nodes: number;
  manager: ManagerBundle;
}

/** What the manifests mount into a pod. */
function writeMounts(root: string, mounts: Mounts): void {
  const { address, apiCertificate, peers, storePort, mariadbPrefix, nodes, manager } = mounts;
  const configuration: ManagerConfiguration = {
    ...managerConfiguration,
    name,
    namespace,
    databaseId: "2d0a4c1e-7a0f-4b0c-9a55-0a4f3a7f5b11",
    headlessService: name,
    objectStore: {
      endpoint: `${storeHost}:${storePort}`,
      bucket: "bucket",
      region: "us-east-1",
      prefix: `${name}/`,
      useTls: true,
      pathStyle: true,
    },
    mariadbPrefix,
    databases: ["app"],
    users: [{ name: "app", host: "%", grants: [{ database: "app", privileges: ["ALL PRIVILEGES"] }] }],
  };
  writePodFiles(root, {
    configuration,
    nodes,
    address,
    sizing,
    manager,
    api: apiCertificate,
    peers,
    applicationPassword: "Application-1",
    relocated: text => relocated(text, root),
  });
}

/** Folders of a pod that a text names, as folders below `root`: no container has a file system of its own here. */
function relocated(text: string, root: string): string {
  return text.replaceAll(/(?<=[="])\/(?=(?:etc|opt|run|var)\/|tmp\b)/g, `${root}/`);
}

/** Builds the manager's scripts as they are shipped. */
function buildManager(): ManagerBundle {
  execFileSync("npm", ["run", "--silent", "build:manager"], { cwd: projectFolder });
  return readManagerBundle();
}
