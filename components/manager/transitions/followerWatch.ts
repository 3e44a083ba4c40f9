import { Lanes } from "../base/lanes";
import { FollowerHealth } from "../decide/view";
import { lookEvery } from "../decide/decide";
import { EngineKeeper } from "./engineKeeper";
import { NodePorts } from "./nodePorts";

/** A follower's engine is given so long to answer. Milliseconds. */
const pingTimeout = 700;

/** Looks whether a follower's engine goes on: one that hangs keeps its label, and its readers wait or see what was. */
export class FollowerWatch {
  private requests = -1;
  private silent = 0;
  private unanswered = 0;

  constructor(private readonly options: { ports: Pick<NodePorts, "engine">; lanes: Lanes; engine: EngineKeeper }) {}

  /** Undefined while no engine follows. */
  get health(): FollowerHealth | undefined {
    return this.isFollowing ? { silent: this.silent, unanswered: this.unanswered } : undefined;
  }

  /** Starts what is due. */
  observe(): void {
    if (!this.isFollowing) {
      this.requests = -1;
      this.silent = this.unanswered = 0;
      return;
    }
    this.options.lanes.every(lookEvery, "follower", () => this.look());
  }

  private get isFollowing(): boolean {
    const { view, transition } = this.options.engine;
    return view.state === "running" && view.role === "replica" && transition === undefined;
  }

  private async look(): Promise<void> {
    const { engine, ports } = this.options;
    this.silent = engine.requests === this.requests ? this.silent + 1 : 0;
    this.requests = engine.requests;
    try {
      await ports.engine.ping(pingTimeout);
      this.unanswered = 0;
    } catch {
      this.unanswered++;
    }
  }
}
