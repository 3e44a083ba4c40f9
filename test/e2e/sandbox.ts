import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CommandOptions, run } from "./command";
import { makeRootFileSystem } from "./images";
import { Kubernetes, Pod } from "./kubernetes";
import { keepPodLogs, keptPodLogs } from "./podLogs";

/** The sandbox's folder beside the checkout; another one is given as TIDESQL_SANDBOX. */
const sandboxFolder = process.env.TIDESQL_SANDBOX ?? resolve(__dirname, "../../../shared/sandbox");

/** The sandbox's own default; built programs and images are kept there between runs. */
const cacheFolder = process.env.SANDBOX_CACHE ?? "/var/cache/k8s-sandbox";
const stateFolder = process.env.SANDBOX ?? "/var/lib/k8s-sandbox";

/** The images' names without their tags, and the prefix of their files among the sandbox's images. */
const engineRepository = "tidesql/simulated-engine";
const imageFilePrefix = "tidesql-e2e-";

/** Building the sandbox's programs from source took 8 to 13 minutes on two cores. */
const firstStartSeconds = 30 * 60;

/** Namespaces of test databases, and how old one is that no run uses any more: a measurement of all faults takes hours only when it is asked for. */
const namespacePattern = /^e2e-[0-9a-f]{6}$/;
const abandonedAfterMilliseconds = 20 * 60_000;

export interface SandboxObjectStore {
  /** Host and port. It speaks plain HTTP and wants the bucket in the path. */
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A process of a container, as the machine that runs all nodes sees it. */
export interface ContainerProcess {
  pid: number;
  /** Its number inside the container: 1 is the manager. */
  containerPid: number;
  command: string;
}

/** A real Kubernetes and a real S3 server on this machine, with faults on demand. It needs root. */
export class Sandbox {
  private constructor(readonly kubernetes: Kubernetes) {}

  static exists(): boolean {
    return existsSync(join(sandboxFolder, "up"));
  }

  static folder(): string {
    return sandboxFolder;
  }

  /** Starts what is not running. The first start on a machine builds Kubernetes from source. */
  static async start(): Promise<Sandbox> {
    await script("up", [], { deadlineSeconds: firstStartSeconds, echo: true });
    keepPodLogs();
    const path = async (what: string) => (await script("path", [what])).trim();
    process.env.PATH = `${await path("bin")}:${process.env.PATH}`;
    return new Sandbox(new Kubernetes(await path("kubeconfig"), keptPodLogs));
  }

  /** The kubeconfig of a sandbox on this machine, running or not. */
  static async kubeconfig(): Promise<string> {
    return (await script("path", ["kubeconfig"])).trim();
  }

  /** Ends what a run that was killed has left behind: faults, cordons, and databases that nobody tests any more. */
  async tidy(): Promise<void> {
    await this.healNetwork();
    await this.objectStoreFault("up");
    for (const node of this.nodeNames()) await this.kubernetes.kubectl(["uncordon", node]);
    const namespaces = JSON.parse(await this.kubernetes.kubectl(["get", "namespaces", "-o", "json"])) as {
      items: { metadata: { name: string; creationTimestamp: string } }[];
    };
    const old = namespaces.items.filter(
      ({ metadata: { name, creationTimestamp } }) =>
        namespacePattern.test(name) && Date.now() - Date.parse(creationTimestamp) > abandonedAfterMilliseconds,
    );
    for (const { metadata } of old) {
      await this.kubernetes.kubectl(["delete", "pods", "--all", "-n", metadata.name, "--grace-period=0", "--force"]);
      await this.kubernetes.kubectl(["delete", "namespace", metadata.name, "--wait=false"]);
    }
  }

  async objectStore(bucket: string): Promise<SandboxObjectStore> {
    await script("s3", ["bucket", bucket]);
    const values = new Map(
      (await script("s3", ["env"]))
        .trim()
        .split(" ")
        .map(pair => pair.split("=", 2) as [string, string]),
    );
    const value = (name: string) => values.get(name) ?? "";
    return {
      endpoint: value("S3_ENDPOINT"),
      region: value("S3_REGION"),
      accessKeyId: value("S3_ACCESS_KEY"),
      secretAccessKey: value("S3_SECRET_KEY"),
    };
  }

  /**
   * Has both images on every node: the simulated engine, and the Node image that the init container uses.
   * @param engineBundle path of the simulated engine, one JavaScript file
   * @param nodeImage name and tag under which the database refers to the Node image
   * @returns the engine image's name and tag
   */
  async loadImages(engineBundle: string, nodeImage: string): Promise<string> {
    const folder = join(cacheFolder, "tidesql-e2e");
    mkdirSync(folder, { recursive: true });
    const root = await makeRootFileSystem(folder, engineBundle);
    const engineImage = `${engineRepository}:${root.hash}`;
    await this.load(engineImage, root.folder);
    await this.load(nodeImage.replace(/^docker\.io\//, ""), root.folder);
    return `docker.io/${engineImage}`;
  }

  /** Packs and imports an image unless every node has it, and takes those away that it replaces and no pod uses. */
  private async load(name: string, rootFileSystem: string): Promise<void> {
    const reference = `docker.io/${name}`;
    const [repository = ""] = reference.split(":");
    const nodes = this.nodeNames();
    const present = new Map<string, string[]>();
    for (const node of nodes)
      present.set(node, (await script("node", ["ctr", node, "images", "ls", "-q"])).split("\n"));
    if (nodes.every(node => present.get(node)?.includes(reference))) return;

    // The sandbox imports what is in its folder on nodes that start later.
    const folder = join(stateFolder, "images");
    mkdirSync(folder, { recursive: true });
    const archive = (image: string) => imageFilePrefix + image.replace(/[/:]/g, "_") + ".tar";
    const older = readdirSync(folder).filter(file => file.startsWith(archive(repository).replace(/\.tar$/, "_")));
    for (const file of older) rmSync(join(folder, file));
    await script("image", ["pack", name, rootFileSystem, join(folder, archive(reference))], { deadlineSeconds: 300 });
    await script("image", ["load", join(folder, archive(reference))], { deadlineSeconds: 300 });
    const pods = JSON.parse(await this.kubernetes.kubectl(["get", "pods", "-A", "-o", "json"])) as { items: Pod[] };
    const used = new Set(pods.items.flatMap(pod => pod.spec.containers.map(container => container.image)));
    for (const node of nodes) {
      const replaced = present.get(node)?.filter(image => image.startsWith(`${repository}:`) && !used.has(image)) ?? [];
      for (const image of replaced) await script("node", ["ctr", node, "images", "rm", image]);
    }
  }

  /** Gives an image that every node has a second tag, so that a change of image can be tried. @returns the other name */
  async imageUnderAnotherName(reference: string): Promise<string> {
    const other = `${reference}-again`;
    for (const node of this.nodeNames())
      await script("node", ["ctr", node, "images", "tag", "--force", inFull(reference), inFull(other)]);
    return other;
  }

  nodeNames(): string[] {
    return readdirSync(join(stateFolder, "nodes")).sort();
  }

  /** A machine that stands still: its containers, the kubelet and containerd, until the thaw. */
  async freezeNode(name: string): Promise<void> {
    const groups = await this.freezerGroups(name);
    setFreezer(groups, "FROZEN");
    await script("node", ["freeze", name]);
  }

  async thawNode(name: string): Promise<void> {
    await script("node", ["thaw", name]);
    setFreezer(await this.freezerGroups(name), "THAWED");
  }

  /** Power loss: every process of the machine is gone at once, its disks stay. */
  async crashNode(name: string): Promise<void> {
    const groups = await this.freezerGroups(name);
    // Frozen first, so that no container sees another one die.
    setFreezer(groups, "FROZEN");
    await script("node", ["crash", name]);
    for (const pid of groups.flatMap(processesOf)) kill(pid, "SIGKILL");
    setFreezer(groups, "THAWED");
  }

  /** Power is back. */
  async startNode(name: string): Promise<void> {
    await script("node", ["start", name], { deadlineSeconds: 180 });
  }

  /** One process of a pod waits as for a disk that does not answer: it runs no instruction, and SIGKILL does not end it before the thaw. @returns the thaw */
  freezeProcess(pod: Pod, pid: number): () => void {
    const ids = (pod.status.containerStatuses ?? []).map(containerId).filter(id => id !== undefined);
    const container = ids
      .map(id => controlGroup("freezer", id))
      .find(group => group !== undefined && processesOf(group).includes(pid));
    if (container === undefined) throw new Error(`${pod.metadata.name} has no process ${pid}`);
    const group = join(container, "hung");
    mkdirSync(group);
    writeFileSync(join(group, "cgroup.procs"), String(pid));
    setFreezer([group], "FROZEN");
    return () => setFreezer([group], "THAWED");
  }

  /** Control groups of a node's containers, to freeze them by. The sandbox's own scripts know the node's, in which the containers are not. */
  private async freezerGroups(name: string): Promise<string[]> {
    const ids = (await script("node", ["ctr", name, "containers", "ls", "-q"])).trim().split("\n");
    return ids.map(id => controlGroup("freezer", id)).filter(group => group !== undefined);
  }

  async controlPlane(action: "start" | "stop" | "freeze" | "thaw"): Promise<void> {
    await script("control-plane", [action], { deadlineSeconds: 180 });
  }

  /** Drops every packet between a pod and the API server, the object store or all other pods. */
  async cut(podIp: string, from: ("api" | "s3" | "pods")[]): Promise<void> {
    await script("net", ["cut", podIp, ...from]);
  }

  /** Takes every cut away. */
  async healNetwork(): Promise<void> {
    await script("net", ["heal"]);
  }

  /** `down`: refuses connections. `slow`: adds a latency to each answer. `up`: neither. */
  async objectStoreFault(action: "down" | "up" | "slow", latencyMilliseconds?: number): Promise<void> {
    await script("s3", latencyMilliseconds === undefined ? [action] : [action, String(latencyMilliseconds)]);
  }

  /** The processes of a pod's containers, the pause container left out. */
  processes(pod: Pod): ContainerProcess[] {
    const ids = (pod.status.containerStatuses ?? []).map(containerId).filter(id => id !== undefined);
    const groups = ids.map(id => controlGroup("pids", id)).filter(group => group !== undefined);
    return groups
      .flatMap(processesOf)
      .map(describeProcess)
      .filter(process => process !== undefined);
  }

  /** Folder of a container's memory control group. */
  memoryGroup(pod: Pod, container: string): string {
    const status = pod.status.containerStatuses?.find(candidate => candidate.name === container);
    const id = status && containerId(status);
    const group = id && controlGroup("memory", id);
    if (!group) throw new Error(`container ${container} of ${pod.metadata.name} has no memory control group`);
    return group;
  }
}

function containerId({ containerID }: { containerID?: string }): string | undefined {
  return containerID?.replace(/^containerd:\/\//, "");
}

/** Folder of a container's control group: version 1, so each controller has a tree of its own. Undefined: the container has ended. */
function controlGroup(controller: "freezer" | "memory" | "pids", id: string): string | undefined {
  const tree = join("/sys/fs/cgroup", controller);
  const path = readdirSync(tree, { recursive: true, encoding: "utf8" }).find(folder => basename(folder) === id);
  return path === undefined ? undefined : join(tree, path);
}

function processesOf(group: string): number[] {
  try {
    return readFileSync(join(group, "cgroup.procs"), "utf8").trim().split("\n").filter(Boolean).map(Number);
  } catch {
    // The group went with its last process.
    return [];
  }
}

function setFreezer(groups: string[], state: "FROZEN" | "THAWED"): void {
  for (const group of groups.filter(existsSync)) writeFileSync(join(group, "freezer.state"), state);
}

/** A process that is gone already needs no killing. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
}

/** Undefined when the process has ended meanwhile. */
function describeProcess(pid: number): ContainerProcess | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replace(/\0/g, " ").trim();
    const numbers = /^NSpid:\s*(.+)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
    return { pid, containerPid: Number(numbers.at(-1) ?? pid), command };
  } catch {
    return undefined;
  }
}

function script(name: string, args: string[], options: CommandOptions = {}): Promise<string> {
  return run(join(sandboxFolder, name), args, options);
}

/** An image's name as containerd keeps it: `docker.io/name` stands for an image of Docker's own library. */
function inFull(reference: string): string {
  return reference.replace(/^docker\.io\/([^/]+)$/, "docker.io/library/$1");
}
