import type { Decision } from "../decide/decide";
import { intervals } from "../base/intervals";
import { Monotonic, PodRecord, Ports } from "../base/ports";
import { EngineView, SwitchoverRequest, View } from "../decide/view";

const callTimeout = 1000;
const pauseAfterFailedLabel = 500;
/** A new primary is read for so long still, at least: kube-proxy follows the Services once a second, and the one for writes goes first. Milliseconds. */
const readsEndAfter = 2000;

/** What {@link PodKeeper.read} has to know of this node and its peers, asked when the answer counts. */
export interface PodSight {
  /** Called with the pods. */
  seen: (pods: readonly PodRecord[]) => void;
  engine: () => Pick<EngineView, "state" | "role">;
  /** What was read may be older than what is being written. */
  labelIsBeingSet: () => boolean;
  /** This node is a primary that does not leave already. */
  mayHandOver: () => boolean;
}

/** Knows the labels of the database's pods, sets them, and reads what a person has asked of this pod by its annotations. */
export class PodKeeper {
  /** As it was last seen or written; undefined: not known. */
  ownLabel: View["ownLabel"];
  otherPrimaries: string[] = [];
  switchover: SwitchoverRequest | undefined;
  /** When the pods were last asked for, with an answer. */
  readAt: Monotonic = -Infinity;
  private primarySince: Monotonic | undefined;

  constructor(
    private readonly pod: string,
    private readonly ports: Pick<Ports, "clock" | "kubernetes">,
  ) {}

  /** How often the pods are looked at. @param vacantSince the Lease is free to take @param promisedUntil it is promised to a primary that the API server does not answer */
  interval(vacantSince: Monotonic | undefined, promisedUntil: Monotonic, role: EngineView["role"]): number {
    if (vacantSince !== undefined) return this.readAt < vacantSince ? 0 : intervals.podsInDoubt;
    if (this.ports.clock.now() < promisedUntil) return intervals.podsInDoubt;
    return role === "replica" ? intervals.podsOfReplica : intervals.podsOfPrimary;
  }

  async read(sight: PodSight): Promise<void> {
    const askedAt = this.ports.clock.now();
    const pods = await this.ports.kubernetes.readPods(callTimeout);
    this.readAt = askedAt;
    sight.seen(pods);
    if (sight.labelIsBeingSet()) return;
    const self = pods.find(({ name }) => name === this.pod);
    this.ownLabel = ownLabelOf(self);
    this.otherPrimaries = pods
      .filter(({ name, role }) => name !== this.pod && role === "primary")
      .map(({ name }) => name);
    await this.readRequests(self, sight);
    await this.endReads(self);
  }

  private async endReads(self: PodRecord | undefined): Promise<void> {
    const { clock, kubernetes } = this.ports;
    this.primarySince = self?.role === "primary" ? (this.primarySince ?? clock.now()) : undefined;
    if (this.primarySince === undefined || self?.reads !== true) return;
    if (clock.now() - this.primarySince >= readsEndAfter) await kubernetes.endReads(this.pod, callTimeout);
  }

  private async readRequests(self: PodRecord | undefined, sight: PodSight): Promise<void> {
    const { state, role } = sight.engine();
    if (self?.switchover && sight.mayHandOver())
      this.switchover ??= { to: self.switchover, since: this.ports.clock.now() };
    // What was asked of a primary says nothing to a replica.
    const isOver = self?.switchover && state === "running" && role === "replica";
    if (isOver && !this.switchover) await this.clearRequests();
  }

  /** What was asked has been seen to. */
  async clearRequests(): Promise<void> {
    this.switchover = undefined;
    await this.ports.kubernetes.clearRequests(this.pod, callTimeout);
  }

  async carryOut(action: NonNullable<Decision["label"]>): Promise<void> {
    const { kubernetes, clock } = this.ports;
    try {
      if (action.kind === "own") {
        await kubernetes.setRole(this.pod, action.role, callTimeout);
        this.ownLabel = action.role;
      } else {
        for (const pod of action.pods) await kubernetes.setRole(pod, "none", callTimeout);
        this.otherPrimaries = [];
      }
    } catch (error) {
      await clock.sleep(pauseAfterFailedLabel);
      throw error;
    }
  }
}

/** Takes the label of a primary off every pod but this one. */
export async function stripOtherLabels(
  kubernetes: Pick<Ports["kubernetes"], "readPods" | "setRole">,
  pod: string,
  timeoutMilliseconds: number,
): Promise<void> {
  for (const { name, role } of await kubernetes.readPods(timeoutMilliseconds))
    if (name !== pod && role === "primary") await kubernetes.setRole(name, "none", timeoutMilliseconds);
}

/** Undefined where the two labels do not fit each other, as after a manual change: they are set again then. */
function ownLabelOf(self: PodRecord | undefined): View["ownLabel"] {
  if (self?.role === "primary") return "primary";
  if (self?.role === "replica") return self.reads ? "replica" : undefined;
  return self?.reads === true ? undefined : "none";
}
