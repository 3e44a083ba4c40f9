import { Bucket, StoreClock } from "../bucket/bucket";
import { epochOfObject } from "./keys";
import { keyPages } from "./listing";
import { namedAmong } from "./namedObjects";
import { DatabaseState } from "./state";

/** Milliseconds between two deletions, and for one. */
const pause = 20;
const timeout = 5000;
/** Milliseconds between two pages of the list. */
const pagePause = 200;

/**
 * Deletes what writers of earlier epochs have sent and no entry names: a file whose flush did not end, a block whose entry was not appended. The bucket's list says what there is, and the log alone what may go:
 * an object's key carries the epoch that it was sent in, only entries of that epoch name it first, and that epoch is sealed. So what the state of a later epoch neither names nor has among its retired objects,
 * which are those that kept positions may name, no position names and none will.
 * @param state of a writer in its own epoch, at any position; it may have been sealed since
 * @returns how many objects went
 */
export async function deleteUnnamed(
  bucket: Bucket,
  clock: StoreClock,
  state: DatabaseState,
  stillWriter: () => boolean,
): Promise<number> {
  const retired = new Set<string>();
  for (const { key } of state.retired) retired.add(key);
  let deleted = 0;
  let isFirst = true;
  for await (const page of keyPages(bucket, "data/")) {
    // A large database has hundreds of pages: it takes its time, and the heap's garbage is collected meanwhile.
    if (!isFirst) await clock.sleep(pagePause);
    isFirst = false;
    const named = namedAmong(state, page);
    for (const key of page) {
      const epoch = epochOfObject(key);
      if (epoch === undefined || epoch >= state.epoch || named.has(key) || retired.has(key)) continue;
      if (!stillWriter()) return deleted;
      await bucket.delete(key, timeout);
      deleted++;
      await clock.sleep(pause);
    }
  }
  return deleted;
}
