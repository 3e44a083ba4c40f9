/** Reads the fields of one packet's payload. */
export class PacketReader {
  position = 0;

  constructor(readonly payload: Buffer) {}

  get rest(): number {
    return this.payload.length - this.position;
  }

  integer(bytes: number): number {
    const value = this.payload.readUIntLE(this.position, bytes);
    this.position += bytes;
    return value;
  }

  bytes(length: number): Buffer {
    const value = this.payload.subarray(this.position, this.position + length);
    this.position += length;
    return value;
  }

  lengthEncodedInteger(): number {
    const first = this.integer(1);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.integer(2);
    if (first === 0xfd) return this.integer(3);
    const value = Number(this.payload.readBigUInt64LE(this.position));
    this.position += 8;
    return value;
  }

  lengthEncodedBytes(): Buffer {
    return this.bytes(this.lengthEncodedInteger());
  }

  /** Up to the next zero, or to the end. */
  zeroTerminated(): string {
    const zero = this.payload.indexOf(0, this.position);
    const end = zero === -1 ? this.payload.length : zero;
    const text = this.payload.toString("utf8", this.position, end);
    this.position = end + 1;
    return text;
  }

  toEnd(): Buffer {
    return this.bytes(this.rest);
  }
}

/** Puts the fields of one packet's payload together. */
export class PacketWriter {
  private readonly parts: Buffer[] = [];

  integer(value: number, bytes: number): this {
    const part = Buffer.alloc(bytes);
    part.writeUIntLE(value, 0, bytes);
    return this.bytes(part);
  }

  bigInteger(value: bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt.asUintN(64, value));
    return this.bytes(part);
  }

  double(value: number): this {
    const part = Buffer.alloc(8);
    part.writeDoubleLE(value);
    return this.bytes(part);
  }

  bytes(part: Uint8Array): this {
    this.parts.push(Buffer.from(part));
    return this;
  }

  zeros(count: number): this {
    return this.bytes(Buffer.alloc(count));
  }

  zeroTerminated(text: string): this {
    return this.bytes(Buffer.from(`${text}\0`));
  }

  lengthEncodedInteger(value: number): this {
    if (value < 0xfb) return this.integer(value, 1);
    if (value < 0x10000) return this.integer(0xfc, 1).integer(value, 2);
    if (value < 0x1000000) return this.integer(0xfd, 1).integer(value, 3);
    return this.integer(0xfe, 1).bigInteger(BigInt(value));
  }

  lengthEncoded(value: string | Uint8Array): this {
    const part = typeof value === "string" ? Buffer.from(value) : value;
    return this.lengthEncodedInteger(part.length).bytes(part);
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** A payload may be longer than a packet: a packet of this length has a continuation. Bytes. */
const longestPacket = 0xffffff;

/** The payload as one packet or several. @returns the bytes, and the next sequence number */
export function framePayload(payload: Buffer, sequence: number): { bytes: Buffer; sequence: number } {
  const parts: Buffer[] = [];
  for (let start = 0; ; start += longestPacket) {
    const part = payload.subarray(start, start + longestPacket);
    const header = Buffer.alloc(4);
    header.writeUIntLE(part.length, 0, 3);
    header.writeUInt8(sequence++ & 0xff, 3);
    parts.push(header, part);
    if (part.length < longestPacket) return { bytes: Buffer.concat(parts), sequence };
  }
}

/** Takes packets out of a stream of bytes. */
export class PacketStream {
  private chunks: Buffer[] = [];
  private length = 0;
  private started: Buffer[] = [];

  push(bytes: Buffer): void {
    this.chunks.push(bytes);
    this.length += bytes.length;
  }

  /** The next whole payload and its sequence number, if it has arrived. */
  next(): { payload: Buffer; sequence: number } | undefined {
    while (this.length >= 4) {
      const header = this.peek(4);
      const length = header.readUIntLE(0, 3);
      if (this.length < 4 + length) return undefined;
      const packet = this.peek(4 + length);
      this.chunks[0] = this.chunks[0]!.subarray(4 + length);
      this.length -= 4 + length;
      this.started.push(packet.subarray(4));
      if (length === longestPacket) continue;
      const payload = this.started.length === 1 ? this.started[0]! : Buffer.concat(this.started);
      this.started = [];
      return { payload, sequence: header.readUInt8(3) };
    }
    return undefined;
  }

  /** What has arrived and is part of no packet yet. */
  takeRest(): Buffer {
    const rest = this.peek(this.length);
    this.chunks = [];
    this.length = 0;
    return rest;
  }

  /** The first bytes, in one piece: chunks are put together only as far as they are needed. */
  private peek(bytes: number): Buffer {
    if ((this.chunks[0]?.length ?? 0) < bytes) this.chunks = [Buffer.concat(this.chunks)];
    return (this.chunks[0] ?? Buffer.alloc(0)).subarray(0, bytes);
  }
}
