/** What one block of a WAL holds: one commit. */
export interface Commit {
  sequence: number;
  /** Numbers of the tables that it changes, ascending. */
  tables: number[];
}

/** One entry of a commit: a key that gets a value or is deleted. Key and value are parts of the block's data. */
export interface CommitEntry {
  /** Number of the table. */
  table: number;
  key: Buffer;
  /** Undefined: the key is deleted. */
  value: Buffer | undefined;
}

const tombstone = 0x01;
const timeToLive = 0x02;

/**
 * Reads a block's data: a mark of two bytes, then entries of `[table, big endian][flags][key's length][value's length][sequence][time to live, if flagged][key][value]`, with lengths and sequence as
 * variable-length numbers. All entries of a commit have one sequence.
 * @param visit is given each entry
 * @throws when it is something else
 */
export function readCommit(data: Buffer, visit?: (entry: CommitEntry) => void): Commit {
  const tables = new Set<number>();
  let sequence: number | undefined;
  let offset = data.length >= 2 && data.readUInt16BE(0) === unifiedMark ? 2 : 0;
  let value = 0;

  /** Reads a number of seven bits a byte, the lowest first, into `value`. */
  function number(): void {
    let scale = 1;
    value = 0;
    for (;;) {
      const byte = data[offset++];
      if (byte === undefined) throw new Error("a block of the WAL is truncated");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return;
      scale *= 128;
    }
  }

  while (offset + 5 <= data.length) {
    const table = data.readUInt32BE(offset);
    tables.add(table);
    const flags = data[offset + 4]!;
    offset += 5;
    number();
    const keyLength = value;
    number();
    const valueLength = value;
    number();
    if (sequence !== undefined && value !== sequence)
      throw new Error(`a block of the WAL has the sequences ${sequence} and ${value}`);
    sequence = value;
    const keyAt = offset + (flags & timeToLive ? 8 : 0);
    const valueAt = keyAt + keyLength;
    offset = valueAt + valueLength;
    if (offset > data.length) throw new Error("a block of the WAL is truncated");
    visit?.({
      table,
      key: data.subarray(keyAt, valueAt),
      value: flags & tombstone ? undefined : data.subarray(valueAt, offset),
    });
  }
  if (sequence === undefined) throw new Error("a block of the WAL is empty");
  return { sequence, tables: [...tables].sort((a, b) => a - b) };
}

/** What the engine puts before the entries of a WAL that all tables share. */
export const unifiedMark = 0x55aa;
