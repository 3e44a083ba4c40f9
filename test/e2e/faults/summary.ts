import { Audit, distribution, Distribution, LedgerEntry, Outage } from "../ledger";
import { Promised } from "./classes";

/** What one run of a fault class came to: one line of the results' file. */
export interface FaultRun {
  class: string;
  /** Counted from 1. */
  run: number;
  /** ISO 8601. */
  at: string;
  durability: string;
  writes: number;
  acknowledged: number;
  outagesMilliseconds: number[];
  /** Numbers of rows that were acknowledged and are not there. */
  lost: number[];
  /** Those of them that the mode does not allow to lose. */
  lostBeyondPromise: number[];
  presentUnacknowledged: number;
  duplicated: number;
  unknown: number;
  /** Why the run could not be completed: writes that did not come back, a pod that did not. */
  failure?: string;
}

export interface ClassSummary {
  class: string;
  title: string;
  runs: number;
  failed: number;
  /** Of the sum of all outages of a run. */
  outage: Distribution;
  lost: number;
  presentUnacknowledged: number;
  /** What is not as promised, in words; empty when all is. */
  problems: string[];
}

/**
 * The acknowledged rows of a run that were lost although the mode promises them: all, or in `interval` mode and a class with a loss window, those that were
 * acknowledged longer before the start of the outage than the window.
 */
export function lossBeyondPromise(
  fault: Pick<Promised, "lossWindowMilliseconds">,
  durability: string,
  entries: LedgerEntry[],
  found: Outage[],
  { lost }: Audit,
): number[] {
  const window = durability === "interval" ? (fault.lossWindowMilliseconds ?? 0) : 0;
  if (window === 0) return lost;
  const acknowledged = new Map(entries.map(entry => [entry.id, entry.acknowledgedAtMilliseconds ?? 0]));
  const excused = (id: number) => {
    const time = acknowledged.get(id) ?? 0;
    return found.some(({ fromMilliseconds: from }) => time <= from && time >= from - window);
  };
  return lost.filter(id => !excused(id));
}

/** The runs of one class, judged by what it promises. */
export function summarise(fault: Promised, runs: FaultRun[]): ClassSummary {
  const complete = runs.filter(run => run.failure === undefined);
  const outage = distribution(complete.map(run => run.outagesMilliseconds.reduce((sum, length) => sum + length, 0)));
  const total = (count: (run: FaultRun) => number) => runs.reduce((sum, run) => sum + count(run), 0);
  const problems: string[] = [];
  const problem = (count: number, what: string) => {
    if (count > 0) problems.push(`${count} ${what}`);
  };
  problem(runs.length - complete.length, "runs did not complete");
  problem(
    total(run => run.lostBeyondPromise.length),
    "acknowledged rows lost beyond the promise",
  );
  problem(
    total(run => run.duplicated),
    "rows twice",
  );
  problem(
    total(run => run.unknown),
    "rows that were never sent",
  );
  const allowed = fault.outages ?? 1;
  problem(
    complete.filter(run => run.outagesMilliseconds.length > allowed).length,
    `runs with more than ${allowed} outages`,
  );
  if (outage.p95 > fault.outageBoundMilliseconds) {
    problems.push(`p95 of the outage above ${fault.outageBoundMilliseconds} ms`);
  }
  return {
    class: fault.name,
    title: fault.title,
    runs: runs.length,
    failed: runs.length - complete.length,
    outage,
    lost: total(run => run.lost.length),
    presentUnacknowledged: total(run => run.presentUnacknowledged),
    problems,
  };
}

/** The summaries as a Markdown table, ready for the documentation. */
export function table(summaries: ClassSummary[]): string {
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(2);
  const rows = summaries.map(({ title, runs, outage, lost, presentUnacknowledged, problems }) =>
    [
      title,
      runs,
      seconds(outage.p50),
      seconds(outage.p95),
      seconds(outage.max),
      lost,
      presentUnacknowledged,
      problems.join("; ") || "as promised",
    ].join(" | "),
  );
  const head = "fault | N | outage p50 s | p95 s | max s | rows lost | present, not acknowledged | verdict";
  const line = head.replace(/[^|]+/g, "---");
  return [head, line, ...rows].map(row => `| ${row} |`).join("\n");
}
