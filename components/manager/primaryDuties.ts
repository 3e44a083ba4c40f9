import { ManagerConfiguration } from "../core/managerConfiguration";
import { Audit, AuditFigures } from "./audit";
import { familyOf, nextCompactionAt, tableToCompact } from "./compaction";
import { isDropped, newestWal } from "./comparison";
import { copyDefinitions, MergedDefinitions } from "./definitions";
import { EngineKeeper } from "./engineKeeper";
import { followersAmong } from "./followers";
import { filesWithContent, Inventory, plainName } from "./inventory";
import { JoinDesk } from "./joinDesk";
import { KnownPeers } from "./knownPeers";
import { Lanes } from "./lanes";
import { LeaseKeeper } from "./leaseKeeper";
import { Counters } from "./counters";
import { BeforePromotion } from "./lateUploads";
import { Ports } from "./ports";
import { detourAfterMilliseconds, stillServes } from "./switchover";
import { nextHold, Pace, paceWindowMilliseconds, slicesOf } from "./throttle";
import { Monotonic, View } from "./view";

/** How often a primary does what, in milliseconds. */
const intervals = {
  /** Twice a second: its age on a replica is the live lag. */
  heartbeat: 500,
  ping: 500,
  /** Of the bucket: a small request each, $1 a month at one a second. */
  probe: 500,
  probeInCommitMode: 200,
  /** For what was not sent as it was written. A listing each: $1.30 a month. */
  definitions: 10_000,
  detour: 500,
  compaction: 30_000,
};
/** Rewriting a table may take long; it is not waited for by anything else. Milliseconds. */
const compactionTimeout = 10 * 60_000;
const callTimeout = 1000;
const probeTimeout = 1000;
const probeTimeoutInCommitMode = 500;
const pingTimeout = 700;
const peerTimeout = 300;
/** A heartbeat that is so late has the server asked whether it answers at all. Milliseconds. */
const heartbeatIsLate = 1000;

/** What the primary's side needs of the rest. */
export interface PrimaryDutiesOptions {
  configuration: ManagerConfiguration;
  pod: string;
  ports: Ports;
  lanes: Lanes;
  lease: LeaseKeeper;
  engine: () => EngineKeeper;
  counters: Counters;
  /** When the bucket's record was last read. */
  ownerReadAt: () => Monotonic;
  /** A heartbeat was written. */
  onHeartbeat: () => void;
}

/** What a primary does beside serving: it writes heartbeats, knows what the bucket has of its data, lets replicas join, and looks whether its engine is well. */
export class PrimaryDuties {
  readonly peers: KnownPeers;
  readonly audit: Audit;
  private readonly joins: JoinDesk;
  private readonly merged: MergedDefinitions;
  private detour: View["detour"];
  /** How far it had followed when it was promoted. */
  private sequence: number | undefined;
  private beat = 0;
  private beatWritten = 0;
  private beatWrittenAt: Monotonic = -Infinity;
  private beatInBucket = 0;
  /** Pings in a row that the server did not answer. */
  private unanswered = 0;
  /** Of the WAL, as the last heartbeat says. */
  private generation: number | undefined;
  /** The share of each second for which commits are held back. */
  hold = 0;
  private generations: { at: Monotonic; generation: number }[] = [];
  private compactedAt: Monotonic = -Infinity;
  private readonly notCompactedBefore = new Map<string, Monotonic>();

  constructor(private readonly options: PrimaryDutiesOptions) {
    const { configuration, pod, ports, lanes } = options;
    this.peers = new KnownPeers(configuration, pod);
    const { lease } = options;
    this.audit = new Audit(ports, ports.log, () => (lease.hold?.deadline ?? -Infinity) > ports.clock.now());
    this.joins = new JoinDesk(ports, lanes);
    this.merged = new MergedDefinitions(ports);
  }

  /**
   * This node has become the primary.
   * @param before undefined on the last primary's own volume
   */
  begin(before: BeforePromotion | undefined): void {
    this.joins.begin();
    this.audit.begin(before);
    this.sequence = before?.sequence;
    this.beatInBucket = 0;
    this.beatWrittenAt = this.options.ports.clock.now();
    this.unanswered = 0;
    this.hold = 0;
    this.generations = [];
    this.generation = undefined;
    this.detour = undefined;
  }

  /** Numbers only grow, from one primary to the next. */
  continueBeats(after: number): void {
    this.beat = Math.max(this.beat, after);
  }

  nextBeat(): number {
    return ++this.beat;
  }

  /** What `decide` looks at. */
  view(now: Monotonic): Pick<View, "bucket" | "canary" | "detour"> {
    const { role, state } = this.options.engine().view;
    if (role !== "primary" || state !== "running") return { detour: this.detour };
    return {
      bucket: this.audit.view(now),
      canary: {
        silent: now - this.beatWrittenAt,
        walIdle: now - Math.max(this.audit.grewAt, this.beatWrittenAt),
        unanswered: this.unanswered,
      },
      detour: this.detour,
    };
  }

  /** Starts what is due. */
  observe(now: Monotonic): void {
    const { lanes, ports, engine } = this.options;
    const { role, state } = engine().view;
    // The flush of a promotion, and that of a handover, may merge, too.
    if (role !== "replica" && state === "running") this.merged.begin();
    else this.merged.stop();
    if (!this.watches) {
      this.lookForDetour(this.engineHasDied ? this.options.ownerReadAt() : undefined, now);
      return this.joins.turnAway();
    }
    lanes.every(intervals.heartbeat, "heartbeat", () => this.writeHeartbeat());
    if (now - this.beatWrittenAt > heartbeatIsLate) lanes.every(intervals.ping, "ping", () => this.ping());
    lanes.every(intervals.definitions, "definitions", () => copyDefinitions(ports.store, ports.log, callTimeout));
    this.joins.serve(this.audit.isDisordered);
    this.watchBucket(now);
    lanes.run("pace", () => this.keepPace());
    if (this.options.configuration.compactAtSstables > 0 && !engine().handover)
      lanes.every(intervals.compaction, "compaction", () => this.compact());
  }

  /** A replica asks for a flush and for its marker behind it. @throws when this node is not the primary */
  async joinReplica(marker: string, pod: string): Promise<void> {
    this.peers.join(pod);
    this.mustServe();
    this.audit.expectInterference();
    await this.joins.ask(marker);
  }

  /** Flushes, not close to a flush for replicas that join. @param before what is to be waited for once no such flush can come */
  flushBetweenJoins(before: () => Promise<void>, timeoutMilliseconds: number): Promise<void> {
    return this.joins.flushBetween(before, timeoutMilliseconds);
  }

  /** What this primary has, for followers. @throws when this node is not the primary */
  async inventory(): Promise<Inventory> {
    const epoch = this.mustServe();
    const { inherited } = this.options.engine();
    const files = filesWithContent(await this.options.ports.volume.sstableFiles()).filter(
      name => !isDropped(name, inherited),
    );
    const { removedFor } = this.audit;
    return {
      epoch,
      beat: this.beatInBucket,
      files: files.map(plainName),
      ...(removedFor !== undefined && { removedFor }),
      ...(this.sequence !== undefined && { sequence: this.sequence }),
    };
  }

  /** What the bucket lacks, on a primary that has compared. */
  notInBucket(): (AuditFigures & { oldestSeconds: number }) | undefined {
    const { figures } = this.audit;
    const { ports, engine } = this.options;
    if (!figures || engine().view.role !== "primary") return undefined;
    return { ...figures, oldestSeconds: this.audit.view(ports.clock.now()).unconfirmed / 1000 };
  }

  /** Rule 6: the API server does not answer. */
  async askForConfirmation(): Promise<void> {
    const { lease, counters, ports } = this.options;
    const pods = this.peers.names();
    if (!(await lease.confirmByPeers(pods))) throw new Error("not all peers confirmed this primary");
    counters.confirmations++;
    ports.log("warning", "the peers confirmed this primary while the API server does not answer", { pods });
  }

  /** Only where the WAL is sent as it grows can its uploads overlap. */
  private get roundTrip(): number {
    return this.options.configuration.durability === "interval" ? this.audit.roundTrip : 0;
  }

  private get probeTimeout(): number {
    return this.options.configuration.durability === "commit" ? probeTimeoutInCommitMode : probeTimeout;
  }

  private mustServe(): number {
    const { view, handover } = this.options.engine();
    const epoch = this.options.lease.hold?.epoch;
    if (view.role !== "primary" || !stillServes(handover) || epoch === undefined)
      throw new Error("this node is not the primary");
    return epoch;
  }

  private watchBucket(now: Monotonic): void {
    const { configuration, lanes, engine } = this.options;
    const commit = configuration.durability === "commit";
    lanes.every(commit ? intervals.probeInCommitMode : intervals.probe, "bucket", async () => {
      const { beatWritten } = this;
      await this.audit.probe(this.probeTimeout);
      if (this.audit.view(now).unconfirmed === 0) this.beatInBucket = beatWritten;
    });
    this.lookForDetour(this.audit.view(now).failingSince, now);
    if (this.audit.isDue(now))
      lanes.run("audit", async () => {
        await engine().forgetRevived();
        await this.audit.compare(engine().inherited);
      });
  }

  /** A holder cannot open its volume without the bucket. */
  private get engineHasDied(): boolean {
    const { engine, lease } = this.options;
    return lease.hold !== undefined && engine().view.state === "stopped";
  }

  private lookForDetour(failingSince: Monotonic | undefined, now: Monotonic): void {
    if (failingSince === undefined || now - failingSince <= detourAfterMilliseconds / 2) this.detour = undefined;
    else this.options.lanes.every(intervals.detour, "detour", () => this.findDetour());
  }

  /** Is the bucket gone for all, or for this node alone? One that is slow for all must not look well by way of a peer: both ways get the same time. */
  private async findDetour(): Promise<void> {
    const { peers, clock } = this.options.ports;
    const followers = followersAmong(await peers.askAll(peerTimeout));
    const before = this.detour;
    for (const { pod } of followers) {
      const reached = await peers
        .detour(pod)
        .readEngineEpoch(this.probeTimeout)
        .then(
          () => true,
          () => false,
        );
      if (!reached) continue;
      const now = clock.now();
      this.detour = { pod, since: before?.pod === pod ? before.since : now, until: now };
      return;
    }
    this.detour = undefined;
  }

  /** Holds writers back before a follower can miss a generation of the WAL, or the bound of the loss is reached. Goes on while it has to. */
  private async keepPace(): Promise<void> {
    const { ports, configuration } = this.options;
    const bound = configuration.durability === "threshold" ? Infinity : configuration.maxDataLossSeconds * 1000;
    do {
      const pace = this.pace();
      if (pace === undefined) return;
      const before = this.hold;
      this.hold = nextHold(before, pace, bound);
      if (this.hold === 0) return;
      if (before === 0)
        ports.log("warning", "holding back commits so that the bucket and the followers keep up", { ...pace });
      const { held, open } = slicesOf(this.hold, pace);
      await ports.engine.holdCommits(held);
      await ports.clock.sleep(open);
    } while (this.watches);
  }

  private pace(): Pace | undefined {
    const now = this.options.ports.clock.now();
    const { generation, roundTrip } = this;
    if (generation === undefined) return undefined;
    this.generations = [...this.generations, { at: now, generation }].filter(
      ({ at }) => now - at <= paceWindowMilliseconds,
    );
    const rotations = generation - (this.generations[0]?.generation ?? generation);
    const { unconfirmed, failingSince } = this.audit.view(now);
    return { rotations, unconfirmed, bucketAnswers: failingSince === undefined, roundTrip };
  }

  /** Whether this node is the primary and serves. */
  private get watches(): boolean {
    const { view, handover } = this.options.engine();
    return view.state === "running" && view.role === "primary" && stillServes(handover);
  }

  /** Merges the SSTables of a table that only grows. Not before every follower has passed the generation of the WAL that they come from. */
  private async compact(): Promise<void> {
    const { ports, configuration, counters } = this.options;
    const { figures } = this.audit;
    const threshold = configuration.compactAtSstables;
    if (!figures || figures.objects > 0 || Math.max(0, ...figures.sstables.values()) < threshold) return;
    const generation = await ports.engine.walGeneration();
    const followers = await ports.peers.askAll(peerTimeout);
    if (followers.some(peer => peer.following !== "following" || peer.generation < generation)) return;
    const tables = await ports.engine.compactableTables(callTimeout);
    const began = ports.clock.now();
    const table = tableToCompact(figures.sstables, tables, threshold, this.notCompactedBefore, this.compactedAt, began);
    if (!table) return;
    const family = familyOf(table);
    this.compactedAt = began;
    this.notCompactedBefore.set(family, nextCompactionAt(began, compactionTimeout));
    await ports.engine.compact(table, compactionTimeout);
    const milliseconds = ports.clock.now() - began;
    this.notCompactedBefore.set(family, nextCompactionAt(ports.clock.now(), milliseconds));
    counters.compactions++;
    ports.log("info", "compacted a table", { ...table, sstables: figures.sstables.get(family), milliseconds });
  }

  private async ping(): Promise<void> {
    try {
      await this.options.ports.engine.ping(pingTimeout);
      this.unanswered = 0;
    } catch (error) {
      this.unanswered++;
      throw error;
    }
  }

  private async writeHeartbeat(): Promise<void> {
    const { ports, lease, counters, onHeartbeat } = this.options;
    const epoch = lease.hold?.epoch;
    if (epoch === undefined) return;
    const beat = this.nextBeat();
    try {
      // Its own since the promotion's flush: the files tell, and the server need not be asked.
      const generation = newestWal(await ports.volume.walFiles())?.generation ?? 0;
      await ports.engine.writeHeartbeat({ epoch, beat, generation }, callTimeout);
      this.generation = generation;
    } catch (error) {
      counters.heartbeatFailures++;
      throw error;
    }
    this.beatWritten = beat;
    this.beatWrittenAt = ports.clock.now();
    this.unanswered = 0;
    onHeartbeat();
  }
}
