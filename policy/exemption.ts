import { type PlainResource } from "./model/resource";

/** Leave to break a rule, for a time. */
export interface Exemption {
  /** Id of the policy, or a pattern with `*`. */
  policy: string;
  /** Name or URN of the resource, or a pattern with `*`. */
  resource: string;
  /** Why the rule may be broken here; shown beside the exempted finding. */
  reason: string;
  /** Last day on which it holds, as `YYYY-MM-DD`. From the next day on it is a violation itself. */
  expires: string;
}

/** What is wrong with an exemption itself, and what to do; undefined when nothing is. `today` is `YYYY-MM-DD`. */
export function exemptionFault(
  { reason, expires }: Exemption,
  today: string,
): { message: string; wayOut: string } | undefined {
  if (typeof reason !== "string" || reason.trim() === "") {
    return { message: "has no reason", wayOut: "give `reason`, one sentence that a reviewer can judge" };
  }
  if (!isDate(expires)) {
    return { message: "has no expiry date that is a day of the calendar", wayOut: "give `expires` as YYYY-MM-DD" };
  }
  if (expires < today) {
    return {
      message: `expired on ${expires}`,
      wayOut: "mend the resource and delete the exemption, or decide again and set a later `expires`",
    };
  }
  return undefined;
}

/** Whether the exemption is meant for this policy and resource; whether it is still good is another question (`exemptionFault`). */
export function covers(exemption: Exemption, policyId: string, resource: Pick<PlainResource, "name" | "urn">): boolean {
  const { policy, resource: pattern } = exemption;
  return matches(policy, policyId) && (matches(pattern, resource.urn) || matches(pattern, resource.name));
}

/** Pattern matching with `*` for any run of characters, without backtracking into quadratic time on long patterns. */
export function matches(pattern: string, text: string): boolean {
  if (typeof pattern !== "string") return false;
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === text;
  const last = rest.pop()!;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let position = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= text.length - last.length;
}

/** Whether a value is a day of the calendar as `YYYY-MM-DD`: the 30th of February is none. */
export function isDate(text: unknown): text is string {
  if (typeof text !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
