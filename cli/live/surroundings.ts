import { setTimeout } from "node:timers/promises";
import type { Streams } from "../plan";
import { type ClusterOptions, type Kubectl, KubectlError, kubectlOnPath } from "./kubectl";

/** What the commands on a running database need of the world. */
export interface Surroundings extends Streams {
  error: { write: (text: string) => unknown; isTTY?: boolean };
  kubectl: (options: ClusterOptions) => Kubectl;
  clock: LiveClock;
  /** Ends `--watch`. Default: nothing does but the process's end. */
  signal?: AbortSignal;
}

/** Time, as far as a command waits for something. */
export interface LiveClock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Wall clock. */
  today(): Date;
  sleep(milliseconds: number): Promise<void>;
}

/** The real ones. */
export function processSurroundings(): Surroundings {
  return {
    out: process.stdout,
    error: process.stderr,
    kubectl: kubectlOnPath,
    clock: {
      now: () => performance.now(),
      today: () => new Date(),
      sleep: async milliseconds => void (await setTimeout(milliseconds)),
    },
  };
}

/** Exit codes of the commands on a running database. */
export const LiveExit = {
  /** Healthy; or done. */
  good: 0,
  /** Degraded; refused; or not done in time. */
  bad: 1,
  /** The command line is wrong, or the cluster cannot be asked. */
  notAsked: 2,
} as const;
export type LiveExit = (typeof LiveExit)[keyof typeof LiveExit];

/** The command line is wrong, or what it names is not there. */
export class UsageError extends Error {}

/** What was asked for would do harm, or cannot be done as things are. */
export class Refused extends Error {}

/** Runs a command, and turns what a person can mend into a message and an exit code. */
export async function answering(
  { error }: Pick<Surroundings, "error">,
  command: () => Promise<number>,
): Promise<number> {
  try {
    return await command();
  } catch (problem) {
    const isExpected = [UsageError, Refused, KubectlError].some(kind => problem instanceof kind);
    if (!isExpected) throw problem;
    error.write(`${(problem as Error).message}\n`);
    return problem instanceof Refused ? LiveExit.bad : LiveExit.notAsked;
  }
}
