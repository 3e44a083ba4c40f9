import { freeLease } from "../candidacy";
import { Lanes } from "../lanes";
import { LeaseKeeper } from "../leaseKeeper";
import { PeerHandler } from "../peerNetwork";
import { Detour, HeldLease, PeerStatus } from "../ports";
import { Vacancy } from "../vacancy";
import { Inventory } from "../inventory";
import { serves } from "./decideOnLog";
import { PushedEntry } from "./entryInbox";
import { LogPorts } from "./ports";
import { StoreKeeper } from "./storeKeeper";
import { LogView } from "./view";

export interface LogPeerDeskOptions {
  ports: LogPorts;
  lanes: Lanes;
  lease: LeaseKeeper;
  store: StoreKeeper;
  vacancy: Vacancy;
  view: () => LogView;
  /** Look again now. */
  changed: () => void;
}

/** Answers the other managers of a database whose store is the log. */
export class LogPeerDesk implements PeerHandler {
  constructor(private readonly options: LogPeerDeskOptions) {}

  takeEntry(entry: PushedEntry): void {
    const { store, lanes, view } = this.options;
    store.take(entry);
    const { engine, transition } = view();
    if (engine.role === "replica" && !transition && store.isDue()) lanes.run("log", () => store.read());
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
    const view = this.options.view();
    const now = this.options.ports.clock.now();
    const { engine, log } = view;
    const isFollower = engine.state === "running" && engine.role === "replica" && !view.transition;
    return {
      pod: view.pod,
      serves: engine.state === "running" && engine.role === "primary" && serves(view),
      opens: false,
      following: isFollower ? "following" : "none",
      resumable: log?.isLastWriters === true && engine.state === "stopped",
      lacksVolume: log?.isLastWriters === false,
      freeLease: freeLease({ ...view, following: isFollower ? "following" : "joining" }, now),
      epoch: log?.epoch ?? 0,
      beat: log?.position ?? 0,
      sequence: Math.floor(log?.pushed ?? 0),
      generation: 0,
      mustBeginAnew: view.restartDue !== "",
      ...(log && {
        log: { epoch: log.epoch, position: log.position, pushed: log.pushed, bucketAge: now - view.bucketAnsweredAt },
      }),
    };
  }

  joinReplica(): Promise<void> {
    return Promise.reject(notHere());
  }

  inventory(): Promise<Inventory> {
    return Promise.reject(notHere());
  }

  isSound(): Promise<boolean> {
    return Promise.reject(notHere());
  }

  get bucket(): Detour {
    throw notHere();
  }
}

/** A peer that was configured otherwise: in the middle of a change of the store. */
function notHere(): Error {
  return new Error("this database uses the log (store: log)");
}
