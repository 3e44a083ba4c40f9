/** One row of a commit, as the engine writes it. */
export interface WrittenRow {
  table: number;
  key: string;
  value: string;
  timeToLive?: boolean;
}

/** The data of a block of the engine's WAL. */
export function commitData(sequence: number, rows: WrittenRow[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x55, 0xaa])];
  for (const { table, key, value, timeToLive } of rows) {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(table);
    head[4] = timeToLive ? 2 : 0;
    const [keyBytes, valueBytes] = [Buffer.from(key), Buffer.from(value, "latin1")];
    parts.push(head, varint(keyBytes.length), varint(valueBytes.length), varint(sequence));
    if (timeToLive) parts.push(Buffer.alloc(8));
    parts.push(keyBytes, valueBytes);
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
