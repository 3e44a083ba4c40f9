import { Level } from "../check";
import { type JudgedFinding, Status, type Verdict } from "../judge";

/** How to write a verdict for people. */
export interface TextOptions {
  /** Escape sequences for a terminal. Default false. */
  colour?: boolean;
  /** Also what is exempted and what is not yet known, one by one. Default true. */
  details?: boolean;
}

const red = 31;
const yellow = 33;
const cyan = 36;
const green = 32;

/** A verdict for people: by resource, the worst first. */
export function asText(verdict: Verdict, { colour = false, details = true }: TextOptions = {}): string {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const lines: string[] = [];
  for (const [resource, findings] of byResource(verdict.findings.filter(finding => details || isViolation(finding)))) {
    lines.push(resource);
    for (const finding of findings) lines.push(...linesOf(finding, paint));
    lines.push("");
  }
  if (verdict.notJudged.length > 0) {
    lines.push("could not be judged");
    for (const { resourceName, resourceType, reason } of verdict.notJudged) {
      lines.push(`  ${paint(yellow, "not judged")} ${resourceName} (${resourceType})`);
      lines.push(`    What it creates was not seen, since ${reason}.`);
    }
    lines.push("");
  }
  const { mandatory, advisory, notYetKnown, exempted, passed, policies, resources, notJudged } = verdict;
  const words = [
    `${mandatory} mandatory`,
    `${advisory} advisory`,
    `${notYetKnown} not yet known`,
    `${exempted} exempted`,
    `${passed} passed`,
    ...(notJudged.length > 0 ? [`${notJudged.length} parts not judged`] : []),
  ];
  const summary = `${policies} policies on ${resources} resources: ${words.join(", ")}.`;
  lines.push(paint(mandatory > 0 ? red : advisory + notJudged.length > 0 ? yellow : green, summary));
  return lines.join("\n") + "\n";
}

function linesOf(finding: JudgedFinding, paint: (code: number, text: string) => string): string[] {
  const { policy, message, why, wayOut, exemption, status, place } = finding;
  const at = place ? ` (${place.file}:${place.line})` : "";
  const head = `  ${paint(colourOf(finding), labelOf(finding))} ${policy}${at}`;
  switch (status) {
    case Status.exempted:
      return [head, `    ${message}`, `    Until ${exemption?.expires}: ${exemption?.reason}`];
    case Status.notYetKnown:
      return [head, `    ${message}.`];
    case Status.violation:
      return [head, `    ${message} ${why}`, `    Write: ${wayOut}`];
  }
}

function labelOf({ status, level }: JudgedFinding): string {
  if (status === Status.exempted) return "exempted";
  return status === Status.notYetKnown ? "not yet known" : level === Level.advisory ? "advisory" : "mandatory";
}

function colourOf({ status, level }: JudgedFinding): number {
  if (status !== Status.violation) return cyan;
  return level === Level.advisory ? yellow : red;
}

function isViolation({ status }: JudgedFinding): boolean {
  return status === Status.violation;
}

function byResource(findings: readonly JudgedFinding[]): [string, JudgedFinding[]][] {
  const groups = new Map<string, JudgedFinding[]>();
  const sorted = [...findings].sort((one, other) => rank(one) - rank(other));
  for (const finding of sorted) {
    const resource =
      finding.urn === "" ? "configuration of the policies" : `${finding.resourceName} (${finding.resourceType})`;
    groups.set(resource, [...(groups.get(resource) ?? []), finding]);
  }
  return [...groups];
}

/** Mandatory violations first, exemptions last. */
function rank(finding: JudgedFinding): number {
  return ["mandatory", "advisory", "not yet known", "exempted"].indexOf(labelOf(finding));
}
