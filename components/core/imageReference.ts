import { InputProblem } from "./inputProblem";
import { printable } from "./printable";

/** A container image's name in its parts. */
export interface ImageReference {
  /** Registry and path: `docker.io/tidesdb/tidesql`. */
  repository: string;
  tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  digest?: string;
}

const pathPart = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const host = "(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?)";
const pattern = new RegExp(
  `^(?<repository>(?:${host}/)?${pathPart}(?:/${pathPart})*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
);
/** Tags that registries move to each new image. */
const movingTags = ["latest", "stable", "edge", "main", "master", "nightly", "dev"];

/** The reference in its parts; undefined when it is none. */
export function parseImageReference(reference: string): ImageReference | undefined {
  const groups = pattern.exec(reference)?.groups;
  if (!groups?.repository) return undefined;
  const { repository, tag, digest } = groups;
  return { repository, ...(tag && { tag }), ...(digest && { digest }) };
}

/** What is wrong with an image that pods are to run: it has to be the same tomorrow, so it has a digest, or a tag that nobody moves. */
export function validateImageReference(propertyPath: string, reference: string): InputProblem[] {
  const parsed = parseImageReference(reference);
  if (!parsed) {
    const reason = `"${printable(reference)}" is not an image reference: write "repository@sha256:..." or "repository:tag"`;
    return [{ propertyPath, reason }];
  }
  const { repository, tag, digest } = parsed;
  if (digest !== undefined) return [];
  if (tag === undefined) {
    return [
      {
        propertyPath,
        reason: `"${printable(reference)}" has no tag, which means "latest": write "${printable(repository)}@sha256:..." or a version's tag`,
      },
    ];
  }
  if (movingTags.includes(tag.toLowerCase())) {
    return [
      {
        propertyPath,
        reason: `the tag "${tag}" moves: write "${printable(repository)}@sha256:..." or a version's tag`,
      },
    ];
  }
  return [];
}
