import { fileKey, parseFileKey } from "./keys";

/** An object that nothing names from a position on. Older positions may. */
export interface RetiredObject {
  position: number;
  key: string;
  /** The first position that names it. Absent: it is not known, so any may. */
  since?: number;
}

/**
 * Whether a kept position names a retired object. Pure.
 * @param horizon every position from here on is kept
 * @param kept positions before it that are
 */
export function isNeeded(
  { position, since = 0 }: Pick<RetiredObject, "position" | "since">,
  horizon: number,
  kept: readonly number[],
): boolean {
  return position >= horizon || kept.some(one => since <= one && one < position);
}

/** Where the fields of a record begin. Bytes. */
const field = { position: 0, since: 8, table: 16, epoch: 20, upload: 24 } as const;
/** Of a record. Bytes. */
const width = 32;
/** Records in one piece. */
const pieceRecords = 1024;
/** In the place of a table: the key is of another form, and stands in a list of its own. No table has this number. */
const otherForm = 2 ** 32 - 1;

interface Piece {
  data: DataView;
  count: number;
}

/**
 * Retired objects, oldest first: 32 bytes each, beside the heap. What a history of some days keeps of a database that merges can be more than what it shows. A copy costs next to nothing: the pieces are shared, and
 * only the last one grows.
 */
export class RetiredObjects implements Iterable<RetiredObject> {
  private pieces: Piece[] = [];
  private others: string[] = [];
  /** The last piece is shared with nobody. */
  private ownsLast = false;

  static of(objects: Iterable<RetiredObject>): RetiredObjects {
    const made = new RetiredObjects();
    for (const object of objects) made.add(object);
    return made;
  }

  get size(): number {
    return this.pieces.reduce((sum, { count }) => sum + count, 0);
  }

  /** @param object was retired at the position of the last one, or later */
  add({ position, key, since }: RetiredObject): void {
    const { data, at } = this.place();
    data.setFloat64(at + field.position, position);
    data.setFloat64(at + field.since, since ?? NaN);
    const file = parseFileKey(key);
    data.setUint32(at + field.table, file && file.table !== otherForm ? file.table : otherForm);
    data.setUint32(at + field.epoch, file?.epoch ?? 0);
    data.setFloat64(at + field.upload, file && file.table !== otherForm ? file.upload : this.others.push(key) - 1);
  }

  *[Symbol.iterator](): Generator<RetiredObject> {
    for (const { data, count } of this.pieces)
      for (let index = 0; index < count; index++) yield this.object(data, index * width);
  }

  /** Those that no kept position names; as {@link isNeeded}. */
  *unneeded(horizon: number, kept: readonly number[]): Generator<RetiredObject> {
    for (const { data, count } of this.pieces)
      for (let at = 0; at < count * width; at += width) {
        if (data.getFloat64(at + field.position) >= horizon) return;
        if (!isNeededAt(data, at, horizon, kept)) yield this.object(data, at);
      }
  }

  /** The others: a list of its own. */
  needed(horizon: number, kept: readonly number[]): RetiredObjects {
    const left = new RetiredObjects();
    left.others = [...this.others];
    for (const piece of this.pieces) {
      const { data, count } = piece;
      if (count > 0 && data.getFloat64(field.position) >= horizon) {
        left.pieces.push(piece);
        left.ownsLast = false;
        this.ownsLast = false;
        continue;
      }
      for (let at = 0; at < count * width; at += width) {
        if (!isNeededAt(data, at, horizon, kept)) continue;
        const to = left.place();
        bytesOf(to.data).set(bytesOf(data).subarray(at, at + width), to.at);
      }
    }
    return left;
  }

  /** The same ones, to be added to by itself. */
  copy(): RetiredObjects {
    const copy = new RetiredObjects();
    copy.pieces = this.pieces.map(piece => ({ ...piece }));
    copy.others = [...this.others];
    this.ownsLast = false;
    return copy;
  }

  /** Room for one more at the end. */
  private place(): { data: DataView; at: number } {
    let last = this.pieces.at(-1);
    if (!last || last.count === pieceRecords)
      this.pieces.push((last = { data: new DataView(new ArrayBuffer(pieceRecords * width)), count: 0 }));
    else if (!this.ownsLast) {
      last = { data: new DataView(last.data.buffer.slice(0)), count: last.count };
      this.pieces[this.pieces.length - 1] = last;
    }
    this.ownsLast = true;
    return { data: last.data, at: last.count++ * width };
  }

  private object(data: DataView, at: number): RetiredObject {
    const since = data.getFloat64(at + field.since);
    const table = data.getUint32(at + field.table);
    const upload = data.getFloat64(at + field.upload);
    const key = table === otherForm ? this.others[upload]! : fileKey(table, data.getUint32(at + field.epoch), upload);
    return { position: data.getFloat64(at + field.position), key, ...(!Number.isNaN(since) && { since }) };
  }
}

function isNeededAt(data: DataView, at: number, horizon: number, kept: readonly number[]): boolean {
  const since = data.getFloat64(at + field.since);
  const position = data.getFloat64(at + field.position);
  return isNeeded({ position, since: Number.isNaN(since) ? 0 : since }, horizon, kept);
}

function bytesOf({ buffer }: DataView): Uint8Array {
  return new Uint8Array(buffer);
}
