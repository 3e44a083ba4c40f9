import type { EngineState } from "./state";

/** One file that is to be in the bucket, under its own name. */
export interface UploadJob {
  file: string;
  /** Generation of a rotated WAL: its file is deleted once it is in the bucket. 0 for everything else, and so also for the WAL of generation 0, whose file stays. */
  generation: number;
  /** Sent as the object's epoch; 0: none. */
  epoch: number;
  /** So much of the file is sent; 0: all of it. Bytes. */
  bytes: number;
}

interface ParkedUpload {
  job: UploadJob;
  attempts: number;
  retryAt: number;
}

/** A file is tried three times, with these waits between. Milliseconds. */
const attemptWaits = [100, 400];
/** What failed three times is parked, and tried again after 2 s, 4 s and so on, at most 60 s. Milliseconds. */
const firstRetry = 2000;
const longestRetry = 60_000;
/** When more are parked, the oldest is forgotten. */
const mostParked = 256;

/** What sends files to the bucket: a queue with some workers, a way to wait for one file, and a place for what has failed. */
export class Uploader {
  /** Files that were sent. */
  total = 0;
  /** Files that failed three times in a row. What fails again after it was parked is not counted. */
  failures = 0;
  lastGeneration = 0;
  private readonly queue: UploadJob[] = [];
  private readonly parked = new Map<string, ParkedUpload>();
  private working = 0;
  private idle: (() => void)[] = [];

  constructor(
    private readonly state: EngineState,
    private readonly workers: number,
  ) {}

  /** What `Tidesdb_upload_queue_depth` says: neither what is on its way nor what is parked is in it. */
  get depth(): number {
    return this.queue.length;
  }

  /** Sends it some time, beside others and in any order. */
  enqueue(job: UploadJob): void {
    this.queue.push(job);
    while (this.working < this.workers && this.queue.length > 0) {
      this.working++;
      const work = this.work().finally(() => {
        this.working--;
        if (this.working > 0) return;
        for (const resume of this.idle.splice(0)) resume();
      });
      this.state.inBackground(work);
    }
  }

  /** Sends it now and waits. @returns false when it failed: it is parked then, unless it is a part of the active WAL */
  async send(job: UploadJob): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      if (await this.putOnce(job)) {
        this.sent(job);
        return true;
      }
      const wait = attemptWaits[attempt];
      if (wait === undefined) break;
      await this.state.clock.sleep(wait);
    }
    this.failures++;
    // A part of the active WAL is sent again when it has grown.
    if (job.bytes === 0) this.park(job, 0, firstRetry);
    return false;
  }

  /** The reaper's look at what is parked: it does nothing else meanwhile. */
  async retryParked(): Promise<void> {
    for (;;) {
      const now = this.state.clock.now();
      const due = [...this.parked.values()].find(({ retryAt }) => retryAt <= now);
      if (!due) return;
      this.parked.delete(due.job.file);
      if (this.state.disk.size(due.job.file) === undefined) continue;
      if (await this.putOnce(due.job)) this.sent(due.job);
      else {
        const attempts = due.attempts + 1;
        this.park(due.job, attempts, Math.min(longestRetry, firstRetry * 2 ** attempts));
      }
    }
  }

  /** A clean stop: everything in the queue, and one attempt for each parked file. What fails then stays on the disk. */
  async drain(): Promise<void> {
    if (this.working > 0) await new Promise<void>(resolve => this.idle.push(resolve));
    for (const { job } of [...this.parked.values()]) {
      this.parked.delete(job.file);
      if (this.state.disk.size(job.file) !== undefined && (await this.putOnce(job))) this.sent(job);
    }
  }

  private async work(): Promise<void> {
    for (let job = this.queue.shift(); job; job = this.queue.shift()) await this.send(job);
  }

  /** One PUT and a HEAD that looks whether it has the right size; a manifest may have grown meanwhile, so it is not looked at. */
  private async putOnce({ file, epoch, bytes }: UploadJob): Promise<boolean> {
    const { disk, store } = this.state;
    const content = disk.read(file);
    if (!content) return false;
    const body = bytes > 0 ? content.subarray(0, bytes) : content;
    try {
      return await store.thread("sender", async () => {
        await store.put(file, body, epoch > 0 ? { metadata: { epoch: String(epoch) } } : undefined);
        if (file.endsWith("MANIFEST")) return true;
        const size = disk.size(file);
        if (size === undefined) return true;
        const head = await store.head(file);
        return head?.size === (bytes > 0 ? bytes : size);
      });
    } catch {
      this.state.checkAlive();
      return false;
    }
  }

  private sent({ file, generation }: UploadJob): void {
    this.total++;
    this.parked.delete(file);
    if (generation === 0) return;
    this.lastGeneration = Math.max(this.lastGeneration, generation);
    this.state.disk.remove(file);
  }

  private park(job: UploadJob, attempts: number, wait: number): void {
    const oldest = this.parked.keys().next();
    if (this.parked.size >= mostParked && !oldest.done && !this.parked.has(job.file)) this.parked.delete(oldest.value);
    this.parked.set(job.file, { job, attempts, retryAt: this.state.clock.now() + wait });
  }
}
