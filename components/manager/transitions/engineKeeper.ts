import { ManagerConfiguration } from "../../core/managerConfiguration";
import { stopWrites, tellClients } from "../engine/clientCourtesy";
import { Counters } from "../base/counters";
import { whyUnsupported } from "../engine/engineVersion";
import { text } from "../base/lanes";
import { LeaseKeeper } from "../cluster/leaseKeeper";
import { EngineView, Refusal, Transition } from "../decide/view";
import { Monotonic } from "../base/ports";
import { FollowingRequests } from "../store/gateway/followingRequests";
import { Election } from "../store/log/seal";
import { Writing } from "../store/writing";
import { FollowerFeed } from "../store/view/feed";
import { leastHoldMilliseconds, successorAmong } from "../decide/decide";
import { NodePorts } from "./nodePorts";
import { StoreKeeper } from "./storeKeeper";
import { stripOtherLabels } from "../cluster/podKeeper";

const startTimeout = 10 * 60_000;
const callTimeout = 1500;
const promoteTimeout = 10_000;
/** A flush waits for its files to be sent: a write buffer of them. Milliseconds. */
const flushTimeout = 30_000;
/** Ahead of a handover a flush is waited for so long: without it the successor replays more. Milliseconds. */
const flushAheadTimeout = 10_000;
/** A long transaction has to be rolled back. Milliseconds. */
const readOnlyTimeout = 30_000;
const firstStartBackoff = 500;
const longestStartBackoff = 30_000;
const backoffAfterHandover = 2000;
const peersTimeout = 300;
/** Two hangs within this are one trouble. Milliseconds. */
const hangsTogether = 120_000;

export interface EngineKeeperOptions {
  configuration: ManagerConfiguration;
  pod: string;
  ports: NodePorts;
  lease: LeaseKeeper;
  store: StoreKeeper;
  counters: Counters;
  refuse: (refusal: Refusal) => void;
  stopping: () => boolean;
  /** No attempt to take the Lease for so many milliseconds. */
  backOff: (milliseconds: number) => void;
  /** A switchover is over. */
  switchedOver: () => void;
  changed: () => void;
}

/** Starts, promotes and ends mariadbd on a volume that is as the log says. */
export class EngineKeeper {
  view: EngineView = { state: "stopped", role: "replica", failures: 0 };
  transition: Transition | undefined;
  startBackoffUntil: Monotonic = -Infinity;
  writesStopped = false;
  /** Of the writing engine; undefined without one. */
  writing: Writing | undefined;
  /** Milliseconds that the steps of the last takeover took. */
  steps: Record<string, number> = {};
  /** Started again in place by a later look: a request of its has failed, or may have. */
  restartWhenWell = false;
  private feed: FollowerFeed | undefined;
  private following: FollowingRequests | undefined;
  private lastHang: Monotonic = -Infinity;
  private beats = 0;

  constructor(private readonly options: EngineKeeperOptions) {
    options.ports.engine.onExit(how => this.exited(how));
  }

  /** Position of the log that this node shows to readers; undefined: it shows none. */
  get shownPosition(): number | undefined {
    if (this.view.state !== "running") return undefined;
    return this.view.role === "primary" ? this.writing && this.writing.log.position - 1 : this.feed?.position;
  }

  /** Why a follower should be restarted; empty: it need not. */
  get restartDue(): string {
    const { feed } = this;
    if (!feed || this.view.role !== "replica") return "";
    if (this.options.store.mustRestart !== "") return this.options.store.mustRestart;
    if (feed.deliveredBytes > this.options.ports.files.followerMemoryBytes)
      return "its replayed rows fill the engine's memory";
    return feed.restartReasons.join(", ");
  }

  /** Blocks that wait for one with a lower sequence. */
  get heldBlocks(): number {
    return this.feed?.heldBlocks ?? 0;
  }

  /** Looks at its store that a follower's engine has begun. */
  get polls(): number {
    return this.following?.polls ?? 0;
  }

  /** Requests of a follower's engine for what the view does not know. */
  get unknownRequests(): number {
    return this.following?.unknown ?? 0;
  }

  /** SIGKILL, at once. */
  kill(why: string, hung = false): void {
    const { engine, log, clock } = this.options.ports;
    if (hung) this.countHang();
    if (engine.pid() === 0) {
      this.view = { ...this.view, state: "stopped", role: "replica", killedAt: undefined };
      return;
    }
    log("warning", "kills mariadbd", { why });
    const { killedAt = clock.now() } = this.view;
    this.view = { ...this.view, state: "stopping", killedAt };
    engine.kill();
  }

  /** Ends the writer now. While there is time its clients are told first, and what it has acknowledged goes into the log meanwhile; the kill does not wait for them. */
  async fence(why: string): Promise<void> {
    const { log, kubernetes } = this.options.ports;
    this.options.counters.fences++;
    log("error", "fencing", { why });
    kubernetes.event("Warning", "Fenced", `mariadbd is killed: ${why}`);
    if (this.view.role === "primary") await tellClients(this.options.ports, this.holdsFor());
    this.kill(why);
  }

  async setWrites(open: boolean): Promise<void> {
    const { engine } = this.options.ports;
    if (open) {
      if (this.holdsFor() < leastHoldMilliseconds || this.transition) return;
      await engine.setReadOnly(false, callTimeout);
      this.writesStopped = false;
      return;
    }
    this.writesStopped = true;
    try {
      await stopWrites(engine, callTimeout);
    } catch (error) {
      this.writesStopped = false;
      throw error;
    }
  }

  /** (Re-)starts mariadbd to follow, on the volume as it is in the log. */
  async follow(why: string): Promise<void> {
    const { ports, store } = this.options;
    const { log, files, door, clock } = ports;
    log("info", "starting mariadbd as a follower", { why });
    const begun = clock.now();
    try {
      await this.stopEngine();
      this.view = { ...this.view, state: "starting", role: "replica", killedAt: undefined };
      await store.exclusive(async node => {
        // Of a last writer that nobody has followed yet: aligning deletes its WALs.
        await node.appendLeftovers();
        const alignment = await node.align();
        store.aligned();
        await files.freshServer();
        await this.startEngine(() => door.open(node.opening()));
        const { handler, feed } = node.follow();
        door.open(handler);
        this.following = handler;
        this.feed = feed;
        log("info", "follows", {
          ...alignment,
          position: node.state.position,
          milliseconds: Math.round(clock.now() - begun),
        });
      });
      this.view = { ...this.view, state: "running", failures: 0 };
    } catch (error) {
      this.startFailed(text(error));
    }
  }

  /** Seals, aligns the volume to the seal, starts the engine on it, promotes it, flushes, opens. */
  async takeOver(): Promise<void> {
    const { ports, store, counters } = this.options;
    const { log, files, door, clock, engine, kubernetes, watchdog } = ports;
    this.steps = {};
    this.transition = { kind: "takeOver", step: "stop" };
    const begun = clock.now();
    try {
      await this.step("stop", () => this.stopEngine());
      this.view = { ...this.view, state: "starting", role: "promoting", killedAt: undefined };
      const replayed = await store.exclusive(async node => {
        await node.catchUp();
        const resumes = node.isLastWriters;
        const pushed = store.inbox.pending(node.state);
        const [election] = await this.step("seal", () =>
          Promise.all([node.takeOver(pushed, true, store.inbox.drafts), this.stripOthers()]),
        );
        if (!election) throw new Error("another node was elected");
        const replay = node.state.blocksToReplay().length;
        const alignment = await this.step("align", () => node.align());
        store.aligned();
        await this.step("server", async () => {
          if (!resumes || !(await files.hasServer())) await files.freshServer();
        });
        this.mustHold();
        await this.step("start", () =>
          this.startEngine(
            () => door.open(node.opening()),
            pid => watchdog.guard(pid),
          ),
        );
        this.writing = await node.write(election);
        door.open(this.writing.handler);
        log("info", "is elected", { ...election, ...alignment, replay, pushed: pushed.size, resumes });
        return { replay, generation: alignment.generation, election };
      });
      await this.step("promote", () => engine.promote(promoteTimeout));
      // The engine says that it is the primary even when it is not: a row proves it, and makes the table that is flushed.
      await this.step("trialWrite", () => this.beat(replayed.election, promoteTimeout));
      const { writing } = this;
      if (!writing) throw new Error("mariadbd ended");
      // Replayed rows are not seen by point reads in a transaction until they are flushed.
      if (replayed.replay > 0)
        await this.step("flush", async () => {
          await engine.flush(flushTimeout);
          await this.within(flushTimeout, writing.released(replayed.generation), "the flush was not released");
        });
      if (this.holdsFor() < leastHoldMilliseconds) throw new Error("the lease is about to expire");
      await this.step("open", () => engine.setReadOnly(false, callTimeout));
      this.mustHold();
      this.view = { ...this.view, state: "running", role: "primary", failures: 0 };
      this.writesStopped = false;
      this.transition = undefined;
      counters.promotions++;
      const milliseconds = Math.round(clock.now() - begun);
      log("info", "is the primary", { ...replayed.election, milliseconds, steps: this.steps });
      kubernetes.event("Normal", "Promoted", `primary in epoch ${replayed.election.epoch} of the log`);
    } catch (error) {
      const why = `${this.transition?.step}: ${text(error)}`;
      this.transition = undefined;
      counters.failedPromotions++;
      log("error", "the takeover failed", { why, steps: this.steps });
      kubernetes.event("Warning", "PromotionFailed", why);
      // A bucket that has not answered since says nothing of this node: whether it answers another is asked apart.
      this.startFailed(why, ports.bucket.answeredAt > begun);
    }
  }

  /**
   * Leaves in order, and gives the Lease back.
   * @param to the successor's pod; empty: whoever has most of the log then
   * @param cutOff the bucket does not answer this node: nothing is waited for
   */
  async handOver(to: string, cutOff: boolean): Promise<void> {
    const { ports, store, lease, pod } = this.options;
    const { log, kubernetes } = ports;
    log(cutOff ? "warning" : "info", "hands over", { to, cutOff });
    this.transition = { kind: "handOver", step: "flushAhead" };
    try {
      if (!cutOff) {
        await this.step("flushAhead", () => this.flushAhead());
        const strip = kubernetes.setRole(pod, "none", callTimeout).catch(() => undefined);
        await this.step("readOnly", () => this.refuseWrites());
        await this.step("ship", () =>
          this.within(flushTimeout, this.mustWrite().handler.ship(), "not everything reached the log"),
        );
        await strip;
      }
      await this.step("kill", () => this.stopEngine());
      // What had not been shipped is on the disk.
      if (!cutOff) await this.step("leaveNothing", () => store.exclusive(node => node.appendLeftovers()));
      // Who has most of the log now.
      const successor = to === "" ? successorAmong(await ports.peers.askAll(peersTimeout)) : to;
      await this.step("release", () => lease.release(successor));
      this.options.backOff(backoffAfterHandover);
    } catch (error) {
      log("error", "the handover failed", { why: `${this.transition?.step}: ${text(error)}` });
      kubernetes.event("Warning", "SwitchoverFailed", text(error));
      if (this.view.state === "running") {
        this.transition = undefined;
        await this.setWrites(true).catch(() => this.kill("the server could not be set writable again"));
      }
    }
    this.transition = undefined;
    this.options.switchedOver();
  }

  /** The writing engine has died, and nothing has followed yet: what was on its way to the log comes to its end. */
  async settle(): Promise<void> {
    if (this.view.state === "stopped" && !this.transition) await this.closeWriting();
  }

  /** The engine has died while this node was to leave: what only the volume has goes into the log first. */
  async leaveNothing(): Promise<void> {
    const { store, lease } = this.options;
    this.transition = { kind: "handOver", step: "leaveNothing" };
    try {
      await this.closeWriting();
      await store.exclusive(node => node.appendLeftovers());
      await lease.release("");
    } finally {
      this.transition = undefined;
    }
  }

  /** A row that proves that the engine writes, and that the log takes it. */
  async beat({ epoch }: Pick<Election, "epoch">, timeoutMilliseconds: number): Promise<void> {
    await this.options.ports.engine.writeHeartbeat({ epoch, beat: ++this.beats }, timeoutMilliseconds);
  }

  private async refuseWrites(): Promise<void> {
    const { engine } = this.options.ports;
    await engine.setReadOnly(true, callTimeout).catch(async () => {
      // A long transaction keeps read_only waiting: end it, and ask again.
      await engine.endSessions(callTimeout);
      await engine.setReadOnly(true, readOnlyTimeout);
    });
    await engine.endSessions(callTimeout);
  }

  private async flushAhead(): Promise<void> {
    const { engine, log } = this.options.ports;
    const { flushes, released } = this.mustWrite();
    try {
      const generation = flushes.releasedUntil + 1;
      await engine.flush(flushAheadTimeout);
      await this.within(flushAheadTimeout, released(generation), "the flush was not released");
    } catch (error) {
      log("warning", "the flush before the handover failed", { error: text(error) });
    }
  }

  private mustWrite(): Writing {
    if (!this.writing) throw new Error("mariadbd ended");
    return this.writing;
  }

  private async stripOthers(): Promise<void> {
    const { kubernetes, log } = this.options.ports;
    try {
      await stripOtherLabels(kubernetes, this.options.pod, callTimeout);
    } catch (error) {
      // Clients that are led there meet a server that is fenced or read-only; the label is looked at again.
      log("warning", "the last primary's label could not be removed", { error: text(error) });
    }
  }

  private async startEngine(open: () => void, spawned: (pid: number) => void = () => undefined): Promise<void> {
    const { ports, counters, refuse } = this.options;
    const { engine, door } = ports;
    counters.engineStarts++;
    door.renewKey();
    open();
    await engine.start(startTimeout, spawned);
    const version = await engine.version();
    const unsupported = version && whyUnsupported(version, undefined);
    if (unsupported) refuse({ reason: "UnsupportedEngine", message: unsupported });
    await engine.checkAccounts();
    if (engine.pid() === 0) throw new Error("mariadbd ended");
    this.view = { ...this.view, ...(version && { version }) };
  }

  /** SIGKILL, and waits until it is gone and nothing of it is read or sent any more. */
  private async stopEngine(): Promise<void> {
    const { engine, clock, door } = this.options.ports;
    if (engine.pid() !== 0) {
      this.view = { ...this.view, state: "stopping", killedAt: this.view.killedAt ?? clock.now() };
      await engine.end();
    }
    door.shut();
    this.following?.letGo();
    await this.closeWriting();
    this.feed = undefined;
    this.following = undefined;
    this.view = { ...this.view, state: "stopped", role: "replica", killedAt: undefined };
  }

  private async closeWriting(): Promise<void> {
    const { writing } = this;
    this.writing = undefined;
    this.restartWhenWell = false;
    await writing?.close();
  }

  private exited(how: string): void {
    const { ports, counters, changed } = this.options;
    const { state, role } = this.view;
    counters.engineExits++;
    ports.watchdog.guard(0);
    ports.log(state === "stopping" ? "info" : "warning", "mariadbd ended", { how, role });
    this.view = {
      ...this.view,
      role: "replica",
      state: state === "starting" ? "starting" : "stopped",
      killedAt: undefined,
    };
    this.writesStopped = false;
    changed();
  }

  /** @param counts as a failure of this node, which another might do without */
  private startFailed(why: string, counts = true): void {
    const { clock, log } = this.options.ports;
    const failures = this.view.failures + Number(counts);
    // The first time at once: what killed it may be over. Then ever more slowly.
    const backoff =
      counts && failures === 1 ? 0 : Math.min(longestStartBackoff, firstStartBackoff * 2 ** Math.max(0, failures - 1));
    this.startBackoffUntil = clock.now() + backoff;
    log("error", "mariadbd does not run", { why, failures, retryInMilliseconds: backoff });
    this.view = { ...this.view, failures };
    this.kill(why);
  }

  private countHang(): void {
    const now = this.options.ports.clock.now();
    if (now - this.lastHang < hangsTogether) this.view = { ...this.view, failures: this.view.failures + 1 };
    this.lastHang = now;
  }

  private holdsFor(): number {
    return (this.options.lease.hold?.deadline ?? -Infinity) - this.options.ports.clock.now();
  }

  /** Whether a takeover may go on. */
  mayTakeOver(): boolean {
    return this.holdsFor() > 0 && !(this.options.stopping() && this.transition?.kind === "takeOver");
  }

  private mustHold(): void {
    if (!this.mayTakeOver()) throw new Error("the lease was lost, or the pod is stopping");
    if (this.view.state === "stopping" || this.view.state === "stopped") throw new Error("mariadbd was killed");
  }

  private async step<T>(step: string, work: () => Promise<T>): Promise<T> {
    const { clock } = this.options.ports;
    if (this.transition) this.transition = { ...this.transition, step };
    const begun = clock.now();
    const result = await work();
    this.steps[step] = Math.round(clock.now() - begun);
    return result;
  }

  /** @throws when it takes longer, or the engine dies meanwhile */
  private async within<T>(milliseconds: number, work: Promise<T>, why: string): Promise<T> {
    const { clock, engine } = this.options.ports;
    let isOver = false;
    const watch = async () => {
      for (const until = clock.now() + milliseconds; !isOver; await clock.sleep(50)) {
        if (engine.pid() === 0) throw new Error("mariadbd ended");
        if (clock.now() > until) throw new Error(`${why} in ${milliseconds} ms`);
      }
      return work;
    };
    try {
      return await Promise.race([work, watch()]);
    } finally {
      isOver = true;
    }
  }
}
