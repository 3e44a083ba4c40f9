import { annotations, anySuccessor, podLayout } from "../../../components/core/podLayout";
import { Deployment } from "../deployment";
import { Pod } from "../kubernetes";
import { ContainerProcess, Sandbox } from "../sandbox";
import { exhaustMemory } from "./memory";

/** What a fault is done to. */
export interface FaultContext {
  deployment: Deployment;
  primary: Pod;
  replicas: [Pod, ...Pod[]];
  /** Resolves when another pod than the primary of the start is primary. */
  takenOver: () => Promise<unknown>;
}

/** A context on the sandbox, where machines, networks and the object store can be made to fail. */
export interface SandboxFaultContext extends FaultContext {
  sandbox: Sandbox;
}

/** One kind of fault: what is done, how it ends, and what is promised. */
export type FaultClass = Promised & (AnywhereInjection | SandboxInjection);

/** What a class promises. */
export interface Promised {
  name: string;
  title: string;
  /** The longest write outage that is allowed at the 95th percentile. Milliseconds. */
  outageBoundMilliseconds: number;
  /** How many outages one run may have. Default 1. */
  outages?: number;
  /** A time without an acknowledgement counts as an outage from this length on: longer where each write waits for the object store. Milliseconds. Default: that of the ledger. */
  outageThresholdMilliseconds?: number;
  /**
   * In `interval` mode, acknowledged rows may be lost when they were acknowledged this shortly before the outage. Milliseconds. Default 0: none may. More only
   * where a node and its disk are gone at once.
   */
  lossWindowMilliseconds?: number;
  /** A write that waits so long is sent again elsewhere: where the fault itself makes answers slow. Milliseconds. */
  suspectAfterMilliseconds?: number;
  /** How long the fault lasts at least. Default 0. */
  holdSeconds?: number;
}

/** Done through the API server, so it runs on any cluster. Returns how to end the fault; it is ended when writes have come back and `holdSeconds` are over. */
interface AnywhereInjection {
  needsSandbox: false;
  inject: (context: FaultContext) => Promise<Heal>;
}

/** Done to machines, networks or the object store. */
interface SandboxInjection {
  needsSandbox: true;
  inject: (context: SandboxFaultContext) => Promise<Heal>;
}

export type Heal = () => Promise<void>;

const nothingToHeal: Heal = () => Promise.resolve();

/** mariadbd, and not the manager that is process 1. */
const isEngine = (process: ContainerProcess) => process.containerPid !== 1 && process.command.includes("mariadbd");
const isManager = (process: ContainerProcess) => process.containerPid === 1;

/** Sends a signal to the process that is asked for. @throws Error when it does not run: a fault that hits nothing measures nothing */
function signal(
  sandbox: Sandbox,
  pod: Pod,
  which: (process: ContainerProcess) => boolean,
  name: NodeJS.Signals,
): number {
  const target = sandbox.processes(pod).find(which);
  if (!target) throw new Error(`no such process in ${pod.metadata.name} to send ${name} to`);
  process.kill(target.pid, name);
  return target.pid;
}

function deletePods(deployment: Deployment, pods: Pod[], force: boolean): Promise<string> {
  const names = pods.map(pod => pod.metadata.name);
  const flags = force ? ["--grace-period=0", "--force"] : [];
  const { namespace } = deployment.options;
  return deployment.kubernetes.kubectl(["delete", "pod", ...names, "-n", namespace, "--wait=false", ...flags]);
}

function nodeOf(pod: Pod): string {
  if (!pod.spec.nodeName) throw new Error(`${pod.metadata.name} is on no node`);
  return pod.spec.nodeName;
}

/** Drops the primary's packets to and from what it talks to; its clients still reach it. */
function cutPrimary(from: ("api" | "s3" | "pods")[]): SandboxInjection["inject"] {
  return async ({ sandbox, primary }) => {
    await sandbox.cut(primary.status.podIP ?? "", from);
    return () => sandbox.healNetwork();
  };
}

/** In `interval` mode what no follower has been told and no entry holds dies with the node and its disk: acknowledged rows of the last moment. Milliseconds. */
const shippingWindowMilliseconds = 250;

/** A primary that nobody hears, but its clients, goes on until it knows: in `interval` mode not longer than `maxDataLossSeconds`. Milliseconds. */
const maxDataLossMilliseconds = 5000;

export const faultClasses: FaultClass[] = [
  {
    name: "engine-killed",
    title: "mariadbd killed",
    needsSandbox: true,
    outageBoundMilliseconds: 3000,
    inject: ({ sandbox, primary }) => {
      signal(sandbox, primary, isEngine, "SIGKILL");
      return Promise.resolve(nothingToHeal);
    },
  },
  {
    name: "engine-frozen",
    title: "mariadbd frozen",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    inject: ({ sandbox, primary }) => {
      const pid = signal(sandbox, primary, isEngine, "SIGSTOP");
      return Promise.resolve(() => Promise.resolve(thaw(pid)));
    },
  },
  {
    name: "volume-hung",
    title: "mariadbd cannot be killed, as with a volume that hangs",
    needsSandbox: true,
    // Found to hang, given the time to end, the lease's.
    outageBoundMilliseconds: 35_000,
    lossWindowMilliseconds: shippingWindowMilliseconds,
    inject: ({ sandbox, primary, takenOver }) => {
      const engine = sandbox.processes(primary).find(isEngine);
      if (!engine) throw new Error(`mariadbd does not run in ${primary.metadata.name}`);
      const thaws = sandbox.freezeProcess(primary, engine.pid);
      return Promise.resolve(async () => {
        await takenOver();
        thaws();
      });
    },
  },
  {
    name: "manager-killed",
    title: "manager killed",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    inject: ({ sandbox, primary }) => {
      signal(sandbox, primary, isManager, "SIGKILL");
      return Promise.resolve(nothingToHeal);
    },
  },
  {
    name: "out-of-memory",
    title: "container out of memory",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    inject: async ({ sandbox, primary }) => {
      await exhaustMemory(sandbox, primary, podLayout.containerName);
      return nothingToHeal;
    },
  },
  {
    name: "pod-deleted",
    title: "pod deleted",
    needsSandbox: false,
    outageBoundMilliseconds: 3000,
    inject: async ({ deployment, primary }) => {
      await deletePods(deployment, [primary], false);
      return nothingToHeal;
    },
  },
  {
    name: "switchover",
    title: "switchover on request",
    needsSandbox: false,
    outageBoundMilliseconds: 3000,
    inject: async ({ deployment, primary, takenOver }) => {
      const { namespace } = deployment.options;
      const request = `${annotations.switchover}=${anySuccessor}`;
      await deployment.kubernetes.kubectl(["annotate", "pod", primary.metadata.name, request, "-n", namespace]);
      return async () => {
        await takenOver();
      };
    },
  },
  {
    name: "pod-deleted-by-force",
    title: "pod deleted by force",
    needsSandbox: false,
    outageBoundMilliseconds: 8000,
    inject: async ({ deployment, primary }) => {
      await deletePods(deployment, [primary], true);
      return nothingToHeal;
    },
  },
  {
    name: "node-crashed",
    title: "node crashed",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    lossWindowMilliseconds: shippingWindowMilliseconds,
    inject: async ({ sandbox, primary }) => {
      await sandbox.crashNode(nodeOf(primary));
      return () => sandbox.startNode(nodeOf(primary));
    },
  },
  {
    name: "node-frozen",
    title: "node frozen, thawed after the takeover",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    lossWindowMilliseconds: shippingWindowMilliseconds,
    inject: async ({ sandbox, primary, takenOver }) => {
      await sandbox.freezeNode(nodeOf(primary));
      return async () => {
        await takenOver();
        await sandbox.thawNode(nodeOf(primary));
      };
    },
  },
  {
    name: "api-stopped",
    title: "API server stopped for 60 s",
    needsSandbox: true,
    outageBoundMilliseconds: 0,
    outages: 0,
    holdSeconds: 60,
    inject: async ({ sandbox }) => {
      await sandbox.controlPlane("stop");
      return () => sandbox.controlPlane("start");
    },
  },
  {
    name: "api-frozen",
    title: "API server frozen for 60 s",
    needsSandbox: true,
    outageBoundMilliseconds: 0,
    outages: 0,
    holdSeconds: 60,
    inject: async ({ sandbox }) => {
      await sandbox.controlPlane("freeze");
      return () => sandbox.controlPlane("thaw");
    },
  },
  {
    name: "primary-cut-from-api",
    title: "primary cut from the API server",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    holdSeconds: 20,
    inject: cutPrimary(["api"]),
  },
  {
    name: "primary-cut-from-s3",
    title: "primary cut from the object store",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    holdSeconds: 20,
    inject: cutPrimary(["s3"]),
  },
  {
    name: "primary-cut-from-peers",
    title: "primary cut from its peers",
    needsSandbox: true,
    outageBoundMilliseconds: 0,
    outages: 0,
    holdSeconds: 20,
    inject: cutPrimary(["pods"]),
  },
  {
    name: "primary-cut-from-all",
    title: "primary cut from everything but its clients",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    holdSeconds: 20,
    lossWindowMilliseconds: maxDataLossMilliseconds,
    inject: cutPrimary(["api", "s3", "pods"]),
  },
  {
    name: "s3-down",
    title: "object store down for 30 s",
    needsSandbox: true,
    outageBoundMilliseconds: 32_000,
    holdSeconds: 30,
    inject: async ({ sandbox }) => {
      await sandbox.objectStoreFault("down");
      return () => sandbox.objectStoreFault("up");
    },
  },
  {
    name: "s3-slow",
    title: "object store slow (200 ms) for 30 s, gaps of 2 s or more",
    needsSandbox: true,
    outageBoundMilliseconds: 0,
    outages: 0,
    // An entry takes 0.2 s then, and a new epoch several of them. Commits go on meanwhile.
    outageThresholdMilliseconds: 2000,
    holdSeconds: 30,
    suspectAfterMilliseconds: 3000,
    inject: async ({ sandbox }) => {
      await sandbox.objectStoreFault("slow", 200);
      return () => sandbox.objectStoreFault("up");
    },
  },
  {
    name: "replica-manager-killed",
    title: "manager of a replica killed",
    needsSandbox: true,
    outageBoundMilliseconds: 0,
    outages: 0,
    inject: ({ sandbox, replicas: [replica] }) => {
      signal(sandbox, replica, isManager, "SIGKILL");
      return Promise.resolve(nothingToHeal);
    },
  },
  {
    name: "two-nodes",
    title: "the primary's node and a replica's crashed at once",
    needsSandbox: true,
    outageBoundMilliseconds: 8000,
    lossWindowMilliseconds: shippingWindowMilliseconds,
    inject: async ({ sandbox, primary, replicas: [replica] }) => {
      const nodes = [nodeOf(primary), nodeOf(replica)];
      await Promise.all(nodes.map(node => sandbox.crashNode(node)));
      return async () => {
        for (const node of nodes) await sandbox.startNode(node);
      };
    },
  },
  {
    name: "all-pods-deleted",
    title: "all pods deleted",
    needsSandbox: false,
    outageBoundMilliseconds: 20_000,
    inject: async ({ deployment, primary, replicas }) => {
      await deletePods(deployment, [primary, ...replicas], false);
      return nothingToHeal;
    },
  },
  {
    name: "rolling-restart",
    title: "rolling restart under load",
    needsSandbox: false,
    outageBoundMilliseconds: 3000,
    inject: async ({ deployment }) => {
      const { name, namespace } = deployment.options;
      const rollout = (args: string[]) =>
        deployment.kubernetes.kubectl(["rollout", ...args, `statefulset/${name}`, "-n", namespace], {
          deadlineSeconds: 400,
        });
      await rollout(["restart"]);
      return async () => {
        await rollout(["status", "--timeout=300s"]);
      };
    },
  },
];

/** A frozen process may have been killed by its manager meanwhile. */
function thaw(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // It is gone: nothing is left to thaw.
  }
}
