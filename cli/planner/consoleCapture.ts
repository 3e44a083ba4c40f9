import { format } from "node:util";
import type { Diagnostic } from "./plan";

/** How the SDK starts what it logs when it has no engine to send it to. */
const sdkPrefix = /^(debug|info|warning|error): \[runtime\] /;

const severities = { log: "info", info: "info", debug: "info", warn: "warning", error: "error" } as const;

/**
 * Sends what is written to the console and to the standard output to `report` instead: what a program prints belongs among a plan's messages, not between the lines of a table or of a JSON
 * document.
 */
export function captureConsole(report: (diagnostic: Diagnostic) => void): { restore: () => void } {
  const methods = console as unknown as Record<string, (...values: unknown[]) => void>;
  const originals = { ...methods };
  for (const [name, severity] of Object.entries(severities)) {
    methods[name] = (...values) => report({ severity, message: format(...values).replace(sdkPrefix, "") });
  }
  const output = process.stdout as unknown as Record<
    "write",
    (text: string | Uint8Array, ...rest: unknown[]) => boolean
  >;
  const original = Object.getOwnPropertyDescriptor(output, "write");
  output.write = (text, ...rest) => {
    const message = (typeof text === "string" ? text : Buffer.from(text).toString("utf8")).trimEnd();
    if (message !== "") report({ severity: "info", message });
    const done = rest.at(-1);
    if (typeof done === "function") process.nextTick(done);
    return true;
  };
  return {
    restore: () => {
      if (original) Object.defineProperty(output, "write", original);
      else Reflect.deleteProperty(output, "write");
      for (const name of Object.keys(severities)) Object.assign(methods, { [name]: originals[name] });
    },
  };
}
