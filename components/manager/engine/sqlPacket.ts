/** What the server says of a statement that failed. */
export class ServerError extends Error {
  constructor(
    readonly errno: number,
    readonly sqlState: string,
    message: string,
  ) {
    super(message);
    this.name = "ServerError";
  }
}

/** Column types TINY, SHORT, LONG, FLOAT, DOUBLE, INT24 and YEAR of the protocol: each of their values is a number of JavaScript's. */
const numberTypes = new Set([1, 2, 3, 4, 5, 9, 13]);
/** LONGLONG: beyond 2^53 a number would be another key's. */
const bigintType = 8;

/** A column of a result. */
export interface Column {
  name: string;
  type: number;
}

/** The content of one packet, read from its start. */
export class Packet {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get first(): number {
    return this.bytes[0] ?? 0;
  }

  /** A short packet that begins like a text of eight or more bytes of length ends the rows. */
  get endsRows(): boolean {
    return this.first === 0xfe && this.bytes.length < 9;
  }

  error(): ServerError {
    const errno = this.bytes.readUInt16LE(1);
    const hasState = this.bytes[3] === 0x23;
    const sqlState = hasState ? this.bytes.toString("latin1", 4, 9) : "";
    return new ServerError(errno, sqlState, this.bytes.toString("utf8", hasState ? 9 : 3));
  }

  /** The 20 bytes of a greeting that the password is mixed with. */
  scramble(): Buffer {
    const version = this.bytes.indexOf(0, 1);
    const firstPart = version + 5;
    // In between: capabilities, character set, status, length, and what MariaDB keeps for itself.
    const secondPart = firstPart + 27;
    if (this.first !== 10 || version < 0 || this.bytes.length < secondPart + 12)
      throw new Error("the greeting is not of protocol version 10");
    return Buffer.concat([
      this.bytes.subarray(firstPart, firstPart + 8),
      this.bytes.subarray(secondPart, secondPart + 12),
    ]);
  }

  switchRequest(): { plugin: string; challenge: Buffer } {
    const end = this.bytes.indexOf(0, 1);
    if (end < 0) throw new Error("the server needs an authentication plugin from before protocol 4.1");
    return { plugin: this.bytes.toString("latin1", 1, end), challenge: this.bytes.subarray(end + 1, end + 21) };
  }

  /** An integer of 1, 3, 4 or 9 bytes. */
  length(): number {
    const first = this.bytes.readUInt8(this.at++);
    if (first < 0xfb) return first;
    const size = { 0xfc: 2, 0xfd: 3, 0xfe: 8 }[first];
    if (size === undefined) throw new Error("the server's answer is malformed");
    const value = size === 8 ? Number(this.bytes.readBigUInt64LE(this.at)) : this.bytes.readUIntLE(this.at, size);
    this.at += size;
    return value;
  }

  private text(): string {
    const length = this.length();
    if (this.at + length > this.bytes.length) throw new Error("the server's answer is truncated");
    return this.bytes.toString("utf8", this.at, (this.at += length));
  }

  column(): Column {
    // Catalogue, schema, table and the table's own name; the column's own name follows its alias.
    for (let i = 0; i < 4; i++) this.text();
    const name = this.text();
    this.text();
    // A length, the character set and the display width stand before the type.
    return { name, type: this.bytes.readUInt8(this.at + 7) };
  }

  row(columns: Column[]): Record<string, unknown> {
    return Object.fromEntries(
      columns.map(({ name, type }): [string, unknown] => {
        if (this.bytes[this.at] === 0xfb) {
          this.at++;
          return [name, null];
        }
        const value = this.text();
        if (type === bigintType) return [name, wholeNumber(value)];
        return [name, numberTypes.has(type) ? Number(value) : value];
      }),
    );
  }
}

function wholeNumber(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}
