import { freeLease } from "../decide/candidacy";
import { whyVolumeHangs } from "../decide/health";
import { Lanes } from "../base/lanes";
import { LeaseKeeper } from "../cluster/leaseKeeper";
import { PeerHandler } from "./peerNetwork";
import { Clock, HeldLease, PeerStatus } from "../base/ports";
import { Vacancy } from "../cluster/vacancy";
import { serves } from "../decide/decide";
import { incomplete, PushedEntry } from "./entryInbox";
import { View } from "../decide/view";

export interface PeerDeskOptions {
  ports: { clock: Pick<Clock, "now">; files: { isPrepared(): boolean } };
  lanes: Lanes;
  lease: LeaseKeeper;
  /** This node's copy of the log. */
  store: {
    /** What a peer has pushed. @returns no: it is brief, and what it leaves out is not here @throws when it is no entry */
    take(entry: PushedEntry): boolean;
    /** There is something to apply. */
    isDue(): boolean;
    read(): Promise<void>;
    /** Undefined until the log was read. */
    place: { epoch: number } | undefined;
  };
  vacancy: Vacancy;
  view: () => View;
  /** Look again now. */
  changed: () => void;
}

/** Answers the other managers of the database. */
export class PeerDesk implements PeerHandler {
  constructor(private readonly options: PeerDeskOptions) {}

  takeEntry(entry: PushedEntry): number | typeof incomplete {
    const { store, lanes, view } = this.options;
    if (!store.take(entry)) return incomplete;
    const { engine, transition, hold } = view();
    if (engine.role === "replica" && !transition && store.isDue()) lanes.run("log", () => store.read());
    const epoch = store.place?.epoch ?? -1;
    const seals = transition?.kind === "takeOver" && transition.step === "seal";
    // What comes now is behind what its seal follows. While this node holds the Lease, whoever pushes does not, and has not noticed.
    return seals && hold !== undefined && this.options.ports.clock.now() < hold.deadline ? epoch + 1 : epoch;
  }

  leaseChanged(): void {
    this.options.lease.readSoon();
    this.options.changed();
  }

  releaseFor(held: HeldLease, preferredSuccessor: string): Promise<void> {
    const { lanes, lease } = this.options;
    if (lanes.isBusy("lease")) throw new Error("the Lease is being written here");
    return lease.releaseFor(held, preferredSuccessor);
  }

  /** Another node asks to be confirmed as the primary, since the API server does not answer it. */
  confirmPrimary(identity: string, epoch: number): boolean {
    const { lanes, lease, vacancy } = this.options;
    // Its pod was deleted and it does not know: no Service leads to it.
    if (vacancy.goneHolder === identity || lanes.isBusy("lease")) return false;
    return lease.promiseTo(identity, epoch);
  }

  peerStatus(): PeerStatus {
    const { ports } = this.options;
    const view = this.options.view();
    const now = ports.clock.now();
    const { engine } = view;
    // A node that could not use its volume is no candidate.
    const log = whyVolumeHangs(view, now) === undefined ? view.log : undefined;
    const isFollower = engine.state === "running" && engine.role === "replica" && !view.transition;
    return {
      pod: view.pod,
      serves: engine.state === "running" && engine.role === "primary" && serves(view),
      following: isFollower ? "following" : "none",
      resumable: log?.isLastWriters === true && engine.state === "stopped",
      freeLease: freeLease({ ...view, following: isFollower ? "following" : "joining" }, now),
      mustBeginAnew: view.restartDue !== "",
      prepared: ports.files.isPrepared(),
      ...(log && {
        log: { epoch: log.epoch, position: log.position, pushed: log.pushed, bucketAge: now - view.bucketAnsweredAt },
      }),
    };
  }
}
