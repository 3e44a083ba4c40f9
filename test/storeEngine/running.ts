import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";

/** @throws when it does not hold in time */
export async function until(what: string, seconds: number, holds: () => boolean | Promise<boolean>): Promise<true> {
  for (const end = performance.now() + seconds * 1000; ; await delay(100)) {
    if (
      await Promise.resolve()
        .then(holds)
        .catch(() => false)
    )
      return true;
    if (performance.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
  }
}

/** One line of JSON, with the seconds since the program began. */
export function say(fields: object): void {
  console.log(JSON.stringify({ at: Number((performance.now() / 1000).toFixed(1)), ...fields }));
}
