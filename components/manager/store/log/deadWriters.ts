import { Bucket, StoreClock } from "../bucket/bucket";
import { epochOfObject, folderOf } from "./keys";
import { keysBelow } from "./listing";
import { namedBeside } from "./namedObjects";
import { DatabaseState } from "./state";

/** Milliseconds between two deletions, and for one. */
const pause = 20;
const timeout = 5000;

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
  let folder = "";
  let named = new Map<string, number>();
  let deleted = 0;
  for await (const key of keysBelow(bucket, "data/")) {
    const epoch = epochOfObject(key);
    if (epoch === undefined || epoch >= state.epoch || retired.has(key)) continue;
    if (folder === "" || !key.startsWith(folder)) {
      folder = folderOf(key);
      named = namedBeside(state, key);
    }
    if (named.has(key)) continue;
    if (!stillWriter()) break;
    await bucket.delete(key, timeout);
    deleted++;
    await clock.sleep(pause);
  }
  return deleted;
}
