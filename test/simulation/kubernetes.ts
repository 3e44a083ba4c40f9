import { Conflict, Kubernetes, LeaseObject, PodRecord } from "../../components/manager/ports";
import { api, Network, Process } from "./network";

type Role = "primary" | "replica" | "none";

/** The part of a Kubernetes API server that the managers use. */
export class SimulatedKubernetes {
  lease: LeaseObject | undefined;
  readonly roles = new Map<string, Role>();
  /** What people have asked of pods. */
  readonly requests = new Map<string, { switchover?: string; promote?: string }>();
  private version = 0;

  constructor(
    private readonly network: Network,
    private readonly onEvent: (text: string) => void,
  ) {}

  /** Changes the Lease as a person with kubectl would. */
  edit(change: (lease: LeaseObject) => LeaseObject | undefined): void {
    if (!this.lease) return;
    const changed = change(this.lease);
    this.lease = changed && { ...changed, resourceVersion: this.nextVersion() };
  }

  client(process: Process): Kubernetes {
    const call = <T>(timeout: number, effect: () => T) => this.network.request(process, api, timeout, effect, 8);
    return {
      readLease: timeout => call(timeout, () => this.lease && { ...this.lease }),
      createLease: (lease, timeout) =>
        call(timeout, () => {
          if (this.lease) throw new Conflict("the lease");
          this.lease = { ...lease, resourceVersion: this.nextVersion() };
          return { ...this.lease };
        }),
      updateLease: (lease, timeout) =>
        call(timeout, () => {
          if (this.lease?.resourceVersion !== lease.resourceVersion) throw new Conflict("the lease");
          this.lease = { ...lease, resourceVersion: this.nextVersion() };
          return { ...this.lease };
        }),
      readPods: timeout => call(timeout, () => [...this.roles].map(([name, role]) => this.record(name, role))),
      clearRequests: (pod, timeout) => call(timeout, () => void this.requests.delete(pod)),
      setRole: (pod, role, timeout) => call(timeout, () => void (this.roles.has(pod) && this.roles.set(pod, role))),
      event: (_type, reason, message) => this.onEvent(`${process.place} ${reason}: ${message}`),
    };
  }

  private record(name: string, role: Role): PodRecord {
    const { switchover = "", promote = "" } = this.requests.get(name) ?? {};
    return { name, role, revision: "", ready: true, leaving: false, switchover, promote };
  }

  private nextVersion(): string {
    return String(++this.version);
  }
}
