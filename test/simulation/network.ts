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

/** What a place's server does to a request instead of serving it. Each is a probability. */
export interface Misbehaviour {
  /** The request takes effect, and the answer is lost. */
  losesAnswers?: number;
  /** An error (429, 500, 503) comes back at once, and nothing has happened. */
  refuses?: number;
  /** An error comes back although the request took effect. */
  failsAfterEffect?: number;
  /** Added to each way. Milliseconds. */
  slowBy?: number;
}

/** What is wrong at the moment, and for how many reasons. */
class Troubles {
  private readonly reasons = new Map<string, number>();

  constructor(private readonly changed: (by: number) => void) {}

  add(what: string): void {
    this.reasons.set(what, (this.reasons.get(what) ?? 0) + 1);
    this.changed(1);
  }

  delete(what: string): void {
    const left = (this.reasons.get(what) ?? 0) - 1;
    if (left < 0) return;
    if (left > 0) this.reasons.set(what, left);
    else this.reasons.delete(what);
    this.changed(-1);
  }

  has(what: string): boolean {
    return this.reasons.has(what);
  }
}

/** A connection to the bucket carries so much. In `commit` mode each commit sends the whole WAL, one after another: much less, and the client, who does not wait, would ask for more than there is. Bytes a millisecond. */
const bandwidth = 50_000;

/** How long an object's bytes are under way. Milliseconds. */
export function transfer(bytes: number): number {
  return bytes / bandwidth;
}

/** The network: latency, cut links in one direction, servers that refuse, hang or are slow, answers that are lost after the request took effect. */
export class Network {
  /** "from>to": messages vanish. */
  readonly cut = new Troubles(by => this.count(by));
  /** Connections are refused: nothing arrives, and what was under way has no answer. */
  readonly down = new Troubles(by => this.count(by));
  private readonly misbehaviours = new Map<Place, Set<Misbehaviour>>();
  /** Requests wait, and take effect when the server thaws. */
  private readonly frozen = new Map<Place, (() => void)[]>();
  private troubles = 0;
  private calmSince = 0;

  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
  ) {}

  /** Nothing at all is wrong with any link or service. */
  get calm(): boolean {
    return this.troubles === 0;
  }

  /** For how long that has been so. Milliseconds. */
  get calmFor(): number {
    return this.calm ? this.time.now - this.calmSince : 0;
  }

  private count(by: number): void {
    this.troubles += by;
    this.calmSince = this.time.now;
  }

  freeze(place: Place): void {
    if (this.frozen.has(place)) return;
    this.count(1);
    this.frozen.set(place, []);
  }

  thaw(place: Place): void {
    const waiting = this.frozen.get(place);
    if (!waiting) return;
    this.count(-1);
    this.frozen.delete(place);
    for (const run of waiting) run();
  }

  /** Starts a misbehaviour. @returns what ends it */
  misbehave(place: Place, how: Misbehaviour): () => void {
    const active = this.misbehaviours.get(place) ?? new Set();
    this.misbehaviours.set(place, active.add(how));
    this.count(1);
    return () => {
      if (active.delete(how)) this.count(-1);
    };
  }

  /** One request and its answer; one that is spared comes through where others would be refused now and then. `effect` runs at the server, at most once, and may have run when this rejects. */
  request<T>(
    from: Process,
    to: Place,
    timeoutMilliseconds: number,
    effect: () => T | Promise<T>,
    baseLatency: number,
    isSpared = false,
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
      const oneWay = () => this.latency(to, baseLatency / 2);
      if (!this.calm) {
        if (this.down.has(to)) {
          this.time.after(oneWay(), () => settle(() => reject(new Error(`${to}: connection refused`))));
          return;
        }
        if (this.cut.has(`${from.place}>${to}`)) return;
      }
      const answer = (finish: () => void) => {
        if (!this.calm) {
          if (this.cut.has(`${to}>${from.place}`)) return;
          if (!isSpared && this.suffers(to, "losesAnswers")) return;
          if (!isSpared && this.suffers(to, "failsAfterEffect")) finish = () => reject(new Error(`${to}: 500`));
        }
        this.time.after(oneWay(), () => settle(finish));
      };
      const arrive = () => {
        if (!this.calm) {
          const waiting = this.frozen.get(to);
          if (waiting) return void waiting.push(arrive);
          if (this.down.has(to)) return;
          if (!isSpared && this.suffers(to, "refuses")) return answer(() => reject(new Error(`${to}: 503 or 429`)));
        }
        let result: T | Promise<T>;
        try {
          result = effect();
        } catch (error) {
          return answer(() => reject(error instanceof Error ? error : new Error(String(error))));
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

  /** How long a message to a place takes now. Milliseconds. */
  latency(to: Place, typical: number): number {
    const { random } = this;
    let added = 0;
    if (!this.calm) for (const { slowBy } of this.misbehaviours.get(to) ?? []) added += slowBy ?? 0;
    return typical * random.between(0.7, 1.6) + added;
  }

  private suffers(place: Place, what: Exclude<keyof Misbehaviour, "slowBy">): boolean {
    for (const how of this.misbehaviours.get(place) ?? []) {
      const probability = how[what];
      if (probability !== undefined && this.random.chance(probability)) return true;
    }
    return false;
  }
}
