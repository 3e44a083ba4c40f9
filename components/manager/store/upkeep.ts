import { Bucket, StoreClock } from "./bucket/bucket";
import { LogWriter } from "./log/append";
import { deleteUnnamed } from "./log/deadWriters";
import { ChangesEntry } from "./log/entry";
import { HistoryRules } from "./log/history";
import { checkpoint, checkpointDue, collectGarbage } from "./log/keeping";
import { DatabaseState } from "./log/state";

export interface UpkeepOptions {
  bucket: Bucket;
  clock: StoreClock;
  /** A file that checkpoints are written to first. */
  scratch: string;
  warn: (message: string, fields?: Record<string, unknown>) => void;
}

/** What a writer does for the log beside appending to it: checkpoints, and the deletion of what nobody needs. One node's, over all of its epochs. */
export class Upkeep {
  private since: { entries: number; bytes: number; at: number };
  private checkpointing: Promise<void> | undefined;
  /** Checkpoints that this node has written, oldest first, and when: garbage goes by their age. */
  private readonly checkpoints: { position: number; at: number }[] = [];
  /** When this node began to write. */
  private writesSince = 0;
  /** The epoch in which it has deleted what dead writers had left. */
  private unnamedGone = -1;

  constructor(private readonly options: UpkeepOptions) {
    this.since = { entries: 0, bytes: 0, at: options.clock.now() };
  }

  /** This node is about to write. */
  began(): void {
    this.writesSince = this.options.clock.now();
  }

  /** Counts an entry of this node's, which the state has, and writes a checkpoint beside everything else when one is due. */
  appended(entry: ChangesEntry, state: DatabaseState): void {
    this.since.entries++;
    this.since.bytes += entry.payload.length;
    const { clock, bucket, scratch, warn } = this.options;
    const milliseconds = clock.now() - this.since.at;
    if (this.checkpointing || !checkpointDue({ ...this.since, milliseconds })) return;
    this.since = { entries: 0, bytes: 0, at: clock.now() };
    const snapshot = state.snapshot();
    this.checkpointing = checkpoint(bucket, snapshot, scratch)
      .then(() => void this.checkpoints.push({ position: snapshot.position, at: clock.now() }))
      .catch((error: unknown) => warn("a checkpoint could not be written", { error: String(error) }))
      .finally(() => (this.checkpointing = undefined));
  }

  /** Resolves when no checkpoint is being written. */
  async checkpointed(): Promise<void> {
    await this.checkpointing;
  }

  /**
   * Deletes what no kept position needs, slowly. The checkpoint that the horizon is raised to has to be older than `keepMilliseconds`, so that who reads an older state of the database has so long to come to its
   * end.
   * @param log of this node's epoch
   * @returns how many objects went
   */
  async collectGarbage(
    log: LogWriter,
    state: DatabaseState,
    { keepMilliseconds, rules }: { keepMilliseconds: number; rules: HistoryRules },
    stillWriter: () => boolean,
  ): Promise<number> {
    const { bucket, clock } = this.options;
    const { deleted, swept } = await collectGarbage(bucket, clock, {
      state: state.snapshot(),
      now: Math.min(clock.wall(), state.time),
      rules,
      latest: this.checkpoints.findLast(({ at }) => clock.now() - at >= keepMilliseconds)?.position ?? -1,
      youngMilliseconds: keepMilliseconds,
      stillWriter,
    });
    if (swept && stillWriter()) await log.submit({ changes: [swept], payload: [] });
    // Once in an epoch, and not at once: what a dead writer has on its way has arrived, or never will.
    if (this.unnamedGone === log.epoch || clock.now() - this.writesSince < keepMilliseconds) return deleted;
    const unnamed = await deleteUnnamed(bucket, clock, state.snapshot(), stillWriter);
    if (stillWriter()) this.unnamedGone = log.epoch;
    return deleted + unnamed;
  }
}
