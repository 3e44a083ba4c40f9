import { Lanes, text } from "./lanes";
import { Ports } from "./ports";

/**
 * Two flushes are this far apart, and the first comes so long after a promotion: each moves the WAL by a generation, and replicas must see a heartbeat of each, or they
 * could not tell these moves from ones that they missed. Milliseconds.
 */
const flushesApart = 3000;
/** Many clients disturb the order of the WAL every second: a flush each time would make too many SSTables. Milliseconds. */
const disorderLasts = 5000;
const flushTimeout = 30_000;
const markerTimeout = 5000;
const lookEvery = 50;

interface Waiting {
  marker: string;
  settle: (failure?: Error) => void;
}

/** The primary's flushes beside its writes. Its side of joining: one flush for all replicas that ask at about the same time, and then their markers. */
export class JoinDesk {
  private waiting: Waiting[] = [];
  /** A flush for another purpose is about to come. */
  private held = false;

  constructor(
    private readonly ports: Ports,
    private readonly lanes: Lanes,
  ) {}

  /** Resolves when the marker was written. @throws when this node ends being the primary before */
  ask(marker: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ marker, settle: failure => (failure ? reject(failure) : resolve()) });
    });
  }

  /**
   * Called at each tick of a primary.
   * @param isDisordered followers lack commits until the next flush: it must not take long to come
   */
  serve(isDisordered: boolean): void {
    if (this.held || (this.waiting.length === 0 && !isDisordered)) return;
    const apart = this.waiting.length > 0 ? flushesApart : disorderLasts;
    this.lanes.every(apart, "joins", () => this.flushForAll());
  }

  /** A new primary begins: its promotion's own flush counts. */
  begin(): void {
    this.lanes.ran("joins");
  }

  /** A flush for another purpose: one for replicas that join is not to come close to it. */
  async flushBetween(before: () => Promise<void>, timeoutMilliseconds: number): Promise<void> {
    const { clock, engine } = this.ports;
    this.held = true;
    try {
      while (this.lanes.isBusy("joins")) await clock.sleep(lookEvery);
      await before();
      await engine.flush(timeoutMilliseconds);
      this.lanes.ran("joins");
    } finally {
      this.held = false;
    }
  }

  /** This node is no primary any more. */
  turnAway(): void {
    for (const { settle } of this.waiting.splice(0)) settle(new Error("this node is not the primary"));
  }

  private async flushForAll(): Promise<void> {
    const served = this.waiting.splice(0);
    try {
      await this.ports.engine.flush(flushTimeout);
      for (const { marker, settle } of served) {
        await this.ports.engine.writeMarker(marker, markerTimeout);
        settle();
      }
    } catch (error) {
      for (const { settle } of served) settle(new Error(text(error)));
      throw error;
    }
  }
}
