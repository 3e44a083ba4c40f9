import { type Request } from "../../../policy/iam/evaluate";

/** A statement as its author writes it. */
export type Written = Record<string, unknown>;

/**
 * What statements say to a request, worked out by another way than the pack's: patterns as sets of all texts over a small alphabet, statements as tables of requests.
 * Slow, and for tests only.
 */
export function decideByForce(statements: readonly Written[], request: Request, texts: readonly string[]): string {
  const covering = statements.filter(statement => isCovered(statement, request, texts));
  if (covering.some(({ Effect }) => Effect === "Deny")) return "explicitlyDenied";
  return covering.some(({ Effect }) => Effect === "Allow") ? "allowed" : "notAllowed";
}

function isCovered(statement: Written, { caller, action, resource, context }: Request, texts: readonly string[]) {
  const lower = (value: string) => value.toLowerCase();
  const element = (name: string, value: string, fold: (text: string) => string) => {
    const inverted = `Not${name}` in statement;
    const patterns = [statement[inverted ? `Not${name}` : name]].flat() as string[];
    return patterns.some(pattern => described(fold(pattern), texts.map(fold)).has(fold(value))) !== inverted;
  };
  const callers = statement.Principal ?? statement.NotPrincipal;
  const listed =
    callers === "*" ||
    [(callers as { AWS: string | string[] }).AWS]
      .flat()
      .some(
        name =>
          name === "*" ||
          name === caller.arn ||
          (name.slice(13, 25) === caller.arn?.slice(13, 25) && name.endsWith(":root")),
      );
  return (
    element("Action", action, lower) &&
    element("Resource", resource, text => text) &&
    listed !== "NotPrincipal" in statement &&
    Object.entries((statement.Condition ?? {}) as Record<string, Record<string, string[]>>).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) =>
        conditionByForce(operator, context[key.toLowerCase()], wanted, texts),
      ),
    )
  );
}

/** What was described before: the same few patterns are asked for again and again. */
const descriptions = new Map<string, Set<string>>();

/** All the texts that a pattern describes, by growing it from left to right. */
function described(pattern: string, texts: readonly string[]): Set<string> {
  const key = JSON.stringify([pattern, texts.length, texts.at(-1), texts[0]]);
  const before = descriptions.get(key);
  if (before) return before;
  const found = new Set(
    texts.filter(text => {
      let ends = new Set([0]);
      for (const part of pattern) {
        const next = new Set<number>();
        for (const end of ends) {
          if (part === "*") for (let further = end; further <= text.length; further++) next.add(further);
          else if (end < text.length && (part === "?" || part === text[end])) next.add(end + 1);
        }
        ends = next;
      }
      return ends.has(text.length);
    }),
  );
  descriptions.set(key, found);
  return found;
}

function conditionByForce(
  operator: string,
  actual: readonly string[] | undefined,
  wanted: string[],
  texts: readonly string[],
) {
  const alike = (value: string) =>
    wanted.some(pattern => (operator.includes("Like") ? described(pattern, texts).has(value) : pattern === value));
  const absent = !actual || actual.length === 0;
  switch (operator) {
    case "StringEquals":
    case "StringLike":
      return !absent && actual.some(alike);
    case "StringEqualsIfExists":
      return absent || actual.some(alike);
    case "StringNotEquals":
    case "StringNotLike":
      return absent || !actual.some(alike);
    case "ForAnyValue:StringLike":
      return !absent && actual.some(alike);
    case "ForAllValues:StringLike":
      return absent || actual.every(alike);
    case "Null":
      return wanted.includes(absent ? "true" : "false");
    default:
      throw new Error(operator);
  }
}
