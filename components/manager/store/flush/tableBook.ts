import { FileRecord, SstableName } from "../log/changes";
import { ManifestEntry } from "./manifestFile";
import { nameCode, NameSet } from "./nameSet";

/** Of an SSTable that holds nothing but what earlier releases cover. */
export const released = -1;

/** An SSTable that the engine has uploaded. */
export interface Upload {
  keys: FileRecord;
  values: FileRecord;
  maxSequence: number;
  /** Its name was one that a flush gives: level 1, no partition. */
  plain: boolean;
}

/** One step of a table's manifest, as the engine took it. */
export interface Transition {
  /** Those that are not in the log yet. */
  added: {
    entry: ManifestEntry;
    generation: number;
    /** It is the file of that flush. Otherwise it is a merge's: of that generation or of an older one, and it can stand for files that are removed later. */
    exact: boolean;
  }[];
  /** All of them, or none any more. */
  removed: { name: SstableName; generation: number }[];
  nextId: number;
}

export interface TableBook {
  /** What the engine's manifest names. */
  present: NameSet;
  /** The generations of those of them that were not released yet, by {@link nameCode}. */
  generations: Map<number, number>;
  /** Steps that are not in the log yet, oldest first. */
  pending: Transition[];
  /** Complete uploads that are not in the log yet, by the SSTable's number, which the engine gives once for each table. */
  uploads: Map<number, Upload>;
  /** Generations that the manifest has named the file of, and that are not released. */
  covered: Set<number>;
  /** The same of files of which only an upper bound is known. */
  bounds: Set<number>;
}

export function newTableBook(): TableBook {
  return {
    present: NameSet.of([]),
    generations: new Map(),
    pending: [],
    uploads: new Map(),
    covered: new Set(),
    bounds: new Set(),
  };
}

/** Those of a manifest that were not in the one before. */
export function newOnes(entries: readonly ManifestEntry[], book: TableBook, present: NameSet): ManifestEntry[] {
  const codes = new Set(present.without(book.present));
  return codes.size === 0 ? [] : entries.filter(entry => codes.has(nameCode(entry)));
}

/** Drops what is asked of open flushes only. @param until the newest generation that was released */
export function forgetReleased({ generations, covered, bounds }: TableBook, until: number): void {
  for (const [code, generation] of generations) if (generation <= until) generations.delete(code);
  for (const set of [covered, bounds]) for (const generation of set) if (generation <= until) set.delete(generation);
}
