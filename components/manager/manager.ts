import { ManagerConfiguration } from "../core/managerConfiguration";
import { leaseTiming } from "../core/leaseTiming";
import { leaseIsFree } from "./decide/candidacy";
import { noCounts } from "./base/counters";
import { backoffAfterRelease, intervals, pauseAfterLostRace, peerTimeout, tickMilliseconds } from "./base/intervals";
import { configuredPeers, KnownPeers } from "./peers/knownPeers";
import { Lanes } from "./base/lanes";
import { LeaseKeeper } from "./cluster/leaseKeeper";
import { Monotonic, PeerStatus } from "./base/ports";
import { PodKeeper } from "./cluster/podKeeper";
import { Rollout } from "./cluster/rollout";
import { Troubles } from "./cluster/troubles";
import { Vacancy } from "./cluster/vacancy";
import { View } from "./decide/view";
import { decide, EngineAction, Decision, serves } from "./decide/decide";
import { peerThatReaches } from "./decide/leaseTurn";
import { EngineKeeper } from "./transitions/engineKeeper";
import { EntryPusher } from "./peers/entryPusher";
import { FollowerWatch } from "./transitions/followerWatch";
import { PeerDesk } from "./peers/peerDesk";
import { NodePorts } from "./transitions/nodePorts";
import { StoreKeeper } from "./transitions/storeKeeper";
import { WriterDuties } from "./transitions/writerDuties";

/** Pushed entries are applied as they come; the log is looked at this often beside. Milliseconds. */
const readLook = 50;
const unreadLook = 1000;
/** Somebody may mend what this node was refused for. Milliseconds. */
const refusedLook = 10_000;
/** A follower that is due for a restart asks the others this often whether it is its turn, and does not wait for them for longer. Milliseconds. */
const turnEvery = 2000;
const turnPatience = 120_000;

/** The manager of a node: it gathers the view, carries out what was decided, and remembers only what cannot be seen. */
export class Manager {
  readonly counters = noCounts();
  lastTick: Monotonic;
  readonly peerDesk: PeerDesk;
  readonly store: StoreKeeper;
  readonly engine: EngineKeeper;
  readonly duties: WriterDuties;
  readonly pusher: EntryPusher;
  private readonly followerWatch: FollowerWatch;
  readonly lease: LeaseKeeper;
  private readonly lanes: Lanes;
  private readonly troubles: Troubles;
  private readonly pods: PodKeeper;
  private readonly rollout: Rollout;
  private readonly vacancy: Vacancy;
  private readonly known: KnownPeers;
  private peers: PeerStatus[] = [];
  private peersAskedAt: Monotonic = -Infinity;
  private stopping = false;
  private exited = false;
  private stoppedSince: Monotonic | undefined;
  private backoffUntil: Monotonic = -Infinity;
  private dueSince: Monotonic | undefined;
  private isItsTurn = false;
  private toldOfStop = false;
  private peerReachesSince: Monotonic | undefined;

  constructor(
    private readonly configuration: ManagerConfiguration,
    private readonly pod: string,
    private readonly identity: string,
    private readonly ports: NodePorts,
    /** Another one only where it is tested what a rule is good for. */
    private readonly decideNext: typeof decide = decide,
  ) {
    const { clock, log } = ports;
    this.lastTick = clock.now();
    this.troubles = new Troubles(ports);
    this.lanes = new Lanes(clock, log, (lane, succeeded) => {
      if (succeeded && ["engine", "lease", "rollout", "peers", "pods"].includes(lane)) this.tick();
    });
    this.lease = new LeaseKeeper(configuration, identity, ports, () => this.tick());
    this.vacancy = new Vacancy(clock);
    this.pods = new PodKeeper(pod, ports);
    this.rollout = new Rollout(pod, ports, configuration.terminationGracePeriodSeconds);
    this.known = new KnownPeers(configuration, pod);
    this.pusher = new EntryPusher(clock, ports.pushEntry, () => configuredPeers(configuration, pod));
    this.store = new StoreKeeper({
      configuration,
      pod,
      ports,
      sealed: error => {
        log("error", "another node is the writer now", { error: error.message });
        this.counters.fences++;
        this.engine.kill(error.message);
      },
      overdue: milliseconds => {
        // In `interval` nobody waits for the log but the flushes, which are made good when it is back.
        if (configuration.durability === "commit")
          this.engine.kill(`a commit has waited ${Math.round(milliseconds)} ms for the log`);
      },
      built: (epoch, position, bytes) => this.pusher.push(epoch, position, bytes),
      drafted: (epoch, bytes) => this.pusher.draft(epoch, bytes),
      durable: (epoch, position) => this.pusher.durable(epoch, position),
      mayTakeOver: () => this.engine.mayTakeOver(),
      refuse: refusal => this.troubles.refuse(refusal),
    });
    this.engine = new EngineKeeper({
      configuration,
      pod,
      ports,
      lease: this.lease,
      store: this.store,
      counters: this.counters,
      refuse: refusal => this.troubles.refuse(refusal),
      stopping: () => this.stopping,
      backOff: milliseconds => (this.backoffUntil = clock.now() + milliseconds),
      switchedOver: () => this.lanes.run("requests", () => this.pods.clearRequests()),
      changed: () => this.tick(),
    });
    const { lanes, engine, store, counters } = this;
    this.followerWatch = new FollowerWatch({ ports, lanes, engine });
    this.duties = new WriterDuties({ configuration, ports, lanes, engine, store, counters });
    this.peerDesk = new PeerDesk({
      ports,
      lanes,
      lease: this.lease,
      store,
      vacancy: this.vacancy,
      view: () => this.view(),
      changed: () => this.tick(),
    });
  }

  /** Why nobody can become primary without help; empty while all is well. */
  get alarm(): string {
    return this.troubles.alarm;
  }

  /** Runs until the process may end. */
  async run(): Promise<void> {
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

  /** Whether this pod may get traffic: a primary that is open, or a replica that follows. */
  ready(): boolean {
    const { engine } = this;
    if (engine.view.state !== "running" || this.troubles.refusal) return false;
    if (engine.view.role === "primary") return serves(engine);
    return !this.stopping && engine.transition === undefined;
  }

  /** All that is decided upon; also for metrics and diagnosis. It holds no secret. */
  view(): View {
    const { engine, store, lease, pods } = this;
    const place = store.place;
    return {
      configuration: this.configuration,
      pod: this.pod,
      identity: this.identity,
      lease: lease.observation,
      hold: lease.hold,
      // The first seal begins the log, and nobody writes by it.
      owner: place && { epoch: place.epoch - 1 },
      log: place,
      engine: engine.view,
      following: engine.view.role === "replica" && engine.view.state === "running" ? "following" : "joining",
      peers: this.peers,
      peersAskedAt: this.peersAskedAt,
      leaseFreeSince: this.vacancy.since,
      transition: engine.transition,
      refusal: this.troubles.refusal,
      stoppedSince: this.stoppedSince,
      stopping: this.stopping,
      replicaGoesFirst: this.rollout.waits(this.ports.clock.now()),
      updatedFollower: this.rollout.successor,
      backoffUntil: this.backoffUntil,
      startBackoffUntil: engine.startBackoffUntil,
      promisedUntil: lease.promisedUntil(),
      bucketAnsweredAt: this.ports.bucket.answeredAt,
      peerReachesSince: this.peerReachesSince,
      waiting: this.duties.waiting,
      canary: this.duties.canary,
      follower: this.followerWatch.health,
      writesStopped: engine.writesStopped,
      restartDue: engine.restartDue,
      isItsTurn: this.isItsTurn,
      switchover: pods.switchover,
      ownLabel: pods.ownLabel,
      otherPrimaries: pods.otherPrimaries,
    };
  }

  /** One look at the world and what follows from it. Never waits. */
  tick(): void {
    if (this.exited) return;
    const now = this.ports.clock.now();
    this.lastTick = now;
    this.observe(now);
    const reaches = peerThatReaches(this.view(), now) !== undefined;
    this.peerReachesSince = reaches ? (this.peerReachesSince ?? now) : undefined;
    const decision = this.decideNext(this.view(), now);
    if (decision.fence && !this.lanes.isBusy("fence")) {
      const why = decision.fence;
      this.lanes.run("fence", () => this.engine.fence(why));
    }
    this.troubles.raise(decision.alarm);
    this.carryOutLease(decision.lease);
    if (decision.label) {
      const { label } = decision;
      this.lanes.run("label", () => this.pods.carryOut(label));
    }
    if (decision.failsafe)
      this.lanes.every(leaseTiming(this.configuration).failsafeEvery, "failsafe", () => this.askForConfirmation());
    if (decision.writes) this.carryOutWrites(decision.writes);
    else this.toldOfStop = false;
    if (decision.engine) this.carryOutEngine(decision.engine);
  }

  private observe(now: Monotonic): void {
    const { engine, lanes, lease } = this;
    const { state, role } = engine.view;
    this.watchVacancy(now);
    lease.observe(now);
    this.stoppedSince = state === "stopped" ? (this.stoppedSince ?? now) : undefined;
    if (engine.writing && state === "stopped" && !engine.transition) lanes.run("engine", () => engine.settle());
    this.readLog();
    this.duties.observe();
    this.followerWatch.observe();
    // Requests of the engine may have been given up while the bucket was away: what it did not send it does not send again.
    if (engine.restartWhenWell && this.duties.waiting === 0) {
      engine.restartWhenWell = false;
      engine.kill("the bucket is back, and some of the engine's uploads may have failed");
    }
    lanes.every(this.podsInterval, "pods", () => this.readPods());
    if (this.rollout.waits(now) && role === "primary")
      lanes.every(intervals.rollout, "rollout", () => this.rollout.look());
    this.askPeersWhenDue();
    const due = engine.restartDue !== "" && !lease.hold;
    this.dueSince = due ? (this.dueSince ?? now) : undefined;
    if (due) lanes.every(turnEvery, "turn", () => this.askForTurn());
    else this.isItsTurn = false;
  }

  /** Looks at what is new of the log, often: entries are applied as they are pushed. */
  private readLog(): void {
    const { engine, store } = this;
    if (engine.writing || engine.transition || this.exited || this.troubles.refusal?.reason === "UnsupportedEngine")
      return;
    const every = this.troubles.refusal ? refusedLook : store.state ? readLook : unreadLook;
    if (store.isDue() || this.troubles.refusal)
      this.lanes.every(every, "log", async () => {
        await store.read();
        this.troubles.endRefusal();
      });
  }

  private askPeersWhenDue(): void {
    const { lanes } = this;
    const { since } = this.vacancy;
    const { waiting } = this.duties;
    const unasked =
      (since !== undefined && this.peersAskedAt < since) ||
      this.peersAskedAt < (this.pods.switchover?.since ?? -Infinity);
    if (unasked) return lanes.every(0, "peers", () => this.askPeers());
    const inTrouble = this.lease.hold !== undefined && (waiting > 1000 || this.engine.view.state === "stopped");
    if (inTrouble) return lanes.every(intervals.askForHolder, "peers", () => this.askPeers());
    const leaves = this.stopping && this.engine.view.role === "primary";
    if (since !== undefined || leaves) lanes.every(intervals.askForHolder, "peers", () => this.askPeers());
  }

  private get podsInterval(): number {
    const { since } = this.vacancy;
    if (since !== undefined) return this.pods.readAt < since ? 0 : intervals.podsInDoubt;
    if (this.ports.clock.now() < this.lease.promisedUntil()) return intervals.podsInDoubt;
    return this.engine.view.role === "replica" ? intervals.podsOfReplica : intervals.podsOfPrimary;
  }

  /** Since when the Lease is free to take; kept while this node has taken it, until it serves. */
  private watchVacancy(now: Monotonic): void {
    const held = this.lease.hold !== undefined;
    const view = this.view();
    if (!held && view.lease && leaseIsFree(view, now)) this.vacancy.lasts();
    else if (!held || this.engine.view.role === "primary") this.vacancy.end();
  }

  private readPods(): Promise<void> {
    const { engine } = this;
    return this.pods.read({
      seen: pods => {
        this.vacancy.sawPods(pods, this.lease.observation);
        this.known.sawPods(pods);
      },
      engine: () => this.engine.view,
      labelIsBeingSet: () => this.lanes.isBusy("label"),
      mayHandOver: () =>
        engine.view.role === "primary" && engine.view.state === "running" && !engine.transition && !this.stopping,
    });
  }

  private async askPeers(): Promise<void> {
    this.peers = await this.ports.peers.askAll(peerTimeout);
    this.peersAskedAt = this.ports.clock.now();
  }

  /** One follower at a time is re-seeded, so that readers always have a node. */
  private async askForTurn(): Promise<void> {
    const primary = this.lease.holderPod();
    const peers = await this.ports.peers.askAll(peerTimeout);
    const waited = this.ports.clock.now() - (this.dueSince ?? Infinity);
    this.isItsTurn = isNextToRestart(this.pod, primary, peers, this.configuration.nodes) || waited > turnPatience;
  }

  /** The API server does not answer: all peers together stand in for it. */
  private async askForConfirmation(): Promise<void> {
    if (!(await this.lease.confirmByPeers(this.known.names()))) throw new Error("not all peers confirmed this primary");
    this.counters.confirmations++;
  }

  private carryOutLease(action: Decision["lease"]): void {
    if (!action) return;
    this.lanes.run("lease", async () => {
      const { clock, log } = this.ports;
      const had = this.lease.hold;
      if (action.kind === "release") {
        log("warning", "releasing the lease", { why: action.why });
        this.backoffUntil = clock.now() + backoffAfterRelease;
        return this.lease.release("");
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

  private carryOutWrites(action: NonNullable<Decision["writes"]>): void {
    this.lanes.run("writes", async () => {
      const { log, kubernetes } = this.ports;
      if (action.kind === "stop" && !this.toldOfStop) {
        this.toldOfStop = true;
        this.counters.writeStops++;
        log("error", "stopped accepting writes", { why: action.why });
        kubernetes.event("Warning", "WritesStopped", action.why);
      }
      await this.engine.setWrites(action.kind === "resume");
      if (action.kind === "resume") {
        log("info", "accepting writes again");
        kubernetes.event("Normal", "WritesResumed", "everything is in the log");
      }
    });
  }

  private carryOutEngine(action: EngineAction): void {
    const { engine, lanes, ports } = this;
    switch (action.kind) {
      case "kill":
        // Does not queue behind the start or the step that it is meant to end.
        return engine.kill(action.why, action.hung);
      case "refuseSwitchover":
        ports.log("error", "the switchover is refused", { why: action.why });
        ports.kubernetes.event("Warning", "SwitchoverRefused", action.why);
        return lanes.run("requests", () => this.pods.clearRequests());
      case "exit":
        if (lanes.isBusy("engine", "lease")) return;
        this.exited = true;
        ports.log("info", "exits");
        return ports.exit(0);
      case "follow":
        return lanes.run("engine", () => engine.follow(action.why));
      case "takeOver":
        return lanes.run("engine", () => engine.takeOver());
      case "handOver":
        return lanes.run("engine", () => engine.handOver(action.to, action.cutOff === true));
      case "leaveNothing":
        return lanes.run("engine", () => engine.leaveNothing());
    }
  }
}

/** Whether it is this follower's turn to restart: all others follow, so that they could take over, and none with a lower name is due as well. */
export function isNextToRestart(
  pod: string,
  primary: string | undefined,
  peers: readonly PeerStatus[],
  nodes: number,
): boolean {
  const others = peers.filter(peer => peer.pod !== primary);
  const isThere = others.length === nodes - 2 && others.every(({ following }) => following === "following");
  return isThere && !others.some(peer => peer.mustBeginAnew && peer.pod < pod);
}
