import { freeLease, ownIsResumable, volumeIsKept } from "./candidacy";
import { EngineKeeper } from "./engineKeeper";
import { Follower } from "./follower";
import { Inventory } from "./inventory";
import { Lanes } from "./lanes";
import { LeaseKeeper } from "./leaseKeeper";
import { OwnerKeeper } from "./ownerKeeper";
import { PeerHandler } from "./peerNetwork";
import { Detour, HeldLease, PeerStatus, Ports } from "./ports";
import { PrimaryDuties } from "./primaryDuties";
import { Vacancy } from "./vacancy";
import { View } from "./view";

/** What the answers to peers are made of. */
export interface PeerDeskOptions {
  ports: Ports;
  lanes: Lanes;
  lease: LeaseKeeper;
  owner: OwnerKeeper;
  follower: Follower;
  engine: EngineKeeper;
  duties: PrimaryDuties;
  vacancy: Vacancy;
  view: () => View;
  /** Whether this pod may get traffic. */
  ready: () => boolean;
  /** Look again now. */
  changed: () => void;
}

/** Answers the other managers. */
export class PeerDesk implements PeerHandler {
  constructor(private readonly options: PeerDeskOptions) {}

  /** The Lease has changed. */
  leaseChanged(): void {
    this.options.lease.readSoon();
    this.options.changed();
  }

  /** The holder of the Lease has left, and does not reach the API server. @throws when this node cannot give the Lease back for it */
  releaseFor(held: HeldLease, preferredSuccessor: string): Promise<void> {
    const { lanes, lease } = this.options;
    if (lanes.isBusy("lease")) throw new Error("the Lease is being written here");
    return lease.releaseFor(held, preferredSuccessor);
  }

  /** A replica asks for a flush and for its marker behind it. @throws when this node is not the primary */
  joinReplica(marker: string, pod: string): Promise<void> {
    return this.options.duties.joinReplica(marker, pod);
  }

  /** Whether this follower has all that the primary has, compared now. */
  async isSound(): Promise<boolean> {
    const { lease, engine, follower, ready } = this.options;
    const primary = lease.holderPod();
    if (!ready() || engine.view.role !== "replica" || primary === undefined) return false;
    return follower.isSound(primary);
  }

  /** What this primary has, for followers. @throws when this node is not the primary */
  inventory(): Promise<Inventory> {
    return this.options.duties.inventory();
  }

  /**
   * Another node asks to be confirmed as the primary (rule 6). Who confirms does not take the Lease for a duration and a margin, which is longer than the other may write without asking again.
   */
  confirmPrimary(identity: string, epoch: number): boolean {
    const { lanes, owner, lease, vacancy } = this.options;
    // Its pod was deleted and it does not know: no Service leads to it.
    if (vacancy.goneHolder === identity) return false;
    if (lanes.isBusy("lease") || (owner.stored?.record.epoch ?? 0) > epoch) return false;
    return lease.promiseTo(identity, epoch);
  }

  /** The bucket, for a peer that cannot reach it itself. */
  get bucket(): Detour {
    return this.options.ports.store;
  }

  peerStatus(): PeerStatus {
    const { engine, follower, ports } = this.options;
    const view = this.options.view();
    const { state, role, onKeptVolume } = engine.view;
    // One that is about to leave does not count: an engine that opens the bucket in the middle of a handover puts an older manifest over the newest, and deletes what that names.
    const serves = state === "running" && role === "primary" && !engine.handover;
    return {
      pod: view.pod,
      serves,
      opens: state === "starting" && !onKeptVolume,
      resumable: ownIsResumable(view),
      lacksVolume: view.owner !== undefined && engine.volumeIsRead && !volumeIsKept(view.volume, view.owner),
      freeLease: freeLease(view, ports.clock.now()),
      following: state === "running" && role === "replica" ? view.following : "none",
      generation: follower.state.last?.generation ?? 0,
      mustBeginAnew: view.mustBeginAnew,
      ...view.position,
      ...(serves && view.hold && { epoch: view.hold.epoch }),
    };
  }
}
