import { Transition } from "../decide/view";
import { NodePorts } from "./nodePorts";

/** What a node does to become or to stop being the primary: the step that it is at, and how long each one took. */
export class Steps {
  /** Undefined: nothing is under way. */
  transition: Transition | undefined;
  /** Milliseconds that the steps of the last transition took. */
  took: Record<string, number> = {};

  constructor(private readonly ports: Pick<NodePorts, "clock" | "engine">) {}

  begin(kind: Transition["kind"], step: string): void {
    this.took = {};
    this.transition = { kind, step, progressedAt: this.ports.clock.now() };
  }

  /** It comes on: something was read, written or fetched. */
  progressed(): void {
    if (this.transition) this.transition.progressedAt = this.ports.clock.now();
  }

  end(): void {
    this.transition = undefined;
  }

  async step<T>(step: string, work: () => Promise<T>): Promise<T> {
    const { clock } = this.ports;
    if (this.transition) this.transition = { ...this.transition, step, progressedAt: clock.now() };
    const begun = clock.now();
    const result = await work();
    this.took[step] = Math.round(clock.now() - begun);
    return result;
  }

  /** @throws when it takes longer, or the engine dies meanwhile */
  async within<T>(milliseconds: number, work: Promise<T>, why: string): Promise<T> {
    const { clock, engine } = this.ports;
    let isOver = false;
    const watch = async () => {
      for (const until = clock.now() + milliseconds; !isOver; await clock.sleep(50)) {
        if (engine.pid() === 0) throw new Error("mariadbd ended");
        if (clock.now() > until) throw new Error(`${why} in ${Math.round(milliseconds)} ms`);
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
