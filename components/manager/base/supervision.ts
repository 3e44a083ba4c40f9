import type { Log } from "./ports";

/** Exit code of a manager that came upon something unforeseen: EX_SOFTWARE of sysexits.h. */
export const unforeseen = 70;

/** What of Node's process is used. */
export interface ManagerProcess {
  on(event: "uncaughtException", listener: (error: Error) => void): unknown;
  on(event: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  exit(code: number): unknown;
}

/**
 * Runs the manager for as long as the process lives: a signal asks for an orderly stop, and whatever goes wrong unforeseen ends the process, which takes mariadbd along. A restart in place loses
 * nothing; a manager in an unknown state might.
 */
export function supervise(
  process: ManagerProcess,
  manager: { run: () => Promise<void>; requestStop: () => void },
  log: Log,
): void {
  process.on("uncaughtException", error => {
    log("error", "uncaught exception", { error: error.stack });
    process.exit(unforeseen);
  });
  process.on("SIGTERM", () => manager.requestStop());
  process.on("SIGINT", () => manager.requestStop());
  manager.run().catch((error: unknown) => {
    log("error", "the manager is stopping", { error: String(error) });
    process.exit(unforeseen);
  });
}
