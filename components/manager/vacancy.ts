import { Clock, PodRecord } from "./ports";
import { LeaseObservation, Monotonic } from "./view";

/** After the bucket was out of a node's reach, a request of its engine may still hang for so long. Milliseconds. */
const pollHangs = 10_000;
/** A follower that has seen no heartbeat for so long before the last renewal of the Lease has not followed to the end. Milliseconds. */
const wellBehind = 4000;

/** The time in which nobody holds the Lease, as this node has seen it; it lasts while this node has taken it, until it serves. */
export class Vacancy {
  since: Monotonic | undefined;
  /** Whether the last holder's pod is being replaced, or its container restarted: then its machine is alive, and its volume comes back. Undefined until the API server was asked. */
  holderReturns: boolean | undefined;
  /** A holder whose pod the API server did not know any more after it had held the Lease: nobody with its identity comes back. */
  goneHolder: string | undefined;
  /** It was not given back. */
  private ranOut = false;
  /** The last renewal by whoever held it. */
  private lastRenewalAt: Monotonic = -Infinity;

  constructor(
    private readonly clock: Pick<Clock, "now">,
    private readonly leaseMarginSeconds: number,
  ) {}

  /** The Lease is free to take. */
  lasts(lease: LeaseObservation | undefined): void {
    if (this.since === undefined) this.holderReturns = undefined;
    this.since ??= this.clock.now();
    this.lastRenewalAt = lease?.unchangedSince ?? -Infinity;
    this.ranOut = lease?.released !== true;
  }

  /** What the API server says of the pods, asked after `lease` was seen. What was seen once while nobody holds it is remembered: a container that was started again runs before its manager is there. */
  sawPods(pods: readonly PodRecord[], lease: LeaseObservation | undefined): void {
    if (!lease) return;
    const named = lease.holder !== "";
    const holder = pods.find(({ name, uid }) => lease.holder === `${name}_${uid}`);
    if (named && !holder) this.goneHolder = lease.holder;
    if (this.since === undefined) return;
    this.holderReturns = (named && holder?.runs !== true) || this.holderReturns === true;
  }

  end(): void {
    this.since = undefined;
  }

  /** For how long the last holder has had no right to write: one that did not renew lost it two margins before the Lease was free here. Milliseconds. */
  silentMilliseconds(): number {
    if (this.since === undefined) return 0;
    const margins = this.ranOut ? 2000 * this.leaseMarginSeconds : 0;
    return this.clock.now() - this.since + margins;
  }

  /**
   * For how much longer a poll of this node's engine may hang that has not seen the last primary's last writes. Milliseconds.
   * @param beatSeenAt when this node's engine saw a new heartbeat last
   * @param bucketFailedAt when the bucket did not answer this node last
   */
  pollMayHangMilliseconds(beatSeenAt: Monotonic | undefined, bucketFailedAt: Monotonic): number {
    // A primary that gave the Lease back may have stopped writing long before.
    const behind = this.ranOut ? this.lastRenewalAt - (beatSeenAt ?? Infinity) : 0;
    if (behind > wellBehind) return pollHangs;
    return Math.max(0, pollHangs - (this.clock.now() - bucketFailedAt));
  }
}
