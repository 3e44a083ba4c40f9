import { noCandidateWaitMilliseconds } from "../../components/manager/candidacy";
import type { SimulatedNode } from "./node";
import { lossIsNoticedWithin, promised, shippingLag, zombieMilliseconds } from "./promised";
import type { World } from "./world";

/** Faults that take a node away may cost what it had not sent, or had not been told to send. */
interface Span {
  /** Undefined: any. */
  pod: string | undefined;
  from: number;
  until: number;
}

/** After a fault is over its consequences take so long beside a Lease: a start is tried again, parked uploads are sent. Milliseconds. */
const aftermath = 4000;
const parkedUploads = 70_000;

/** Watches for two writers, and knows for which acknowledged writes there is an excuse to be lost. */
export class Promises {
  readonly violations: string[] = [];
  /** When a person has accepted that what never reached the bucket is given up. Virtual milliseconds. */
  lossAcceptedAt: number | undefined;
  /** A replica was excused for a row whose newest version its engine has passed over. */
  overtaken = false;
  /** When a node's mariadbd stopped answering, since when it had taken no writes, and when a node took writes again: until then it could have come back. */
  private readonly stops: { pod: string; at: number; closedAt: number; until: number }[] = [];
  private readonly closings = new Map<string, number>();
  private readonly thaws: { pod: string; at: number }[] = [];
  private readonly hungLoops = new Set<string>();
  private readonly departures: Span[] = [];
  private readonly cutOff: Span[] = [];

  constructor(private readonly world: World) {}

  /** A manager that hangs stops nothing; its watchdog ends the engine within a Lease. */
  private get leaseMilliseconds(): number {
    return 1000 * this.world.configuration.leaseDurationSeconds;
  }

  violated(text: string): void {
    this.world.say(`VIOLATION ${text}`);
    this.violations.push(text);
  }

  /** A node may not come back before another takes over: its volume is wiped then. In `interval` mode the writes that it has just acknowledged may be lost. */
  mayDepart(pod: string | undefined, forSeconds: number): void {
    const { now } = this.world.time;
    this.departures.push({ pod, from: now, until: now + forSeconds * 1000 + this.leaseMilliseconds + aftermath });
  }

  /** What a node writes does not get to the bucket, or not at once. */
  isCutOffFromBucket(pod: string | undefined, forSeconds: number): void {
    const { now } = this.world.time;
    this.cutOff.push({ pod, from: now, until: now + forSeconds * 1000 + parkedUploads });
  }

  stopped(node: SimulatedNode): void {
    const { now } = this.world.time;
    this.stops.push({ pod: node.pod, at: now, closedAt: this.closings.get(node.pod) ?? now, until: Infinity });
    this.closings.delete(node.pod);
  }

  /** Whether a node's mariadbd has ended since then. */
  hasStopped(node: SimulatedNode, since: number): boolean {
    return this.stops.some(({ pod, at }) => pod === node.pod && at >= since);
  }

  thawed(node: SimulatedNode): void {
    this.thaws.push({ pod: node.pod, at: this.world.time.now });
    this.world.time.after(zombieMilliseconds, () => this.oneWriter());
  }

  /** A manager's loop hangs: what it would stop goes on until its watchdog's deadline. */
  loopHangs(node: SimulatedNode): void {
    this.hungLoops.add(node.pod);
  }

  opened(node: SimulatedNode): void {
    for (const stop of this.stops) stop.until = Math.min(stop.until, this.world.time.now);
    this.closings.delete(node.pod);
    this.oneWriter();
  }

  /** A node has been told to take no writes. */
  closed(node: SimulatedNode): void {
    if (!this.closings.has(node.pod)) this.closings.set(node.pod, this.world.time.now);
  }

  /** A write has been acknowledged. */
  accepted(node: SimulatedNode): void {
    this.oneWriter(node);
  }

  /** No two nodes may accept writes at one time (rule 2): but one that thaws has a moment until its watchdog looks. */
  private oneWriter(accepting?: SimulatedNode): void {
    const { world } = this;
    const writers = world.nodes.filter(
      node =>
        node.alive && node.server?.open && !node.server.process?.frozen && !this.isZombie(node.pod, world.time.now),
    );
    if (writers.length > 1) this.violated(`two nodes accept writes: ${writers.map(node => node.pod).join(" and ")}`);
    else if (
      accepting &&
      writers.length === 1 &&
      writers[0] !== accepting &&
      !this.isZombie(accepting.pod, world.time.now)
    )
      this.violated(`${accepting.pod} acknowledges a write while ${writers[0]?.pod} is open`);
  }

  private isZombie(pod: string, at: number): boolean {
    return this.thaws.some(thaw => thaw.pod === pod && at >= thaw.at && at <= thaw.at + zombieMilliseconds);
  }

  /** Who cannot reach the bucket alone does not open its volume either. */
  private departs(pod: string, from: number, until: number): boolean {
    const alone = this.cutOff.filter(span => span.pod !== undefined);
    return [...this.departures, ...alone].some(
      span => (span.pod === undefined || span.pod === pod) && span.from <= until && span.until >= from,
    );
  }

  /** Whether a write that a pod acknowledged then may be lost. */
  mayBeLost(pod: string, sentAt: number, at: number): boolean {
    if (this.isZombie(pod, at) || (this.lossAcceptedAt !== undefined && at < this.lossAcceptedAt)) return true;
    const { durability, onNoCandidate, onObjectStoreOutage, maxDataLossSeconds } = this.world.configuration;
    const interval = durability !== "commit";
    return this.stops.some(stop => {
      if (stop.pod !== pod || stop.at < sentAt) return false;
      if (onNoCandidate === "promote" && stop.until - stop.at >= noCandidateWaitMilliseconds) return true;
      if (!this.departs(pod, stop.at, stop.until)) return false;
      if (interval && at > stop.closedAt - shippingLag) return true;
      const outage = this.cutOff.find(span => covers(span, pod, stop.at) && at > span.from - shippingLag);
      if (!outage) return false;
      const unstopped = this.hungLoops.has(pod) ? this.leaseMilliseconds : 0;
      const bound = interval ? 1000 * maxDataLossSeconds + lossIsNoticedWithin + unstopped : unstopped;
      return !promised.bucketOutage || onObjectStoreOutage === "continue" || at > stop.closedAt - bound;
    });
  }
}

function covers({ pod, from, until }: Span, of: string, at: number): boolean {
  return (pod === undefined || pod === of) && at >= from && at <= until;
}
