import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { join, resolve } from "node:path";

/** The project's folder. */
export const projectFolder = resolve(__dirname, "../..");

/** What a process took from its start to its end. */
export interface Measurement {
  wallMilliseconds: number;
  /** User and system time of all its threads. */
  cpuMilliseconds: number;
  /** The most memory that it ever had resident. */
  peakMebibytes: number;
  /** What it printed. */
  output: string;
}

/** Runs a Node.js process and measures it. @throws Error with what it wrote when it fails */
export async function measure(argv: readonly string[]): Promise<Measurement> {
  const started = performance.now();
  const child = spawn(process.execPath, ["--import", join(__dirname, "reportUsage.mjs"), ...argv], {
    cwd: projectFolder,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const closed = once(child, "close") as Promise<[number]>;
  const usageStream = child.stdio[3] as NodeJS.ReadableStream;
  const [output, errors, usage, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    text(usageStream),
    closed,
  ]);
  if (code !== 0) throw new Error(`node ${argv.join(" ")} exited with ${code}:\n${errors}`);
  const { cpuMilliseconds, peakMebibytes } = JSON.parse(usage) as Omit<Measurement, "output" | "wallMilliseconds">;
  return { wallMilliseconds: performance.now() - started, cpuMilliseconds, peakMebibytes, output };
}

/** Runs several processes in turn, round after round: what else the machine does meets all of them alike. The median of each figure. */
export async function medians<Name extends string>(
  candidates: Record<Name, readonly string[]>,
  rounds: number,
): Promise<Record<Name, Measurement>> {
  const names = Object.keys(candidates) as Name[];
  const measured = new Map<Name, Measurement[]>(names.map(name => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) measured.get(name)!.push(await measure(candidates[name]));
  }
  const entries = names.map(name => [name, medianOf(measured.get(name)!)] as const);
  return Object.fromEntries(entries) as Record<Name, Measurement>;
}

function medianOf(measurements: readonly Measurement[]): Measurement {
  const middle = (figure: (measurement: Measurement) => number) =>
    measurements.map(figure).sort((a, b) => a - b)[measurements.length >> 1]!;
  return {
    wallMilliseconds: middle(({ wallMilliseconds }) => wallMilliseconds),
    cpuMilliseconds: middle(({ cpuMilliseconds }) => cpuMilliseconds),
    peakMebibytes: middle(({ peakMebibytes }) => peakMebibytes),
    output: measurements[0]?.output ?? "",
  };
}
