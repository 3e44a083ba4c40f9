import { Counters } from "../base/counters";
import { text } from "../base/lanes";
import { stripOtherLabels } from "../cluster/podKeeper";
import { leastHoldMilliseconds } from "../decide/decide";
import { wroteLately } from "../decide/rival";
import { Election } from "../store/log/seal";
import { EngineKeeper } from "./engineKeeper";
import { NodePorts } from "./nodePorts";
import { StoreKeeper } from "./storeKeeper";

const callTimeout = 1500;
const promoteTimeout = 10_000;
/** A flush waits for its files to be sent: a write buffer of them. Milliseconds. */
const flushTimeout = 30_000;

export interface TakeoverOptions {
  pod: string;
  ports: NodePorts;
  engine: EngineKeeper;
  store: StoreKeeper;
  counters: Counters;
  stopping: () => boolean;
}

/** Of an engine that was started and is not open yet. */
interface Started {
  election: Election;
  /** Of the one WAL. */
  generation: number;
  /** Blocks that were replayed. */
  replay: number;
}

/** Makes this node, which holds the Lease, the primary: seals, aligns the volume to the seal, starts the engine on it, promotes it, flushes, opens. */
export class Takeover {
  constructor(private readonly options: TakeoverOptions) {}

  async run(): Promise<void> {
    const { ports, counters, engine } = this.options;
    const { log, clock, kubernetes } = ports;
    const { steps } = engine;
    steps.begin("takeOver", "stop");
    const begun = clock.now();
    try {
      await steps.step("stop", () => engine.stop());
      engine.becomes("starting", "promoting");
      const started = await this.start();
      await this.promote(started);
      if (engine.holdsFor() < leastHoldMilliseconds) throw new Error("the lease is about to expire");
      await steps.step("open", () => ports.engine.setReadOnly(false, callTimeout));
      this.mustHold();
      engine.opened();
      steps.end();
      counters.promotions++;
      const milliseconds = Math.round(clock.now() - begun);
      log("info", "is the primary", { ...started.election, milliseconds, steps: steps.took });
      kubernetes.event("Normal", "Promoted", `primary in epoch ${started.election.epoch} of the log`);
    } catch (error) {
      const why = `${steps.transition?.step}: ${text(error)}`;
      steps.end();
      counters.failedPromotions++;
      log("error", "the takeover failed", { why, steps: steps.took });
      kubernetes.event("Warning", "PromotionFailed", why);
      // A bucket that has not answered since says nothing of this node: whether it answers another is asked apart.
      engine.startFailed(why, ports.bucket.answeredAt > begun);
    }
  }

  /** Whether it may go on. */
  mayGoOn(): boolean {
    const { engine, stopping } = this.options;
    return engine.holdsFor() > 0 && !(stopping() && engine.transition?.kind === "takeOver");
  }

  private start(): Promise<Started> {
    const { ports, store, engine } = this.options;
    const { log, files, door, watchdog, clock } = ports;
    const { steps } = engine;
    return store.exclusive(async node => {
      await store.catchUp(node);
      const { rival } = store.place ?? {};
      // A seal now would end its epoch, and it would end this one's in turn.
      if (rival && wroteLately(rival, clock.now()))
        throw new Error(`${rival.author} of ${rival.cluster} has just been elected`);
      const resumes = node.isLastWriters;
      const pushed = store.inbox.pending(node.state);
      const [election] = await steps.step("seal", () =>
        Promise.all([node.takeOver(pushed, true, store.inbox.drafts), this.stripOthers()]),
      );
      if (!election) throw new Error("another node was elected");
      const replay = node.state.blocksToReplay().length;
      const alignment = await steps.step("align", () => node.align("writes"));
      store.aligned();
      await steps.step("server", async () => {
        if (!resumes || !(await files.hasServer())) await files.freshServer();
        await node.placeDefinitions();
      });
      this.mustHold();
      await steps.step("start", () =>
        engine.start(
          () => door.open(node.opening()),
          pid => watchdog.guard(pid),
        ),
      );
      engine.writing = await node.write(election);
      door.open(engine.writing.handler);
      log("info", "is elected", { ...election, ...alignment, replay, pushed: pushed.size, resumes });
      return { replay, generation: alignment.generation, election };
    });
  }

  private async promote({ election, replay, generation }: Started): Promise<void> {
    const { ports, engine } = this.options;
    const { steps } = engine;
    await steps.step("promote", () => ports.engine.promote(promoteTimeout));
    // The engine says that it is the primary even when it is not: a row proves it, and makes the table that is flushed.
    await steps.step("trialWrite", () => engine.beat(election, promoteTimeout));
    const { writing } = engine;
    if (!writing) throw new Error("mariadbd ended");
    // Replayed rows are not seen by point reads in a transaction until they are flushed.
    if (replay === 0) return;
    await steps.step("flush", async () => {
      await ports.engine.flush(flushTimeout);
      await steps.within(flushTimeout, writing.released(generation), "the flush was not released");
    });
  }

  private async stripOthers(): Promise<void> {
    const { pod, ports } = this.options;
    try {
      await stripOtherLabels(ports.kubernetes, pod, callTimeout);
    } catch (error) {
      // Clients that are led there meet a server that is fenced or read-only; the label is looked at again.
      ports.log("warning", "the last primary's label could not be removed", { error: text(error) });
    }
  }

  private mustHold(): void {
    if (!this.mayGoOn()) throw new Error("the lease was lost, or the pod is stopping");
    const { state } = this.options.engine.view;
    if (state === "stopping" || state === "stopped") throw new Error("mariadbd was killed");
  }
}
