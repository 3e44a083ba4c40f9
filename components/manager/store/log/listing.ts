import { Bucket, RestorableBucket, StoredSize } from "../bucket/bucket";

/** Milliseconds for a page of a listing. */
const timeout = 10_000;
const pageKeys = 1000;

/** Keys below a folder, in order, asked for page by page. Restore, `check` and the garbage of dead writers list, and nothing else. */
export function keysBelow(bucket: Pick<Bucket, "list">, folder: string): AsyncGenerator<string> {
  return byPage(
    after => bucket.list(folder, after, pageKeys, timeout),
    key => key,
  );
}

/** Keys below a folder with their sizes, in order, asked for page by page. @param timeoutMilliseconds for a page */
export function sizesBelow(
  bucket: Pick<RestorableBucket, "sizes">,
  folder: string,
  timeoutMilliseconds = timeout,
): AsyncGenerator<StoredSize> {
  return byPage(
    after => bucket.sizes(folder, after, pageKeys, timeoutMilliseconds),
    ({ key }) => key,
  );
}

async function* byPage<Item>(
  page: (after: string) => Promise<Item[]>,
  keyOf: (item: Item) => string,
): AsyncGenerator<Item> {
  for (let after = ""; ;) {
    const items = await page(after);
    yield* items;
    if (items.length < pageKeys) return;
    after = keyOf(items.at(-1)!);
  }
}
