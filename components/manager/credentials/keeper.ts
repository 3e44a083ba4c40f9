import { Log, Monotonic } from "../base/ports";
import { StoreClock } from "../store/bucket/bucket";
import { BucketCredentials } from "../store/bucket/s3Bucket";
import { CredentialSource, TemporaryCredentials } from "./source";

/** One request to the agent or to STS may take so long. Milliseconds. */
const fetchTimeout = 5000;
/** They are renewed when so much of their life is left. Pod Identity gives six hours and IRSA one: the first attempt comes three hours, or half an hour, before the end. */
const renewAtShare = 0.5;
/** Between two requests, at least: a source that hands out credentials which are about to end is not asked in a loop. Milliseconds. */
const leastPause = 500;
/** After the first request that failed; twice as long after each further one. Milliseconds. */
const firstPause = 1000;
const longestPause = 60_000;
/** The wall clock may be set, and a machine may sleep: the end is looked at this often. Milliseconds. */
const longestSleep = 30_000;
/** While renewing fails, people are told again this often. Milliseconds. */
const tellEvery = 600_000;

/** What the keeper needs of the world. */
export interface KeeperPorts {
  clock: StoreClock;
  log: Log;
  /** Tells people: a Kubernetes Event. */
  event(type: "Normal" | "Warning", reason: string, message: string): void;
}

/**
 * Keeps a role's credentials fresh: they are renewed in the background, one request at a time, from the half of their life on, and used until they end. A failure is told at once, which is
 * long before it hurts.
 */
export class CredentialKeeper {
  /** Requests that brought no credentials. */
  failures = 0;
  private held: TemporaryCredentials | undefined;
  /** They are due when no more than this is left of them. Milliseconds. */
  private renewBelow = 0;
  private askedAt: Monotonic = -Infinity;
  private fetching: Promise<void> | undefined;
  private failedInRow = 0;
  private retryAt: Monotonic = -Infinity;
  private why = "";
  private toldAt: Monotonic = -Infinity;
  private stopped = false;

  constructor(
    private readonly source: CredentialSource,
    private readonly ports: KeeperPorts,
  ) {}

  /** Seconds until the credentials end, 0 afterwards; undefined before the first. */
  get secondsLeft(): number | undefined {
    return this.held && Math.max(0, this.left / 1000);
  }

  /** Those that hold now. Without any it waits for the request that is on its way. @throws when there are none, with the source's reason */
  async current(): Promise<BucketCredentials> {
    if (this.left <= 0 && (this.fetching || this.isDue())) await this.renew();
    const { held } = this;
    if (held && this.left > 0) return held;
    const state = held ? `ended at ${new Date(held.expiresAt).toISOString()}` : "are not there yet";
    throw new Error(`the role's credentials ${state}: ${this.why}`);
  }

  /** The object store takes credentials for ended that hold by this node's clock: new ones are asked for, now and then. @param accessKeyId of those that were refused */
  refused(accessKeyId: string): void {
    const asksAlready = this.fetching !== undefined || this.failedInRow > 0;
    if (asksAlready || this.held?.accessKeyId !== accessKeyId) return;
    if (this.ports.clock.now() - this.askedAt < fetchTimeout) return;
    this.ports.log("warning", "the object store says that the role's credentials have ended", {
      secondsLeft: this.secondsLeft,
    });
    void this.renew();
  }

  /** Renews them until it is stopped. Never throws. */
  async run(): Promise<void> {
    const { clock } = this.ports;
    while (!this.stopped) {
      if (this.isDue()) await this.renew();
      const pause = this.failedInRow > 0 ? this.retryAt - clock.now() : this.left - this.renewBelow;
      await clock.sleep(Math.min(longestSleep, Math.max(leastPause, pause)));
    }
  }

  stop(): void {
    this.stopped = true;
  }

  /** Milliseconds until they end; none are there without. */
  private get left(): number {
    return this.held ? this.held.expiresAt - this.ports.clock.wall() : 0;
  }

  private isDue(): boolean {
    return this.failedInRow > 0 ? this.ports.clock.now() >= this.retryAt : this.left <= this.renewBelow;
  }

  /** One request at a time: whoever comes meanwhile waits for the same. Never throws. */
  private renew(): Promise<void> {
    return (this.fetching ??= this.fetchOnce().finally(() => (this.fetching = undefined)));
  }

  private async fetchOnce(): Promise<void> {
    const { clock } = this.ports;
    this.askedAt = clock.now();
    try {
      const fetched = await this.source.fetch(fetchTimeout);
      if (fetched.expiresAt <= clock.wall())
        throw new Error(
          `${this.source.name} hands out what has ended at ${new Date(fetched.expiresAt).toISOString()}: is this node's clock right?`,
        );
      this.succeeded(fetched);
    } catch (error) {
      this.failed(error instanceof Error ? error.message : String(error));
    }
  }

  private succeeded(fetched: TemporaryCredentials): void {
    const { ports } = this;
    const isFirst = this.held === undefined;
    this.held = fetched;
    this.renewBelow = this.left * renewAtShare;
    if (isFirst)
      ports.log("info", "has the role's credentials", { from: this.source.name, secondsLeft: this.secondsLeft });
    if (this.failedInRow > 0) {
      ports.log("info", "has new credentials of the role again", { failedAttempts: this.failedInRow });
      ports.event("Normal", "CredentialsRenewed", `${this.source.name} hands out the role's credentials again`);
    }
    this.failedInRow = 0;
    this.toldAt = -Infinity;
  }

  private failed(why: string): void {
    const { ports } = this;
    const now = ports.clock.now();
    this.failures++;
    this.why = why;
    const doubled = firstPause * 2 ** Math.min(this.failedInRow++, 10);
    // The end of those in use is never nearer than several further attempts.
    const byEnd = this.left > 0 ? this.left / 8 : longestPause;
    this.retryAt = now + Math.max(leastPause, Math.min(doubled, longestPause, byEnd));
    const left = this.secondsLeft ?? 0;
    ports.log("warning", "has no new credentials of the role", { error: why, secondsLeft: Math.round(left) });
    if (now - this.toldAt < tellEvery) return;
    this.toldAt = now;
    const state = left > 0 ? `those in use end in ${described(left)}` : "none are in use";
    ports.event("Warning", "CredentialsNotRenewed", `the role's credentials cannot be renewed, ${state}: ${why}`);
  }
}

function described(seconds: number): string {
  return seconds >= 120 ? `${Math.floor(seconds / 60)} minutes` : `${Math.floor(seconds)} s`;
}
