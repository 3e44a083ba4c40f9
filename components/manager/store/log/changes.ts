/** What an entry of the log can say. Each change is small and complete: applied in order, they are the database. */
export type Change =
  | BlocksChange
  | { type: "table"; number: number; name: string }
  | { type: "dropped"; number: number }
  | { type: "configuration"; table: number; content: string }
  | FilesChange
  | DefinitionChange
  | { type: "flushing"; generation: number }
  | { type: "flushed"; generation: number }
  | UnneededChange
  | SweptChange;

/** Blocks of a WAL. Their data stand behind one another in the entry's payload, but for those that have a key of their own. */
export interface BlocksChange {
  type: "blocks";
  /** Generation of the WAL that they were found in. */
  generation: number;
  blocks: BlockRecord[];
}

/** One commit, as the engine wrote it into its WAL. */
export interface BlockRecord {
  /** All of a commit's entries have one. */
  sequence: number;
  /** Of its data, without the frame around them. */
  size: number;
  /** xxHash32 of its data, as the frame has it. */
  hash: number;
  /** Numbers of the tables that it changes, ascending. */
  tables: number[];
  /** Where its data are when they are too large for an entry. */
  key?: string;
}

/** What a table's tree consists of from here on: the difference to before. */
export interface FilesChange {
  type: "files";
  table: number;
  added: SstableRecord[];
  removed: SstableName[];
  /** The number that the engine gives its next SSTable at least. */
  nextId: number;
}

/**
 * Which definition of a table counts, where the engine stores one that is out of date: it stores that of before an ALTER TABLE in place. With neither `file` nor `of` what it stores counts, from here on.
 */
export interface DefinitionChange {
  type: "definition";
  /** `database/table`, as MariaDB names the folder and the file. */
  table: string;
  /** MariaDB's file of the definition, in base64. */
  file?: string;
  /** The table was renamed: what counted of the one of this name counts of it. */
  of?: string;
}

/** Objects that were sent and that no position of the log names: a merge took a file before its flush was released. */
export interface UnneededChange {
  type: "unneeded";
  keys: string[];
}

/** What no kept position needs is deleted. */
export interface SweptChange {
  type: "swept";
  /** The horizon by which it was. */
  until: number;
  /** Positions before it that are kept all the same: checkpoints of the history. Absent: none. */
  kept?: number[];
}

/** An SSTable within its table: the level that it stands in, and its number. */
export interface SstableName {
  level: number;
  id: number;
}

export interface SstableRecord extends SstableName {
  entries: number;
  /** As the engine's manifest has it. */
  bytes: number;
  /** The highest sequence in it. */
  maxSequence: number;
  keys: FileRecord;
  values: FileRecord;
}

/** An uploaded file. */
export interface FileRecord {
  /** Its key in the bucket. It is written once, and its content never changes. */
  key: string;
  size: number;
  crc32: number;
}

/** Names an SSTable in maps. */
export function sstableKey({ level, id }: SstableName): string {
  return `${level}/${id}`;
}
