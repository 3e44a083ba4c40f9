import { decodeEntry } from "../store/log/entry";
import { entryKey } from "../store/log/keys";
import { expandBrief, isBrief } from "../store/wal/briefEntry";
import { decodeDraft, DraftBox, isDraft } from "../store/wal/drafts";

/** An entry or a draft as its writer tells the other nodes of it, or only the word of how far it is durable. */
export interface PushedEntry {
  epoch: number;
  /** Of the entry; of a draft, and with no bytes, the last one that was built. */
  position: number;
  /** Up to here the writer has seen its entries in the bucket. */
  durable: number;
  /** Empty: only `durable` is news. An entry may be brief. */
  bytes: Buffer;
}

/** The answer to a brief entry of which this node lacks what it leaves out: the whole is to be sent. */
export const incomplete = "incomplete";

/** Where this node's own state is. */
interface Place {
  epoch: number;
  position: number;
}

/**
 * What the writer has pushed to this node: entries that may not be in the bucket yet. They are applied when the writer says that they are durable; a candidate appends the others before it seals (rule 6 of the
 * log), and the drafts behind them (rule 7). Pure.
 */
export class EntryInbox {
  readonly drafts = new DraftBox();
  private readonly entries = new Map<number, Buffer>();
  private bytes = 0;
  private epoch = -1;
  private durable = -1;

  /** @param mostBytes of entries that are kept at most: what is dropped is read from the bucket */
  constructor(private readonly mostBytes = 32 * 1024 * 1024) {}

  /** @returns no: the entry is brief, and this node lacks what it leaves out @throws UnreadableEntry when the bytes are not those of this entry. Nothing of it is kept in either case */
  take({ epoch, position, durable, bytes: sent }: PushedEntry, state: Place): boolean {
    // Of a writer that does not know yet that its epoch has ended.
    if (epoch < Math.max(state.epoch, this.epoch)) return true;
    const bytes = isBrief(sent) ? expandBrief(sent, this.drafts.finder()) : sent;
    if (!bytes) return false;
    const draft = isDraft(bytes) ? decodeDraft(bytes) : undefined;
    if (!draft && bytes.length > 0) decodeEntry(entryKey(epoch, position), bytes, epoch, position);
    if (epoch > this.epoch) {
      this.clear();
      this.epoch = epoch;
    }
    this.durable = Math.max(this.durable, durable);
    if (draft?.epoch === epoch) this.drafts.take(draft);
    if (draft) return true;
    if (bytes.length === 0 || position <= state.position || this.entries.has(position)) return true;
    this.entries.set(position, bytes);
    this.bytes += bytes.length;
    while (this.bytes > this.mostBytes) this.drop(Math.min(...this.entries.keys()));
    return true;
  }

  /** The entry behind the state's position, when its writer has said that it is durable. */
  nextDurable({ epoch, position }: Place): Buffer | undefined {
    this.forget({ epoch, position });
    return epoch === this.epoch && position < this.durable ? this.entries.get(position + 1) : undefined;
  }

  /** What stands behind the state's position in its epoch, by position. */
  pending(state: Place): ReadonlyMap<number, Buffer> {
    this.forget(state);
    return state.epoch === this.epoch ? new Map(this.entries) : new Map<number, Buffer>();
  }

  /** How far this node knows the log without a gap: in the bucket, or by what was pushed. With drafts behind that it is more, and less than the next position. */
  until(state: Place): number {
    const pending = this.pending(state);
    let position = state.position;
    while (pending.has(position + 1)) position++;
    return position + 1 - 1 / (1 + this.drafts.count({ epoch: state.epoch, position }));
  }

  /** The writer has said that more is durable than this node has applied. */
  isAheadOf({ epoch, position }: Place): boolean {
    return this.epoch > epoch || (this.epoch === epoch && this.durable > position);
  }

  private forget({ epoch, position }: Place): void {
    this.drafts.prune({ epoch, position });
    if (epoch > this.epoch) this.clear();
    else if (epoch === this.epoch) for (const at of [...this.entries.keys()]) if (at <= position) this.drop(at);
  }

  private drop(position: number): void {
    this.bytes -= this.entries.get(position)?.length ?? 0;
    this.entries.delete(position);
  }

  private clear(): void {
    this.entries.clear();
    this.bytes = 0;
    this.durable = -1;
  }
}
