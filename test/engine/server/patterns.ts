/** The regular expression of a LIKE pattern. */
export function likeExpression(pattern: string): RegExp {
  const source = pattern.replace(
    /\\(.)|([%_])|([.*+?^${}()|[\]\\])/gs,
    (_, escaped?: string, wildcard?: string, special?: string) => {
      if (escaped !== undefined) return escaped.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      if (wildcard !== undefined) return wildcard === "%" ? ".*" : ".";
      return `\\${special}`;
    },
  );
  return new RegExp(`^${source}$`, "is");
}
