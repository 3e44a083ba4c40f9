import { Bucket } from "../bucket/bucket";
import { decodeEntry, Entry } from "./entry";
import { entryKey } from "./keys";
import { readCheckpoint } from "./checkpoint";
import { ForeignPrefix, LogOwner, OwnerObject, readOwner } from "./owner";
import { DatabaseState } from "./state";

/** Milliseconds that one small read may take. */
const readTimeout = 5000;

/** The reader has fallen behind what is kept: it restarts from a checkpoint. */
export class BehindHorizon extends Error {
  constructor(position: number, horizon: number) {
    super(`position ${position} is behind the horizon ${horizon}: entries from there on are deleted`);
    this.name = "BehindHorizon";
  }
}

/**
 * The state at the newest checkpoint, or before the first entry.
 * @param scratch a file that a checkpoint is fetched into; gone afterwards
 * @throws ForeignPrefix, UnreadableEntry
 */
export async function openLog(bucket: Bucket, scratch: string): Promise<{ owner: OwnerObject; state: DatabaseState }> {
  const owner = await readOwner(bucket, readTimeout);
  if (!owner) throw new ForeignPrefix("there is no log under this prefix yet");
  const newest = owner.owner.checkpoints[0];
  return { owner, state: newest ? await readCheckpoint(bucket, newest, scratch) : new DatabaseState() };
}

/** Entries that are asked for ahead at most, while there are some. */
const mostAhead = 8;

/** Reads the log on, one entry after the other. */
export class LogReader {
  /** Entries that were asked for already, by position in the present epoch. */
  private readonly ahead = new Map<number, Promise<Buffer | undefined>>();
  /** How many to ask for ahead: none at the log's end, where each would be a request for nothing. */
  private window = 0;
  /** The last entry that was read; undefined: the state is a checkpoint's. */
  last: Entry | undefined;

  constructor(
    private readonly bucket: Bucket,
    readonly state: DatabaseState,
    /** Told of each entry after it was applied. */
    private readonly applied: (entry: Entry) => void = () => undefined,
  ) {}

  /**
   * Applies the next entry, when there is one.
   * @param known its bytes, when they came another way; they must be durable
   * @param isWanted says no where the reader is to stop: the entry is not applied then
   * @throws UnreadableEntry, BehindHorizon
   */
  async next(known?: Buffer, isWanted: (entry: Entry) => boolean = () => true): Promise<Entry | undefined> {
    const { epoch, position } = this.state;
    const key = entryKey(epoch, position + 1);
    const bytes = known ?? (await this.fetch(epoch, position + 1));
    this.window = bytes ? Math.min(mostAhead, Math.max(1, 2 * this.window)) : 0;
    if (!bytes || known) this.ahead.clear();
    if (!bytes) return undefined;
    const entry = decodeEntry(key, bytes, epoch, position + 1);
    // A seal can stand in a gap of deleted entries, put there by a candidate that slept; it elects nobody, and the line goes on elsewhere.
    if (entry.kind === "seal" && entry.position > 0) await this.assertKept(entry.position);
    if (!isWanted(entry)) return undefined;
    this.state.apply(entry);
    this.last = entry;
    this.applied(entry);
    if (entry.kind === "seal") this.ahead.clear();
    return entry;
  }

  private async fetch(epoch: number, position: number): Promise<Buffer | undefined> {
    const get = (at: number) => this.bucket.get(entryKey(epoch, at), readTimeout).then(object => object?.content);
    const early = this.ahead.get(position);
    this.ahead.delete(position);
    for (let at = position + 1; at <= position + this.window; at++) {
      if (this.ahead.has(at)) continue;
      const request = get(at);
      request.catch(() => undefined);
      this.ahead.set(at, request);
    }
    // What was not there a moment ago may be there now, and what failed is asked for again.
    const content = await early?.catch(() => undefined);
    return content ?? (await get(position));
  }

  /** Applies all entries that are there. @returns how many */
  async catchUp(): Promise<number> {
    let count = 0;
    while (await this.next()) count++;
    return count;
  }

  /**
   * Whether the entries from here on are still kept. To be asked now and then by a reader that finds nothing: behind the horizon it would never find anything.
   * @throws BehindHorizon
   */
  async assertKept(position = this.state.position + 1): Promise<LogOwner | undefined> {
    const owner = (await readOwner(this.bucket, readTimeout))?.owner;
    if (owner && position < owner.horizon) throw new BehindHorizon(position, owner.horizon);
    return owner;
  }
}
