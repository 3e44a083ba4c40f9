import type { EngineModel } from "./engine";
import type { Process } from "./network";
import type { SimulatedNode } from "./node";
import { lossIsNoticedWithin, shippingLag, zombieMilliseconds } from "./promised";
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

/** A commit that was acknowledged so long before its node was lost has been told to the others: a look at the WAL, a few milliseconds on the network, some more while another push is on its way. */
const toldWithin = 100;
/** Where nothing was wrong for so long, every push has come. Milliseconds. */
const calmFor = 2000;

/** An engine that ended while nothing was wrong with the network or the other nodes. */
interface CalmEnd {
  pod: string;
  at: number;
  engine: EngineModel;
  /** Processes of the others. */
  others: Map<string, Process>;
}

/** Watches for two writers, and knows for which acknowledged writes there is an excuse to be lost. In `commit` nothing is excused, a zombie's last words neither: its epoch is sealed. */
export class Promises {
  readonly violations: string[] = [];
  /** When a node's mariadbd stopped answering, since when it had taken no writes, and when a node took writes again: until then it could have come back. */
  private readonly stops: { pod: string; at: number; closedAt: number; until: number }[] = [];
  private readonly closings = new Map<string, number>();
  private readonly thaws: { pod: string; at: number }[] = [];
  private readonly hungLoops: { pod: string; from: number; until: number }[] = [];
  private readonly departures: Span[] = [];
  private readonly cutOff: Span[] = [];
  private calmEnd: CalmEnd | undefined;

  constructor(private readonly world: World) {}

  private get leaseMilliseconds(): number {
    return 1000 * this.world.configuration.leaseDurationSeconds;
  }

  violated(text: string): void {
    this.world.say(`VIOLATION ${text}`);
    this.violations.push(text);
  }

  /** A node may not come back before another takes over. In `interval` the writes that it has just acknowledged may be lost. */
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
    this.noteCalmEnd(node);
  }

  private noteCalmEnd(node: SimulatedNode): void {
    const { pod, server } = node;
    const { nodes, network, time, configuration } = this.world;
    const engine = server?.model;
    if (!engine?.isPrimary || configuration.durability === "commit") return;
    // What is frozen ended when that began, also when it thaws and finds that another has taken over.
    const justThawed = this.thaws.some(thaw => thaw.pod === pod && time.now - thaw.at <= zombieMilliseconds);
    if (server?.process?.frozen || justThawed) return;
    // So did what has a volume that hangs: its manager cannot read the WAL, and so tells nobody of what was acknowledged just before. Nor has it told all in the first moment after.
    if (!node.volumeHasAnsweredFor(toldWithin)) return;
    const others = nodes.filter(other => other.pod !== pod);
    const hung = this.hungLoops.some(loop => loop.pod === pod);
    this.calmEnd = undefined;
    if (hung || network.calmFor < calmFor || !others.every(other => other.hasFollowedFor(calmFor))) return;
    const processes = others.flatMap(other => (other.process ? [[other.pod, other.process] as const] : []));
    this.calmEnd = { pod, at: time.now, engine, others: new Map(processes) };
  }

  /** Whether a node's mariadbd has ended since then. */
  hasStopped(node: SimulatedNode, since: number): boolean {
    return this.stops.some(({ pod, at }) => pod === node.pod && at >= since);
  }

  thawed(node: SimulatedNode): void {
    this.thaws.push({ pod: node.pod, at: this.world.time.now });
    this.world.time.after(zombieMilliseconds, () => this.oneWriter());
  }

  /** A manager's loop hangs: it ships nothing, and its engine acknowledges in `interval` until the watchdog ends it. */
  loopHangs(node: SimulatedNode): void {
    const from = this.world.time.now - shippingLag;
    this.hungLoops.push({ pod: node.pod, from, until: from + this.leaseMilliseconds + shippingLag });
  }

  opened(node: SimulatedNode): void {
    for (const stop of this.stops) stop.until = Math.min(stop.until, this.world.time.now);
    this.closings.delete(node.pod);
    this.oneWriter();
    this.judgeTold(node);
  }

  /** Whoever takes over from a node that was lost while all else was well has what that had told the others. */
  private judgeTold({ pod, process }: SimulatedNode): void {
    const { calmEnd } = this;
    this.calmEnd = undefined;
    const { judge } = this.world;
    if (!calmEnd || calmEnd.pod === pod || !process || process !== calmEnd.others.get(pod)) return;
    const missing = judge.commits.oldestMissing(calmEnd.engine, block => judge.has(block));
    if (!missing || missing.at > calmEnd.at - toldWithin) return;
    const before = Math.round(calmEnd.at - missing.at);
    this.violated(`${pod} opens without a commit that ${calmEnd.pod} had acknowledged ${before} ms before its end`);
  }

  /** A node has been told to take no writes. */
  closed(node: SimulatedNode): void {
    if (!this.closings.has(node.pod)) this.closings.set(node.pod, this.world.time.now);
  }

  /** A write has been acknowledged. */
  accepted(node: SimulatedNode): void {
    this.oneWriter(node);
  }

  /** No two nodes may accept writes at one time: but one that thaws has a moment until its watchdog looks. */
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

  /**
   * Whether a write that a pod acknowledged then may be lost: never in `commit`. In `interval` there are four excuses, each an entry of docs/failover-limits.md: a frozen process that thaws, for the
   * milliseconds until its watchdog runs; a manager whose loop hangs, up to its Lease; the last moment of a node that others took over from before it was back; and, of one that had no bucket
   * meanwhile, what `maxDataLossSeconds` allows, or all of it with `onObjectStoreOutage: "continue"`.
   */
  mayBeLost(pod: string, sentAt: number, at: number): boolean {
    const { durability, onObjectStoreOutage, maxDataLossSeconds } = this.world.configuration;
    if (durability === "commit") return false;
    if (this.isZombie(pod, at)) return true;
    if (this.hungLoops.some(loop => loop.pod === pod && at >= loop.from && at <= loop.until)) return true;
    return this.stops.some(stop => {
      if (stop.pod !== pod || stop.at < sentAt || !this.departs(pod, stop.at, stop.until)) return false;
      if (at > stop.closedAt - shippingLag) return true;
      const outage = this.cutOff.find(span => covers(span, pod, stop.at) && at > span.from - shippingLag);
      if (!outage) return false;
      const unstopped = this.hungLoops.some(loop => loop.pod === pod) ? this.leaseMilliseconds : 0;
      const bound = 1000 * maxDataLossSeconds + lossIsNoticedWithin + unstopped;
      return onObjectStoreOutage === "continue" || at > stop.closedAt - bound;
    });
  }
}

function covers({ pod, from, until }: Span, of: string, at: number): boolean {
  return (pod === undefined || pod === of) && at >= from && at <= until;
}
