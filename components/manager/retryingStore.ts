import { Clock, Conflict, Store } from "./ports";

/** Milliseconds between the attempts; the last one is repeated. */
const pauses = [30, 60, 120, 240];
/** A small read that has not been answered in this share of its time is sent again, on another connection: one may be dead without anybody knowing, just after a failover. */
const firstShare = 1 / 3;

/**
 * A store whose small requests are tried again until their time is over: S3 answers 503 now and then, and one such answer must not end a promotion. Not those that look whether it is well, nor those
 * that write on a condition, whose second attempt would meet the first one's effect.
 */
export function retryingStore(store: Store, clock: Pick<Clock, "now" | "sleep">): Store {
  async function patiently<T>(timeout: number, ask: (left: number) => Promise<T>, share = 1): Promise<T> {
    const until = clock.now() + timeout;
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask((until - clock.now()) * (attempt === 0 ? share : 1));
      } catch (error) {
        const pause = pauses[Math.min(attempt, pauses.length - 1)]!;
        if (error instanceof Conflict || clock.now() + 2 * pause > until) throw error;
        await clock.sleep(pause);
      }
    }
  }
  return {
    ...store,
    readOwner: timeout => patiently(timeout, left => store.readOwner(left), firstShare),
    list: (timeout, folder) => patiently(timeout, left => store.list(left, folder)),
    epochOf: (key, timeout) => patiently(timeout, left => store.epochOf(key, left), firstShare),
    readEngineEpoch: timeout => patiently(timeout, left => store.readEngineEpoch(left), firstShare),
    stampEpoch: (key, epoch, timeout) => patiently(timeout, left => store.stampEpoch(key, epoch, left)),
    copy: (from, to, timeout) => patiently(timeout, left => store.copy(from, to, left)),
    delete: (key, timeout) => patiently(timeout, left => store.delete(key, left)),
  };
}
