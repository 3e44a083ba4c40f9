/** Every record begins with what it is found by: a 32-bit integer, then a double. Bytes. */
const nameBytes = 12;
/** Records for which a piece of memory has room, at least, when it was made for one more. */
const leastRoom = 4;

/**
 * Records of one width, ordered by two numbers, packed into one piece of memory outside the heap: a hundred thousand of them are nothing that the garbage collector has to walk through.
 * Who uses it reads and writes the fields behind the first {@link nameBytes} bytes of a record in {@link data}.
 */
export class PackedRecords {
  private view = new DataView(new ArrayBuffer(0));
  private count = 0;
  /** Behind the record that was found last: who walks through names in order asks for this one next. */
  private next = 0;

  /** @param width of a record with its name, in bytes */
  constructor(private readonly width: number) {
    if (width < nameBytes) throw new Error(`a record of ${width} bytes has no room for its name`);
  }

  get size(): number {
    return this.count;
  }

  /** To read and write fields in; another one after each {@link place} and {@link reserve}. */
  get data(): DataView {
    return this.view;
  }

  /** Where a record begins in {@link data}. */
  at(index: number): number {
    return index * this.width;
  }

  /** The two numbers that a record is named by. */
  name(index: number): [major: number, minor: number] {
    const at = index * this.width;
    return [this.view.getInt32(at), this.view.getFloat64(at + 4)];
  }

  /** The index of a record; where there is none, the index at which it would stand, as -1 - index. */
  find(major: number, minor: number): number {
    const { view, width } = this;
    const ahead = this.next * width;
    if (this.next < this.count && view.getFloat64(ahead + 4) === minor && view.getInt32(ahead) === major)
      return this.next++;
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const at = middle * width;
      const difference = view.getInt32(at) - major || view.getFloat64(at + 4) - minor;
      if (difference === 0) {
        this.next = middle + 1;
        return middle;
      }
      if (difference < 0) from = middle + 1;
      else to = middle;
    }
    return -1 - from;
  }

  /** Finds a record, or makes one, whose other fields are then to be written. @returns where it begins in {@link data} */
  place(major: number, minor: number): number {
    const found = this.find(major, minor);
    if (found >= 0) return this.at(found);
    const at = this.at(-1 - found);
    if ((this.count + 1) * this.width > this.view.byteLength)
      this.resize(this.count + Math.max(leastRoom, this.count >>> 2));
    this.bytes.copyWithin(at + this.width, at, this.count * this.width);
    this.count++;
    this.view.setInt32(at, major);
    this.view.setFloat64(at + 4, minor);
    return at;
  }

  /** @returns whether there was one */
  remove(major: number, minor: number): boolean {
    const found = this.find(major, minor);
    if (found < 0) return false;
    const at = this.at(found);
    this.bytes.copyWithin(at, at + this.width, this.count * this.width);
    this.count--;
    return true;
  }

  /** Makes room for so many more at once. */
  reserve(more: number): void {
    if ((this.count + more) * this.width > this.view.byteLength) this.resize(this.count + more);
  }

  /** The same records in memory of its own. */
  copy(): PackedRecords {
    const copy = new PackedRecords(this.width);
    copy.view = this.view;
    copy.count = this.count;
    copy.resize(this.count + leastRoom);
    return copy;
  }

  private resize(records: number): void {
    const bytes = new Uint8Array(records * this.width);
    bytes.set(this.bytes.subarray(0, this.count * this.width));
    this.view = new DataView(bytes.buffer);
  }

  private get bytes(): Uint8Array {
    return new Uint8Array(this.view.buffer);
  }
}
