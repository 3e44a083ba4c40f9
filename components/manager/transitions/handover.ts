import { text } from "../base/lanes";
import { Monotonic } from "../base/ports";
import { LeaseKeeper } from "../cluster/leaseKeeper";
import { EngineAction, successorAmong } from "../decide/decide";
import { Writing } from "../store/writing";
import { EngineKeeper } from "./engineKeeper";
import { NodePorts } from "./nodePorts";
import { StoreKeeper } from "./storeKeeper";

const callTimeout = 1500;
/** Everything that was acknowledged is to reach the log. Milliseconds. */
const shipTimeout = 30_000;
/** Ahead of a handover a flush is waited for so long: without it the successor replays more. Milliseconds. */
const flushAheadTimeout = 10_000;
/** And not at all when there is less time for it: it would only be broken off. Milliseconds. */
const leastFlush = 300;
/** What is not in the log is sent before the flush, for so long at most: a bucket that does not answer holds up the flush as well. Milliseconds. */
const shipAheadTimeout = 2000;
/** A long transaction has to be rolled back. Milliseconds. */
const readOnlyTimeout = 30_000;
/** All steps behind the flush take a second and a half where it was measured. Milliseconds. */
const restTakes = 2000;
/** With less time than this the engine is killed when it does not refuse writes: what it has acknowledged is on the disk, and goes into the log from there. Milliseconds. */
const shortOfTime = 10_000;
const backoffAfterHandover = 2000;
const peersTimeout = 300;

export interface HandoverOptions {
  pod: string;
  ports: NodePorts;
  engine: EngineKeeper;
  store: StoreKeeper;
  lease: LeaseKeeper;
  /** No attempt to take the Lease for so many milliseconds. */
  backOff: (milliseconds: number) => void;
  /** A switchover is over. */
  switchedOver: () => void;
}

type OrderlyLeave = Extract<EngineAction, { kind: "handOver" }>;

/** Ends the primary on this node in order, and gives the Lease back. */
export class Handover {
  constructor(private readonly options: HandoverOptions) {}

  /**
   * Leaves in order.
   * @param to the successor's pod; empty: whoever has most of the log then
   * @param cutOff the bucket does not answer this node: nothing is waited for
   * @param leavesBy when this pod is killed. Absent: it stays
   */
  async run({ to, cutOff, leavesBy = Infinity }: Omit<OrderlyLeave, "kind">): Promise<void> {
    const { ports, engine, lease, backOff, switchedOver } = this.options;
    const { steps } = engine;
    const { log, kubernetes } = ports;
    log(cutOff ? "warning" : "info", "hands over", { to, cutOff: cutOff === true });
    steps.begin("handOver", "flushAhead");
    try {
      if (!cutOff) await this.stopWrites(leavesBy);
      await steps.step("kill", () => engine.stop());
      // What had not been shipped is on the disk.
      if (!cutOff) await this.appendLeftovers();
      // Who has most of the log now.
      const successor = to === "" ? successorAmong(await ports.peers.askAll(peersTimeout)) : to;
      await steps.step("release", () => lease.release(successor));
      backOff(backoffAfterHandover);
    } catch (error) {
      log("error", "the handover failed", { why: `${steps.transition?.step}: ${text(error)}` });
      kubernetes.event("Warning", "SwitchoverFailed", text(error));
      if (engine.view.state === "running") {
        steps.end();
        await engine.setWrites(true).catch(() => engine.kill("the server could not be set writable again"));
      }
    }
    steps.end();
    switchedOver();
  }

  /** The engine has died while this node was to leave: what only the volume has goes into the log first. */
  async leaveNothing(): Promise<void> {
    const { engine, lease } = this.options;
    engine.steps.begin("handOver", "leaveNothing");
    try {
      await engine.closeWriting();
      await this.appendLeftovers();
      await lease.release("");
    } finally {
      engine.steps.end();
    }
  }

  /** @throws when not everything is in the log, and there is time to try it again */
  private async stopWrites(leavesBy: Monotonic): Promise<void> {
    const { pod, ports, engine } = this.options;
    const { steps } = engine;
    const left = () => leavesBy - ports.clock.now();
    await steps.step("flushAhead", () => this.flushAhead(left() - restTakes));
    const strip = ports.kubernetes.setRole(pod, "none", callTimeout).catch(() => undefined);
    try {
      // Half of what is left: the other half is for what comes behind it.
      await steps.step("readOnly", () => this.refuseWrites(left() / 2));
      const patience = Math.min(shipTimeout, left() / 2);
      await steps.step("ship", () =>
        steps.within(patience, this.mustWrite().handler.ship(), "not everything reached the log"),
      );
    } catch (error) {
      if (left() > shortOfTime) throw error;
      ports.log("warning", "writes could not be stopped in the time that is left", { error: text(error) });
    }
    await strip;
  }

  private async appendLeftovers(): Promise<void> {
    const { store, engine } = this.options;
    await engine.steps.step("leaveNothing", () => store.exclusive(node => node.appendLeftovers()));
  }

  /** @param patience milliseconds for all of it */
  private async refuseWrites(patience: number): Promise<void> {
    const { engine } = this.options.ports;
    const call = Math.min(callTimeout, patience / 3);
    await engine.setReadOnly(true, call).catch(async () => {
      // A long transaction keeps read_only waiting: end it, and ask again.
      await engine.endSessions(call);
      await engine.setReadOnly(true, Math.min(readOnlyTimeout, patience / 3));
    });
    await engine.endSessions(call);
  }

  /** What is acknowledged goes into the log first, in milliseconds: the pod may be killed during the flush. @param patience milliseconds that there are for the flush */
  private async flushAhead(patience: number): Promise<void> {
    const { ports, engine } = this.options;
    const { clock } = ports;
    const { steps } = engine;
    const { flushes, handler, released } = this.mustWrite();
    const until = clock.now() + Math.min(flushAheadTimeout, patience);
    const left = () => until - clock.now();
    try {
      await steps.within(Math.min(shipAheadTimeout, Math.max(leastFlush, patience)), handler.ship(), "it was not sent");
      if (left() < leastFlush) return ports.log("info", "leaves without a flush: there is no time for it");
      const generation = flushes.releasedUntil + 1;
      await ports.engine.flush(left());
      await steps.within(left(), released(generation), "the flush was not released");
    } catch (error) {
      ports.log("warning", "the flush before the handover failed", { error: text(error) });
    }
  }

  private mustWrite(): Writing {
    const { writing } = this.options.engine;
    if (!writing) throw new Error("mariadbd ended");
    return writing;
  }
}
