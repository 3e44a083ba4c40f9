import { Change, FilesChange, SstableName } from "../log/changes";
import { Entry } from "../log/entry";
import { blockName, DatabaseState, TableState } from "../log/state";

/** Milliseconds that a gap in the sequences may hold back what stands behind it. Numbers that no block has are common: a commit that was refused took one. */
export const gapPatience = 300;

/** Bytes of blocks that one look shows at most, but for one that is larger by itself. */
export const lookBytes = 8 * 1024 * 1024;

const late = "a commit arrived after later ones had been shown";
const redefined = "a table's definition has changed while it was in use";
const unsettled = "a table's settings came after it had been opened";

/** A block for a running follower. */
export interface FedBlock {
  sequence: number;
  hash: number;
  data: Buffer;
}

interface Queued extends FedBlock {
  position: number;
}

/** One consistent look at the bucket. */
export interface Cut {
  /** What the WAL of this look holds, in order of sequence. */
  blocks: FedBlock[];
  /** The highest sequence that is delivered once the engine has read them. */
  until: number;
  generation: number;
}

/**
 * What a running follower's engine is shown: blocks in order of sequence, each until the engine has had it; files and tables one confirmed look later, and never before every block that was in the log
 * before them. What a running engine cannot be shown makes it due for a restart on an aligned volume.
 */
export class FollowerFeed {
  private readonly queue: Queued[] = [];
  /** Changes of files and tables that are not shown yet, by the position of their entry. */
  private readonly later: { position: number; changes: Change[] }[] = [];
  /** Of {@link queue}, bytes. */
  queuedBytes = 0;
  private delivered: number;
  /** The highest sequence that was sent, whether it has arrived or not. */
  private sentUntil = -1;
  private gapSince: number | undefined;
  /** Position of the log up to which this feed has taken entries. */
  private fed: number;
  /** Bytes of blocks that were delivered: they stay in the engine's memory until it ends. */
  deliveredBytes = 0;
  private readonly reasons = new Set<string>();
  /** Tables of which a merge was not shown. */
  private readonly unmerged = new Set<number>();
  /** Tables that the engine has opened with its own settings. */
  private readonly withoutSettings = new Set<number>();
  /** Blocks of the aligned WAL. */
  private readonly known: Set<string>;

  /**
   * @param shown the state that the volume was aligned to; the feed changes it
   * @param levels that an engine's tree has from the start, by table
   * @param generation of the aligned WAL
   * @param whole the log's own state, which is never behind what the feed has taken: their SSTables are shared where they are the same
   * @param merged told of files that a merge has made, which the engine is not shown
   */
  constructor(
    readonly shown: DatabaseState,
    private readonly levels: (table: TableState) => number,
    private readonly generation: number,
    private readonly whole?: DatabaseState,
    private readonly merged: (table: number, made: readonly SstableName[]) => void = () => undefined,
  ) {
    this.fed = shown.position;
    let delivered = 0;
    for (const { sequence } of shown.blocks.values()) delivered = Math.max(delivered, sequence);
    for (const { files } of shown.tables.values()) delivered = Math.max(delivered, files.highestSequence);
    this.delivered = delivered;
    this.known = new Set(shown.blocks.keys());
  }

  /** Why a restart is due; empty: it is not. */
  get restartReasons(): string[] {
    return [...this.reasons];
  }

  /** A definition could not be put in place under the running engine. */
  keepsOldDefinition(): void {
    this.reasons.add(redefined);
  }

  /** The engine has found a table whose settings are not known. */
  openedWithoutSettings(table: number): void {
    this.withoutSettings.add(table);
  }

  /** Blocks that wait for one with a lower sequence, and all that wait. */
  get heldBlocks(): number {
    return this.queue.length;
  }

  /** The position that the engine shows all of. */
  get position(): number {
    const oldest = Math.min(...this.queue.map(({ position }) => position), this.later[0]?.position ?? Infinity);
    return Math.min(this.fed, oldest - 1);
  }

  /**
   * Takes an entry as a whole, or nothing of it.
   * @param large fetches the data of blocks that have an object of their own
   */
  async take(entry: Entry, large: (key: string) => Promise<Buffer>): Promise<void> {
    if (entry.kind === "seal") {
      this.fed = entry.position;
      this.shown.epoch = entry.nextEpoch;
      return;
    }
    const fetched = new Map<string, Buffer>();
    for (const change of entry.changes)
      for (const { key } of change.type === "blocks" ? change.blocks : [])
        if (key !== undefined) fetched.set(key, await large(key));
    this.fed = entry.position;
    const later: Change[] = [];
    let offset = 0;
    for (const change of entry.changes) {
      if (change.type !== "blocks") {
        later.push(change);
        continue;
      }
      for (const { sequence, hash, size, key } of change.blocks) {
        const data = key === undefined ? entry.payload.subarray(offset, offset + size) : fetched.get(key)!;
        if (key === undefined) offset += size;
        if (this.known.has(blockName({ sequence, hash }))) continue;
        if (sequence <= Math.max(this.delivered, this.sentUntil)) {
          this.reasons.add(late);
          continue;
        }
        this.insert({ sequence, hash, data, position: entry.position });
      }
    }
    if (later.length > 0) this.later.push({ position: entry.position, changes: later });
  }

  /**
   * Fixes what one look shows. Files and tables are those of everything confirmed by now.
   * @param now milliseconds, monotonic
   */
  cut(now: number): Cut {
    this.showConfirmed();
    const blocks: FedBlock[] = [];
    let until = this.delivered;
    let bytes = 0;
    for (const block of this.queue) {
      const gap = block.sequence > until + 1;
      if (gap && !this.gapIsOld(now)) break;
      bytes += block.data.length;
      if (blocks.length > 0 && bytes > lookBytes) break;
      blocks.push(block);
      until = block.sequence;
    }
    if (blocks.length === this.queue.length) this.gapSince = undefined;
    return { blocks, until, generation: this.generation };
  }

  /** The WAL of a look is on its way to the engine, which passes over what is below it from then on. */
  sent({ until, blocks }: Cut): void {
    this.sentUntil = Math.max(this.sentUntil, until);
    // It came after the look was fixed.
    const has = new Set(blocks);
    if (this.queue.some(block => block.sequence <= until && !has.has(block))) this.reasons.add(late);
  }

  /** The engine has read the WAL of a look. */
  confirm({ until }: Cut): void {
    if (until <= this.delivered) return;
    this.delivered = until;
    this.gapSince = undefined;
    while (this.queue[0] && this.queue[0].sequence <= until) {
      const { length } = this.queue.shift()!.data;
      this.deliveredBytes += length;
      this.queuedBytes -= length;
    }
  }

  private gapIsOld(now: number): boolean {
    this.gapSince ??= now;
    return now - this.gapSince >= gapPatience;
  }

  private insert(block: Queued): void {
    let index = this.queue.length;
    while (index > 0 && this.queue[index - 1]!.sequence > block.sequence) index--;
    this.queue.splice(index, 0, block);
    this.queuedBytes += block.data.length;
  }

  /** Files may be shown when no block of their entry or of one before waits any more. */
  private showConfirmed(): void {
    const oldest = Math.min(...this.queue.map(({ position }) => position));
    while (this.later[0] && this.later[0].position < oldest) {
      const { position, changes } = this.later.shift()!;
      for (const change of changes) this.show(change, position);
    }
  }

  private show(change: Change, position: number): void {
    if (change.type === "files") return this.showFiles(change, position);
    if (change.type === "configuration" && this.withoutSettings.has(change.table)) this.reasons.add(unsettled);
    if (change.type === "dropped") this.reasons.add("a table was dropped");
    if (change.type === "table" && this.shown.tables.has(change.number)) this.reasons.add("a table was renamed");
    if (!["flushed", "flushing", "definition"].includes(change.type))
      this.shown.applyShown(change, position, this.whole);
  }

  /**
   * What a merge has made says nothing new. The engine would fetch all of it in one look, and show nothing else meanwhile: a merge of gigabytes takes minutes. It goes on with the files that it has; the volume is
   * aligned to the others when it is started again.
   */
  private showFiles(change: FilesChange, position: number): void {
    const table = this.shown.tables.get(change.table);
    if (!table) return;
    const isMerge = change.removed.length > 0;
    if (isMerge) this.unmerged.add(change.table);
    const added = change.added.filter(file => !isMerge || file.maxSequence > table.files.highestSequence);
    if (added.length < change.added.length)
      this.merged(
        change.table,
        change.added.filter(file => !added.includes(file)),
      );
    for (const file of added) {
      const present = table.files.get(file);
      if (present && present.keys.key !== file.keys.key) this.reasons.add("the content of a file has changed");
      if (file.level > this.levels(table)) this.reasons.add(`${table.name} has a new level`);
    }
    const whole = this.unmerged.has(change.table) ? undefined : this.whole;
    this.shown.applyShown({ ...change, added, removed: [] }, position, whole);
  }
}
