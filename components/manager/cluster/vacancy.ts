import { Clock, Monotonic, PodRecord } from "../base/ports";
import { LeaseObservation } from "../decide/view";

/** The time in which nobody holds the Lease, as this node has seen it; it lasts while this node has taken it, until it serves. */
export class Vacancy {
  since: Monotonic | undefined;
  /** A holder whose pod the API server did not know any more after it had held the Lease: nobody with its identity comes back. */
  goneHolder: string | undefined;
  constructor(private readonly clock: Pick<Clock, "now">) {}

  /** The Lease is free to take. */
  lasts(): void {
    this.since ??= this.clock.now();
  }

  /** What the API server says of the pods, asked after `lease` was seen. */
  sawPods(pods: readonly PodRecord[], lease: LeaseObservation | undefined): void {
    if (!lease || lease.holder === "") return;
    const holder = pods.find(({ name, uid }) => lease.holder === `${name}_${uid}`);
    if (!holder) this.goneHolder = lease.holder;
  }

  end(): void {
    this.since = undefined;
  }
}
