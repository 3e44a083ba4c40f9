import { ManagerConfiguration } from "../core/managerConfiguration";
import { leaseTiming } from "../core/leaseTiming";
import { leaseIsFree } from "./decide/candidacy";
import { noCounts } from "./base/counters";
import { intervals, tickMilliseconds } from "./base/intervals";
import { configuredPeers, KnownPeers } from "./peers/knownPeers";
import { Lanes } from "./base/lanes";
import { LeaseKeeper } from "./cluster/leaseKeeper";
import { Monotonic } from "./base/ports";
import { PodKeeper } from "./cluster/podKeeper";
import { Rollout } from "./cluster/rollout";
import { Troubles } from "./cluster/troubles";
import { Vacancy } from "./cluster/vacancy";
import { View } from "./decide/view";
import { decide, serves } from "./decide/decide";
import { EngineKeeper } from "./transitions/engineKeeper";
import { Executor } from "./transitions/executor";
import { EntryPusher } from "./peers/entryPusher";
import { FollowerWatch } from "./transitions/followerWatch";
import { Handover } from "./transitions/handover";
import { PeerDesk } from "./peers/peerDesk";
import { PeerWatch } from "./peers/peerWatch";
import { NodePorts } from "./transitions/nodePorts";
import { StoreKeeper } from "./transitions/storeKeeper";
import { Takeover } from "./transitions/takeover";
import { VolumeWatch } from "./transitions/volumeWatch";
import { WriterDuties } from "./transitions/writerDuties";

/** Pushed entries are applied as they come; the log is looked at this often beside. Milliseconds. */
const readLook = 50;
const unreadLook = 1000;
/** Somebody may mend what this node was refused for. Milliseconds. */
const refusedLook = 10_000;

/** The manager of a node: it gathers the view, carries out what was decided, and remembers only what cannot be seen. */
export class Manager {
  readonly counters = noCounts();
  lastTick: Monotonic;
  readonly peerDesk: PeerDesk;
  readonly store: StoreKeeper;
  readonly engine: EngineKeeper;
  readonly duties: WriterDuties;
  readonly pusher: EntryPusher;
  private readonly takeover: Takeover;
  private readonly followerWatch: FollowerWatch;
  private readonly volumeWatch: VolumeWatch;
  readonly lease: LeaseKeeper;
  private readonly lanes: Lanes;
  private readonly troubles: Troubles;
  private readonly pods: PodKeeper;
  private readonly rollout: Rollout;
  private readonly vacancy: Vacancy;
  private readonly known: KnownPeers;
  private readonly peerWatch: PeerWatch;
  private readonly executor: Executor;
  private stopping = false;
  private stoppedSince: Monotonic | undefined;

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
    this.pusher = new EntryPusher(
      clock,
      ports.pushEntry,
      () => configuredPeers(configuration, pod),
      (epoch, peer) => {
        if (epoch === this.engine.writing?.log.epoch) this.fence(`${peer} has read the end of epoch ${epoch}`);
      },
    );
    this.store = new StoreKeeper({
      configuration,
      pod,
      ports,
      sealed: error => this.fence(error.message),
      overdue: milliseconds => {
        // In `interval` nobody waits for the log but the flushes, which are made good when it is back.
        if (configuration.durability === "commit")
          this.engine.kill(`a commit has waited ${Math.round(milliseconds)} ms for the log`);
      },
      built: (...entry) => this.pusher.push(...entry),
      drafted: (epoch, bytes) => this.pusher.draft(epoch, bytes),
      durable: (epoch, position) => this.pusher.durable(epoch, position),
      mayTakeOver: () => this.takeover.mayGoOn(),
      progressed: () => this.engine.steps.progressed(),
      refuse: refusal => this.troubles.refuse(refusal),
    });
    const { lanes, store, counters, pods } = this;
    const stopping = () => this.stopping;
    const engine = (this.engine = new EngineKeeper({
      ports,
      lease: this.lease,
      store,
      counters,
      refuse: refusal => this.troubles.refuse(refusal),
      changed: () => this.tick(),
    }));
    const takeover = (this.takeover = new Takeover({ pod, ports, engine, store, counters, stopping }));
    const handover = new Handover({
      pod,
      ports,
      engine,
      store,
      lease: this.lease,
      backOff: milliseconds => this.executor.backOff(milliseconds),
      switchedOver: () => lanes.run("requests", () => pods.clearRequests()),
    });
    this.executor = new Executor({ ports, lanes, counters, lease: this.lease, pods, engine, takeover, handover });
    this.peerWatch = new PeerWatch(ports, lanes);
    this.followerWatch = new FollowerWatch({ ports, lanes, engine });
    this.volumeWatch = new VolumeWatch({ ports, lanes });
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
    while (!this.executor.exited) {
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
    const { engine, store, lease, pods, peerWatch } = this;
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
      peers: peerWatch.peers,
      peersAskedAt: peerWatch.askedAt,
      leaseFreeSince: this.vacancy.since,
      transition: engine.transition,
      refusal: this.troubles.refusal,
      stoppedSince: this.stoppedSince,
      stopping: this.stopping,
      replicaGoesFirst: this.rollout.waits(this.ports.clock.now()),
      leavesBy: this.rollout.leavesBy,
      updatedFollower: this.rollout.successor,
      backoffUntil: this.executor.backoffUntil,
      startBackoffUntil: engine.startBackoffUntil,
      promisedUntil: lease.promisedUntil(),
      bucketAnsweredAt: this.ports.bucket.answeredAt,
      bucketUnansweredSince: this.ports.bucket.unansweredSince,
      peerReachesSince: peerWatch.reachesSince,
      waiting: this.duties.waiting,
      canary: this.duties.canary,
      follower: this.followerWatch.health,
      volumeSilentLooks: this.volumeWatch.silentLooks,
      writesStopped: engine.writesStopped,
      restartDue: engine.restartDue,
      isItsTurn: peerWatch.isItsTurn,
      switchover: pods.switchover,
      ownLabel: pods.ownLabel,
      otherPrimaries: pods.otherPrimaries,
    };
  }

  /** One look at the world and what follows from it. Never waits. */
  tick(): void {
    if (this.executor.exited) return;
    const now = this.ports.clock.now();
    this.lastTick = now;
    this.observe(now);
    const decision = this.decideNext(this.view(), now);
    this.troubles.raise(decision.alarm);
    if (decision.failsafe)
      this.lanes.every(leaseTiming(this.configuration).failsafeEvery, "failsafe", () => this.askForConfirmation());
    this.executor.carryOut(decision);
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
    this.volumeWatch.observe();
    // Requests of the engine may have been given up while the bucket was away: what it did not send it does not send again.
    if (engine.restartWhenWell && this.duties.waiting === 0) {
      engine.restartWhenWell = false;
      engine.kill("the bucket is back, and some of the engine's uploads may have failed");
    }
    lanes.every(this.pods.interval(this.vacancy.since, lease.promisedUntil(), role), "pods", () => this.readPods());
    if (this.rollout.waits(now) && role === "primary")
      lanes.every(intervals.rollout, "rollout", () => this.rollout.look());
    this.peerWatch.observe(this.view(), now);
  }

  private fence(why: string): void {
    this.ports.log("error", "another node is the writer now", { error: why });
    this.counters.fences++;
    this.engine.kill(why);
  }

  /** Looks at what is new of the log, often: entries are applied as they are pushed. */
  private readLog(): void {
    const { engine, store } = this;
    if (
      engine.writing ||
      engine.transition ||
      this.executor.exited ||
      this.troubles.refusal?.reason === "UnsupportedEngine"
    )
      return;
    const every = this.troubles.refusal ? refusedLook : store.state ? readLook : unreadLook;
    if (store.isDue() || this.troubles.refusal)
      this.lanes.every(every, "log", async () => {
        await store.read();
        this.troubles.endRefusal();
      });
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

  /** The API server does not answer: all peers together stand in for it. */
  private async askForConfirmation(): Promise<void> {
    if (!(await this.lease.confirmByPeers(this.known.names()))) throw new Error("not all peers confirmed this primary");
    this.counters.confirmations++;
  }
}
