const primes = [2654435761, 2246822519, 3266489917, 668265263, 374761393] as const;

/** The checksum of each block: xxHash32 with seed 0. @returns an unsigned number of 32 bits */
export function xxh32(data: Buffer): number {
  const [p1, p2, p3, p4, p5] = primes;
  const round = (lane: number, word: number) => Math.imul(rotate(lane + Math.imul(word, p2), 13), p1);
  let at = 0;
  let hash = p5 | 0;
  if (data.length >= 16) {
    const lanes = [(p1 + p2) | 0, p2 | 0, 0, -p1 | 0];
    for (; at + 16 <= data.length; at += 16)
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane]!, data.readInt32LE(at + 4 * lane));
    hash = rotate(lanes[0]!, 1) + rotate(lanes[1]!, 7) + rotate(lanes[2]!, 12) + rotate(lanes[3]!, 18);
  }
  hash = (hash + data.length) | 0;
  for (; at + 4 <= data.length; at += 4) hash = Math.imul(rotate(hash + Math.imul(data.readInt32LE(at), p3), 17), p4);
  for (; at < data.length; at++) hash = Math.imul(rotate(hash + Math.imul(data[at]!, p5), 11), p1);
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
