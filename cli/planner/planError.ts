import type { Diagnostic } from "./plan";

/** Something that the user can put right: it is shown as its message alone, without a stack trace. */
export class PlanError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PlanError";
  }
}

/** The program failed. `message` is fit to be shown: no secret is in it. */
export class ProgramError extends Error {
  constructor(
    message: string,
    /** What the program threw. */
    override readonly cause: unknown,
    /** What it had logged until then. */
    readonly diagnostics: readonly Diagnostic[],
  ) {
    super(message);
    this.name = "ProgramError";
  }
}
