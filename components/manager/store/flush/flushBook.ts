import { BlockRecord, Change, SstableName, SstableRecord, sstableKey } from "../log/changes";
import { ManifestContent, ManifestEntry } from "./manifestFile";
import { nameCode, nameOfCode, NameSet } from "./nameSet";
import { forgetReleased, newOnes, newTableBook, released, TableBook, Transition, Upload } from "./tableBook";

/** A table as the writer finds it. Its files are looked at when its first manifest comes, so that a promotion takes no longer with more of them. */
export interface OpenedTable {
  number: number;
  files: Iterable<SstableName>;
}

/** What the log has of an SSTable that this writer has sent. */
type Logged = (table: number, id: number) => Omit<Upload, "plain"> | undefined;

/** Sequences of the blocks that one WAL brought, by table. */
type GenerationBook = Map<number, { lowest: number; sequences: Set<number> }>;

/**
 * Which file is of which flush, and when a flush may be shown: a whole one, or nothing of it. One writer's, from its promotion on. Pure.
 */
export class FlushBook {
  private readonly tables = new Map<number, TableBook>();
  private readonly generations = new Map<number, GenerationBook>();
  private readonly whole = new Set<number>();
  /** Tables as they were found, whose manifest has not come yet. */
  private readonly opened = new Map<number, Iterable<SstableName>>();
  /** The newest that was released. */
  private done: number;

  /**
   * @param firstGeneration of the WAL that the engine opened
   * @param tables the live ones and their SSTables
   * @param blocks those that the engine has replayed: they are in its first memtable
   * @param logged is asked for uploads that {@link inLog} was told of
   */
  constructor(
    firstGeneration: number,
    tables: Iterable<OpenedTable>,
    blocks: Iterable<Pick<BlockRecord, "sequence" | "tables">>,
    private readonly logged: Logged = () => undefined,
  ) {
    this.done = firstGeneration - 1;
    for (const { number, files } of tables) {
      this.table(number);
      this.opened.set(number, files);
    }
    this.found(firstGeneration, blocks);
  }

  /** A table that is new, or known. */
  table(number: number): void {
    if (this.tables.has(number)) return;
    this.tables.set(number, newTableBook());
  }

  /** Its rows need no file any more. */
  dropped(number: number): void {
    this.tables.delete(number);
    this.opened.delete(number);
  }

  /** Blocks that were found in a WAL. To be told before a file that can hold them. */
  found(generation: number, blocks: Iterable<Pick<BlockRecord, "sequence" | "tables">>): void {
    if (generation <= this.done) throw new Error(`WAL ${generation} has grown after its flush was released`);
    let book = this.generations.get(generation);
    if (!book) this.generations.set(generation, (book = new Map<number, { lowest: number; sequences: Set<number> }>()));
    for (const { sequence, tables } of blocks) {
      for (const table of tables) {
        const known = book.get(table);
        if (!known) book.set(table, { lowest: sequence, sequences: new Set([sequence]) });
        else {
          known.lowest = Math.min(known.lowest, sequence);
          known.sequences.add(sequence);
        }
      }
    }
  }

  uploaded(table: number, id: number, upload: Upload): void {
    this.tables.get(table)?.uploads.set(id, upload);
  }

  /** What this writer has sent of an SSTable; undefined while a half of it is missing. */
  upload(table: number, id: number): Upload | undefined {
    const upload = this.tables.get(table)?.uploads.get(id);
    if (upload) return upload;
    const logged = this.logged(table, id);
    return logged && { ...logged, plain: false };
  }

  /** What {@link due} has given is in the log: that is where uploads are found from now on. */
  inLog(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.type !== "files") continue;
      for (const { id } of change.added) this.tables.get(change.table)?.uploads.delete(id);
    }
  }

  /** SSTables in a manifest that are new and were not sent. */
  unsent(table: number, { entries }: ManifestContent): ManifestEntry[] {
    const book = this.bookOf(table);
    if (!book) return [];
    return newOnes(entries, book, NameSet.of(entries)).filter(({ id }) => !this.upload(table, id));
  }

  /** The engine has published a manifest. */
  manifest(table: number, { entries, nextId }: ManifestContent): void {
    const book = this.bookOf(table);
    if (!book) return;
    const present = NameSet.of(entries);
    const removed = book.present.without(present).map(code => {
      const generation = book.generations.get(code) ?? released;
      book.generations.delete(code);
      return { name: nameOfCode(code), generation };
    });
    const added = newOnes(entries, book, present).map(entry => {
      const { generation, exact } = this.generationOf(table, this.upload(table, entry.id));
      if (generation > this.done) {
        (exact ? book.covered : book.bounds).add(generation);
        book.generations.set(nameCode(entry), generation);
      }
      return { entry, generation, exact };
    });
    book.present = present;
    if (added.length > 0 || removed.length > 0) book.pending.push({ added, removed, nextId });
  }

  /** A rotated WAL was uploaded as a whole: the engine does that after all files of its flush. */
  walWhole(generation: number): void {
    if (generation > this.done) this.whole.add(generation);
  }

  /** Flushes that have begun and are not released. */
  get open(): number {
    return [...this.generations.keys()].length - 1;
  }

  /** The newest generation that was released. */
  get releasedUntil(): number {
    return this.done;
  }

  /**
   * What may be shown by now, for one entry of the log: the files of each flush that is whole, in order, with the word that it is; and merges of files that are shown already.
   * @returns an empty list when there is nothing new
   */
  due(): Change[] {
    const changes: Change[] = [];
    for (let until = this.wholeUntil(); until > this.done; until = this.wholeUntil()) {
      for (let generation = this.done + 1; generation <= until; generation++) {
        this.generations.delete(generation);
        this.whole.delete(generation);
      }
      this.done = until;
      for (const book of this.tables.values()) forgetReleased(book, until);
      for (const [number, book] of this.tables) changes.push(...this.take(number, book));
      changes.push({ type: "flushed", generation: until });
    }
    for (const [number, book] of this.tables) changes.push(...this.take(number, book));
    return changes;
  }

  /** The generation up to which all can be released together; the last released one when there is none. */
  private wholeUntil(): number {
    for (let until = this.done + 1; this.whole.has(until); until++) {
      let complete = true;
      for (let generation = this.done + 1; generation <= until; generation++)
        complete &&= this.filesAreThere(generation, until);
      if (complete) return until;
    }
    return this.done;
  }

  /** Each live table with rows in this flush has its file, uploaded. */
  private filesAreThere(generation: number, until: number): boolean {
    for (const number of this.generations.get(generation)?.keys() ?? []) {
      const book = this.tables.get(number);
      if (!book) continue;
      const covered =
        book.covered.has(generation) || [...book.bounds].some(bound => bound >= generation && bound <= until);
      const missing = book.pending.some(({ added }) =>
        added.some(({ entry, generation: of }) => of <= until && !this.upload(number, entry.id)),
      );
      if (!covered || missing) return false;
    }
    return true;
  }

  private bookOf(table: number): TableBook | undefined {
    const book = this.tables.get(table);
    const opened = this.opened.get(table);
    if (book && opened) book.present = NameSet.of(opened);
    this.opened.delete(table);
    return book;
  }

  /**
   * The part of a table's steps that holds nothing of an open flush. What is added can be shown as soon as that is true of it; what is removed only with everything that replaces it. A merge can seem to be younger
   * than all that it has merged: a commit whose sequence is lower than theirs has its block in a later WAL. So nothing is removed while a merge that came before waits.
   */
  private take(number: number, book: TableBook): Change[] {
    const added = new Map<string, SstableRecord>();
    const removed = new Map<string, SstableName>();
    const unneeded: string[] = [];
    let nextId = 0;
    let inOrder = true;
    for (const step of book.pending) {
      const left: Transition["added"] = [];
      for (const one of step.added) {
        const upload = this.upload(number, one.entry.id);
        if (one.generation > this.done || !upload) {
          left.push(one);
          continue;
        }
        const { keys, values, maxSequence } = upload;
        added.set(sstableKey(one.entry), { ...one.entry, maxSequence, keys, values });
        nextId = Math.max(nextId, step.nextId);
      }
      step.added = left;
      inOrder &&=
        step.removed.every(({ generation }) => generation <= this.done) &&
        left.every(({ generation, exact }) => exact && generation > this.done);
      if (!inOrder) continue;
      for (const { name } of step.removed) {
        const fresh = added.get(sstableKey(name));
        if (fresh) unneeded.push(fresh.keys.key, fresh.values.key);
        if (!added.delete(sstableKey(name))) removed.set(sstableKey(name), name);
        book.uploads.delete(name.id);
      }
      step.removed = [];
    }
    book.pending = book.pending.filter(({ added: a, removed: r }) => a.length > 0 || r.length > 0);
    const changes: Change[] = unneeded.length > 0 ? [{ type: "unneeded", keys: unneeded }] : [];
    if (added.size > 0 || removed.size > 0)
      changes.push({
        type: "files",
        table: number,
        added: [...added.values()],
        removed: [...removed.values()],
        nextId,
      });
    return changes;
  }

  /**
   * A flush's file holds the newest row of its generation, so that row's sequence says which one it is. A merge is of the youngest generation that can have given it a row; so is a file that is not uploaded.
   */
  private generationOf(table: number, upload: Upload | undefined): { generation: number; exact: boolean } {
    let bound = released;
    for (const [generation, book] of this.generations) {
      const rows = book.get(table);
      if (!rows) continue;
      if (upload?.plain && rows.sequences.has(upload.maxSequence)) return { generation, exact: true };
      if (!upload || rows.lowest <= upload.maxSequence) bound = Math.max(bound, generation);
    }
    return { generation: bound, exact: false };
  }
}
