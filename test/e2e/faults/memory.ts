import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { Pod } from "../kubernetes";
import { Sandbox } from "../sandbox";

/** How long a container is given to run out of memory. Milliseconds. */
const deadlineMilliseconds = 30_000;

/** Takes memory, 8 MiB at a time and touched, until it is ended. */
const glutton = `const held = []; setInterval(() => held.push(Buffer.alloc(8 << 20, 1)), 5);`;

/**
 * Uses up a container's memory from outside, by a process that is charged to the container but that the kernel may not choose as its victim, until the kernel
 * has killed one of the container's own processes.
 */
export async function exhaustMemory(sandbox: Sandbox, pod: Pod, container: string): Promise<void> {
  const before = sandbox.processes(pod).map(process => process.pid);
  const group = sandbox.memoryGroup(pod, container);
  const enter = `echo -1000 > /proc/self/oom_score_adj && echo $$ > ${group}/cgroup.procs && exec "$0" -e "$1"`;
  const child = spawn("sh", ["-c", enter, process.execPath, glutton], { stdio: "ignore" });
  try {
    const deadline = Date.now() + deadlineMilliseconds;
    const alive = () => new Set(sandbox.processes(pod).map(process => process.pid));
    while (before.every(pid => alive().has(pid))) {
      if (Date.now() > deadline) throw new Error(`${pod.metadata.name} did not run out of memory: has it a limit?`);
      await pause(50);
    }
  } finally {
    child.kill("SIGKILL");
  }
}
