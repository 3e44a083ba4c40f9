/** What one transaction did to one key; a value of null deletes it. */
export type FamilyWrite = [familyIndex: number, key: string, value: string | null];

/** One transaction in the WAL. */
export interface WalRecord {
  sequence: number;
  writes: FamilyWrite[];
}

/** An empty WAL is as long as the engine's: 8 bytes, which is why an upload threshold of 8 or less sends it. */
const header = Buffer.from("TIDEWAL1");

/** A fresh WAL. */
export const emptyWal: Uint8Array = header;

/** File, and object in the bucket, of one generation. */
export function walName(generation: number): string {
  return `uwal_${generation}.log`;
}

/** The generation of a WAL's file or object; undefined for any other name. */
export function walGenerationOf(name: string): number | undefined {
  const match = /^uwal_(\d+)\.log$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** One transaction as it is appended. */
export function encodeWalRecord(record: WalRecord): Uint8Array {
  return Buffer.from(`${JSON.stringify([record.sequence, record.writes])}\n`);
}

/**
 * Reads WALs. It remembers what it has read of each, since a replica reads all of them at every poll, and each is mostly what it was the last time with some records
 * behind it.
 */
export class WalReader {
  private readonly known = new Map<
    string,
    { content: Uint8Array; bytes: Buffer; complete: number; records: WalRecord[] }
  >();

  /** All whole records; what a torn append has left at the end is passed over. */
  read(name: string, content: Uint8Array): WalRecord[] {
    const before = this.known.get(name);
    if (before?.content === content) return before.records;
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const goesOn =
      before !== undefined &&
      bytes.length >= before.complete &&
      bytes.compare(before.bytes, 0, before.complete, 0, before.complete) === 0;
    const records = goesOn ? before.records : [];
    let complete = goesOn ? before.complete : header.length;
    for (;;) {
      const end = bytes.indexOf(10, complete);
      if (end === -1) break;
      const [sequence, writes] = JSON.parse(bytes.toString("utf8", complete, end)) as [number, FamilyWrite[]];
      records.push({ sequence, writes });
      complete = end + 1;
    }
    this.known.set(name, { content, bytes, complete, records });
    return records;
  }
}
