/** One version of a row. */
export interface Version {
  sequence: number;
  /** Null: a tombstone. */
  value: string | null;
  /** It was read from a WAL: point reads of longer transactions pass it over. */
  replayed?: boolean;
}

/** What a row takes in memory beside its key and value. Bytes. */
const overheadBytes = 64;

/**
 * The unified memtable: the rows of all column families that are in no SSTable yet. It keeps the version with the highest sequence of each key, whatever order they
 * arrive in.
 */
export class Memtable {
  readonly families = new Map<number, Map<string, Version>>();
  /** What it takes in memory. */
  bytes = 0;
  /** Commits that are under way in it: it is flushed when there are none. */
  writers = 0;
  private idle: (() => void)[] = [];
  private readonly flushing: Promise<void>;
  private finish: (() => void) | undefined;

  /**
   * @param generation of its WAL; of the node's own one on a replica, whatever it has replayed
   * @param wal the file, as long as there is one
   */
  constructor(
    readonly generation: number,
    public wal: string | undefined,
  ) {
    this.flushing = new Promise(resolve => (this.finish = resolve));
  }

  get isEmpty(): boolean {
    return this.families.size === 0;
  }

  put(family: number, key: string, version: Version): void {
    let rows = this.families.get(family);
    if (!rows) this.families.set(family, (rows = new Map<string, Version>()));
    const present = rows.get(key);
    if (present && present.sequence >= version.sequence) return;
    rows.set(key, version);
    this.bytes += key.length + (version.value?.length ?? 0) + overheadBytes;
  }

  /** Its rows are in SSTables: reads pass it over. */
  get flushed(): boolean {
    return this.finish === undefined;
  }

  markFlushed(): void {
    this.finish?.();
    this.finish = undefined;
  }

  untilFlushed(): Promise<void> {
    return this.flushing;
  }

  /** A commit has ended in it. */
  leave(): void {
    this.writers--;
    if (this.writers > 0) return;
    for (const resume of this.idle.splice(0)) resume();
  }

  /** Resolves when no commit is under way in it. */
  async untilIdle(): Promise<void> {
    if (this.writers > 0) await new Promise<void>(resolve => this.idle.push(resolve));
  }
}
