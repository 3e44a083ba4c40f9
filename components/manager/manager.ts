import { ManagerConfiguration } from "../core/managerConfiguration";
import { decide, Decision, EngineAction, leaseIsFree, volumeIsKept } from "./decide";
import { copyDefinitions } from "./definitions";
import { EngineKeeper } from "./engineKeeper";
import { Follower } from "./follower";
import { JoinDesk } from "./joinDesk";
import { Lanes } from "./lanes";
import { LeaseKeeper } from "./leaseKeeper";
import { OwnerKeeper } from "./ownerKeeper";
import { PeerStatus, Ports } from "./ports";
import { Following, Monotonic, PeerView, Refusal, View } from "./view";

/** The manager looks at the world this often. Milliseconds. */
export const tickMilliseconds = 200;

/** How often each thing is looked at, in milliseconds. Idle, a replica asks the API server 0.9 times a second and a primary once, its renewals included. */
const intervals = {
  rolesOfPrimary: 5000,
  rolesOfReplica: 30_000,
  ownerOfPrimary: 2000,
  ownerOfReplica: 10_000,
  ownerInDoubt: 1000,
  /** A request each: about $6.50 a month. */
  definitions: 2000,
  writeHeartbeat: 1000,
  readHeartbeat: 500,
  askPeers: 2000,
  join: 2000,
  /** A primary that died after it was asked has not written the marker. */
  joinAgain: 10_000,
};
const callTimeout = 1000;
const peerTimeout = 300;
const backoffAfterRelease = 2000;
const pauseAfterLostRace = 300;
const pauseAfterFailedLabel = 500;

/** Counters that `/metrics` shows. */
export interface Counters {
  promotions: number;
  failedPromotions: number;
  engineStarts: number;
  engineExits: number;
  fences: number;
  heartbeatFailures: number;
}

/** The shell around `decide`: it gathers the view, carries out what was decided, and remembers only what cannot be seen. */
export class Manager {
  readonly counters: Counters = {
    promotions: 0,
    failedPromotions: 0,
    engineStarts: 0,
    engineExits: 0,
    fences: 0,
    heartbeatFailures: 0,
  };
  /** When the loop last came round: a manager whose loop hangs is not healthy. */
  lastTick: Monotonic;
  /** Why nobody can become primary without help; empty while all is well. */
  alarm = "";
  private readonly lanes: Lanes;
  private readonly lease: LeaseKeeper;
  private readonly owner: OwnerKeeper;
  private readonly follower: Follower;
  private readonly engine: EngineKeeper;
  private readonly joins: JoinDesk;
  private peers: PeerView[] = [];
  private peersAskedAt: Monotonic = -Infinity;
  private leaseFreeSince: Monotonic | undefined;
  private refusal: Refusal | undefined;
  private stopping = false;
  private backoffUntil: Monotonic = -Infinity;
  private ownLabel: View["ownLabel"];
  private otherPrimaries: string[] = [];
  private beat = 0;
  private exited = false;

  constructor(
    private readonly configuration: ManagerConfiguration,
    private readonly pod: string,
    private readonly identity: string,
    private readonly ports: Ports,
  ) {
    const { clock, log } = ports;
    this.lastTick = clock.now();
    this.lanes = new Lanes(clock, log, lane => {
      if (lane === "engine" || lane === "lease") this.tick();
    });
    this.joins = new JoinDesk(ports, this.lanes);
    this.lease = new LeaseKeeper(configuration, identity, ports);
    this.owner = new OwnerKeeper(configuration, ports);
    this.follower = new Follower(ports, configuration.replicaSyncIntervalMicroseconds / 1000);
    this.engine = new EngineKeeper({
      configuration,
      pod,
      identity,
      ports,
      lease: this.lease,
      owner: this.owner,
      follower: this.follower,
      counters: this.counters,
      refuse: refusal => this.refuse(refusal),
      backOff: milliseconds => (this.backoffUntil = clock.now() + milliseconds),
      promoted: () => this.joins.begin(),
      changed: () => this.tick(),
    });
  }

  /** Runs until the process may end. */
  async run(): Promise<void> {
    await this.engine.readVolume();
    while (!this.exited) {
      this.tick();
      await this.ports.clock.sleep(tickMilliseconds);
    }
  }

  /** SIGTERM: leave in order. */
  requestStop(): void {
    if (!this.stopping) this.ports.log("info", "asked to stop", { role: this.engine.view.role });
    this.stopping = true;
  }

  /** A peer says that the Lease has changed. */
  leaseChanged(): void {
    this.lease.readSoon();
  }

  /** A replica asks for a flush and for its marker behind it. @throws when this node is not the primary */
  async joinReplica(marker: string): Promise<void> {
    if (this.engine.view.role !== "primary" || this.engine.handover) throw new Error("this node is not the primary");
    await this.joins.ask(marker);
  }

  /** What a peer is told. */
  peerStatus(): PeerStatus {
    const { state, role } = this.engine.view;
    const record = this.owner.stored?.record;
    const resumable = state === "stopped" && record !== undefined && volumeIsKept(this.engine.volume, record);
    const following = state === "running" && role === "replica" ? this.follower.state.following : "none";
    return { pod: this.pod, following, resumable, ...this.follower.position() };
  }

  /** Whether this pod may get traffic: a primary that is open, or a replica that follows. Never a matter of another node's health. */
  ready(): boolean {
    const { state, role } = this.engine.view;
    if (state !== "running" || this.refusal || this.stopping) return false;
    return role === "primary" || (role === "replica" && this.follower.state.following === "following");
  }

  /** Seconds since the last new heartbeat was read on a replica or written on a primary; undefined before the first. */
  heartbeatAgeSeconds(): number | undefined {
    const { beatSeenAt } = this.follower;
    return beatSeenAt === undefined ? undefined : (this.ports.clock.now() - beatSeenAt) / 1000;
  }

  /** All that `decide` looks at; also for metrics and diagnosis. It holds no secret. */
  view(): View {
    return {
      configuration: this.configuration,
      pod: this.pod,
      identity: this.identity,
      lease: this.lease.observation,
      hold: this.lease.hold,
      owner: this.owner.stored?.record,
      ownerReadAt: this.owner.readAt,
      volume: this.engine.volume,
      engine: this.engine.view,
      following: this.follower.state.following,
      position: this.follower.position(),
      peers: this.peers,
      peersAskedAt: this.peersAskedAt,
      leaseFreeSince: this.leaseFreeSince,
      promotion: this.engine.promotion,
      handover: this.engine.handover,
      refusal: this.refusal,
      stopping: this.stopping,
      backoffUntil: this.backoffUntil,
      startBackoffUntil: this.engine.startBackoffUntil,
      ownLabel: this.ownLabel,
      otherPrimaries: this.otherPrimaries,
    };
  }

  /** One look at the world and what follows from it. Never waits. */
  tick(): void {
    if (this.exited || !this.engine.volumeIsRead) return;
    const now = this.ports.clock.now();
    this.lastTick = now;
    this.observe(now);
    const decision = decide(this.view(), now);
    if (decision.fence && !this.lanes.isBusy("fence")) {
      const why = decision.fence;
      this.lanes.run("fence", () => this.engine.fence(why));
    }
    this.raise(decision.alarm);
    this.carryOutLease(decision.lease);
    this.carryOutLabel(decision.label);
    if (decision.engine) this.carryOutEngine(decision.engine);
  }

  private observe(now: Monotonic): void {
    this.watchVacancy(now);
    const { state, role, failures } = this.engine.view;
    const inDoubt = state === "stopped" || this.leaseFreeSince !== undefined || this.owner.stored === undefined;
    const writer = role !== "replica";

    this.lease.observe(now);
    const ownerInterval = inDoubt
      ? intervals.ownerInDoubt
      : writer
        ? intervals.ownerOfPrimary
        : intervals.ownerOfReplica;
    this.lanes.every(ownerInterval, "owner", () => this.readOwner());
    this.lanes.every(writer ? intervals.rolesOfPrimary : intervals.rolesOfReplica, "roles", () => this.readRoles());
    if (state === "running" && !this.engine.promotion && !this.engine.handover) {
      if (role === "primary") this.lanes.every(intervals.writeHeartbeat, "heartbeat", () => this.writeHeartbeat());
      if (role === "replica") this.lanes.every(intervals.readHeartbeat, "heartbeat", () => this.follower.read());
    }
    if (state === "running" && role === "primary" && !this.engine.handover) {
      this.joins.serve();
      this.lanes.every(intervals.definitions, "definitions", () =>
        copyDefinitions(this.ports.store, this.ports.log, callTimeout),
      );
    } else this.joins.turnAway();
    const unasked = this.leaseFreeSince !== undefined && this.peersAskedAt < this.leaseFreeSince;
    const inTrouble = this.lease.hold !== undefined && state === "stopped" && failures > 0;
    if (unasked || inTrouble) this.lanes.every(unasked ? 0 : intervals.askPeers, "peers", () => this.askPeers());
    const primary = this.lease.holderPod();
    const joining = state === "running" && this.follower.state.following === "joining" && !this.lease.hold;
    if (joining && primary !== undefined && primary !== this.pod) {
      const interval = this.follower.asked ? intervals.joinAgain : intervals.join;
      this.lanes.every(interval, "join", () => this.follower.join(primary));
    }
  }

  /** Since when the Lease is free to take; kept while this node has taken it, until it serves. */
  private watchVacancy(now: Monotonic): void {
    const held = this.lease.hold !== undefined;
    if (!held && leaseIsFree(this.view(), now)) this.leaseFreeSince ??= now;
    else if (!held || this.engine.view.role === "primary") this.leaseFreeSince = undefined;
  }

  private async readOwner(): Promise<void> {
    const refusal = await this.owner.read();
    if (refusal) this.refuse(refusal);
    else if (this.refusal && this.refusal.reason !== "UnsupportedEngine") {
      this.ports.log("info", "the refusal is over", { reason: this.refusal.reason });
      this.refusal = undefined;
    }
  }

  private refuse(refusal: Refusal): void {
    if (this.refusal?.message !== refusal.message) {
      this.ports.log("error", refusal.message, { reason: refusal.reason });
      this.ports.kubernetes.event("Warning", refusal.reason, refusal.message);
    }
    this.refusal = refusal;
  }

  private async readRoles(): Promise<void> {
    const roles = await this.ports.kubernetes.readRoles(callTimeout);
    if (this.lanes.isBusy("label")) return;
    const own = roles.get(this.pod);
    this.ownLabel = own === "primary" || own === "replica" ? own : "none";
    this.otherPrimaries = [...roles]
      .filter(([pod, role]) => pod !== this.pod && role === "primary")
      .map(([pod]) => pod);
  }

  private async writeHeartbeat(): Promise<void> {
    const { engine, clock } = this.ports;
    const epoch = this.lease.hold?.epoch;
    if (epoch === undefined) return;
    try {
      const generation = await engine.walGeneration();
      await engine.writeHeartbeat({ epoch, beat: ++this.beat, generation }, callTimeout);
      this.follower.beatSeenAt = clock.now();
    } catch (error) {
      this.counters.heartbeatFailures++;
      throw error;
    }
  }

  private async askPeers(): Promise<void> {
    const answers = await this.ports.peers.askAll(peerTimeout);
    this.peers = answers.map(peer => ({ ...peer, following: asFollowing(peer.following) }));
    this.peersAskedAt = this.ports.clock.now();
  }

  private raise(alarm = ""): void {
    if (alarm === this.alarm) return;
    this.alarm = alarm;
    if (alarm === "" || this.refusal) return;
    this.ports.log("error", alarm);
    this.ports.kubernetes.event("Warning", "NoCandidate", alarm);
  }

  private carryOutLease(action: Decision["lease"]): void {
    if (!action) return;
    this.lanes.run("lease", async () => {
      const { clock, log } = this.ports;
      const had = this.lease.hold;
      if (action.kind === "release") {
        log("warning", "gives the lease back", { why: action.why });
        this.backoffUntil = clock.now() + backoffAfterRelease;
        return this.lease.release("");
      }
      try {
        if (action.kind === "acquire") await this.lease.acquire(action.epoch);
        else await this.lease.renew();
      } finally {
        if (!this.lease.hold) this.backoffUntil = Math.max(this.backoffUntil, clock.now() + pauseAfterLostRace);
      }
      if (!had && this.lease.hold) log("info", "holds the lease", { epoch: this.lease.hold.epoch });
    });
  }

  private carryOutLabel(action: Decision["label"]): void {
    if (!action) return;
    this.lanes.run("label", async () => {
      const { kubernetes, clock } = this.ports;
      try {
        if (action.kind === "own") {
          await kubernetes.setRole(this.pod, action.role, callTimeout);
          this.ownLabel = action.role;
        } else {
          for (const pod of action.pods) await kubernetes.setRole(pod, "none", callTimeout);
          this.otherPrimaries = [];
        }
      } catch (error) {
        await clock.sleep(pauseAfterFailedLabel);
        throw error;
      }
    });
  }

  private carryOutEngine(action: EngineAction): void {
    switch (action.kind) {
      case "kill":
        // Does not queue behind the start or the step that it is meant to end.
        return this.engine.kill(action.why);
      case "exit":
        if (this.lanes.isBusy("engine", "lease")) return;
        this.exited = true;
        this.ports.log("info", "exits");
        return this.ports.exit(0);
      default:
        return this.lanes.run("engine", () => this.engine.carryOut(action));
    }
  }
}

function asFollowing(answer: string): Following | "none" {
  return answer === "joining" || answer === "following" || answer === "missed" ? answer : "none";
}
