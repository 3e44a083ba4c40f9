import { Bucket } from "../bucket/bucket";

/** Milliseconds for a page of a listing. */
const timeout = 10_000;
const pageKeys = 1000;

/** Keys below a folder, in order, asked for page by page. Restore, `check` and the garbage of dead writers list, and nothing else. */
export async function* keysBelow(bucket: Pick<Bucket, "list">, folder: string): AsyncGenerator<string> {
  for (let after = ""; ;) {
    const keys = await bucket.list(folder, after, pageKeys, timeout);
    yield* keys;
    if (keys.length < pageKeys) return;
    after = keys.at(-1)!;
  }
}
