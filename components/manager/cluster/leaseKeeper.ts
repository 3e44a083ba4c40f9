import { ManagerConfiguration } from "../../core/managerConfiguration";
import { LeaseTiming, leaseTiming } from "../../core/leaseTiming";
import { podOf } from "../decide/candidacy";
import { Conflict, HeldLease, LeaseObject, Monotonic, NotAccepted, Ports } from "../base/ports";
import { Hold, LeaseObservation } from "../decide/view";

/** A replica reads the Lease this often. Milliseconds. */
const readEvery = 1200;
const callTimeout = 1000;
const tellTimeout = 500;
/** A peer reads the Lease, and writes it. Milliseconds. */
const relayTimeout = 1000;

/** Reads, takes, renews and gives back the Lease, on this node's own clock. */
export class LeaseKeeper {
  /** The Lease as it was last read; undefined before the first answer. */
  observation: LeaseObservation | undefined;
  hold: Hold | undefined;
  /** A write of this node's may or may not have taken effect: nothing was read since. */
  unsure = false;
  private object: LeaseObject | undefined;
  /** To a primary that asked to be confirmed, and its epoch. */
  private promised = { until: -Infinity, epoch: 0 };
  private reading = false;
  /** The renewal that is on its way. */
  private writing: Promise<void> = Promise.resolve();
  private lastRead: Monotonic = -Infinity;
  private readonly timing: LeaseTiming;

  constructor(
    configuration: ManagerConfiguration,
    private readonly identity: string,
    private readonly ports: Pick<Ports, "clock" | "kubernetes" | "peers" | "watchdog" | "log">,
    /** The Lease was read. */
    private readonly changed: () => void,
  ) {
    this.timing = leaseTiming(configuration);
  }

  /** Starts a reading when one is due. A holder learns from its renewals instead. */
  observe(now: Monotonic): void {
    if (this.reading || this.hold || now - this.lastRead < readEvery) return;
    this.read().catch((error: unknown) =>
      this.ports.log("warning", "the lease could not be read", { error: String(error) }),
    );
  }

  readSoon(): void {
    this.lastRead = -Infinity;
  }

  /** The pod that holds the Lease, or undefined. */
  holderPod(): string | undefined {
    return podOf(this.observation?.holder);
  }

  private async read(): Promise<void> {
    this.reading = true;
    this.lastRead = this.ports.clock.now();
    try {
      this.saw(await this.ports.kubernetes.readLease(callTimeout));
    } finally {
      this.reading = false;
    }
    if (this.observation?.released) this.changed();
  }

  /** Takes the Lease in a new epoch. Leaves `hold` undefined when somebody else was faster. */
  async acquire(epoch: number): Promise<void> {
    await this.write(epoch);
  }

  /** Renews, or finds out that the Lease is lost. */
  async renew(): Promise<void> {
    await this.write(this.hold?.epoch ?? this.observation?.epoch ?? 0);
  }

  private write(epoch: number): Promise<void> {
    const written = this.writeNow(epoch);
    this.writing = written.catch(() => undefined);
    return written;
  }

  private async writeNow(epoch: number): Promise<void> {
    const { clock, kubernetes } = this.ports;
    const { renewalTimeout, right } = this.timing;
    const sent = clock.now();
    if (this.hold) this.hold = { ...this.hold, lastAttempt: sent };
    const lease = { holder: this.identity, epoch, renewTime: clock.wallTime(), preferredSuccessor: "" };
    try {
      const written = this.object
        ? await kubernetes.updateLease({ ...lease, resourceVersion: this.object.resourceVersion }, renewalTimeout)
        : await kubernetes.createLease(lease, renewalTimeout);
      this.saw(written);
      this.hold = { epoch, lastRenewalSent: sent, lastAttempt: sent, deadline: sent + right };
      this.ports.watchdog.setDeadline(this.hold.deadline);
    } catch (error) {
      if (!(error instanceof Conflict)) {
        // It may have taken effect all the same, unless the API server said that it did not.
        this.unsure ||= !(error instanceof NotAccepted);
        this.readSoon();
        throw error;
      }
      // Whatever it is now, it is not what this node last saw: read it before anything else is decided.
      const found = await kubernetes.readLease(renewalTimeout);
      this.saw(found);
      const taken = found !== undefined && (found.holder !== this.identity || found.epoch !== epoch);
      if (taken && this.hold) {
        this.ports.log("error", "the lease was taken away", { holder: found.holder, epoch: found.epoch });
        this.lose();
      }
    }
  }

  /** Lets the peers stand in for the API server (rule 6). Answers whether all of them have confirmed this node. */
  async confirmByPeers(pods: string[]): Promise<boolean> {
    const { clock, peers, watchdog } = this.ports;
    const { hold } = this;
    if (!hold) return false;
    const sent = clock.now();
    const confirmed = await peers.confirm(pods, this.identity, hold.epoch, this.timing.confirmTimeout);
    if (!confirmed || this.hold?.epoch !== hold.epoch) return false;
    this.hold = { ...this.hold, deadline: Math.max(this.hold.deadline, sent + this.timing.right) };
    watchdog.setDeadline(this.hold.deadline);
    return true;
  }

  /** Promises a primary that asks to be confirmed not to take the Lease for a while (rule 6). Answers whether this node may. */
  promiseTo(identity: string, epoch: number): boolean {
    const { observation } = this;
    // A node that has just tried to take the Lease does not know whether it has.
    if (this.hold || this.unsure || observation?.holder !== identity || observation.epoch !== epoch) return false;
    this.promised = { until: this.ports.clock.now() + this.timing.silence, epoch };
    return true;
  }

  /** A promise is over when the one that it was given to has handed over. */
  promisedUntil(): Monotonic {
    const { observation, promised } = this;
    const handedOver = observation?.released === true && observation.epoch === promised.epoch;
    return handedOver ? -Infinity : promised.until;
  }

  /** Gives the Lease back, by way of a peer where the API server does not answer. From then on this node does not hold it, whatever the answer. */
  async release(preferredSuccessor: string): Promise<void> {
    // It would be in the way, or make this node the holder again.
    await this.writing;
    const { hold, object } = this;
    this.lose();
    if (!hold || !object) return;
    const { log, peers } = this.ports;
    try {
      await this.writeReleased(object.resourceVersion, hold.epoch, preferredSuccessor);
    } catch (error) {
      log("warning", "asking a peer to release the lease", { error: String(error) });
      const { identity } = this;
      const held = { identity, epoch: hold.epoch, version: object.resourceVersion };
      await peers.release(held, preferredSuccessor, relayTimeout);
    }
    log("info", "released the lease", { epoch: hold.epoch, preferredSuccessor });
    // This process may end next.
    await peers.leaseChanged(tellTimeout);
  }

  /**
   * Gives the Lease back for a peer that does not reach the API server, and has lost its hold already.
   * @throws when the Lease is not as that one last knew it: it may have been renewed since. Or the API server does not answer this node either
   */
  async releaseFor({ identity, epoch, version }: HeldLease, preferredSuccessor: string): Promise<void> {
    const found = await this.ports.kubernetes.readLease(callTimeout);
    if (found?.holder === "" && found.releasedEpoch === epoch) return;
    if (found?.holder !== identity || found.epoch !== epoch || found.resourceVersion !== version)
      throw new Error("the Lease has changed since its holder last read it");
    await this.writeReleased(found.resourceVersion, epoch, preferredSuccessor);
    this.ports.log("info", "released the lease for a peer", { identity, epoch, preferredSuccessor });
    this.changed();
  }

  private async writeReleased(resourceVersion: string, epoch: number, preferredSuccessor: string): Promise<void> {
    const { clock, kubernetes } = this.ports;
    const lease = { resourceVersion, holder: "", epoch, renewTime: clock.wallTime(), preferredSuccessor };
    this.saw(await kubernetes.updateLease({ ...lease, releasedEpoch: epoch }, callTimeout));
  }

  /** Stops renewing, and leaves the Lease as it is. @returns for how long others wait before they take it. Milliseconds */
  letRunOut(): number {
    this.lose();
    return this.timing.silence;
  }

  private lose(): void {
    this.hold = undefined;
    this.ports.watchdog.setDeadline(0);
  }

  private saw(object: LeaseObject | undefined): void {
    const before = this.observation;
    const unchanged =
      before !== undefined &&
      before.exists === (object !== undefined) &&
      this.object?.resourceVersion === object?.resourceVersion;
    this.object = object;
    this.unsure = false;
    this.observation = {
      exists: object !== undefined,
      version: object?.resourceVersion ?? "",
      holder: object?.holder ?? "",
      // Epochs of a deleted Lease are not forgotten by those who saw them.
      epoch: object?.epoch ?? before?.epoch ?? 0,
      preferredSuccessor: object?.preferredSuccessor ?? "",
      released: object !== undefined && object.holder === "" && object.releasedEpoch === object.epoch,
      seenAt: this.ports.clock.now(),
      unchangedSince: unchanged ? before.unchangedSince : this.ports.clock.now(),
    };
  }
}
