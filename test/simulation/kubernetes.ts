import { Conflict, Kubernetes, LeaseObject, PodGone, PodRecord } from "../../components/manager/base/ports";
import { api, Network, Process } from "./network";
import { VirtualTime } from "./virtualTime";

type Role = "primary" | "replica" | "none";

/** One call, there and back. Milliseconds. */
const roundTrip = 8;
/** States of the Lease that a stale read may answer with are kept for so long. Milliseconds. */
const historyMilliseconds = 10_000;

/** The part of a Kubernetes API server that the managers use. */
export class SimulatedKubernetes {
  readonly roles = new Map<string, Role>();
  /** Pods that the Service for reads selects. */
  readonly read = new Set<string>();
  /** What people have asked of pods. */
  readonly requests = new Map<string, { switchover?: string }>();
  /** Pods that have been told to go, and pods that a rollout has made anew: what `readPods` says of them. */
  readonly leaving = new Set<string>();
  /** Grace periods of those that have another than is usual. Seconds. */
  readonly graces = new Map<string, number>();
  readonly revisions = new Map<string, string>();
  /** Which pod bears a name now, and those whose container does not run, as their nodes have said. */
  readonly uids = new Map<string, string>();
  readonly ended = new Set<string>();
  /** What pods are made from now, and what becomes of one that is deleted. */
  revision = "";
  onDelete: (pod: string) => void = () => undefined;
  /** Reads of the Lease answer with what it was so long ago, as from a cache that lags. Milliseconds. */
  staleByMilliseconds = 0;
  /** Processes whose pod is gone: from then on their token is not accepted. */
  private readonly gone = new Map<Process, number>();
  private version = 0;
  private states: { since: number; lease: LeaseObject | undefined }[] = [{ since: -Infinity, lease: undefined }];

  constructor(
    private readonly time: VirtualTime,
    private readonly network: Network,
    private readonly onEvent: (text: string) => void,
    private readonly isReady: (pod: string) => boolean,
  ) {}

  get lease(): LeaseObject | undefined {
    return this.states.at(-1)?.lease;
  }

  /** Changes the Lease as a person with kubectl would. */
  edit(change: (lease: LeaseObject) => LeaseObject | undefined): void {
    if (!this.lease) return;
    const changed = change(this.lease);
    this.store(changed);
  }

  client(process: Process): Kubernetes {
    const call = <T>(timeout: number, effect: () => T) => {
      const authenticated = () => {
        if (this.time.now >= (this.gone.get(process) ?? Infinity)) throw new PodGone("401");
        return effect();
      };
      return this.network.request(process, api, timeout, authenticated, roundTrip);
    };
    return {
      readLease: timeout => call(timeout, () => this.readLease()),
      createLease: (lease, timeout) =>
        call(timeout, () => {
          if (this.lease) throw new Conflict("the lease");
          return this.store(lease);
        }),
      updateLease: (lease, timeout) =>
        call(timeout, () => {
          if (this.lease?.resourceVersion !== lease.resourceVersion) throw new Conflict("the lease");
          return this.store(lease);
        }),
      readPods: timeout => call(timeout, () => [...this.roles].map(([name, role]) => this.record(name, role))),
      updateRevision: timeout => call(timeout, () => this.revision),
      deletePod: (pod, timeout) => call(timeout, () => this.onDelete(pod)),
      clearRequests: (pod, timeout) => call(timeout, () => void this.requests.delete(pod)),
      setRole: (pod, role, timeout) => call(timeout, () => this.setRole(pod, role)),
      endReads: (pod, timeout) => call(timeout, () => void this.read.delete(pod)),
      event: (_type, reason, message) => this.onEvent(`${process.place} ${reason}: ${message}`),
    };
  }

  /** A pod is deleted by force: another of its name is made at once, and its own token is accepted as long as the API server has it in its cache. */
  forget(pod: string, process: Process | undefined, uid: string, cachedMilliseconds: number): void {
    this.uids.set(pod, uid);
    this.ended.add(pod);
    if (process) this.gone.set(process, this.time.now + cachedMilliseconds);
  }

  private readLease(): LeaseObject | undefined {
    const asOf = this.time.now - this.staleByMilliseconds;
    const lease = this.states.findLast(({ since }) => since <= asOf)?.lease;
    return lease && { ...lease };
  }

  private store<T extends Omit<LeaseObject, "resourceVersion"> | undefined>(lease: T): LeaseObject {
    const { now } = this.time;
    const stored = lease && { ...lease, resourceVersion: String(++this.version) };
    // Each that stood within that time: until the one behind it.
    this.states = this.states.filter((_, i) => (this.states[i + 1]?.since ?? now) > now - historyMilliseconds);
    this.states.push({ since: now, lease: stored });
    return { ...stored };
  }

  private setRole(pod: string, role: Role): void {
    if (!this.roles.has(pod)) return;
    this.roles.set(pod, role);
    if (role === "replica") this.read.add(pod);
    else if (role === "none") this.read.delete(pod);
  }

  private record(name: string, role: Role): PodRecord {
    const { switchover = "" } = this.requests.get(name) ?? {};
    const revision = this.revisions.get(name) ?? "";
    const [reads, ready, leaving] = [this.read.has(name), this.isReady(name), this.leaving.has(name)];
    const [uid, runs] = [this.uids.get(name) ?? "", !this.ended.has(name)];
    const leavesWithinSeconds = leaving ? this.graces.get(name) : undefined;
    return { name, uid, runs, role, reads, revision, ready, leaving, leavesWithinSeconds, switchover };
  }
}
