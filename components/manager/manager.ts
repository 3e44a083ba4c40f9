import { ManagerConfiguration } from "../core/managerConfiguration";
import { leaseTiming } from "../core/leaseTiming";
import { leaseIsFree, volumeIsKept } from "./candidacy";
import { noCounts } from "./counters";
import { decide, Decision, EngineAction } from "./decide";
import { EngineKeeper } from "./engineKeeper";
import { Follower } from "./follower";
import { backoffAfterRelease, intervals, pauseAfterLostRace, peerTimeout, tickMilliseconds } from "./intervals";
import { compareEvery } from "./inventory";
import { Lanes, text } from "./lanes";
import { LeaseKeeper } from "./leaseKeeper";
import { isNextToBeginAnew } from "./orphans";
import { OwnerKeeper } from "./ownerKeeper";
import { PodKeeper } from "./podKeeper";
import { BeforePromotion } from "./lateUploads";
import { PeerDesk } from "./peerDesk";
import { Ports } from "./ports";
import { PrimaryDuties } from "./primaryDuties";
import { Rollout } from "./rollout";
import { stillServes } from "./switchover";
import { Troubles } from "./troubles";
import { Vacancy } from "./vacancy";
import { EngineView, Following, Monotonic, PeerView, View } from "./view";

/** The shell around `decide`: it gathers the view, carries out what was decided, and remembers only what cannot be seen. */
export class Manager {
  readonly counters = noCounts();
  /** When the loop last came round: a manager whose loop hangs is not healthy. */
  lastTick: Monotonic;
  /** What peers ask of this node. */
  readonly peerDesk: PeerDesk;
  private readonly lanes: Lanes;
  private readonly troubles: Troubles;
  private readonly lease: LeaseKeeper;
  private readonly owner: OwnerKeeper;
  private readonly follower: Follower;
  private readonly engine: EngineKeeper;
  private readonly duties: PrimaryDuties;
  private readonly pods: PodKeeper;
  private readonly rollout: Rollout;
  private peers: PeerView[] = [];
  private peersAskedAt: Monotonic = -Infinity;
  private readonly vacancy: Vacancy;
  private stopping = false;
  private stoppedSince: Monotonic | undefined;
  private backoffUntil: Monotonic = -Infinity;
  private exited = false;
  private toldOfStop = false;

  constructor(
    private readonly configuration: ManagerConfiguration,
    private readonly pod: string,
    private readonly identity: string,
    private readonly ports: Ports,
    /** Another one only where it is tested what a rule is good for. */
    private readonly decideNext: typeof decide = decide,
  ) {
    const { clock, log } = ports;
    this.lastTick = clock.now();
    this.troubles = new Troubles(ports);
    this.lanes = new Lanes(clock, log, (lane, succeeded) => {
      // A bucket that has failed stops the writes of `commit` mode before the engine gives up waiting for it.
      const matters = succeeded ? ["engine", "lease", "owner", "rollout", "peers", "pods"] : ["bucket"];
      if (matters.includes(lane)) this.tick();
    });
    this.lease = new LeaseKeeper(configuration, identity, ports, () => this.tick());
    this.vacancy = new Vacancy(clock, configuration.leaseMarginSeconds);
    this.owner = new OwnerKeeper(configuration, ports);
    this.follower = new Follower(ports, configuration.replicaSyncIntervalMicroseconds / 1000);
    this.pods = new PodKeeper(pod, ports);
    this.rollout = new Rollout(pod, ports, configuration.terminationGracePeriodSeconds);
    this.duties = new PrimaryDuties({
      configuration,
      pod,
      ports,
      lanes: this.lanes,
      lease: this.lease,
      engine: () => this.engine,
      counters: this.counters,
      ownerReadAt: () => this.owner.readAt,
      onHeartbeat: () => (this.follower.beatSeenAt = clock.now()),
    });
    this.engine = new EngineKeeper({
      configuration,
      pod,
      identity,
      ports,
      lease: this.lease,
      owner: this.owner,
      follower: this.follower,
      counters: this.counters,
      refuse: refusal => this.troubles.refuse(refusal),
      backOff: milliseconds => (this.backoffUntil = clock.now() + milliseconds),
      hurries: () => this.rollout.hurries,
      wantedSuccessor: () => this.pods.switchover?.to,
      sendEverything: () => this.duties.audit.sendEverything(this.engine.inherited),
      sendThrough: pod => this.duties.audit.sendEverything(this.engine.inherited, this.ports.peers.detour(pod)),
      switchedOver: () => this.endRequest(),
      lossAccepted: () => this.pods.lossAccepted,
      duties: this.duties,
      silentMilliseconds: () => this.vacancy.silentMilliseconds(),
      pollMayHangMilliseconds: () =>
        this.vacancy.pollMayHangMilliseconds(this.follower.beatSeenAt, this.owner.failedAt),
      promoted: before => this.begin(before),
      changed: () => this.tick(),
    });
    const { lanes, lease, owner, follower, engine, duties } = this;
    this.peerDesk = new PeerDesk({
      ports,
      lanes,
      lease,
      owner,
      follower,
      engine,
      duties,
      vacancy: this.vacancy,
      view: () => this.view(),
      ready: () => this.ready(),
      changed: () => this.tick(),
    });
  }

  /** Why nobody can become primary without help; empty while all is well. */
  get alarm(): string {
    return this.troubles.alarm;
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
    this.rollout.begin();
    this.tick();
  }

  /** Whether this pod may get traffic: a primary that is open, or a replica that follows. Never a matter of another node's health. */
  ready(): boolean {
    const { state, role } = this.engine.view;
    if (state !== "running" || this.troubles.refusal) return false;
    if (role === "primary") return stillServes(this.engine.handover);
    // A follower serves its readers until it is the primary.
    const leaves = this.stopping || this.engine.handover !== undefined || this.engine.view.onKeptVolume;
    return !leaves && this.follower.state.following === "following";
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
      mustBeginAnew: this.follower.mustBeginAnew,
      peers: this.peers,
      peersAskedAt: this.peersAskedAt,
      leaseFreeSince: this.vacancy.since,
      holderReturns: this.vacancy.holderReturns,
      promotion: this.engine.promotion,
      handover: this.engine.handover,
      refusal: this.troubles.refusal,
      stopping: this.stopping,
      wipes: this.engine.wipes,
      stoppedSince: this.stoppedSince,
      hurries: this.rollout.hurries,
      replicaGoesFirst: this.rollout.waits(this.ports.clock.now()),
      promisedUntil: this.lease.promisedUntil(),
      ...this.duties.view(this.ports.clock.now()),
      writesStopped: this.engine.writesStopped,
      switchover: this.pods.switchover,
      lossAccepted: this.pods.lossAccepted,
      backoffUntil: this.backoffUntil,
      startBackoffUntil: this.engine.startBackoffUntil,
      ownLabel: this.pods.ownLabel,
      otherPrimaries: this.pods.otherPrimaries,
    };
  }

  /** The share of the time for which commits are held back on this primary. */
  hold(): number {
    return this.duties.hold;
  }

  /** What the bucket lacks, on a primary that has compared. */
  notInBucket() {
    return this.duties.notInBucket();
  }

  /** One look at the world and what follows from it. Never waits. */
  tick(): void {
    if (this.exited || !this.engine.volumeIsRead) return;
    const now = this.ports.clock.now();
    this.lastTick = now;
    this.observe(now);
    const decision = this.decideNext(this.view(), now);
    if (decision.fence && !this.lanes.isBusy("fence")) {
      const why = decision.fence;
      this.lanes.run("fence", () => this.engine.fence(why));
    }
    this.troubles.raise(decision.alarm);
    this.carryOutLease(decision.lease);
    this.carryOutLabel(decision.label);
    if (decision.failsafe)
      this.lanes.every(leaseTiming(this.configuration).failsafeEvery, "failsafe", () =>
        this.duties.askForConfirmation(),
      );
    if (decision.writes) this.carryOutWrites(decision.writes);
    else this.toldOfStop = false;
    if (decision.engine) this.carryOutEngine(decision.engine);
  }

  private observe(now: Monotonic): void {
    this.watchVacancy(now);
    const { state, role, failures } = this.engine.view;
    const inDoubt = state === "stopped" || this.vacancy.since !== undefined || this.owner.stored === undefined;
    const writer = role !== "replica";

    this.lease.observe(now);
    const ownerInterval = inDoubt
      ? intervals.ownerInDoubt
      : writer
        ? intervals.ownerOfPrimary
        : intervals.ownerOfReplica;
    this.lanes.every(ownerInterval, "owner", () => this.readOwner());
    this.lanes.every(this.podsInterval, "pods", () => this.readPods());
    this.duties.observe(now);
    if (state === "running" && role === "replica" && !this.engine.promotion)
      this.lanes.every(intervals.readHeartbeat, "heartbeat", () => this.follower.read());
    if (this.rollout.isInDoubt && role === "primary")
      this.lanes.every(intervals.rollout, "rollout", () => this.rollout.look());
    const unasked = this.vacancy.since !== undefined && this.peersAskedAt < this.vacancy.since;
    if (this.vacancy.since !== undefined && this.vacancy.holderReturns)
      this.lanes.every(intervals.askForHolder, "peers", () => this.askPeers());
    const inTrouble = this.lease.hold !== undefined && state === "stopped" && failures > 0;
    this.stoppedSince = state === "stopped" ? (this.stoppedSince ?? now) : undefined;
    const acceptedInVain = this.pods.lossAccepted && this.vacancy.since === undefined;
    if ((this.stoppedSince !== undefined && !this.stopping) || acceptedInVain)
      this.lanes.every(intervals.askForPrimary, "peers", () => this.askPeers());
    const asksFor = this.peersAskedAt < (this.pods.switchover?.since ?? -Infinity);
    if (asksFor) this.lanes.every(0, "peers", () => this.askPeers());
    if (unasked || inTrouble) this.lanes.every(unasked ? 0 : intervals.askPeers, "peers", () => this.askPeers());
    const primary = this.lease.holderPod();
    this.compareWithPrimary(primary);
    if (this.follower.mustBeginAnew && this.follower.state.following === "following" && !this.lease.hold)
      this.lanes.every(intervals.orphans, "orphans", () => this.beginAnewInTurn());
    const joining = state === "running" && this.follower.state.following === "joining" && !this.lease.hold;
    if (joining && primary !== undefined && primary !== this.pod) {
      const interval = this.follower.asked ? intervals.joinAgain : intervals.join;
      this.lanes.every(interval, "join", () => this.follower.join(primary));
    }
  }

  private get podsInterval(): number {
    const vacantSince = this.vacancy.since;
    if (vacantSince !== undefined) return this.pods.readAt < vacantSince ? 0 : intervals.podsInDoubt;
    // It may be gone for the API server, and not know it.
    if (this.ports.clock.now() < this.lease.promisedUntil()) return intervals.podsInDoubt;
    if (this.pods.lossAccepted) return intervals.podsInDoubt;
    return this.engine.view.role === "replica" ? intervals.podsOfReplica : intervals.podsOfPrimary;
  }

  private compareWithPrimary(primary: string | undefined): void {
    const { state, role } = this.engine.view;
    const { following } = this.follower.state;
    if (state !== "running" || role !== "replica" || this.lease.hold || following === "missed") return;
    if (primary === undefined || primary === this.pod || (following === "joining" && !this.follower.asked)) return;
    this.lanes.every(compareEvery[following], "inventory", () => this.follower.compare(primary));
  }

  /** One follower at a time is re-seeded: the others could take over meanwhile. */
  private async beginAnewInTurn(): Promise<void> {
    const peers = await this.ports.peers.askAll(peerTimeout);
    if (
      this.follower.mustBeginAnew &&
      isNextToBeginAnew(this.pod, this.lease.holderPod(), peers, this.configuration.nodes)
    )
      this.follower.beginAnew();
  }

  /** Since when the Lease is free to take; kept while this node has taken it, until it serves. */
  private watchVacancy(now: Monotonic): void {
    const held = this.lease.hold !== undefined;
    if (!held && leaseIsFree(this.view(), now)) this.vacancy.lasts(this.lease.observation);
    else if (!held || this.engine.view.role === "primary") this.vacancy.end();
  }

  private async readOwner(): Promise<void> {
    const refusal = await this.owner.read();
    if (refusal) this.troubles.refuse(refusal);
    else if (this.troubles.refusal?.reason !== "UnsupportedEngine") this.troubles.endRefusal();
  }

  private readPods(): Promise<void> {
    const serves = ({ role, state }: EngineView) => role === "primary" && state === "running";
    return this.pods.read({
      seen: pods => {
        this.vacancy.sawPods(pods, this.lease.observation);
        this.duties.peers.sawPods(pods);
      },
      engine: () => this.engine.view,
      labelIsBeingSet: () => this.lanes.isBusy("label"),
      mayHandOver: () => serves(this.engine.view) && !this.stopping,
      anotherServes: () => this.anotherServes(),
    });
  }

  /** Asked for while an accepted loss waits, and the Lease is held: by one that is being promoted, or serves already. */
  private anotherServes(): boolean {
    const isHeard = this.ports.clock.now() - this.peersAskedAt < 2 * intervals.askForPrimary + peerTimeout;
    return this.vacancy.since === undefined && isHeard && this.peers.some(({ serves }) => serves);
  }

  private endRequest(): void {
    this.lanes.run("requests", () => this.pods.clearRequests());
  }

  /** This node has become the primary. */
  private begin(before: BeforePromotion | undefined): void {
    this.duties.begin(before);
    this.pods.lossAccepted = false;
  }

  private async askPeers(): Promise<void> {
    const answers = await this.ports.peers.askAll(peerTimeout);
    this.peers = answers.map(peer => ({ ...peer, following: asFollowing(peer.following) }));
    this.peersAskedAt = this.ports.clock.now();
  }

  private carryOutLease(action: Decision["lease"]): void {
    if (!action) return;
    this.lanes.run("lease", async () => {
      const { clock, log } = this.ports;
      const had = this.lease.hold;
      if (action.kind === "release") {
        log("warning", "releasing the lease", { why: action.why });
        this.backoffUntil = clock.now() + backoffAfterRelease;
        if (await this.leaveNothingBehind()) return this.lease.release("");
        // Who takes over had better know that something may be missing.
        return void (this.backoffUntil += this.lease.letRunOut());
      }
      if (action.kind === "letRunOut") {
        log("error", "letting the lease expire", { why: action.why });
        this.backoffUntil = clock.now() + this.lease.letRunOut();
        return;
      }
      try {
        if (action.kind === "acquire") await this.lease.acquire(action.epoch);
        else await this.lease.renew();
      } finally {
        if (!this.lease.hold) this.backoffUntil = Math.max(this.backoffUntil, clock.now() + pauseAfterLostRace);
      }
      if (!had && this.lease.hold) log("info", "took the lease", { epoch: this.lease.hold.epoch });
    });
  }

  /** A last primary that lets another take over: what only its volume holds goes to the bucket first. Answers whether the bucket has everything. */
  private async leaveNothingBehind(): Promise<boolean> {
    const record = this.owner.stored?.record;
    if (!record || !volumeIsKept(this.engine.volume, record) || this.engine.view.state !== "stopped") return true;
    try {
      await this.duties.audit.sendEverything(this.engine.inherited);
      return true;
    } catch (error) {
      this.ports.log("error", "not everything could be uploaded", { error: text(error) });
      return false;
    }
  }

  private carryOutWrites(action: NonNullable<Decision["writes"]>): void {
    this.lanes.run("writes", async () => {
      const { log, kubernetes } = this.ports;
      // Told once: where commits wait for the bucket, they are waited for again and again.
      if (action.kind === "stop" && !this.toldOfStop) {
        this.toldOfStop = true;
        this.counters.writeStops++;
        log("error", "stopped accepting writes", { why: action.why });
        kubernetes.event("Warning", "WritesStopped", action.why);
      }
      await this.engine.setWrites(action.kind === "resume");
      if (action.kind === "resume") {
        log("info", "accepting writes again");
        kubernetes.event("Normal", "WritesResumed", "everything is in the bucket");
      }
    });
  }

  private carryOutLabel(action: Decision["label"]): void {
    if (!action) return;
    this.lanes.run("label", () => this.pods.carryOut(action));
  }

  private carryOutEngine(action: EngineAction): void {
    switch (action.kind) {
      case "kill":
        // Does not queue behind the start or the step that it is meant to end.
        return action.hung ? this.engine.killHung(action.why) : this.engine.kill(action.why);
      case "refuseSwitchover":
        this.ports.log("error", "the switchover is refused", { why: action.why });
        this.ports.kubernetes.event("Warning", "SwitchoverRefused", action.why);
        return this.endRequest();
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
