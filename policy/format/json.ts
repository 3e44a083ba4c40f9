import { type Verdict } from "../judge";

/** A verdict as JSON, its keys in the order of the type. */
export function asJson(verdict: Verdict): string {
  const { mandatory, advisory, notYetKnown, exempted, passed, policies, resources, findings, notJudged } = verdict;
  const ordered = { mandatory, advisory, notYetKnown, exempted, passed, policies, resources, notJudged, findings };
  return JSON.stringify(ordered, undefined, 2) + "\n";
}
