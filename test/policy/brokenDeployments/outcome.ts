import { judge, type JudgedFinding } from "../../../policy/judge";
import { type RawResource } from "../../../policy/model/resource";
import { type Base, changedBy, plannedProduction, type SharedCase, writtenByHand } from "./shared";

/** What became of a case. `unjudged` is a fault of which the pack says that it cannot be judged yet: not silent, and not found. */
export type Outcome = "caught" | "missed" | "unjudged" | "false" | "quiet";

/** A case with what the pack said of it. */
export interface JudgedCase {
  id: string;
  /** The first word of the id. */
  kind: string;
  outcome: Outcome;
  /** What the pack says of the changed deployment and not of the correct one. */
  said: string[];
  note?: string;
}

/** The day on which the cases are judged. */
const today = "2026-11-29";

/** Judges each case against the correct deployment that it changes. */
export async function judgeCases(cases: readonly SharedCase[]): Promise<JudgedCase[]> {
  const bases: Record<Base, RawResource[]> = { A: await plannedProduction(), B: writtenByHand() };
  const before = { A: said(bases.A), B: said(bases.B) };
  return cases.map(one => judgedCase(one, bases[one.base], new Set(before[one.base].keys())));
}

function judgedCase(one: SharedCase, base: readonly RawResource[], before: ReadonlySet<string>): JudgedCase {
  const fresh = [...said(changedBy(one, base))].filter(([key]) => !before.has(key)).map(([, finding]) => finding);
  const lines = fresh.map(({ status, policy, resourceName, message }) =>
    [status === "notYetKnown" ? "?" : "!", policy, resourceName, message].join(" "),
  );
  return { id: one.id, kind: one.id.split("-")[0]!, outcome: outcomeOf(one, fresh), said: lines, note: one.note };
}

function outcomeOf({ want, by }: SharedCase, fresh: readonly JudgedFinding[]): Outcome {
  if (want === "quiet") return fresh.length === 0 ? "quiet" : "false";
  const found = fresh.filter(({ policy, status }) => status === "violation" && (by?.test(policy) ?? true));
  if (found.length > 0) return "caught";
  return fresh.some(({ status }) => status === "notYetKnown") ? "unjudged" : "missed";
}

/** The findings on a program, each under what tells it from the others. */
function said(program: readonly RawResource[]): Map<string, JudgedFinding> {
  const { findings } = judge(program, { today });
  return new Map(
    findings.map(finding => {
      const { status, policy, resourceName, path, message } = finding;
      return [[status, policy, resourceName, path, message].join("|"), finding];
    }),
  );
}

/** How many cases of each kind came out how, as lines of a table. */
export function tableOf(judged: readonly JudgedCase[]): string[] {
  const outcomes: Outcome[] = ["caught", "missed", "unjudged", "false", "quiet"];
  const kinds = [...new Set(judged.map(({ kind }) => kind))];
  const row = (name: string, of: readonly JudgedCase[]) =>
    [name.padEnd(14), ...outcomes.map(outcome => String(count(of, outcome)).padStart(8))].join(" ");
  return [
    ["kind".padEnd(14), ...outcomes.map(outcome => outcome.padStart(8))].join(" "),
    ...kinds.map(kind =>
      row(
        kind,
        judged.filter(one => one.kind === kind),
      ),
    ),
    row("all", judged),
  ];
}

function count(judged: readonly JudgedCase[], outcome: Outcome): number {
  return judged.filter(one => one.outcome === outcome).length;
}
