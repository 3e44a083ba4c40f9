import { Random } from "./random";
import { VirtualTime } from "./virtualTime";

/** Who sends or receives. Nodes by their pod's name; the two services by theirs. */
export type Place = string;
export const api: Place = "api";
export const bucket: Place = "s3";

/** A process in the simulation: once dead it never acts again; while frozen it acts later. */
export interface Process {
  readonly place: Place;
  alive: boolean;
  frozen: boolean;
  /** What waits for the thaw. */
  readonly waiting: (() => void)[];
}

/** Lets `run` happen in the process: never in a dead one, after the thaw in a frozen one. */
export function inProcess(process: Process, run: () => void): void {
  if (!process.alive) return;
  if (process.frozen) process.waiting.push(run);
  else run();
}

/** The network: latency, cut links in one direction, servers that refuse or hang, answers that are lost after the request took effect. */
export class Network {
  /** "from>to": messages vanish. */
  readonly cut = new Set<string>();
  /** Connections are refused at once. */
  readonly down = new Set<Place>();
  /** Requests wait, and take effect when the server thaws. */
  private readonly frozen = new Map<Place, (() => void)[]>();
  /** Added to each way to a place. Milliseconds. */
  readonly slow = new Map<Place, number>();
  /** Probability that an answer of this place is lost. */
  readonly lossy = new Map<Place, number>();

  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
  ) {}

  freeze(place: Place): void {
    if (!this.frozen.has(place)) this.frozen.set(place, []);
  }

  thaw(place: Place): void {
    const waiting = this.frozen.get(place) ?? [];
    this.frozen.delete(place);
    for (const run of waiting) run();
  }

  /** One request and its answer. `effect` runs at the server, at most once, and may have run when this rejects. */
  request<T>(
    from: Process,
    to: Place,
    timeoutMilliseconds: number,
    effect: () => T | Promise<T>,
    baseLatency: number,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let settled = false;
      const settle = (finish: () => void) => {
        if (settled) return;
        inProcess(from, () => {
          if (settled) return;
          settled = true;
          timer.run = undefined;
          finish();
        });
      };
      const timer = this.time.after(timeoutMilliseconds, () =>
        settle(() => reject(new Error(`${to}: no answer in ${timeoutMilliseconds} ms`))),
      );
      const oneWay = () => (baseLatency / 2) * this.random.between(0.7, 1.6) + (this.slow.get(to) ?? 0);
      if (this.down.has(to)) {
        this.time.after(oneWay(), () => settle(() => reject(new Error(`${to}: connection refused`))));
        return;
      }
      if (this.cut.has(`${from.place}>${to}`)) return;
      const answer = (finish: () => void) => {
        if (this.cut.has(`${to}>${from.place}`) || this.random.chance(this.lossy.get(to) ?? 0)) return;
        this.time.after(oneWay(), () => settle(finish));
      };
      const arrive = () => {
        const waiting = this.frozen.get(to);
        if (waiting) return void waiting.push(arrive);
        if (this.down.has(to)) return;
        let result: T | Promise<T>;
        try {
          result = effect();
        } catch (error) {
          return answer(() => reject(error));
        }
        if (!(result instanceof Promise)) return answer(() => resolve(result));
        result.then(
          value => answer(() => resolve(value)),
          (error: Error) => answer(() => reject(error)),
        );
      };
      this.time.after(oneWay(), arrive);
    });
  }
}
