import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Where kubelets have the logs of containers: `<namespace>_<pod>_<uid>/<container>/<restarts>.log`. */
const logFolder = "/var/log/pods";
/** On the same file system, for links. */
const keptFolder = "/var/log/tidesql-e2e";
/** A pod's log is there for at least a minute before another node's kubelet takes it away. Milliseconds. */
const everyMilliseconds = 500;
/** Logs of earlier runs are kept so long. Milliseconds. */
const retentionMilliseconds = 24 * 3600 * 1000;

/**
 * Keeps the logs of all pods. The nodes of the sandbox share one folder of logs, and each kubelet removes from it what belongs to no pod of its own; a second
 * name for the file keeps what was written, and the logs of pods that are gone with it.
 */
export function keepPodLogs(): void {
  mkdirSync(keptFolder, { recursive: true });
  for (const file of readdirSync(keptFolder).map(name => join(keptFolder, name))) {
    if (Date.now() - statSync(file).mtimeMs > retentionMilliseconds) rmSync(file);
  }
  setInterval(linkAll, everyMilliseconds).unref();
}

/** What the containers of a namespace have logged, by `<pod>_<uid>`, the pods that are gone included. */
export function keptPodLogs(namespace: string): Map<string, string> {
  const files = readdirSync(keptFolder)
    .filter(name => name.startsWith(`${namespace}_`))
    .map(name => ({ name, path: join(keptFolder, name) }))
    .sort((a, b) => statSync(a.path).birthtimeMs - statSync(b.path).birthtimeMs);
  const logs = new Map<string, string>();
  for (const { name, path } of files) {
    const pod = name.split("_").slice(1, 3).join("_");
    logs.set(pod, (logs.get(pod) ?? "") + readFileSync(path, "utf8"));
  }
  return logs;
}

function linkAll(): void {
  for (const path of logPaths()) {
    if (!path.endsWith(".log")) continue;
    try {
      const log = join(logFolder, path);
      const [pod, container] = [dirname(dirname(path)), basename(dirname(path))];
      // A log that was opened anew under the same name is another file.
      linkSync(log, join(keptFolder, `${pod}_${container}_${statSync(log).ino}.log`));
    } catch {
      // It is linked already, or gone.
    }
  }
}

/** Empty where a pod's folder goes while it is read: the next look has the rest. */
function logPaths(): string[] {
  try {
    return readdirSync(logFolder, { recursive: true, encoding: "utf8" });
  } catch {
    return [];
  }
}
