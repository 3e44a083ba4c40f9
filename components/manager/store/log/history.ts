import { CheckpointPointer, LogOwner } from "./owner";

/** For how long positions of the past are kept. */
export interface HistoryRules {
  /** Every position of the last so many milliseconds. */
  everyPositionMilliseconds: number;
  /** Before that, a checkpoint of each day, for so many milliseconds. */
  dailyCheckpointMilliseconds: number;
}

/** A simulation makes days of it seconds. */
export const historyTiming = {
  /** Of each such piece of time (of each day, in UTC) the first checkpoint is kept. Milliseconds. */
  dayMilliseconds: 86_400_000,
  /** Where every position is kept, checkpoints are thinned to about so many: who opens a position reads on from the one before it. */
  checkpointsOfEveryPosition: 48,
};

/** What {@link keptHistory} goes by. */
export interface KeepOptions {
  /** Milliseconds since 1970. */
  now: number;
  rules: HistoryRules;
  /** The horizon goes no further. */
  latest: number;
  /** Checkpoints that are not so old are all kept. Milliseconds. */
  youngMilliseconds: number;
}

/**
 * What is kept of the past from now on. The horizon is the newest checkpoint that is old enough for every position of the promised time to come after it. Pure.
 *
 * It only gives up: the horizon does not go back, and no checkpoint comes in. So what a run has deleted, no later one misses, whoever it is done by and however long it has slept.
 */
export function keptHistory(
  { checkpoints, history, horizon: before }: Pick<LogOwner, "checkpoints" | "history" | "horizon">,
  { now, rules, latest, youngMilliseconds }: KeepOptions,
): Pick<LogOwner, "history" | "horizon"> {
  const { dayMilliseconds, checkpointsOfEveryPosition } = historyTiming;
  const everySince = now - rules.everyPositionMilliseconds;
  const dailySince = everySince - rules.dailyCheckpointMilliseconds;
  const spacing = rules.everyPositionMilliseconds / checkpointsOfEveryPosition;
  // Two that are newer, at least, than any reader's beginning is behind.
  const limit = Math.min(latest, checkpoints[1]?.position ?? -1);
  const base = [...checkpoints, ...history].find(({ position, time }) => position <= limit && time <= everySince);
  const horizon = Math.max(before, base?.position ?? 0);
  const kept: CheckpointPointer[] = [];
  let day = -Infinity;
  let last = -Infinity;
  for (const pointer of [...history].reverse()) {
    const { position, time } = pointer;
    if (position < horizon) {
      const itsDay = Math.floor(time / dayMilliseconds);
      if (time <= dailySince || itsDay === day) continue;
      day = itsDay;
    } else {
      const isYoung = time > now - youngMilliseconds;
      if (position !== horizon && !isYoung && time - last < spacing) continue;
      last = time;
    }
    kept.unshift(pointer);
  }
  return { horizon, history: kept };
}
