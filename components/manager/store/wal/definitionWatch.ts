import * as fs from "node:fs/promises";
import { join } from "node:path";
import { StoreClock } from "../bucket/bucket";
import { DefinitionChange } from "../log/changes";
import { DatabaseState } from "../log/state";
import { DefinitionWrite, definitionWrites, numberOfDefinitions, renameOf } from "./definitionWrites";

/** A definition for the log. */
export interface FoundDefinition {
  /** Of the commit that it belongs to: it stands right behind it, or before all others. */
  sequence: number;
  change: DefinitionChange;
}

export interface DefinitionWatchOptions {
  /** MariaDB's own data directory: a folder for each database, in it a file for each table's definition. */
  server: string;
  clock: StoreClock;
  /** Number of the engine's table of definitions; undefined before there is one. */
  number: () => number | undefined;
  /** The engine waits for the log before a statement goes on: what a statement in hand is about to put in place can be told by then. */
  early: boolean;
}

/** A table whose stored definition has changed, and whose file may be about to. */
interface Open {
  sequence: number;
  /** What counts in the log. */
  counts: Buffer;
  /** The file that is there until the statement puts in place what counts already. */
  before?: Buffer;
  since: number;
  /** Nobody has looked since the definition was stored: with `early`, its statement stands still. */
  isNew: boolean;
}

interface Looked {
  table: string;
  /** Undefined: what is stored counts. */
  file?: Buffer;
  isOver: boolean;
}

/** A statement puts its file in place some milliseconds after the engine has stored a definition. Milliseconds. */
const usuallyOver = 2000;
/** Folders of the server itself. */
const systemFolders = ["mysql", "performance_schema", "sys"];
const ending = ".frm";

/**
 * Finds definitions that the engine does not store. In an ALTER TABLE in place it stores the file that is there, which is the one from before, and then MariaDB puts the new one in its place. So a stored
 * definition opens a table here until its file is another, or no statement is on its way that could change it.
 */
export class DefinitionWatch {
  private readonly open = new Map<string, Open>();
  private looked: Looked[] = [];

  constructor(private readonly options: DefinitionWatchOptions) {}

  /** @param state of the log, which goes on */
  static of({ server, clock }: Pick<DefinitionWatchOptions, "server" | "clock">, state: DatabaseState, early: boolean) {
    return new DefinitionWatch({ server, clock, early, number: () => numberOfDefinitions(state) });
  }

  /** Of the engine's table of definitions; undefined before there is one. */
  get number(): number | undefined {
    return this.options.number();
  }

  /** Tables are looked after. */
  get isWaiting(): boolean {
    return this.open.size > 0;
  }

  /** A statement may be about to put a definition in place, with rows behind it, or has just done so. */
  get isPressing(): boolean {
    const now = this.options.clock.now();
    for (const { since } of this.open.values()) if (now - since < usuallyOver) return true;
    return false;
  }

  /**
   * For an engine that was started on files that are there: what it has stored, and nobody may have looked after.
   * @param blocks that are in the log and in no file of the engine's
   * @param counting files in base64, by table
   */
  begin(blocks: Iterable<StoredBlock>, counting: ReadonlyMap<string, string>): void {
    this.found(blocks);
    for (const [table, file] of counting) {
      const sequence = this.open.get(table)?.sequence ?? -1;
      this.open.set(table, { sequence, counts: Buffer.from(file, "base64"), since: -Infinity, isNew: false });
    }
    for (const one of this.open.values()) one.isNew = false;
  }

  /** Commits, in their order. @returns whether one of them stores definitions */
  found(blocks: Iterable<StoredBlock>): boolean {
    const { number } = this;
    let stores = false;
    if (number === undefined) return stores;
    for (const { tables, data, sequence } of blocks) {
      // A large one has its data elsewhere: it drops thousands of tables.
      if (!tables.includes(number) || data.length === 0) continue;
      stores = true;
      this.note(sequence, definitionWrites(data, number));
    }
    return stores;
  }

  private note(sequence: number, writes: DefinitionWrite[]): void {
    const renamed = renameOf(writes);
    if (renamed) {
      const open = this.open.get(renamed.from);
      this.open.delete(renamed.from);
      if (open) this.open.set(renamed.to, { ...open, sequence });
      else this.open.delete(renamed.to);
      return;
    }
    for (const { table, file } of writes)
      if (file === undefined) this.open.delete(table);
      else this.open.set(table, { sequence, counts: file, since: this.options.clock.now(), isNew: true });
  }

  /** Looks at the files. What it finds counts when {@link settle} is called; until then a look can be made again. */
  async look(): Promise<FoundDefinition[]> {
    if (this.open.size === 0) return [];
    // First: one that is put in place meanwhile is found there.
    const statements = await this.statements();
    const undecided: string[] = [];
    this.looked = [];
    for (const [table, { counts, before, isNew }] of this.open) {
      const file = await readDefinition(join(this.options.server, `${table}${ending}`));
      const isOnItsWay = file && before?.equals(file) && statements.length > 0;
      if (file && !file.equals(counts) && !isOnItsWay) this.looked.push({ table, file, isOver: true });
      else if (statements.length === 0) this.looked.push({ table, isOver: true });
      else if (file && isNew && this.options.early) undecided.push(table);
    }
    const [table] = undecided;
    // Its own statement stands still, so its file is among them.
    if (table !== undefined && undecided.length === 1 && statements.length === 1) {
      const file = await readDefinition(statements[0]!);
      if (file && !file.equals(this.open.get(table)!.counts)) this.looked.push({ table, file, isOver: false });
    }
    return this.looked.flatMap(({ table, file }) => {
      if (!file) return [];
      const { sequence } = this.open.get(table)!;
      return [{ sequence, change: { type: "definition" as const, table, file: file.toString("base64") } }];
    });
  }

  /** What the last look has found is on its way to the log. */
  settle(): void {
    for (const one of this.open.values()) one.isNew = false;
    for (const { table, file, isOver } of this.looked.splice(0)) {
      const open = this.open.get(table);
      if (isOver) this.open.delete(table);
      else if (open && file) this.open.set(table, { ...open, sequence: -1, counts: file, before: open.counts });
    }
  }

  /** Files of statements that are on their way. */
  private async statements(): Promise<string[]> {
    const { server } = this.options;
    const found: string[] = [];
    for (const entry of await namesIn(server)) {
      if (!entry.isDirectory() || systemFolders.includes(entry.name)) continue;
      for (const { name } of await namesIn(join(server, entry.name)))
        if (name.startsWith("#sql-alter-") && name.endsWith(ending)) found.push(join(server, entry.name, name));
    }
    return found;
  }
}

/** A block of a WAL. */
export interface StoredBlock {
  sequence: number;
  tables: readonly number[];
  data: Buffer;
}

async function namesIn(folder: string) {
  try {
    return await fs.readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return [];
  }
}

/** A definition's file; undefined: there is none, or it is being written. */
async function readDefinition(path: string): Promise<Buffer | undefined> {
  try {
    const file = await fs.readFile(path);
    // MariaDB's begin so, and say how long they are.
    const isBinary = file[0] === 0xfe;
    if (file.length === 0 || (isBinary && (file.length < 14 || file.readUInt32LE(10) !== file.length)))
      return undefined;
    return file;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}
