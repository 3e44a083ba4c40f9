import { stopWrites, tellClients } from "../engine/clientCourtesy";
import { Counters } from "../base/counters";
import { whyUnsupported } from "../engine/engineVersion";
import { text } from "../base/lanes";
import { LeaseKeeper } from "../cluster/leaseKeeper";
import { EngineRole, EngineState, EngineView, Refusal, Transition } from "../decide/view";
import { Monotonic } from "../base/ports";
import { FollowingRequests } from "../store/gateway/followingRequests";
import { Election } from "../store/log/seal";
import { Writing } from "../store/writing";
import { FollowerFeed } from "../store/view/feed";
import { leastHoldMilliseconds } from "../decide/decide";
import { NodePorts } from "./nodePorts";
import { StoreKeeper } from "./storeKeeper";
import { Steps } from "./steps";

const startTimeout = 10 * 60_000;
const callTimeout = 1500;
const firstStartBackoff = 500;
const longestStartBackoff = 30_000;
/** A follower's statements that read a table end within this, or it is started again to know its new definition: others wait behind them. Milliseconds. */
const reopenTimeout = 2000;
/** Two hangs within this are one trouble. Milliseconds. */
const hangsTogether = 120_000;

export interface EngineKeeperOptions {
  ports: NodePorts;
  lease: Pick<LeaseKeeper, "hold">;
  store: StoreKeeper;
  counters: Counters;
  refuse: (refusal: Refusal) => void;
  changed: () => void;
}

/** Starts and ends mariadbd on a volume that is as the log says, and knows how it is. */
export class EngineKeeper {
  view: EngineView = { state: "stopped", role: "replica", failures: 0 };
  readonly steps: Steps;
  startBackoffUntil: Monotonic = -Infinity;
  writesStopped = false;
  /** Of the writing engine; undefined without one. */
  writing: Writing | undefined;
  /** Started again in place by a later look: a request of its has failed, or may have. */
  restartWhenWell = false;
  private feed: FollowerFeed | undefined;
  private following: FollowingRequests | undefined;
  private lastHang: Monotonic = -Infinity;
  private beats = 0;

  constructor(private readonly options: EngineKeeperOptions) {
    this.steps = new Steps(options.ports);
    options.ports.engine.onExit(how => this.exited(how));
  }

  /** Undefined: this node does nothing to become or to stop being the primary. */
  get transition(): Transition | undefined {
    return this.steps.transition;
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

  /** What a follower's engine has asked of its store. */
  get requests(): number {
    return this.following?.requests ?? 0;
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
    const { log, files, door, clock, engine } = ports;
    log("info", "starting mariadbd as a follower", { why });
    const begun = clock.now();
    try {
      await this.stop();
      this.becomes("starting", "replica");
      await store.exclusive(async node => {
        // Of a last writer that nobody has followed yet: aligning deletes its WALs.
        await node.appendLeftovers();
        const alignment = await node.align("follows");
        store.aligned();
        await files.freshServer();
        await node.placeDefinitions();
        await this.start(() => door.open(node.opening()));
        const { handler, feed } = node.follow(tables => engine.reopenTables(tables, reopenTimeout));
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

  /** The writing engine has died, and nothing has followed yet: what was on its way to the log comes to its end. */
  async settle(): Promise<void> {
    if (this.view.state === "stopped" && !this.transition) await this.closeWriting();
  }

  /** A row that proves that the engine writes, and that the log takes it. */
  async beat({ epoch }: Pick<Election, "epoch">, timeoutMilliseconds: number): Promise<void> {
    await this.options.ports.engine.writeHeartbeat({ epoch, beat: ++this.beats }, timeoutMilliseconds);
  }

  /** No process of before is left. */
  becomes(state: EngineState, role: EngineRole): void {
    this.view = { ...this.view, state, role, killedAt: undefined };
  }

  /** It is the primary, and takes writes. */
  opened(): void {
    this.view = { ...this.view, state: "running", role: "primary", failures: 0 };
    this.writesStopped = false;
  }

  /** Starts mariadbd. @param open lets somebody answer it while it starts @throws when it does not run then */
  async start(open: () => void, spawned: (pid: number) => void = () => undefined): Promise<void> {
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
  async stop(): Promise<void> {
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
    this.becomes("stopped", "replica");
  }

  /** Ends what reads and sends for an engine that is gone. */
  async closeWriting(): Promise<void> {
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

  /** Kills what is left of an attempt. @param counts as a failure of this node, which another might do without */
  startFailed(why: string, counts = true): void {
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

  /** Milliseconds that are left of the Lease; negative without it. */
  holdsFor(): number {
    return (this.options.lease.hold?.deadline ?? -Infinity) - this.options.ports.clock.now();
  }
}
