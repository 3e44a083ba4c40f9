import { type ChildProcess, spawn } from "node:child_process";

/** Which cluster is meant; passed on to kubectl as it is. */
export interface ClusterOptions {
  /** Path of a kubeconfig file. Default: kubectl's own. */
  kubeconfig?: string;
  /** A context of the kubeconfig. Default: the current one. */
  context?: string;
}

/** Why kubectl did not do what it was asked to. */
export const KubectlProblem = {
  /** There is no kubectl on the PATH. */
  missing: "missing",
  /** The user may not do this. */
  forbidden: "forbidden",
  /** What was named does not exist. */
  notFound: "notFound",
  /** No answer in time. */
  timeout: "timeout",
  /** Anything else; kubectl's own words say what. */
  failed: "failed",
} as const;
export type KubectlProblem = (typeof KubectlProblem)[keyof typeof KubectlProblem];

/** kubectl did not do what it was asked to. */
export class KubectlError extends Error {
  constructor(
    readonly problem: KubectlProblem,
    message: string,
  ) {
    super(message);
    this.name = "KubectlError";
  }
}

/** A local port that leads into a pod for as long as it is open. */
export interface PortForward {
  localPort: number;
  /** Resolves when it is not open any more, with what kubectl said last. */
  ended: Promise<string>;
  close(): void;
}

/** All that the commands ask of a cluster. Tests put a script in its place. */
export interface Kubectl {
  /** Output of one call. @throws KubectlError */
  run(args: readonly string[], timeoutMilliseconds?: number): Promise<string>;
  /**
   * Opens a local port.
   * @param resource such as `service/orders-primary` or `pod/orders-0`
   * @param localPort default: any that is free
   * @throws KubectlError
   */
  forward(namespace: string, resource: string, port: number | string, localPort?: number): Promise<PortForward>;
}

/** A call that takes longer has no answer to expect any more. Milliseconds. */
const defaultTimeout = 20_000;
const forwardTimeout = 15_000;

/** The kubectl on the PATH: whatever a kubeconfig allows, logins by a plugin included, works here too. */
export function kubectlOnPath({ kubeconfig, context }: ClusterOptions): Kubectl {
  const options = [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
  ];
  const start = (args: readonly string[], detached = false) =>
    spawn("kubectl", [...options, ...args], { stdio: ["ignore", "pipe", "pipe"], detached });
  return {
    run: (args, timeoutMilliseconds = defaultTimeout) => outputOf(start(args), timeoutMilliseconds),
    forward: (namespace, resource, port, localPort) => {
      const ports = `${localPort ?? ""}:${port}`;
      // In a process group of its own: Ctrl-C in a client that uses the port is not for it.
      const child = start(["port-forward", "--address=127.0.0.1", "-n", namespace, resource, ports], true);
      const endWithProcess = () => void child.kill();
      process.once("exit", endWithProcess);
      child.once("close", () => process.off("exit", endWithProcess));
      return opened(child);
    },
  };
}

function outputOf(child: ChildProcess, timeoutMilliseconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const said = collect(child);
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new KubectlError(KubectlProblem.timeout, `no answer in ${timeoutMilliseconds / 1000} s`));
    }, timeoutMilliseconds);
    child.once("error", error => {
      clearTimeout(timer);
      reject(notStarted(error));
    });
    child.once("close", code => {
      clearTimeout(timer);
      if (code === 0) resolve(said.out);
      else reject(failureOf(said.error));
    });
  });
}

function opened(child: ChildProcess): Promise<PortForward> {
  return new Promise((resolve, reject) => {
    const said = collect(child);
    const ended = new Promise<string>(end => child.once("close", () => end(said.error.trim())));
    const timer = setTimeout(() => {
      child.kill();
      reject(new KubectlError(KubectlProblem.timeout, `no forwarded port in ${forwardTimeout / 1000} s`));
    }, forwardTimeout);
    child.once("error", error => {
      clearTimeout(timer);
      reject(notStarted(error));
    });
    child.stdout?.on("data", () => {
      const localPort = /127\.0\.0\.1:(\d+) ->/.exec(said.out)?.[1];
      if (localPort === undefined) return;
      clearTimeout(timer);
      resolve({ localPort: Number(localPort), ended, close: () => void child.kill() });
    });
    child.once("close", () => {
      clearTimeout(timer);
      reject(failureOf(said.error));
    });
  });
}

function collect(child: ChildProcess): { out: string; error: string } {
  const said = { out: "", error: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said.out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said.error += text));
  return said;
}

function notStarted(error: NodeJS.ErrnoException): KubectlError {
  if (error.code !== "ENOENT") return new KubectlError(KubectlProblem.failed, `kubectl: ${error.message}`);
  const message = "kubectl is not on the PATH. Install it (https://kubernetes.io/docs/tasks/tools), or add its folder.";
  return new KubectlError(KubectlProblem.missing, message);
}

/** What went wrong, by kubectl's own words: it has one exit code for everything. */
export function failureOf(said: string): KubectlError {
  // Lines of its library's log, such as "E1129 23:15:11.868948 8183 memcache.go:265] ...", repeat what follows them.
  const words = said.replace(/^[IWEF]\d{4} [\d:.]+ +\d+ \S+\] .*\n?/gm, "").trim() || said.trim();
  const isNowhere = /^The connection to the server localhost:8080 was refused/.test(words);
  const wayOut = isNowhere ? " kubectl knows no cluster: name one with --kubeconfig or --context." : "";
  const text = `${words || "kubectl failed without a message"}${wayOut}`;
  const problem = /\(Forbidden\)|is forbidden/.test(text)
    ? KubectlProblem.forbidden
    : /\(NotFound\)|not found/.test(text)
      ? KubectlProblem.notFound
      : KubectlProblem.failed;
  return new KubectlError(problem, text);
}

/** The parsed answer of a `kubectl get`. @throws KubectlError */
export async function getJson<T>(kubectl: Kubectl, args: readonly string[]): Promise<T> {
  const text = await kubectl.run(["get", ...args, "-o", "json"]);
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new KubectlError(KubectlProblem.failed, `kubectl get ${args.join(" ")} did not answer with JSON`);
  }
}
