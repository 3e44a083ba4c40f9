import { Monotonic, PeerStatus, PodGone, PodRecord, Ports } from "../base/ports";

const callTimeout = 1000;
const askTimeout = 400;
/** Leaving in order takes two to four seconds where it was measured. Seconds. */
const tooShort = 5;
/** A pod that the API server does not know any more, or of whose end it knows nothing, is killed so long after it was told to go, as far as it can tell. Seconds. */
const graceWithoutRecord = 2;
/** For so long after it was told to go a primary finds out why. Milliseconds. */
const mostDoubt = 2000;
/** A replaced replica follows after 5 to 10 s where it was measured. A third of the grace period at most: what is left of it belongs to the handover. Milliseconds. */
const mostPatience = 45_000;
/** A follower that is restarted on an aligned volume follows again within a second or two. Milliseconds. */
const mostJoining = 5000;
/** Who has just started makes its next empty server within 5 s where it was measured: a primary that can go waits so long for a successor that has one. Milliseconds. */
const mostPreparation = 8000;

/**
 * In a rolling update Kubernetes replaces pods from the highest number down, wherever the primary is. A primary that is told to go before any replica was replaced would hand over to one that has to go, too:
 * clients would notice two pauses. It has a replica replaced instead while it serves on, and hands over to that one.
 */
export class Rollout {
  private since: Monotonic | undefined;
  private looked = false;
  private mayLeave = false;
  /** When it could have gone first, had a successor been prepared. */
  private couldLeaveSince: Monotonic | undefined;
  /** The replica that was sent ahead. */
  private ahead: string | undefined;
  private graceSeconds: number;

  constructor(
    private readonly pod: string,
    private readonly ports: Pick<Ports, "clock" | "kubernetes" | "peers" | "log">,
    terminationGracePeriodSeconds: number,
  ) {
    this.graceSeconds = terminationGracePeriodSeconds;
  }

  /** SIGTERM. */
  begin(): void {
    this.since ??= this.ports.clock.now();
  }

  /** When this pod is killed, as far as is known; undefined: it was not told to go. */
  get leavesBy(): Monotonic | undefined {
    return this.since === undefined ? undefined : this.since + 1000 * this.graceSeconds;
  }

  /** A follower that has been replaced already, and will not be again: a handover to another would be followed by a second one. Undefined outside a rolling update. */
  successor: string | undefined;

  /** Whether a primary that was told to go had better wait. */
  waits(now: Monotonic): boolean {
    if (this.since === undefined || this.mayLeave) return false;
    const patience = Math.min(mostPatience, (this.graceSeconds * 1000) / 3);
    return now - this.since < (this.looked ? patience : mostDoubt);
  }

  /** Looks where the update is, and sends a replica ahead where that saves a pause. */
  async look(): Promise<void> {
    try {
      const pods = await this.ports.kubernetes.readPods(callTimeout);
      const own = pods.find(({ name, leaving }) => name === this.pod && leaving);
      if (!own) return this.hurry(graceWithoutRecord);
      this.graceSeconds = own.leavesWithinSeconds ?? this.graceSeconds;
      if (this.graceSeconds <= tooShort) return this.hurry(this.graceSeconds);
      if (this.mayLeave) return;
      const revision = await this.ports.kubernetes.updateRevision(callTimeout);
      // Kubernetes deletes the first pod before it says why.
      if (revision === undefined) return;
      const followers = (await this.ports.peers.askAll(askTimeout)).filter(
        ({ following }) => following === "following",
      );
      if (await this.isReady(revision, pods, followers)) this.mayLeave = this.isPrepared(followers);
      this.looked = true;
    } catch (error) {
      if (error instanceof PodGone) return this.hurry(graceWithoutRecord);
      // Better two pauses than a handover that is late.
      this.mayLeave = this.ahead === undefined;
      throw error;
    }
  }

  /** This pod is gone already for the API server, or about to be: it is killed within seconds. */
  private hurry(graceSeconds: number): void {
    this.graceSeconds = graceSeconds;
    this.mayLeave = true;
  }

  /** Whether it may wait for a follower still. */
  private isPatient(): boolean {
    const now = this.ports.clock.now();
    return now - (this.since ?? now) < mostJoining;
  }

  /** Whether whoever takes over could do so at once, or has been waited for long enough. A primary that waits still serves. */
  private isPrepared(followers: PeerStatus[]): boolean {
    const { successor } = this;
    const able = followers.filter(({ pod }) => successor === undefined || pod === successor);
    const now = this.ports.clock.now();
    this.couldLeaveSince ??= now;
    return able.length === 0 || able.some(({ prepared }) => prepared) || now - this.couldLeaveSince >= mostPreparation;
  }

  private async isReady(revision: string, pods: PodRecord[], followers: PeerStatus[]): Promise<boolean> {
    const { kubernetes, log } = this.ports;
    const isUpdated = (name: string) => pods.some(pod => pod.name === name && pod.revision === revision);
    if (revision === "" || isUpdated(this.pod)) return true;
    const updated = followers.filter(({ pod }) => isUpdated(pod));
    this.successor = (updated.find(({ prepared }) => prepared) ?? updated[0])?.pod;
    if (this.successor !== undefined) return true;
    if (this.ahead !== undefined) return false;
    // Who is left must be able to take over while the other is away.
    const staying = pods.filter(({ leaving }) => !leaving).map(({ name }) => name);
    const [next, ...others] = followers
      .map(({ pod }) => pod)
      .filter(pod => staying.includes(pod))
      .sort(byOrdinal);
    // One that is being restarted follows again within a moment.
    const joins = staying.length > 1 + others.length && this.isPatient();
    if (next === undefined || others.length === 0) return !joins;
    this.ahead = next;
    log("info", "letting a replica be replaced first, and serving meanwhile", { replica: next, revision });
    await kubernetes.deletePod(next, callTimeout);
    return false;
  }
}

/** The highest first, as Kubernetes would have it. */
function byOrdinal(a: string, b: string): number {
  const ordinal = (pod: string) => Number(pod.slice(pod.lastIndexOf("-") + 1));
  return ordinal(b) - ordinal(a);
}
