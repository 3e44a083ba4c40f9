import { peerTimeout, intervals } from "../base/intervals";
import { Lanes } from "../base/lanes";
import { Monotonic, PeerStatus, Ports } from "../base/ports";
import { podOf } from "../decide/candidacy";
import { peerThatReaches } from "../decide/leaseTurn";
import { View } from "../decide/view";

/** A follower that is due for a restart asks the others this often whether it is its turn, and does not wait for them for longer. Milliseconds. */
const turnEvery = 2000;
const turnPatience = 120_000;
/** A step that has not come on for so long may be another's to do. Milliseconds. */
const stuckAfter = 2000;

/** What this node knows of its peers: asked where their answers count, and not otherwise. */
export class PeerWatch {
  peers: PeerStatus[] = [];
  askedAt: Monotonic = -Infinity;
  /** Since when the bucket has answered one of them and not this node. */
  reachesSince: Monotonic | undefined;
  /** A follower may restart now: enough others serve meanwhile. */
  isItsTurn = false;
  private dueSince: Monotonic | undefined;

  constructor(
    private readonly ports: Pick<Ports, "clock" | "peers">,
    private readonly lanes: Lanes,
  ) {}

  /** Starts what is due. */
  observe(view: View, now: Monotonic): void {
    this.askWhenDue(view, now);
    const due = view.restartDue !== "" && !view.hold;
    this.dueSince = due ? (this.dueSince ?? now) : undefined;
    if (due) this.lanes.every(turnEvery, "turn", () => this.askForTurn(view));
    else this.isItsTurn = false;
    const reaches = peerThatReaches({ ...view, peers: this.peers, peersAskedAt: this.askedAt }, now) !== undefined;
    this.reachesSince = reaches ? (this.reachesSince ?? now) : undefined;
  }

  private askWhenDue(view: View, now: Monotonic): void {
    const { leaseFreeSince, switchover, hold, waiting, engine, stopping } = view;
    const { lanes } = this;
    const unasked =
      (leaseFreeSince !== undefined && this.askedAt < leaseFreeSince) ||
      this.askedAt < (switchover?.since ?? -Infinity);
    if (unasked) return lanes.every(0, "peers", () => this.ask());
    const inTrouble = hold !== undefined && (waiting > 1000 || engine.state === "stopped" || isStuck(view, now));
    const leaves = stopping && engine.role === "primary";
    if (inTrouble || leaseFreeSince !== undefined || leaves)
      lanes.every(intervals.askForHolder, "peers", () => this.ask());
  }

  private async ask(): Promise<void> {
    this.peers = await this.ports.peers.askAll(peerTimeout);
    this.askedAt = this.ports.clock.now();
  }

  /** One follower at a time is re-seeded, so that readers always have a node. */
  private async askForTurn({ pod, lease, configuration }: View): Promise<void> {
    const peers = await this.ports.peers.askAll(peerTimeout);
    const waited = this.ports.clock.now() - (this.dueSince ?? Infinity);
    this.isItsTurn = isNextToRestart(pod, podOf(lease?.holder), peers, configuration.nodes) || waited > turnPatience;
  }
}

/** Whether a takeover or a handover has not come on for a while. */
function isStuck({ transition, bucketUnansweredSince = Infinity }: View, now: Monotonic): boolean {
  return transition !== undefined && now - Math.min(transition.progressedAt, bucketUnansweredSince) > stuckAfter;
}

/** Whether it is this follower's turn to restart: all others follow, so that they could take over, and none with a lower name is due as well. */
function isNextToRestart(
  pod: string,
  primary: string | undefined,
  peers: readonly PeerStatus[],
  nodes: number,
): boolean {
  const others = peers.filter(peer => peer.pod !== primary);
  const isThere = others.length === nodes - 2 && others.every(({ following }) => following === "following");
  return isThere && !others.some(peer => peer.mustBeginAnew && peer.pod < pod);
}
