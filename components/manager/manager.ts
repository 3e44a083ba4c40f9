import { ManagerConfiguration } from "../core/managerConfiguration";
import { decide, Decision, EngineAction, leaseIsFree, volumeIsKept } from "./decide";
import { FollowState, followed, joined, notFollowing } from "./following";
import { handoverStep } from "./handover";
import { LeaseKeeper } from "./leaseKeeper";
import { PeerStatus, Ports } from "./ports";
import { PromotionContext, promotionStep } from "./promotion";
import {
  EngineView,
  HandoverProgress,
  Monotonic,
  OwnerRecord,
  PromotionProgress,
  Refusal,
  View,
  VolumeRecord,
} from "./view";

/** The manager looks at the world this often. Milliseconds. */
export const tickMilliseconds = 200;

/** How often each thing is looked at, in milliseconds. Idle, a replica asks the API server 0.9 times a second and a primary 1.0 times, its renewals included. */
const intervals = {
  roles: 5000,
  replicaRoles: 30_000,
  ownerOfPrimary: 2000,
  ownerOfReplica: 10_000,
  ownerInDoubt: 1000,
  writeHeartbeat: 1000,
  readHeartbeat: 500,
  askPeers: 2000,
  join: 2000,
  /** A primary that died after it was asked has not written the marker. */
  joinAgain: 10_000,
};
const callTimeout = 1000;
/** A replica reads each manifest and WAL object before it answers: minutes on a large bucket. Milliseconds. */
const startTimeout = 10 * 60_000;
const resumeTimeout = 2 * 60_000;
const stopTimeout = 60_000;
const peerTimeout = 300;
const backoffAfterFailure = 2000;
/** Clients of a writer that is fenced get this long to be told, where the deadline leaves so much. Milliseconds. */
const leastCourtesy = 150;
const mostCourtesy = 250;
const pauseAfterLostRace = 300;
const pauseAfterFailedLabel = 500;
const longestStartBackoff = 30_000;
/** TideSQL of this version or later stores tables that are made after a promotion; earlier ones lose them without an error. */
export const leastEngineVersion = "4.5.7";

/** Counters and gauges that `/metrics` shows. */
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
  private readonly lease: LeaseKeeper;
  private readonly busy = new Set<string>();
  private readonly lastRun = new Map<string, Monotonic>();
  private volume: VolumeRecord | undefined;
  private owner: { record: OwnerRecord; etag: string } | undefined;
  private ownerReadAt: Monotonic = -Infinity;
  private engine: EngineView = { state: "stopped", role: "replica", onKeptVolume: false, failures: 0 };
  private follow: FollowState = notFollowing;
  private joinAsked = false;
  private beat = 0;
  private beatSeenAt: Monotonic | undefined;
  private peers: View["peers"] = [];
  private peersAskedAt: Monotonic = -Infinity;
  private leaseFreeSince: Monotonic | undefined;
  private promotion: (PromotionProgress & { context: PromotionContext }) | undefined;
  private handover: HandoverProgress | undefined;
  private refusal: Refusal | undefined;
  private stopping = false;
  private backoffUntil: Monotonic = -Infinity;
  private startBackoffUntil: Monotonic = -Infinity;
  private ownLabel: View["ownLabel"];
  private otherPrimaries: string[] = [];
  private lastAlarm = "";
  private exited = false;
  /** When the loop last came round: a manager that does not is not healthy. */
  lastTick: Monotonic;

  constructor(
    private readonly configuration: ManagerConfiguration,
    private readonly pod: string,
    private readonly identity: string,
    private readonly ports: Ports,
  ) {
    this.lastTick = ports.clock.now();
    this.lease = new LeaseKeeper(configuration, identity, ports);
    ports.engine.onExit(how => this.engineExited(how));
  }

  /** Runs until the process may end. */
  async run(): Promise<void> {
    this.volume = await this.ports.volume.read();
    while (!this.exited) {
      this.tick();
      await this.ports.clock.sleep(tickMilliseconds);
    }
  }

  /** SIGTERM: leave in order. */
  requestStop(): void {
    if (!this.stopping) this.ports.log("info", "asked to stop", { role: this.engine.role });
    this.stopping = true;
  }

  /** A peer says that the Lease has changed. */
  leaseChanged(): void {
    this.lease.readSoon();
  }

  /** A replica asks for a flush and for its marker behind it. @throws when this node is not the primary. */
  async joinReplica(marker: string): Promise<void> {
    if (this.engine.role !== "primary" || this.handover) throw new Error("this node is not the primary");
    await this.ports.engine.flush(30_000);
    await this.ports.engine.writeMarker(marker, 5000);
  }

  /** What a peer is told. */
  peerStatus(): PeerStatus {
    const resumable = this.engine.state === "stopped" && this.keepsVolume();
    const following =
      this.engine.state === "running" && this.engine.role === "replica" ? this.follow.following : "none";
    return { pod: this.pod, following, resumable, ...this.position() };
  }

  /** The whole view, for metrics and diagnosis. It holds no secret. */
  view(): View {
    return {
      configuration: this.configuration,
      pod: this.pod,
      identity: this.identity,
      lease: this.lease.observation,
      hold: this.lease.hold,
      owner: this.owner?.record,
      ownerReadAt: this.ownerReadAt,
      volume: this.volume ?? { volumeId: "" },
      engine: this.engine,
      following: this.follow.following,
      position: this.position(),
      peers: this.peers,
      peersAskedAt: this.peersAskedAt,
      leaseFreeSince: this.leaseFreeSince,
      promotion: this.promotion,
      handover: this.handover,
      refusal: this.refusal,
      stopping: this.stopping,
      backoffUntil: this.backoffUntil,
      startBackoffUntil: this.startBackoffUntil,
      ownLabel: this.ownLabel,
      otherPrimaries: this.otherPrimaries,
    };
  }

  /** Whether this pod may get traffic: a primary that is open, or a replica that follows. Never a matter of another node's health. */
  ready(): boolean {
    const { state, role } = this.engine;
    if (state !== "running" || this.refusal || this.stopping) return false;
    return role === "primary" || (role === "replica" && this.follow.following === "following");
  }

  /** Seconds since the last new heartbeat was read on a replica or written on a primary; undefined before the first. */
  heartbeatAgeSeconds(): number | undefined {
    return this.beatSeenAt === undefined ? undefined : (this.ports.clock.now() - this.beatSeenAt) / 1000;
  }

  private position() {
    return { epoch: this.follow.last?.epoch ?? 0, beat: this.follow.last?.beat ?? 0 };
  }

  private keepsVolume(): boolean {
    return this.volume !== undefined && this.owner !== undefined && volumeIsKept(this.volume, this.owner.record);
  }

  /** One look at the world and what follows from it. Never waits. */
  tick(): void {
    if (this.exited || !this.volume) return;
    const now = this.ports.clock.now();
    this.lastTick = now;
    this.observe(now);
    const decision = decide(this.view(), now);
    if (decision.fence) this.fence(decision.fence);
    this.raiseAlarm(decision.alarm);
    this.carryOutLease(decision.lease);
    this.carryOutLabel(decision.label);
    if (decision.engine) this.carryOutEngine(decision.engine);
  }

  // ---- Observing -------------------------------------------------------------------------------------------------------------------------------------

  private observe(now: Monotonic): void {
    this.watchVacancy(now);
    const { engine } = this;
    const inDoubt = engine.state === "stopped" || this.leaseFreeSince !== undefined || this.owner === undefined;
    const serving = engine.role !== "replica";

    this.lease.observe(now);
    this.every(
      inDoubt ? intervals.ownerInDoubt : serving ? intervals.ownerOfPrimary : intervals.ownerOfReplica,
      "owner",
      () => this.readOwner(),
    );
    this.every(serving ? intervals.roles : intervals.replicaRoles, "roles", () => this.readRoles());
    if (engine.state === "running" && !this.promotion && !this.handover) {
      if (engine.role === "primary") this.every(intervals.writeHeartbeat, "heartbeat", () => this.writeHeartbeat());
      if (engine.role === "replica") this.every(intervals.readHeartbeat, "heartbeat", () => this.readHeartbeat());
    }
    const vacancyUnasked = this.leaseFreeSince !== undefined && this.peersAskedAt < this.leaseFreeSince;
    const inTrouble = this.lease.hold !== undefined && engine.state === "stopped" && engine.failures > 0;
    if (vacancyUnasked || inTrouble)
      this.every(vacancyUnasked ? 0 : intervals.askPeers, "peers", () => this.askPeers());
    const primary = this.lease.holderPod();
    const joining = engine.state === "running" && this.follow.following === "joining" && !this.lease.hold;
    if (joining && primary !== undefined && primary !== this.pod) {
      this.every(this.joinAsked ? intervals.joinAgain : intervals.join, "join", () => this.join(primary));
    }
  }

  /** Since when the Lease is free to take; kept while this node takes it, until it serves. */
  private watchVacancy(now: Monotonic): void {
    const free = this.lease.hold === undefined && leaseIsFree(this.view(), now);
    if (free) this.leaseFreeSince ??= now;
    else if (this.lease.hold === undefined || this.engine.role === "primary") this.leaseFreeSince = undefined;
  }

  /** Starts `work` when the last run began at least `interval` ago and has ended. */
  private every(interval: number, name: string, work: () => Promise<void>): void {
    const now = this.ports.clock.now();
    if (this.busy.has(name) || now - (this.lastRun.get(name) ?? -Infinity) < interval) return;
    this.lastRun.set(name, now);
    this.lane(name, work);
  }

  /** Runs `work` alone in its lane; when it ends the node looks again at once. */
  private lane(name: string, work: () => Promise<void>): void {
    if (this.busy.has(name)) return;
    this.busy.add(name);
    work()
      .then(
        () => true,
        (error: unknown) => {
          this.ports.log("warning", `${name} failed`, { error: message(error) });
          return false;
        },
      )
      .then(succeeded => {
        this.busy.delete(name);
        if (succeeded && (name === "engine" || name === "lease")) this.tick();
      })
      .catch((error: unknown) => this.ports.log("error", "the tick failed", { error: message(error) }));
  }

  private async readOwner(): Promise<void> {
    const { store, log } = this.ports;
    let found = await store.readOwner(callTimeout);
    if (!found) found = await this.claimBucket();
    if (!found) return;
    if (found.record.databaseId !== this.configuration.databaseId) {
      const { bucket, prefix } = this.configuration.objectStore;
      this.refuse({
        reason: "ForeignData",
        message: `s3://${bucket}/${prefix} belongs to database ${found.record.databaseId}, this one is ${this.configuration.databaseId}: give this database another prefix, or set databaseId to attach that data`,
      });
      return;
    }
    if (this.refusal) log("info", "the refusal is over", { reason: this.refusal.reason });
    if (this.refusal?.reason !== "UnsupportedEngine") this.refusal = undefined;
    this.setOwner(found);
  }

  /** Writes the first owner's record into an empty prefix, before any engine has touched it. */
  private async claimBucket() {
    const { store, log } = this.ports;
    const { bucket, prefix } = this.configuration.objectStore;
    if ((await store.list(4 * callTimeout)).length > 0) {
      const appeared = await store.readOwner(callTimeout);
      if (!appeared)
        this.refuse({
          reason: "UnknownData",
          message: `s3://${bucket}/${prefix} holds data without an owner's record: it is not overwritten. Give this database an empty prefix`,
        });
      return appeared;
    }
    if (!(await store.supportsConditionalWrites(4 * callTimeout))) {
      const { endpoint } = this.configuration.objectStore;
      this.refuse({
        reason: "NoConditionalWrites",
        message: `${endpoint} ignores If-None-Match: two primaries could not be told apart`,
      });
      return undefined;
    }
    const record: OwnerRecord = {
      databaseId: this.configuration.databaseId,
      epoch: 0,
      holder: "",
      volumeId: "",
      clean: false,
    };
    log("info", "claimed an empty prefix", { bucket, prefix });
    return { record, etag: await store.writeOwner(record, undefined, callTimeout) };
  }

  private refuse(refusal: Refusal): void {
    if (this.refusal?.message !== refusal.message) {
      this.ports.log("error", refusal.message, { reason: refusal.reason });
      this.ports.kubernetes.event("Warning", refusal.reason, refusal.message);
    }
    this.refusal = refusal;
  }

  private setOwner(owner: { record: OwnerRecord; etag: string }): void {
    this.owner = owner;
    this.ownerReadAt = this.ports.clock.now();
  }

  private async readRoles(): Promise<void> {
    const roles = await this.ports.kubernetes.readRoles(callTimeout);
    if (this.busy.has("label")) return;
    this.ownLabel = asRole(roles.get(this.pod));
    this.otherPrimaries = [...roles]
      .filter(([pod, role]) => pod !== this.pod && role === "primary")
      .map(([pod]) => pod);
  }

  private async readHeartbeat(): Promise<void> {
    const { engine, clock } = this.ports;
    const marker = this.volume?.volumeId ?? "";
    const heartbeat = await engine.readHeartbeat(callTimeout);
    if (this.engine.state !== "running" || this.engine.role !== "replica") return;
    if (heartbeat?.beat !== this.follow.last?.beat || heartbeat?.epoch !== this.follow.last?.epoch)
      this.beatSeenAt = clock.now();
    this.follow = followed(this.follow, heartbeat);
    if (this.follow.following === "joining" && this.joinAsked && (await engine.hasMarker(marker, callTimeout))) {
      await clock.sleep((2 * this.configuration.replicaSyncIntervalMicroseconds) / 1000);
      if (this.engine.state !== "running" || this.volume?.volumeId !== marker) return;
      this.follow = joined(heartbeat);
      this.ports.log("info", "follows the primary", { ...heartbeat });
    }
  }

  private async writeHeartbeat(): Promise<void> {
    const { engine, clock } = this.ports;
    const epoch = this.lease.hold?.epoch;
    if (epoch === undefined) return;
    const beat = { epoch, beat: this.beat + 1, generation: await engine.walGeneration() };
    try {
      await engine.writeHeartbeat(beat, callTimeout);
      this.beat = beat.beat;
      this.beatSeenAt = clock.now();
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

  private async join(primary: string): Promise<void> {
    const marker = this.volume?.volumeId ?? "";
    await this.ports.peers.join(primary, marker, 35_000);
    if (this.volume?.volumeId === marker) this.joinAsked = true;
  }

  private raiseAlarm(alarm: string | undefined): void {
    if ((alarm ?? "") === this.lastAlarm) return;
    this.lastAlarm = alarm ?? "";
    if (!alarm) return;
    this.ports.log("error", alarm);
    if (!this.refusal) this.ports.kubernetes.event("Warning", "NoCandidate", alarm);
  }

  /** The alarm that is raised now; empty when there is none. */
  get alarm(): string {
    return this.lastAlarm;
  }

  // ---- Acting ----------------------------------------------------------------------------------------------------------------------------------------

  /** Ends the writer now. While there is time its clients are told first; the kill does not wait for them. */
  private fence(why: string): void {
    if (this.busy.has("fence")) return;
    this.counters.fences++;
    this.ports.log("error", "fencing", { why });
    this.ports.kubernetes.event("Warning", "Fenced", `mariadbd is killed: ${why}`);
    const { engine, clock } = this.ports;
    const left = (this.lease.hold?.deadline ?? -Infinity) - clock.now();
    if (left < leastCourtesy) return this.killEngine();
    this.lane("fence", async () => {
      const courtesy = Math.min(left - 100, mostCourtesy);
      const told = Promise.all([engine.setReadOnly(true, courtesy), engine.endSessions(courtesy)]).catch(
        () => undefined,
      );
      await Promise.race([told, clock.sleep(courtesy)]);
      this.killEngine();
    });
  }

  private killEngine(): void {
    const alive = this.ports.engine.pid() !== 0;
    this.engine = alive ? { ...this.engine, state: "stopping" } : { ...this.engine, state: "stopped", role: "replica" };
    this.ports.engine.kill();
  }

  private carryOutLease(action: Decision["lease"]): void {
    if (!action) return;
    this.lane("lease", async () => {
      if (action.kind === "release") {
        this.ports.log("warning", "gives the lease back", { why: action.why });
        this.backoffUntil = this.ports.clock.now() + backoffAfterFailure;
        await this.lease.release("");
        return;
      }
      const had = this.lease.hold;
      try {
        if (action.kind === "acquire") await this.lease.acquire(action.epoch);
        else await this.lease.renew();
      } finally {
        if (!this.lease.hold)
          this.backoffUntil = Math.max(this.backoffUntil, this.ports.clock.now() + pauseAfterLostRace);
      }
      if (!had && this.lease.hold) this.ports.log("info", "holds the lease", { epoch: this.lease.hold.epoch });
    });
  }

  private carryOutLabel(action: Decision["label"]): void {
    if (!action) return;
    this.lane("label", async () => {
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
    // A kill does not queue behind the start or the step that it is meant to end.
    if (action.kind === "kill") {
      this.ports.log("warning", "ends mariadbd", { why: action.why });
      return this.killEngine();
    }
    if (action.kind === "exit") {
      if (this.busy.size > 0 && [...this.busy].some(name => name === "engine" || name === "lease")) return;
      this.exited = true;
      this.ports.log("info", "exits");
      return this.ports.exit(0);
    }
    this.lane("engine", async () => {
      switch (action.kind) {
        case "start":
          return this.startEngine(action.wipe, action.why);
        case "stop":
          this.engine = { ...this.engine, state: "stopping" };
          return this.ports.engine.stop(stopTimeout);
        case "abandonPromotion":
          return this.abandonPromotion(action.why);
        case "promotionStep":
          return this.runPromotionStep(action.step, action.epoch);
        case "handoverStep":
          return this.runHandoverStep(action.step);
      }
    });
  }

  private async startEngine(wipe: boolean, why: string): Promise<void> {
    const { engine, volume, log, watchdog } = this.ports;
    log("info", "starts mariadbd", { wipe, why });
    this.counters.engineStarts++;
    this.engine = { ...this.engine, state: "starting", role: "replica", onKeptVolume: !wipe };
    this.follow = notFollowing;
    this.joinAsked = false;
    try {
      if (wipe) this.volume = await volume.wipe();
      // A kept volume's WAL goes to the bucket as soon as the engine is open: it may run only as long as the Lease is held.
      await engine.start(wipe ? startTimeout : resumeTimeout, pid => !wipe && watchdog.guard(pid));
      const version = await engine.version();
      if (version !== undefined && isOlder(version, leastEngineVersion)) {
        this.refuse({
          reason: "UnsupportedEngine",
          message: `the image has TideSQL ${version}; ${leastEngineVersion} or later of 4.x is needed`,
        });
      }
      await engine.checkAccounts();
      if (engine.pid() === 0) throw new Error("mariadbd ended");
      this.engine = { ...this.engine, state: "running" };
    } catch (error) {
      this.startFailed(message(error));
    }
  }

  private startFailed(why: string): void {
    const failures = this.engine.failures + 1;
    const backoff = Math.min(longestStartBackoff, failures === 1 ? 0 : 500 * 2 ** (failures - 1));
    this.startBackoffUntil = this.ports.clock.now() + backoff;
    this.ports.log("error", "mariadbd did not start", { why, failures, retryInMilliseconds: backoff });
    this.engine = { ...this.engine, failures };
    this.killEngine();
  }

  private engineExited(how: string): void {
    const { state, role } = this.engine;
    this.counters.engineExits++;
    this.ports.watchdog.guard(0);
    this.ports.log(state === "stopping" ? "info" : "warning", "mariadbd ended", { how, role });
    if (this.promotion) this.promotion = this.endPromotion(this.promotion.failed ?? `mariadbd ended: ${how}`);
    if (this.handover && state !== "stopping") this.handover = { ...this.handover, failed: `mariadbd ended: ${how}` };
    // A start that fails is counted where it is waited for.
    if (state === "starting") this.engine = { ...this.engine, role: "replica" };
    else this.engine = { ...this.engine, state: "stopped", role: "replica" };
    this.follow = notFollowing;
    this.tick();
  }

  private endPromotion(why: string): undefined {
    this.counters.failedPromotions++;
    this.backoffUntil = this.ports.clock.now() + backoffAfterFailure;
    this.engine = { ...this.engine, failures: this.engine.failures + 1 };
    this.ports.log("error", "promotion failed", { why });
    this.ports.kubernetes.event("Warning", "PromotionFailed", why);
    return undefined;
  }

  private abandonPromotion(why: string): Promise<void> {
    this.promotion = this.endPromotion(why);
    this.killEngine();
    return Promise.resolve();
  }

  private async runPromotionStep(step: Parameters<typeof promotionStep>[0], epoch: number): Promise<void> {
    this.promotion ??= { epoch, completed: 0, context: this.promotionContext(epoch) };
    const { promotion } = this;
    const { log, engine, watchdog, clock } = this.ports;
    if (step === "promote") {
      watchdog.guard(engine.pid());
      this.engine = { ...this.engine, role: "promoting" };
    }
    const began = clock.now();
    try {
      await promotionStep(step, promotion.context);
    } catch (error) {
      if (this.promotion === promotion) promotion.failed = `${step}: ${message(error)}`;
      return;
    }
    log("info", "promotion step", { step, epoch, milliseconds: Math.round(clock.now() - began) });
    if (this.promotion !== promotion || promotion.failed !== undefined) return;
    promotion.completed++;
    if (step === "openForWrites") this.promoted(epoch);
  }

  private promoted(epoch: number): void {
    this.engine = { ...this.engine, role: "primary", failures: 0 };
    this.promotion = undefined;
    this.beat = 0;
    this.counters.promotions++;
    this.ports.log("info", "is the primary", { epoch });
    this.ports.kubernetes.event("Normal", "Promoted", `primary in epoch ${epoch}`);
  }

  private promotionContext(epoch: number): PromotionContext {
    return {
      ports: this.ports,
      pod: this.pod,
      identity: this.identity,
      databaseId: this.configuration.databaseId,
      epoch,
      syncIntervalMilliseconds: this.configuration.replicaSyncIntervalMicroseconds / 1000,
      onKeptVolume: this.engine.onKeptVolume,
      following: this.follow.following === "following",
      volume: this.volume ?? { volumeId: "" },
      owner: this.owner,
      onVolume: record => (this.volume = record),
      onOwner: owner => this.setOwner(owner),
    };
  }

  private async runHandoverStep(step: Parameters<typeof handoverStep>[0]): Promise<void> {
    this.handover ??= { completed: 0 };
    const { handover } = this;
    const { log, clock, engine } = this.ports;
    if (step === "stopEngine") this.engine = { ...this.engine, state: "stopping" };
    const began = clock.now();
    try {
      await handoverStep(step, {
        ports: this.ports,
        pod: this.pod,
        owner: this.owner,
        onOwner: owner => this.setOwner(owner),
        mayGoOn: () => this.lease.hold !== undefined && engine.pid() !== 0,
        release: successor => this.lease.release(successor),
      });
    } catch (error) {
      log("error", "handover failed", { step, error: message(error) });
      handover.failed = `${step}: ${message(error)}`;
      return;
    }
    log("info", "handover step", { step, milliseconds: Math.round(clock.now() - began) });
    handover.completed++;
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function asRole(label: string | undefined): "primary" | "replica" | "none" {
  return label === "primary" || label === "replica" ? label : "none";
}

function asFollowing(text: string): "joining" | "following" | "missed" | "none" {
  return text === "joining" || text === "following" || text === "missed" ? text : "none";
}

/** Compares dotted versions number by number. */
export function isOlder(version: string, than: string): boolean {
  const left = version.split(".").map(Number);
  const right = than.split(".").map(Number);
  for (let i = 0; i < right.length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
