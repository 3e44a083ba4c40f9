/*
 * xxHash32 with seed 0, as the engine has it in its files. Our own: the manager runs without WebAssembly, which leaves out `xxhash-wasm`; the native ones do not fit into a bundle that runs in another
 * image; and `xxhashjs` makes an object of each number, a hundred times slower.
 */
const prime1 = 0x9e3779b1 | 0;
const prime2 = 0x85ebca77 | 0;
const prime3 = 0xc2b2ae3d | 0;
const prime4 = 0x27d4eb2f | 0;
const prime5 = 0x165667b1 | 0;

/** @returns an unsigned number of 32 bits */
export function xxh32(bytes: Buffer): number {
  const { imul } = Math;
  const { length } = bytes;
  let offset = 0;
  let hash = prime5;
  if (length >= 16) {
    // Words can be read at once where they are aligned; a copy is cheaper than reading each byte by byte.
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : copyOf(bytes);
    const words = new Int32Array(aligned.buffer, aligned.byteOffset, length >> 2);
    const end = (length >> 4) << 2;
    let a = (prime1 + prime2) | 0;
    let b = prime2;
    let c = 0;
    let d = -prime1 | 0;
    for (let index = 0; index < end; index += 4) {
      a = (a + imul(words[index]!, prime2)) | 0;
      a = imul((a << 13) | (a >>> 19), prime1);
      b = (b + imul(words[index + 1]!, prime2)) | 0;
      b = imul((b << 13) | (b >>> 19), prime1);
      c = (c + imul(words[index + 2]!, prime2)) | 0;
      c = imul((c << 13) | (c >>> 19), prime1);
      d = (d + imul(words[index + 3]!, prime2)) | 0;
      d = imul((d << 13) | (d >>> 19), prime1);
    }
    offset = end * 4;
    hash =
      (((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))) | 0;
  }
  hash = (hash + length) | 0;
  for (; offset + 4 <= length; offset += 4) {
    hash = (hash + imul(bytes.readInt32LE(offset), prime3)) | 0;
    hash = imul((hash << 17) | (hash >>> 15), prime4);
  }
  for (; offset < length; offset++) {
    hash = (hash + imul(bytes[offset]!, prime5)) | 0;
    hash = imul((hash << 11) | (hash >>> 21), prime1);
  }
  hash = imul(hash ^ (hash >>> 15), prime2);
  hash = imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** In memory of its own, which begins at a multiple of eight. */
function copyOf(bytes: Buffer): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}
