import { existsSync } from "node:fs";
import Module from "node:module";
import { fileURLToPath } from "node:url";
import { join, sep } from "node:path";
import { packageRoot } from "../../components/packageRoot";

/** Enough to reach from a mistake in a library to the program that called it. */
const framesKept = 12;

/** The SDK takes a stack trace for each of its many promises, in case one is never kept. */
const sdk = `${sep}node_modules${sep}@pulumi${sep}`;

/**
 * While a program runs, writes stack traces out only where somebody may read them: the SDK's own, which it writes out for each of its promises, take almost half of the time of a large plan. Nothing
 * changes where somebody asked for source maps to look for a mistake.
 */
export function shortenStackTraces(): { restore: () => void } {
  const { stackTraceLimit } = Error;
  const former = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  if (!isAskedForSourceMaps()) {
    Error.stackTraceLimit = framesKept;
    Error.prepareStackTrace = writtenOut;
  }
  return {
    restore: () => {
      Error.stackTraceLimit = stackTraceLimit;
      if (former) Object.defineProperty(Error, "prepareStackTrace", former);
      else Reflect.deleteProperty(Error, "prepareStackTrace");
    },
  };
}

/** Keeps maps of what is loaded from now on, installed packages excepted: the lines of a program are then those that its author wrote. Node.js 22.14 and later. */
export function mapProgramLines(): void {
  const { setSourceMapsSupport } = Module as unknown as {
    setSourceMapsSupport?: (enabled: boolean, options: object) => void;
  };
  setSourceMapsSupport?.(true, { nodeModules: false, generatedCode: false });
}

/**
 * Where in the program an error comes from: the last call in a file that is neither an installed package's, nor Node's, nor one of this package's own.
 * @returns a line of a stack trace, like `    at shop (/home/me/index.ts:7:3)`; undefined when the program is not in the trace
 */
export function placeInProgram({ stack = "" }: Error): string | undefined {
  const own = ownFolders();
  return stack
    .split("\n")
    .find(
      line =>
        /^ +at .*\.[cm]?[jt]s\b/.test(line) &&
        !/node:|[\\/]node_modules[\\/]/.test(line) &&
        !own.some(folder => line.includes(folder)),
    );
}

function isAskedForSourceMaps(): boolean {
  return /--enable-source-maps/.test([process.env.NODE_OPTIONS ?? "", ...process.execArgv].join(" "));
}

/** Whether a file is part of the program: neither an installed package's, nor Node's, nor this package's own. */
export function isOfProgram(path: string): boolean {
  return !/^node:|[\\/]node_modules[\\/]/.test(path) && !ownFolders().some(folder => path.includes(folder));
}

function ownFolders(): string[] {
  return ["components", "cli", "policy", "plugin", "bin"].map(folder => join(packageRoot(), folder) + sep);
}

/** The SDK's function with which it asks where a resource is made. */
const askedForPlace = "callsites";

function writtenOut(error: Error, calls: NodeJS.CallSite[]): string {
  const isSdk = calls[0]?.getFileName()?.includes(sdk) === true && calls[0].getFunctionName() !== askedForPlace;
  return [String(error), ...(isSdk ? calls.slice(0, 1) : calls).map(call => `    at ${described(call)}`)].join("\n");
}

function described(call: NodeJS.CallSite): string {
  const asItIs = (call as { toString(): string }).toString();
  const file = call.getFileName();
  const [line, column] = [call.getLineNumber(), call.getColumnNumber()];
  if (file === undefined || file === null || line === null || column === null) return asItIs;
  const path = file.startsWith("file://") ? fileURLToPath(file) : file;
  if (path.includes(`${sep}node_modules${sep}`)) return asItIs;
  const origin = Module.findSourceMap(file)?.findEntry(line - 1, column - 1);
  if (!origin || !("originalLine" in origin) || !existsSync(path)) return asItIs;
  const place = `${path}:${origin.originalLine + 1}:${origin.originalColumn + 1}`;
  const caller = call.getFunctionName();
  return caller ? `${caller} (${place})` : place;
}
