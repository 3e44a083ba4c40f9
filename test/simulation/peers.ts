import type { PeerStatus, Ports } from "../../components/manager/base/ports";
import type { PeerHandler } from "../../components/manager/peers/peerNetwork";
import type { Network, Process } from "./network";

/** One call between two managers, there and back. Milliseconds. */
const peerRoundTrip = 4;

/** A node as others reach it. */
interface Reachable {
  pod: string;
  alive: boolean;
  process: Process | undefined;
  manager: { peerDesk: PeerHandler } | undefined;
}

/** How one node reaches the managers of the others. */
export class Peers {
  /** @param self its pod @param process in which answers arrive */
  constructor(
    private readonly network: Network,
    private readonly nodes: readonly Reachable[],
    private readonly self: string,
    private readonly process: Process,
  ) {}

  /** Asks the manager of a pod. */
  named<T>(pod: string, timeout: number, ask: (desk: PeerHandler) => T | Promise<T>): Promise<T> {
    const other = this.nodes.find(node => node.pod === pod);
    return other ? this.ask(other, timeout, ask) : Promise.reject(new Error(`no pod ${pod}`));
  }

  /** What the managers ask of each other. */
  get ports(): Ports["peers"] {
    return {
      askAll: async timeout => {
        const asked = this.others().map(other => this.ask(other, timeout, desk => desk.peerStatus()));
        const answers = await Promise.allSettled<PeerStatus>(asked);
        return answers.filter(answer => answer.status === "fulfilled").map(answer => answer.value);
      },
      confirm: async (pods, identity, epoch, timeout) => {
        const asked = pods.map(pod => this.named(pod, timeout, desk => desk.confirmPrimary(identity, epoch)));
        const answers = await Promise.allSettled(asked);
        return answers.length > 0 && answers.every(answer => answer.status === "fulfilled" && answer.value);
      },
      release: async (held, successor, timeout) => {
        const pods = this.others().map(({ pod }) => pod);
        pods.sort((a, b) => Number(b === successor) - Number(a === successor));
        for (const [i, pod] of pods.entries()) {
          try {
            return await this.named(pod, timeout, desk => desk.releaseFor(held, successor));
          } catch (error) {
            if (i === pods.length - 1) throw error;
          }
        }
      },
      leaseChanged: async timeout => {
        const told = this.others().map(other => this.ask(other, timeout, desk => desk.leaseChanged()));
        await Promise.allSettled(told);
      },
    };
  }

  private others(): Reachable[] {
    return this.nodes.filter(({ pod }) => pod !== this.self);
  }

  private ask<T>(other: Reachable, timeout: number, ask: (desk: PeerHandler) => T | Promise<T>): Promise<T> {
    const answer = () => {
      if (!other.alive || !other.manager || other.process?.frozen) throw new Error(`${other.pod} is not there`);
      return ask(other.manager.peerDesk);
    };
    return this.network.request(this.process, other.pod, timeout, answer, peerRoundTrip);
  }
}
