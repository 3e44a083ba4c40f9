import { format } from "node:util";
import type { Diagnostic } from "./plan";

/** How the SDK starts what it logs when it has no engine to send it to. */
const sdkPrefix = /^(debug|info|warning|error): \[runtime\] /;

const severities = { log: "info", info: "info", debug: "info", warn: "warning", error: "error" } as const;

/**
 * Sends what is written to the console to `report` instead: what a program prints belongs among a plan's messages, not between the lines of a table or of a JSON
 * document.
 */
export function captureConsole(report: (diagnostic: Diagnostic) => void): { restore: () => void } {
  const methods = console as unknown as Record<string, (...values: unknown[]) => void>;
  const originals = { ...methods };
  for (const [name, severity] of Object.entries(severities)) {
    methods[name] = (...values) => report({ severity, message: format(...values).replace(sdkPrefix, "") });
  }
  return {
    restore: () => {
      for (const name of Object.keys(severities)) Object.assign(methods, { [name]: originals[name] });
    },
  };
}
