import { ManagerConfiguration } from "../core/managerConfiguration";
import { EngineAction, failuresBeforeRelease, leastHoldMilliseconds } from "./decide";
import { Inherited, withoutRevived } from "./comparison";
import { stopWrites, tellClients } from "./clientCourtesy";
import { copyDefinitions } from "./definitions";
import { Follower } from "./follower";
import { handoverStep } from "./handover";
import { text } from "./lanes";
import { LeaseKeeper } from "./leaseKeeper";
import { Counters } from "./counters";
import { whyUnsupported } from "./engineVersion";
import { Opening } from "./opening";
import { folderOf } from "./orphans";
import { OwnerKeeper } from "./ownerKeeper";
import { BeforePromotion } from "./lateUploads";
import { Ports } from "./ports";
import type { PrimaryDuties } from "./primaryDuties";
import { PromotionContext, promotionStep } from "./promotion";
import { reviveManifests } from "./revive";
import { HandoverStep, PromotionStep } from "./steps";
import { stillServes } from "./switchover";
import { EngineView, HandoverProgress, Monotonic, PromotionProgress, Refusal, VolumeRecord } from "./view";

/** A replica reads each manifest and WAL object before it answers: minutes on a large bucket. Milliseconds. */
const startTimeout = 10 * 60_000;
/** The last primary's own volume took 1 to 8 s to open where it was measured. While it is waited for, nobody else may take over. Milliseconds. */
const resumeTimeout = 45_000;
const copyTimeout = 1500;
const backoffAfterFailure = 2000;
const writesTimeout = 1000;
const peersTimeout = 300;
const tablesTimeout = 1000;
/** Two hangs within this are one trouble. Milliseconds. */
const hangsTogether = 120_000;
const firstStartBackoff = 500;
const longestStartBackoff = 30_000;

/** What the engine's part of the manager needs of the rest. */
export interface EngineKeeperOptions {
  configuration: ManagerConfiguration;
  pod: string;
  identity: string;
  ports: Ports;
  lease: LeaseKeeper;
  owner: OwnerKeeper;
  follower: Follower;
  counters: Counters;
  refuse: (refusal: Refusal) => void;
  /** No attempt to take the Lease for so many milliseconds. */
  backOff: (milliseconds: number) => void;
  /** This pod is about to be killed. */
  hurries: () => boolean;
  /** The successor that a person asked for. */
  wantedSuccessor: () => string | undefined;
  /** Sends to the bucket whatever it lacks of the volume. Answers whether it lacked anything. */
  sendEverything: () => Promise<boolean>;
  /** Has this pod take to the bucket whatever it lacks of the volume. */
  sendThrough: (pod: string) => Promise<boolean>;
  /** A switchover is over. */
  switchedOver: () => void;
  /** A person has given up what is missing. */
  lossAccepted: () => boolean;
  /** The numbers of heartbeats, and a flush that keeps its distance from those for replicas that join. */
  duties: Pick<PrimaryDuties, "nextBeat" | "continueBeats" | "flushBetweenJoins">;
  /** For how long the last primary has had no right to write. */
  silentMilliseconds: () => number;
  /** For how much longer a poll may hang that has not seen its last writes. */
  pollMayHangMilliseconds: () => number;
  /** This node has become the primary. @param before undefined on the last primary's own volume */
  promoted: (before: BeforePromotion | undefined) => void;
  /** The engine ended: look again now. */
  changed: () => void;
}

type LaneAction = Exclude<EngineAction, { kind: "kill" | "exit" | "refuseSwitchover" }>;

/** Starts, promotes, fences and stops mariadbd, and keeps the volume's record. */
export class EngineKeeper {
  view: EngineView = { state: "stopped", role: "replica", onKeptVolume: false, failures: 0 };
  volume: VolumeRecord = { volumeId: "" };
  volumeIsRead = false;
  promotion: (PromotionProgress & { context: PromotionContext }) | undefined;
  handover: HandoverProgress | undefined;
  startBackoffUntil: Monotonic = -Infinity;
  /** Open as primary, but read-only, because what is written could not be kept. */
  writesStopped = false;
  private readonly opening: Opening;
  private lackedBefore: string[] | undefined;
  /** In a row, of replicas that never followed. */
  wipes = 0;
  private lastHang: Monotonic = -Infinity;
  /** The last heartbeat of a handover. */
  private lastBeat: number | undefined;
  /** The handover's flush has left nothing in a memtable. */
  private hasFlushed = false;
  /** Of the label, at the beginning of a handover. */
  private stripping: Promise<void> = Promise.resolve();
  /** Followers that lacked nothing when a handover began. */
  private soundFollowers: ReadonlySet<string> = new Set();
  /** When the bucket was last found to lack something in a handover, or a replica to open it. */
  private disturbedAt: Monotonic | undefined;
  /** What this node had of others when it was promoted. */
  inherited: Inherited = new Map();

  constructor(private readonly options: EngineKeeperOptions) {
    this.opening = new Opening(options.ports);
    options.ports.engine.onExit(how => this.exited(how));
  }

  async readVolume(): Promise<void> {
    this.volume = await this.options.ports.volume.read();
    this.volumeIsRead = true;
  }

  carryOut(action: LaneAction): Promise<void> {
    switch (action.kind) {
      case "start":
        return this.start(action.wipe, action.why);
      case "abandonPromotion":
        this.abandonPromotion(action.why);
        return Promise.resolve();
      case "promotionStep":
        return this.runPromotionStep(action.step, action.epoch);
      case "handoverStep":
        return this.runHandoverStep(action.step, action);
      case "endHandover":
        return this.endHandover(action.why);
    }
  }

  /** SIGKILL, at once. */
  kill(why: string): void {
    const { engine, log } = this.options.ports;
    this.writesStopped = false;
    if (engine.pid() === 0) {
      this.view = { ...this.view, state: "stopped", role: "replica", killedAt: undefined };
      return;
    }
    log("warning", "kills mariadbd", { why });
    this.isDying();
    engine.kill();
  }

  /** Its process is sent SIGKILL now, or was before. */
  private isDying(): void {
    const { killedAt = this.options.ports.clock.now() } = this.view;
    this.view = { ...this.view, state: "stopping", killedAt };
  }

  /** Kills an engine that hangs; it is resumed in place under the same Lease. */
  killHung(why: string): void {
    this.countHang();
    this.kill(why);
  }

  /** Ends the writer now. While there is time its clients are told first; the kill does not wait for them. */
  async fence(why: string): Promise<void> {
    const { clock, log, kubernetes } = this.options.ports;
    this.options.counters.fences++;
    log("error", "fencing", { why });
    kubernetes.event("Warning", "Fenced", `mariadbd is killed: ${why}`);
    const left = (this.options.lease.hold?.deadline ?? -Infinity) - clock.now();
    await tellClients(this.options.ports, left);
    this.kill(why);
  }

  /** Stops or resumes writes. Sessions that wait for the bucket get no answer, so their clients do not take the write for acknowledged. */
  async setWrites(open: boolean): Promise<void> {
    const { engine } = this.options.ports;
    if (open) {
      const left = (this.options.lease.hold?.deadline ?? -Infinity) - this.options.ports.clock.now();
      if (left < leastHoldMilliseconds || !stillServes(this.handover)) return;
      await engine.setReadOnly(false, writesTimeout);
      this.writesStopped = false;
      return;
    }
    this.writesStopped = true;
    try {
      await stopWrites(engine, writesTimeout);
    } catch (error) {
      this.writesStopped = false;
      throw error;
    }
  }

  /** A table that was dropped before this node was promoted may have been created again. */
  async forgetRevived(): Promise<void> {
    const { engine } = this.options.ports;
    if ([...this.inherited.keys()].some(name => folderOf(name) === undefined))
      this.inherited = withoutRevived(this.inherited, await engine.tables(tablesTimeout));
  }

  /** A switchover has ended. One that failed while the engine runs is taken back: clients are served again where they were. */
  private async endHandover(why: string): Promise<void> {
    const { log, kubernetes } = this.options.ports;
    // It must not come after the label that is put on again.
    await this.stripping;
    this.handover = undefined;
    this.lastBeat = undefined;
    this.hasFlushed = false;
    this.soundFollowers = new Set();
    this.disturbedAt = undefined;
    if (why !== "") {
      log("error", "the switchover failed", { why });
      kubernetes.event("Warning", "SwitchoverFailed", why);
      if (this.view.state === "running") {
        this.writesStopped = true;
        await this.setWrites(true).catch(() => this.kill("the server could not be set writable again"));
      }
    }
    this.options.switchedOver();
  }

  /** The engine hangs. One that does so again soon is left to a follower. */
  private countHang(): void {
    const now = this.options.ports.clock.now();
    const again = now - this.lastHang < hangsTogether;
    this.lastHang = now;
    this.view = { ...this.view, failures: again ? failuresBeforeRelease : this.view.failures };
  }

  private async start(wipe: boolean, why: string): Promise<void> {
    const { engine, volume, store, log, watchdog, peers } = this.options.ports;
    log("info", "starts mariadbd", { wipe, why });
    this.options.counters.engineStarts++;
    this.view = { ...this.view, state: "starting", role: "replica", onKeptVolume: !wipe };
    let epoch = this.options.lease.observation?.epoch ?? 0;
    try {
      if (wipe) {
        this.volume = await volume.wipe();
        // The primary may have died before it made them, and then nobody else would.
        await copyDefinitions(store, log, copyTimeout);
        const primary = (await peers.askAll(peersTimeout)).find(({ serves }) => serves);
        // The Lease may have been read before it was promoted.
        epoch = primary?.epoch ?? epoch;
        // With a primary they are in order, or about to be.
        if (!primary) await reviveManifests(this.options.ports);
      } else {
        this.view = { ...this.view, readingSince: this.options.ports.clock.now() };
        // The engine takes the bucket's manifests over the disk's, and deletes the files that they do not name: the bucket is to have the newer ones first.
        this.inherited = new Map(Object.entries(this.volume.inherited ?? {}));
        // An engine that dies before it has flushed what it replayed must find it again, and one that has read a wrong manifest what it has deleted.
        await volume.keep();
        await this.options.sendEverything();
        if (await this.giveUpVolume()) return;
        this.view = { ...this.view, readingSince: undefined };
      }
      this.options.follower.reset(this.volume.volumeId, epoch);
      // A kept volume's WAL goes to the bucket as soon as the engine is open: it may run only as long as the Lease is held.
      const opening = engine.start(wipe ? startTimeout : resumeTimeout, pid => !wipe && watchdog.guard(pid));
      await (wipe ? this.opening.whileBucketAnswers(opening) : opening);
      if (!wipe) await this.opening.refuseLoss();
      const version = await engine.version();
      this.view = { ...this.view, version };
      const unsupported = version && whyUnsupported(version, this.options.owner.stored?.record.engineVersion);
      if (unsupported) this.options.refuse({ reason: "UnsupportedEngine", message: unsupported });
      await engine.checkAccounts();
      if (engine.pid() === 0) throw new Error("mariadbd ended");
      this.view = { ...this.view, state: "running" };
    } catch (error) {
      this.startFailed(text(error));
    }
  }

  /** What the bucket has by now is all that this volume held, but for a file that was not read. Answers whether that is so. */
  private async giveUpVolume(): Promise<boolean> {
    const { volume, log } = this.options.ports;
    const file = await this.opening.unreadFile();
    if (file === undefined) return false;
    log("warning", "wiping the last primary's volume: the bucket has all of it but one unreadable file", {
      file,
    });
    await this.options.owner.markClean();
    this.volume = await volume.wipe();
    this.view = { ...this.view, state: "stopped", onKeptVolume: false, readingSince: undefined };
    return true;
  }

  private startFailed(why: string): void {
    const { clock, log } = this.options.ports;
    const failures = this.view.failures + 1;
    // The first time at once: what killed it may be over. Then ever more slowly.
    const backoff = failures === 1 ? 0 : Math.min(longestStartBackoff, firstStartBackoff * 2 ** (failures - 1));
    this.startBackoffUntil = clock.now() + backoff;
    log("error", "mariadbd did not start", { why, failures, retryInMilliseconds: backoff });
    this.view = { ...this.view, failures, readingSince: undefined };
    this.kill(why);
  }

  private exited(how: string): void {
    const { state, role } = this.view;
    const { watchdog, log } = this.options.ports;
    this.options.counters.engineExits++;
    watchdog.guard(0);
    log(state === "stopping" ? "info" : "warning", "mariadbd ended", { how, role });
    if (role === "primary") this.wipes = 0;
    else if (role === "replica" && !this.view.onKeptVolume) this.slowDown();
    if (this.promotion) this.endPromotion(this.promotion.failed ?? `mariadbd ended: ${how}`);
    if (this.handover && state !== "stopping") this.handover = { ...this.handover, failed: `mariadbd ended: ${how}` };
    // A start that failed is counted where it is waited for.
    this.view = {
      ...this.view,
      role: "replica",
      state: state === "starting" ? "starting" : "stopped",
      killedAt: undefined,
    };
    this.writesStopped = false;
    this.options.follower.reset("", 0);
    this.options.changed();
  }

  /** A replica that is wiped again and again puts the bucket under load, and what it sends at each start may be in the way of the others. */
  private slowDown(): void {
    const { follower, ports } = this.options;
    this.wipes = follower.hasFollowed ? 0 : this.wipes + 1;
    if (this.wipes < 2) return;
    const backoff = Math.min(longestStartBackoff, firstStartBackoff * 2 ** this.wipes);
    this.startBackoffUntil = Math.max(this.startBackoffUntil, ports.clock.now() + backoff);
  }

  private async runPromotionStep(step: PromotionStep, epoch: number): Promise<void> {
    const { log, engine, watchdog, clock } = this.options.ports;
    this.promotion ??= { epoch, completed: 0, context: this.promotionContext(epoch) };
    const { promotion } = this;
    if (step === "promote") {
      watchdog.guard(engine.pid());
      this.view = { ...this.view, role: "promoting" };
    }
    const began = clock.now();
    try {
      await promotionStep(step, promotion.context);
    } catch (error) {
      promotion.failed ??= `${step}: ${text(error)}`;
      return;
    }
    if (this.promotion !== promotion) return;
    log("info", "promotion step", { step, epoch, milliseconds: Math.round(clock.now() - began) });
    promotion.completed++;
    if (step === "openForWrites") this.promoted(promotion);
  }

  private promoted({ epoch, context }: { epoch: number; context: PromotionContext }): void {
    const { log, kubernetes } = this.options.ports;
    this.view = { ...this.view, role: "primary", failures: 0 };
    this.writesStopped = false;
    this.promotion = undefined;
    this.options.counters.promotions++;
    const { stored, engineEpoch, sequence } = context;
    this.options.promoted(stored && engineEpoch !== undefined ? { stored, engineEpoch, sequence } : undefined);
    log("info", "is the primary", { epoch });
    kubernetes.event("Normal", "Promoted", `primary in epoch ${epoch}`);
  }

  /** An engine that was told to promote is of no use any more; a follower that was not goes on following. */
  private abandonPromotion(why: string): void {
    const { role, onKeptVolume } = this.view;
    const untouched = role === "replica" && !onKeptVolume && this.promotion?.context.mustRestart !== true;
    this.endPromotion(why);
    if (!untouched) this.kill(why);
  }

  private endPromotion(why: string): void {
    const { log, kubernetes } = this.options.ports;
    this.promotion = undefined;
    this.options.counters.failedPromotions++;
    this.options.backOff(backoffAfterFailure);
    this.view = { ...this.view, failures: this.view.failures + 1 };
    log("error", "promotion failed", { why });
    kubernetes.event("Warning", "PromotionFailed", why);
  }

  private promotionContext(epoch: number): PromotionContext {
    const { ports, pod, identity, configuration, owner, follower } = this.options;
    return {
      ports,
      pod,
      identity,
      databaseId: configuration.databaseId,
      epoch,
      ...(this.view.version && { version: this.view.version }),
      syncIntervalMilliseconds: configuration.replicaSyncIntervalMicroseconds / 1000,
      onKeptVolume: this.view.onKeptVolume,
      following: follower.state.following === "following",
      silentMilliseconds: this.options.silentMilliseconds(),
      pollMayHangMilliseconds: this.options.pollMayHangMilliseconds(),
      hasFollowed: beat => follower.hasFollowedBeat(beat),
      hasSkippedTo: beat => follower.hasSkippedTo(beat),
      lastServedBeat: () => follower.lastServed?.beat,
      continueBeats: after => this.options.duties.continueBeats(after),
      volume: this.volume,
      owner: owner.stored,
      ghosts: follower.ghosts,
      lossAccepted: this.options.lossAccepted(),
      lackedBefore: this.lackedBefore,
      onLacking: files => (this.lackedBefore = files),
      onVolume: record => (this.volume = record),
      onOwner: stored => owner.set(stored),
      onInherited: inherited => (this.inherited = inherited),
    };
  }

  private async runHandoverStep(
    step: HandoverStep,
    { detour, hurries, salvages }: Pick<HandoverProgress, "detour" | "hurries" | "salvages">,
  ): Promise<void> {
    const { ports, pod, owner, lease, configuration } = this.options;
    const { log, clock, engine } = ports;
    if (!this.handover && detour !== undefined)
      log("warning", "handing over: the bucket answers a follower but not this primary", { detour });
    if (salvages) this.handover = { completed: 0, salvages };
    if (hurries) this.handover = { completed: 0, hurries };
    this.handover ??= { completed: 0, ...(detour !== undefined && { detour }) };
    const { handover } = this;
    const holds = () => lease.hold !== undefined && clock.now() < lease.hold.deadline;
    if (step === "killEngine" && engine.pid() !== 0) this.isDying();
    const began = clock.now();
    try {
      await handoverStep(step, {
        ports,
        pod,
        owner: owner.stored,
        onOwner: stored => owner.set(stored),
        inherited: this.inherited,
        wanted: handover.detour ?? this.options.wantedSuccessor(),
        forgetRevived: () => this.forgetRevived(),
        flushBetweenJoins: (before, timeout) => this.options.duties.flushBetweenJoins(before, timeout),
        sendEverything: async () => {
          if (await this.options.sendEverything()) this.disturbedAt = clock.now();
        },
        disturbedAt: () => this.disturbedAt,
        onDisturbed: () => (this.disturbedAt = clock.now()),
        sendThroughPeer: async () => {
          await this.options.sendThrough(handover.detour ?? "");
        },
        nodes: configuration.nodes,
        hurries: this.options.hurries,
        sound: this.soundFollowers,
        onSound: pods => (this.soundFollowers = pods),
        nextBeat: () => this.options.duties.nextBeat(),
        onLastBeat: beat => (this.lastBeat = beat),
        beat: this.lastBeat,
        onFlushed: isCertain => (this.hasFlushed = isCertain),
        hasFlushed: this.hasFlushed,
        onStripping: done => {
          this.stripping = done;
        },
        holds,
        mayGoOn: () => holds() && engine.pid() !== 0,
        release: successor => lease.release(successor),
      });
    } catch (error) {
      log("error", "handover failed", { step, error: text(error) });
      this.handover = { ...handover, failed: `${step}: ${text(error)}` };
      return;
    }
    log("info", "handover step", { step, milliseconds: Math.round(clock.now() - began) });
    handover.completed++;
  }
}
