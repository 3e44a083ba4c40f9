import { Counters } from "../base/counters";
import { backoffAfterRelease, pauseAfterLostRace } from "../base/intervals";
import { Lanes } from "../base/lanes";
import { Monotonic } from "../base/ports";
import { LeaseKeeper } from "../cluster/leaseKeeper";
import { PodKeeper } from "../cluster/podKeeper";
import { Decision, EngineAction } from "../decide/decide";
import { EngineKeeper } from "./engineKeeper";
import { Handover } from "./handover";
import { NodePorts } from "./nodePorts";
import { Takeover } from "./takeover";

export interface ExecutorOptions {
  ports: Pick<NodePorts, "clock" | "log" | "kubernetes" | "exit">;
  lanes: Lanes;
  counters: Counters;
  lease: LeaseKeeper;
  pods: PodKeeper;
  engine: EngineKeeper;
  takeover: Takeover;
  handover: Handover;
}

/** Carries out what was decided, each kind in a lane of its own. */
export class Executor {
  /** The process is about to end. */
  exited = false;
  /** No attempt to take the Lease before this. */
  backoffUntil: Monotonic = -Infinity;
  private toldOfStop = false;

  constructor(private readonly options: ExecutorOptions) {}

  backOff(milliseconds: number): void {
    this.backoffUntil = this.options.ports.clock.now() + milliseconds;
  }

  carryOut({ fence, lease, label, writes, engine }: Decision): void {
    const { lanes, pods } = this.options;
    if (fence && !lanes.isBusy("fence")) lanes.run("fence", () => this.options.engine.fence(fence));
    if (lease) this.carryOutLease(lease);
    if (label) lanes.run("label", () => pods.carryOut(label));
    if (writes) this.carryOutWrites(writes);
    else this.toldOfStop = false;
    if (engine) this.carryOutEngine(engine);
  }

  private carryOutLease(action: NonNullable<Decision["lease"]>): void {
    const { lanes, lease, ports } = this.options;
    const { clock, log } = ports;
    lanes.run("lease", async () => {
      const had = lease.hold;
      if (action.kind === "release") {
        log("warning", "releasing the lease", { why: action.why });
        this.backOff(backoffAfterRelease);
        return lease.release("");
      }
      if (action.kind === "letRunOut") {
        log("error", "letting the lease expire", { why: action.why });
        this.backOff(lease.letRunOut());
        return;
      }
      try {
        if (action.kind === "acquire") await lease.acquire(action.epoch);
        else await lease.renew();
      } finally {
        if (!lease.hold) this.backoffUntil = Math.max(this.backoffUntil, clock.now() + pauseAfterLostRace);
      }
      if (!had && lease.hold) log("info", "took the lease", { epoch: lease.hold.epoch });
    });
  }

  private carryOutWrites(action: NonNullable<Decision["writes"]>): void {
    const { lanes, engine, counters, ports } = this.options;
    const { log, kubernetes } = ports;
    lanes.run("writes", async () => {
      if (action.kind === "stop" && !this.toldOfStop) {
        this.toldOfStop = true;
        counters.writeStops++;
        log("error", "stopped accepting writes", { why: action.why });
        kubernetes.event("Warning", "WritesStopped", action.why);
      }
      await engine.setWrites(action.kind === "resume");
      if (action.kind === "resume") {
        log("info", "accepting writes again");
        kubernetes.event("Normal", "WritesResumed", "everything is in the log");
      }
    });
  }

  private carryOutEngine(action: EngineAction): void {
    const { engine, takeover, handover, lanes, pods, ports } = this.options;
    switch (action.kind) {
      case "kill":
        // Does not queue behind the start or the step that it is meant to end.
        return engine.kill(action.why, action.hung);
      case "refuseSwitchover":
        ports.log("error", "the switchover is refused", { why: action.why });
        ports.kubernetes.event("Warning", "SwitchoverRefused", action.why);
        return lanes.run("requests", () => pods.clearRequests());
      case "exit":
        if (lanes.isBusy("engine", "lease")) return;
        this.exited = true;
        ports.log("info", "exits");
        return ports.exit(0);
      case "follow":
        return lanes.run("engine", () => engine.follow(action.why));
      case "takeOver":
        return lanes.run("engine", () => takeover.run());
      case "handOver":
        return lanes.run("engine", () => handover.run(action));
      case "leaveNothing":
        return lanes.run("engine", () => handover.leaveNothing());
    }
  }
}
