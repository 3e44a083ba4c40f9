import { Ports } from "../../components/manager/base/ports";
import { inProcess, Process } from "./network";
import type { SimulatedNode } from "./node";
import type { SimulatedServer } from "./server";
import { Event } from "./virtualTime";
import type { World } from "./world";

/** The thread looks at the deadline so often. Milliseconds. */
export const watchdogInterval = 20;

/**
 * The thread that ends a writer at its deadline. It freezes and dies with the manager's process, and does not need its event loop. It is not woken up every 20 ms
 * here, but at the first such moment after the deadline.
 */
export function simulatedWatchdog(
  node: SimulatedNode,
  process: Process,
  server: SimulatedServer,
  world: World,
): Ports["watchdog"] {
  let deadline = 0;
  let guarded = 0;
  let next: Event | undefined;
  const plan = (): void => {
    if (next) next.run = undefined;
    if (guarded === 0) return;
    lookAfter(Math.max(0, deadline - node.now()));
  };
  const lookAfter = (milliseconds: number) => {
    const due = world.time.now + milliseconds + world.random.between(0, watchdogInterval);
    // A thread that was frozen wakes up at its next moment, not at once.
    const wakeUp = () => (world.time.now > due ? lookAfter(0) : look());
    next = world.time.after(due - world.time.now, () => inProcess(process, wakeUp));
  };
  const look = () => {
    if (guarded === 0 || server.pid() !== guarded) return;
    if (node.now() < deadline) return plan();
    world.say(`${node.pod} watchdog: the deadline has passed`);
    guarded = 0;
    server.kill();
  };
  return {
    setDeadline(at) {
      deadline = at;
      plan();
    },
    guard(pid) {
      guarded = pid;
      plan();
    },
  };
}
