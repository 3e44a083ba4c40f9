import { Clock } from "../base/ports";
import { incomplete, PushedEntry } from "./entryInbox";

/** Entries that wait for one peer at most, and their bytes: a peer that is slower reads the bucket. */
const mostWaiting = 64;
const mostBytes = 16 * 1024 * 1024;
/** A peer gets this long for one entry. Milliseconds. */
const pushTimeout = 2000;
/** The word that more is durable waits so long for something that it can go with. Milliseconds. */
const wordPause = 25;
/** A peer that did not take one is left alone for so long. Milliseconds. */
const pauseAfterFailure = 1000;

/** Sends one entry, or the word of how far the log is durable, to a pod. @returns the epoch up to which that has read the log, or that it needs the whole of a brief entry @throws when it did not take it */
export type SendEntry = (
  pod: string,
  entry: PushedEntry,
  timeoutMilliseconds: number,
) => Promise<number | typeof incomplete>;

interface Waiting extends PushedEntry {
  /** The entry without what the drafts before it had: enough for a peer that has them. */
  brief?: Buffer;
}

interface Line {
  waiting: Waiting[];
  bytes: number;
  busy: boolean;
  /** The peer knows that the log is durable until here. */
  told: number;
}

/** Tells the other nodes of each entry as soon as it is built, and of drafts, in order and one at a time to each, and of how far they are durable. Nobody waits for it. */
export class EntryPusher {
  private readonly lines = new Map<string, Line>();
  private epoch = -1;
  private built = -1;
  private durableUntil = -1;
  private wordWaits = false;
  /** Entries that no peer got, since it was too slow or away. */
  dropped = 0;

  constructor(
    private readonly clock: Pick<Clock, "sleep">,
    private readonly send: SendEntry,
    private readonly peers: () => string[],
    /** Told that a peer has read another's seal of the epoch. */
    private readonly overtaken: (epoch: number, pod: string) => void = () => undefined,
  ) {}

  /** @param brief the entry without what drafts have told of it */
  push(epoch: number, position: number, bytes: Buffer, brief?: Buffer): void {
    this.enter(epoch);
    this.built = position;
    this.toAll(bytes, brief);
  }

  /** Of what was found since the last entry was built. */
  draft(epoch: number, bytes: Buffer): void {
    this.enter(epoch);
    this.toAll(bytes);
  }

  private enter(epoch: number): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.durableUntil = -1;
    this.built = 0;
  }

  /** The entry at `position` is in the bucket. */
  durable(epoch: number, position: number): void {
    if (epoch !== this.epoch) return;
    this.durableUntil = Math.max(this.durableUntil, position);
    if (!this.wordWaits) void this.sayDurable();
  }

  /** Amid writes something goes to each peer before that, and says it: a request less. */
  private async sayDurable(): Promise<void> {
    this.wordWaits = true;
    await this.clock.sleep(wordPause);
    this.wordWaits = false;
    this.toAll(Buffer.alloc(0));
  }

  private toAll(bytes: Buffer, brief?: Buffer): void {
    for (const pod of this.peers()) {
      const line = this.lines.get(pod) ?? { waiting: [], bytes: 0, busy: false, told: -1 };
      this.lines.set(pod, line);
      // What waits says it when it is sent.
      if (bytes.length === 0 && (line.waiting.length > 0 || line.told >= this.durableUntil)) continue;
      if (line.waiting.length >= mostWaiting || line.bytes + bytes.length > mostBytes) {
        this.dropped += line.waiting.length;
        line.waiting = [];
        line.bytes = 0;
      }
      line.waiting.push({ epoch: this.epoch, position: this.built, durable: -1, bytes, ...(brief && { brief }) });
      line.bytes += bytes.length;
      if (!line.busy) void this.run(pod, line);
    }
  }

  private async run(pod: string, line: Line): Promise<void> {
    line.busy = true;
    for (let next = line.waiting.shift(); next; next = line.waiting.shift()) {
      line.bytes -= next.bytes.length;
      // Never of what waits behind it: the peer would fetch that from the bucket, and fall further behind.
      const durable = next.epoch === this.epoch ? Math.min(this.durableUntil, next.position) : -1;
      let read = -1;
      try {
        read = await this.sendShortest(pod, next, durable);
        line.told = Math.max(line.told, durable);
      } catch {
        this.dropped += line.waiting.length + 1;
        line.waiting = [];
        line.bytes = 0;
        await this.clock.sleep(pauseAfterFailure);
      }
      if (read > next.epoch && next.epoch === this.epoch) this.overtaken(next.epoch, pod);
    }
    line.busy = false;
  }

  /** @returns the epoch up to which the peer has read the log */
  private async sendShortest(pod: string, { brief, ...whole }: Waiting, durable: number): Promise<number> {
    const entry = { ...whole, durable };
    let answer = await this.send(pod, brief ? { ...entry, bytes: brief } : entry, pushTimeout);
    if (brief && answer === incomplete) answer = await this.send(pod, entry, pushTimeout);
    if (answer === incomplete) throw new Error(`${pod} did not take a whole entry`);
    return answer;
  }
}
