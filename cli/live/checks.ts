/** How a check ended. */
export const Outcome = {
  passed: "passed",
  failed: "failed",
  /** It is not as it should be in production, and was asked for in the program. */
  warning: "warning",
  /** It could not be looked at: that is not a pass. */
  notChecked: "not checked",
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** One line of the report. */
export interface CheckResult {
  name: string;
  outcome: Outcome;
  /** What was seen, or why it failed. */
  detail: string;
}

/** What was looked at is not as it should be. */
export class CheckFailure extends Error {}

/** What was looked at could not be seen. */
export class NotChecked extends Error {}

/**
 * Runs one check. Whatever goes wrong in it is a failed check, never the end of the report.
 * @returns the result; also when the check itself breaks
 */
export async function ran(name: string, check: () => Promise<string | { warning: string }>): Promise<CheckResult> {
  try {
    const said = await check();
    return typeof said === "string"
      ? { name, outcome: Outcome.passed, detail: said }
      : { name, outcome: Outcome.warning, detail: said.warning };
  } catch (error) {
    const outcome = error instanceof NotChecked ? Outcome.notChecked : Outcome.failed;
    return { name, outcome, detail: (error as Error).message };
  }
}
