import { logMutations } from "./log/mutations";
import { playLogSchedule } from "./log/schedule";
import { mutations } from "./mutations";
import { playSchedule, ScheduleResult } from "./schedule";

/** Plays one schedule. @param without a rule of that store's mutations */
export function playOn(
  store: "engine" | "log",
  seed: number,
  without?: string,
  keepTimeline = false,
): Promise<ScheduleResult> {
  if (store === "engine")
    return playSchedule(seed, { mutation: mutations.find(({ rule }) => rule === without), keepTimeline });
  return playLogSchedule(seed, { mutation: logMutations.find(({ rule }) => rule === without), keepTimeline });
}
