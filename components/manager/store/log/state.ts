import { BlockRecord, Change, FilesChange } from "./changes";
import { Entry } from "./entry";
import { RetiredObject, RetiredObjects } from "./retired";
import { NamedSstable, SstableList } from "./sstableList";

/** A block that no released flush covers: who opens the database has to replay it. */
export interface LiveBlock extends BlockRecord {
  epoch: number;
  generation: number;
  /** Empty when `key` says where they are. */
  data: Buffer;
  /** With a `key`: the position since which the log names it. Absent in a checkpoint of an earlier build. */
  since?: number;
}

/** A table's number is never reused. */
export interface TableState {
  number: number;
  name: string;
  dropped: boolean;
  /** The engine's `config.ini`. */
  configuration: string;
  /** Released SSTables. */
  files: SstableList;
  nextId: number;
  /** Position of the last entry that has changed `files`; -1: none that this process has applied. */
  changed: number;
  /** A snapshot shares `files`: they are copied before they change. */
  frozen: boolean;
}

/** One link of the chain that says who was allowed to write where. */
export interface Seal {
  epoch: number;
  position: number;
  nonce: string;
}

/** The database at one position of the log. */
export class DatabaseState {
  /** Of the last entry that was applied; -1: none. */
  position = -1;
  /** The epoch that the next entry belongs to. */
  epoch = 0;
  /** Time of the last entry. */
  time = 0;
  readonly seals: Seal[] = [];
  /** Objects to be deleted once no position below theirs is kept, oldest first. */
  retired = new RetiredObjects();
  readonly tables = new Map<number, TableState>();
  /** By sequence and hash. */
  readonly blocks = new Map<string, LiveBlock>();
  /** Files of definitions, in base64, of the tables of which the engine stores one that is out of date; by `database/table`. */
  readonly definitions = new Map<string, string>();
  /** The highest generation of a WAL that any epoch has used. */
  highestGeneration = 0;
  /** The newest generation that the present epoch has released; -1: none. */
  flushedGeneration = -1;
  /** Everything that was to be deleted before this position is. */
  sweptUntil = 0;
  /** Bytes of data that {@link blocks} hold in memory. */
  heldBytes = 0;

  /** @throws when the entry does not follow */
  apply(entry: Entry): void {
    if (entry.position !== this.position + 1 || entry.epoch !== this.epoch)
      throw new Error(
        `entry ${entry.epoch}/${entry.position} does not follow ${this.position} in epoch ${this.epoch}: the log has a gap or a fork`,
      );
    this.position = entry.position;
    if (entry.kind === "seal") {
      this.seals.push({ epoch: entry.epoch, position: entry.position, nonce: entry.nonce });
      this.epoch = entry.nextEpoch;
      this.flushedGeneration = -1;
    } else {
      let offset = 0;
      for (const change of entry.changes) offset = this.applyChange(change, entry.payload, offset);
    }
    this.time = entry.time;
  }

  /** The state as it is now, for a checkpoint or a view: what is applied later does not change it. The SSTables are shared until they change. */
  snapshot(): DatabaseState {
    const copy = new DatabaseState();
    copy.position = this.position;
    copy.epoch = this.epoch;
    copy.time = this.time;
    copy.highestGeneration = this.highestGeneration;
    copy.flushedGeneration = this.flushedGeneration;
    copy.sweptUntil = this.sweptUntil;
    copy.heldBytes = this.heldBytes;
    copy.seals.push(...this.seals);
    copy.retired = this.retired.copy();
    for (const [number, table] of this.tables) {
      table.frozen = true;
      copy.tables.set(number, { ...table });
    }
    for (const [name, block] of this.blocks) copy.blocks.set(name, block);
    for (const [table, file] of this.definitions) copy.definitions.set(table, file);
    return copy;
  }

  /** Tables that were not dropped, by their present names. */
  liveTables(): TableState[] {
    return [...this.tables.values()].filter(({ dropped }) => !dropped);
  }

  /** The blocks that an opening has to replay, in order of sequence; none of a table that was dropped alone. */
  blocksToReplay(): LiveBlock[] {
    return [...this.blocks.values()]
      .filter(({ tables }) => tables.some(number => !(this.tables.get(number)?.dropped ?? false)))
      .sort((a, b) => a.sequence - b.sequence);
  }

  /**
   * Takes over a change of tables or files out of its entry: for a view, which shows them when their rows are.
   * @param position of that entry
   * @param whole has applied all of the log up to `position` and perhaps more: where a table has not changed since, its SSTables are shared, so that a view does not hold them once more
   */
  applyShown(change: Change, position: number, whole?: DatabaseState): void {
    if (change.type === "files") {
      const latest = whole?.tables.get(change.table);
      const shown = this.tables.get(change.table);
      if (latest?.changed === position && shown) {
        latest.frozen = true;
        const { files, nextId, frozen } = latest;
        Object.assign(shown, { files, nextId, frozen });
        return;
      }
    }
    this.applyChange(change, Buffer.alloc(0), 0);
    // Nobody deletes by what a view says.
    this.retired = new RetiredObjects();
  }

  private applyChange(change: Change, payload: Buffer, offset: number): number {
    switch (change.type) {
      case "blocks":
        this.highestGeneration = Math.max(this.highestGeneration, change.generation);
        for (const block of change.blocks) {
          const size = block.key === undefined ? block.size : 0;
          const data = Buffer.from(payload.subarray(offset, offset + size));
          offset += size;
          const name = blockName(block);
          if (this.blocks.has(name)) continue;
          const since = block.key === undefined ? {} : { since: this.position };
          this.blocks.set(name, { ...block, epoch: this.epoch, generation: change.generation, data, ...since });
          this.heldBytes += data.length;
        }
        break;
      case "table": {
        const table = this.tables.get(change.number);
        if (table) table.name = change.name;
        else
          this.tables.set(change.number, {
            number: change.number,
            name: change.name,
            dropped: false,
            configuration: "",
            files: new SstableList(change.number),
            nextId: 0,
            changed: -1,
            frozen: false,
          });
        break;
      }
      case "dropped": {
        const table = this.table(change.number);
        this.retireObjects([...table.files.values()].flatMap(halves));
        table.dropped = true;
        table.files = new SstableList(change.number);
        table.changed = this.position;
        table.frozen = false;
        break;
      }
      case "configuration":
        this.table(change.table).configuration = change.content;
        break;
      case "files":
        this.applyFiles(change);
        break;
      case "definition": {
        const { table, of, file = this.definitions.get(of ?? "") } = change;
        this.definitions.delete(of ?? table);
        if (file === undefined) this.definitions.delete(table);
        else this.definitions.set(table, file);
        break;
      }
      case "flushing":
        this.highestGeneration = Math.max(this.highestGeneration, change.generation + 1);
        break;
      case "unneeded":
        this.retireObjects(change.keys.map(key => ({ key, since: this.position })));
        break;
      case "swept":
        this.sweptUntil = Math.max(this.sweptUntil, change.until);
        this.retired = this.retired.needed(change.until, change.kept ?? []);
        break;
      case "flushed":
        this.flushedGeneration = Math.max(this.flushedGeneration, change.generation);
        this.retire(change.generation);
        break;
    }
    return offset;
  }

  private applyFiles({ table, added, removed, nextId }: FilesChange): void {
    const state = this.table(table);
    if (state.frozen) {
      state.files = state.files.copy();
      state.frozen = false;
    }
    // A file that goes on under another level is not retired.
    const stays = new Map<string, number | undefined>();
    const gone: NamedObject[] = [];
    const again = new Set(added.map(({ keys }) => keys.key));
    for (const name of removed) {
      const record = state.files.get(name);
      if (record && again.has(record.keys.key)) stays.set(record.keys.key, record.since);
      else if (record) gone.push(...halves(record));
      state.files.remove(name);
    }
    this.retireObjects(gone);
    state.files.add(
      added.map(record => {
        const since = stays.has(record.keys.key) ? stays.get(record.keys.key) : this.position;
        return since === undefined ? record : { ...record, since };
      }),
    );
    state.nextId = Math.max(state.nextId, nextId);
    state.changed = this.position;
  }

  /** A release covers its own generation and those before it, and all of earlier epochs: the writer replayed those into its first memtable. */
  private retire(generation: number): void {
    const gone: NamedObject[] = [];
    for (const [name, block] of this.blocks) {
      if (block.epoch === this.epoch && block.generation > generation) continue;
      this.blocks.delete(name);
      this.heldBytes -= block.data.length;
      if (block.key !== undefined) gone.push({ key: block.key, since: block.since });
    }
    this.retireObjects(gone);
  }

  private retireObjects(objects: NamedObject[]): void {
    const { position } = this;
    for (const { key, since } of objects) this.retired.add({ position, key, ...(since !== undefined && { since }) });
  }

  private table(number: number): TableState {
    const table = this.tables.get(number);
    if (!table) throw new Error(`the log refers to table ${number} before its definition`);
    return table;
  }
}

type NamedObject = Pick<RetiredObject, "key"> & { since: number | undefined };

function halves({ keys, values, since }: NamedSstable): NamedObject[] {
  return [
    { key: keys.key, since },
    { key: values.key, since },
  ];
}

/** A block is known by its sequence and hash, wherever it stands in whichever file. */
export function blockName({ sequence, hash }: Pick<BlockRecord, "sequence" | "hash">): string {
  return `${sequence}.${hash}`;
}
