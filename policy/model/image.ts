/** The tag of an image reference, or undefined. A registry's port is not a tag. */
export function tagOf(image: string): string | undefined {
  return /:([\w][\w.-]{0,127})$/.exec(image.split("@")[0]!.split("/").pop() ?? "")?.[1];
}

/** Whether an image reference has a digest. */
export function hasDigest(image: string): boolean {
  return /@sha256:[0-9a-f]{64}$/.test(image);
}

/** Tags that registries move. */
const movingTag = /^(latest|main|master|stable|edge|nightly|dev|lts|current|release)$/i;

/** Whether a reference always names the same image: by digest, or by a tag that states a full version. */
export function isPinned(image: string): boolean {
  const tag = tagOf(image);
  return hasDigest(image) || (tag !== undefined && !moves(image) && /\d+\.\d+/.test(tag));
}

/** Whether a reference names whatever was pushed last: a tag that moves, or none at all. */
export function moves(image: string): boolean {
  const tag = tagOf(image);
  return !hasDigest(image) && (tag === undefined || movingTag.test(tag));
}
