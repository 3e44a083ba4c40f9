import { Process } from "./network";
import { SimulatedNode } from "./node";
import type { World } from "./world";

/** An acknowledged write. */
export interface Acknowledged {
  key: string;
  value: string;
  sentAt: number;
  at: number;
  pod: string;
}

const connectLatency = 6;
const writeTimeout = 1000;

/** An application: writes at a steady pace to the pod that carries the label `primary`, keeps its connection until it fails, and remembers what was acknowledged. */
export class Client {
  readonly acknowledged: Acknowledged[] = [];
  /** Writes that failed: each may be there or not. */
  failed = 0;
  private target: SimulatedNode | undefined;
  private count = 0;
  private readonly process: Process = { place: "client", alive: true, frozen: false, waiting: [] };

  constructor(
    private readonly world: World,
    private readonly everyMilliseconds: number,
  ) {}

  start(): void {
    this.world.time.after(this.everyMilliseconds, () => {
      this.write().catch(() => this.failed++);
      this.start();
    });
  }

  private async write(): Promise<void> {
    const { world } = this;
    this.target ??= world.nodes.find(node => world.kubernetes.roles.get(node.pod) === "primary");
    const { target } = this;
    if (!target) throw new Error("no endpoint");
    // A few keys are written again and again: an old version that comes back is a loss too.
    const number = ++this.count;
    const key = number % 4 === 0 ? `counter-${number % 20}` : `row-${number}`;
    const value = String(number);
    const sentAt = world.time.now;
    try {
      const write = () => {
        if (!target.alive || !target.server) throw new Error("connection refused");
        return target.server.write({ key, value });
      };
      await world.network.request(this.process, target.pod, writeTimeout, write, connectLatency);
    } catch (error) {
      this.target = undefined;
      throw error;
    }
    this.acknowledged.push({ key, value, sentAt, at: world.time.now, pod: target.pod });
  }

  /** Longest time without an acknowledgement within a span. Milliseconds. */
  longestOutage(from: number, to: number): number {
    let last = from;
    let longest = 0;
    for (const { at } of this.acknowledged) {
      if (at < from || at > to) continue;
      longest = Math.max(longest, at - last);
      last = at;
    }
    return Math.max(longest, to - last);
  }
}
