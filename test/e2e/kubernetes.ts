import { setTimeout as pause } from "node:timers/promises";
import { CommandOptions, run } from "./command";

export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  deletionTimestamp?: string;
}

export interface KubernetesObject {
  kind: string;
  metadata: Metadata;
}

export interface Pod extends KubernetesObject {
  spec: { nodeName?: string; containers: { name: string; image: string }[] };
  status: {
    phase: string;
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { name: string; restartCount: number; containerID?: string }[];
  };
}

export interface WaitOptions {
  deadlineSeconds: number;
  /** Default 200. One look costs a process of kubectl, a tenth of a second. */
  everyMilliseconds?: number;
  /** Namespace whose state is shown when the deadline passes. */
  namespace?: string;
}

/** So much of each log is shown when something did not happen. */
const shownLogLines = 60;

/** A cluster as kubectl sees it: every call is one kubectl, so that whatever a kubeconfig allows works here too. */
export class Kubernetes {
  /**
   * @param kubeconfig path of the kubeconfig file
   * @param keptLogs another way to the logs of a namespace than through the kubelets: by pod, those that are gone included
   */
  constructor(
    readonly kubeconfig: string,
    private readonly keptLogs?: (namespace: string) => Map<string, string>,
  ) {}

  kubectl(args: string[], options: CommandOptions = {}): Promise<string> {
    return run("kubectl", ["--kubeconfig", this.kubeconfig, ...args], options);
  }

  async get<T extends KubernetesObject>(kind: string, name: string, namespace: string): Promise<T> {
    return JSON.parse(await this.kubectl(["get", kind, name, "-n", namespace, "-o", "json"])) as T;
  }

  async list<T extends KubernetesObject>(kind: string, namespace: string, selector = ""): Promise<T[]> {
    const answer = await this.kubectl(["get", kind, "-n", namespace, "-l", selector, "-o", "json"]);
    return (JSON.parse(answer) as { items: T[] }).items;
  }

  /** The decoded values of a Secret. */
  async secret(name: string, namespace: string): Promise<Record<string, string>> {
    const secret = await this.get<KubernetesObject & { data?: Record<string, string> }>("secret", name, namespace);
    const decode = ([key, value]: [string, string]) => [key, Buffer.from(value, "base64").toString()];
    return Object.fromEntries(Object.entries(secret.data ?? {}).map(decode)) as Record<string, string>;
  }

  /** Runs a command in a container and returns its output. */
  exec(pod: string, container: string, namespace: string, command: string[]): Promise<string> {
    return this.kubectl(["exec", pod, "-c", container, "-n", namespace, "--", ...command]);
  }

  /**
   * Looks again and again until there is an answer. A look that fails counts as none: the API server may be away for a moment.
   * @param what completes the sentence "waited for ..."
   * @throws Error with the state of the namespace when the deadline passes
   */
  async until<T>(what: string, look: () => Promise<T | undefined | false>, options: WaitOptions): Promise<T> {
    const deadline = Date.now() + options.deadlineSeconds * 1000;
    for (;;) {
      let problem = "";
      try {
        const answer = await look();
        if (answer !== undefined && answer !== false) return answer;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
      if (Date.now() >= deadline) {
        const state = options.namespace ? await this.describeState(options.namespace) : "";
        throw new Error(`waited ${options.deadlineSeconds} s for ${what}, in vain\n${problem}\n${state}`);
      }
      await pause(options.everyMilliseconds ?? 200);
    }
  }

  /** What a person would look at first: pods, leases, events, and the last lines of every container's log. */
  async describeState(namespace: string): Promise<string> {
    const show = (title: string, args: string[]) =>
      this.kubectl([...args, "-n", namespace], { deadlineSeconds: 15 }).then(
        text => `--- ${title}\n${text.trim()}`,
        (error: unknown) => `--- ${title}: ${String(error)}`,
      );
    const sections = [
      await show("pods", ["get", "pods", "-o", "wide", "--show-labels"]),
      await show("leases", ["get", "leases", "-o", "yaml", "--show-managed-fields=false"]),
      await show("events", ["get", "events", "--sort-by=.lastTimestamp"]),
    ];
    for (const [pod, log] of this.keptLogs?.(namespace) ?? []) {
      sections.push(`--- log of ${pod}\n${log.trim().split("\n").slice(-shownLogLines).join("\n")}`);
    }
    if (this.keptLogs) return sections.join("\n");
    for (const { metadata } of await this.list<Pod>("pods", namespace).catch(() => [])) {
      const lines = ["logs", metadata.name, "--all-containers", `--tail=${shownLogLines}`];
      sections.push(await show(`log of ${metadata.name}`, lines));
    }
    return sections.join("\n");
  }
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(condition => condition.type === "Ready" && condition.status === "True") ?? false;
}
