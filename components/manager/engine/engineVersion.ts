/** TideSQL of this version or later keeps tables that are made after a promotion; earlier ones lose them without an error. */
export const leastEngineVersion = "4.5.7";

/**
 * Why an engine must not touch the bucket; undefined when it may.
 * @param written version of the engine that was promoted last
 */
export function whyUnsupported(version: string, written: string | undefined): string | undefined {
  if (isOlder(version, leastEngineVersion))
    return `the image has TideSQL ${version}; ${leastEngineVersion} or a later 4.x is needed: earlier ones lose tables made after a failover`;
  // The third number stands for corrections: what they write is read by all of the same two numbers before it.
  const minor = written?.split(".").slice(0, 2).join(".");
  if (minor !== undefined && isOlder(version, minor))
    return `the image has TideSQL ${version}, and the bucket was last written by ${written}, whose data an earlier version may not be able to read: use an image with ${minor} or later`;
  return undefined;
}

/** Compares dotted versions number by number. */
export function isOlder(version: string, than: string): boolean {
  const left = version.split(".").map(Number);
  const right = than.split(".").map(Number);
  for (let i = 0; i < right.length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
