import { setTimeout as delay } from "node:timers/promises";
import { Clock } from "./ports";

/** This process's monotonic clock, the same that the watchdog thread reads. */
export const systemClock: Clock = {
  now: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  wallTime: () => new Date().toISOString(),
  sleep: milliseconds => delay(milliseconds),
};

/** The same with the wall clock as a number, as the store on the log takes it. */
export const systemStoreClock = { ...systemClock, wall: () => Date.now() };
