import { ManagerConfiguration } from "../../core/managerConfiguration";
import { Counters } from "../base/counters";
import { Lanes } from "../base/lanes";
import { CanaryView } from "../decide/view";
import { Monotonic } from "../base/ports";
import { HistoryRules, historyTiming } from "../store/log/history";
import { ownerKey } from "../store/log/keys";
import { EngineKeeper } from "./engineKeeper";
import { NodePorts } from "./nodePorts";
import { StoreKeeper } from "./storeKeeper";
import { WalShipping } from "./walShipping";

/** A primary that nobody writes to writes a row itself this often: it proves that the engine writes, and that the log takes it. Milliseconds. */
const canaryEvery = 5000;
const canaryTimeout = 4000;
/** With no write for so long the canary is late. The engine asks the bucket for nothing then: whether that answers is asked apart, and so often. Milliseconds. */
const canaryIsLate = 6000;
const probeEvery = 2000;
const probeTimeout = 2000;
const pingEvery = 500;
const pingTimeout = 700;
/**
 * Commits are held back from so many flushes on that are not sent, until half are. A takeover replays what they hold. And an engine whose ten rotated memtables were all flushed after the last rotation
 * keeps them, waits for room, and never rotates again.
 */
export const mostFlushes = 3;
/** Commits are held back in slices, with a pause after each. Milliseconds. */
const slice = { held: 150, open: 100 };
/** Garbage is looked for this often, and goes when nobody has needed it for so long. A simulation makes hours of it seconds. */
export const garbageTiming = { everyMilliseconds: 600_000, afterMilliseconds: 3_600_000 };
const hour = 3_600_000;
/** The engine gives a request up after 60 s: what has waited for nearly so long may have failed, and is not sent again. Milliseconds. */
const mayHaveFailedAfter = 50_000;

/** What the primary does beside serving: ships the WAL in `interval`, looks whether its engine is well, holds commits back where the log does not keep up, deletes what nobody needs. */
export class WriterDuties {
  private commits = -1;
  /** When the engine was last known to write: its WAL grew. Files of a merge prove nothing. */
  private wroteAt: Monotonic = -Infinity;
  private answeredAt: Monotonic = -Infinity;
  private unanswered = 0;
  private shipping: EngineKeeper["writing"];
  /** Commits are held back now. */
  holds = false;
  deleted = 0;

  constructor(
    private readonly options: {
      configuration: ManagerConfiguration;
      ports: NodePorts;
      lanes: Lanes;
      engine: EngineKeeper;
      store: StoreKeeper;
      counters: Counters;
    },
  ) {}

  /** For how long the oldest write has waited for the log. Milliseconds. */
  get waiting(): number {
    return this.options.engine.writing?.waitingMilliseconds() ?? 0;
  }

  get canary(): CanaryView | undefined {
    if (!this.isPrimary) return undefined;
    const now = this.options.ports.clock.now();
    const silent = now - Math.max(this.wroteAt, this.answeredAt);
    return {
      silent: this.unanswered > 0 ? silent : now - this.wroteAt,
      walIdle: now - this.wroteAt,
      unanswered: this.unanswered,
    };
  }

  /** Starts what is due. */
  observe(): void {
    const { lanes, engine, configuration, ports } = this.options;
    const { writing } = engine;
    if (writing && writing !== this.shipping) {
      this.shipping = writing;
      this.begin();
      if (configuration.durability !== "commit") void new WalShipping({ ports, engine }).run(writing);
    }
    if (!this.isPrimary || !writing) return;
    const now = ports.clock.now();
    if (writing.shipper.commits !== this.commits) {
      this.commits = writing.shipper.commits;
      this.wroteAt = now;
    }
    if (now - this.wroteAt >= canaryEvery && !engine.writesStopped)
      lanes.every(canaryEvery, "canary", () => this.writeCanary());
    if (now - this.wroteAt >= canaryIsLate)
      lanes.every(probeEvery, "probe", async () => void (await ports.bucket.get(ownerKey, probeTimeout)));
    lanes.every(pingEvery, "ping", () => this.ping());
    lanes.every(garbageTiming.everyMilliseconds, "garbage", () => this.collectGarbage());
    if (this.waiting > mayHaveFailedAfter) engine.restartWhenWell = true;
    if (this.isBehind(1)) lanes.run("pace", () => this.keepPace());
  }

  private get isPrimary(): boolean {
    const { view, transition } = this.options.engine;
    return view.state === "running" && view.role === "primary" && transition === undefined;
  }

  /** Half of what may be lost: then commits begin to wait. */
  private get patience(): number {
    return 500 * this.options.configuration.maxDataLossSeconds;
  }

  /** @param share of what may wait */
  private isBehind(share: number): boolean {
    const { configuration, engine } = this.options;
    if ((engine.writing?.shipper.rotated ?? 0) >= share * mostFlushes) return true;
    // In `commit` nobody is told of what waits.
    return configuration.durability === "interval" && this.waiting > share * this.patience;
  }

  private get rules(): HistoryRules {
    const { everyPositionHours, dailyCheckpointDays } = this.options.configuration.history;
    return {
      everyPositionMilliseconds: hour * everyPositionHours,
      dailyCheckpointMilliseconds: historyTiming.dayMilliseconds * dailyCheckpointDays,
    };
  }

  private begin(): void {
    this.commits = -1;
    this.unanswered = 0;
    this.wroteAt = this.answeredAt = this.options.ports.clock.now();
  }

  private async writeCanary(): Promise<void> {
    const { engine, counters } = this.options;
    const { writing } = engine;
    if (!writing) return;
    try {
      await engine.beat({ epoch: writing.log.epoch }, canaryTimeout);
      this.wroteAt = this.options.ports.clock.now();
    } catch (error) {
      counters.heartbeatFailures++;
      throw error;
    }
  }

  private async ping(): Promise<void> {
    const { engine, clock } = this.options.ports;
    try {
      await engine.ping(pingTimeout);
      this.unanswered = 0;
      this.answeredAt = clock.now();
    } catch (error) {
      this.unanswered++;
      throw error;
    }
  }

  /** Commits wait a share of the time, until most of what was written before is in the log, and in files in the bucket. */
  private async keepPace(): Promise<void> {
    const { engine, clock, log } = this.options.ports;
    const flushes = this.options.engine.writing?.shipper.rotated;
    const waiting = Math.round(this.waiting);
    if (!this.holds) log("warning", "holding back commits so that the log keeps up", { waiting, flushes });
    this.holds = true;
    try {
      while (this.isPrimary && this.isBehind(0.5)) {
        await engine.holdCommits(slice.held);
        await clock.sleep(slice.open);
      }
    } finally {
      this.holds = false;
    }
  }

  private async collectGarbage(): Promise<void> {
    const { store, engine, ports } = this.options;
    const { writing } = engine;
    if (!writing) return;
    const deleted = await store.beside?.collectGarbage(
      writing,
      { keepMilliseconds: garbageTiming.afterMilliseconds, rules: this.rules },
      () => engine.writing === writing,
    );
    if (!deleted) return;
    this.deleted += deleted;
    ports.log("info", "deleted objects that no kept position of the log needs", { objects: deleted });
  }
}
