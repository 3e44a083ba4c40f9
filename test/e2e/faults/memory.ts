import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Pod } from "../kubernetes";
import { Sandbox } from "../sandbox";

/** How long a container is given to run out of memory. Milliseconds. */
const deadlineMilliseconds = 30_000;

/**
 * Uses up a container's memory until the kernel has killed one of its processes. A file in memory is written by a process that is charged to the container: the
 * file belongs to no process, so the kernel's choice falls on the manager or on mariadbd, as it would if they had taken the memory themselves.
 */
export async function exhaustMemory(sandbox: Sandbox, pod: Pod, container: string): Promise<void> {
  const before = sandbox.processes(pod).map(process => process.pid);
  const group = sandbox.memoryGroup(pod, container);
  const folder = mkdtempSync("/dev/shm/tidesql-");
  const script = 'echo $$ > "$0/cgroup.procs" && exec dd if=/dev/zero of="$1" bs=1M';
  const child = spawn("sh", ["-c", script, group, join(folder, "ballast")], { stdio: "ignore" });
  try {
    const deadline = Date.now() + deadlineMilliseconds;
    const alive = () => new Set(sandbox.processes(pod).map(process => process.pid));
    while (before.every(pid => alive().has(pid))) {
      if (Date.now() > deadline) throw new Error(`${pod.metadata.name} did not run out of memory: has it a limit?`);
      await pause(20);
    }
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
