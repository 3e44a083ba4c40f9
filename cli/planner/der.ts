/** Distinguished Encoding Rules of ASN.1 (ITU-T X.690), as much of them as X.509 certificates need. */

export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** `[n]` around other elements. */
  constructed: (number: number) => 0xa0 | number,
  /** `[n]` in place of an element's own tag. */
  primitive: (number: number) => 0x80 | number,
} as const;

/** One element: tag, length and contents. */
export function element(elementTag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([elementTag]), encodedLength(content.length), content]);
}

export const sequence = (...contents: Uint8Array[]) => element(tag.sequence, ...contents);
export const set = (...contents: Uint8Array[]) => element(tag.set, ...contents);
export const octetString = (content: Uint8Array) => element(tag.octetString, content);
export const utf8String = (text: string) => element(tag.utf8String, Buffer.from(text, "utf8"));
export const boolean = (value: boolean) => element(tag.boolean, Buffer.from([value ? 0xff : 0x00]));
export const nothing = () => element(tag.null);

/** A bit string of whole bytes, or of its first bits when `unusedBits` at the end do not count. */
export const bitString = (content: Uint8Array, unusedBits = 0) =>
  element(tag.bitString, Buffer.from([unusedBits]), content);

/** A non-negative integer, from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const leadingZeros = bytes.findIndex(byte => byte !== 0);
  const significant = leadingZeros === -1 ? Buffer.from([0]) : Buffer.from(bytes.subarray(leadingZeros));
  const negative = (significant[0] ?? 0) >= 0x80;
  return element(tag.integer, negative ? Buffer.concat([Buffer.from([0]), significant]) : significant);
}

/** `1.2.840.113549.1.1.11` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(tag.objectIdentifier, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** To the second, in UTC; the short form until 2049, as X.509 wants it (RFC 5280, 4.1.2.5). */
export function time(moment: Date): Buffer {
  const digits = moment
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  const isShort = moment.getUTCFullYear() < 2050;
  return isShort
    ? element(tag.utcTime, Buffer.from(digits.slice(2), "ascii"))
    : element(tag.generalizedTime, Buffer.from(digits, "ascii"));
}

/** An element that was read, with the bytes that it was read from. */
export interface Element {
  tag: number;
  content: Buffer;
  whole: Buffer;
}

/** The elements that follow one another in these bytes. @throws RangeError when the bytes end too early */
export function elementsOf(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  let position = 0;
  while (position < bytes.length) {
    const elementTag = bytes.readUInt8(position);
    let length = bytes.readUInt8(position + 1);
    let start = position + 2;
    if (length >= 0x80) {
      const lengthBytes = length & 0x7f;
      length = bytes.readUIntBE(start, lengthBytes);
      start += lengthBytes;
    }
    const end = start + length;
    if (end > bytes.length) throw new RangeError("an ASN.1 element is longer than what holds it");
    elements.push({ tag: elementTag, content: bytes.subarray(start, end), whole: bytes.subarray(position, end) });
    position = end;
  }
  return elements;
}

function encodedLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function base128(number: number): number[] {
  const bytes = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128));
  return bytes;
}
