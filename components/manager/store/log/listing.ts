import { Bucket, RestorableBucket, StoredSize } from "../bucket/bucket";

/** Milliseconds for a page of a listing. */
const timeout = 10_000;
const pageKeys = 1000;

/** Keys below a folder, in order, a page at a time. */
export function keyPages(bucket: Pick<Bucket, "list">, folder: string): AsyncGenerator<string[]> {
  return pages(
    after => bucket.list(folder, after, pageKeys, timeout),
    key => key,
  );
}

/** Keys below a folder, in order, asked for page by page. Restore, `check` and the garbage of dead writers list, and nothing else. */
export function keysBelow(bucket: Pick<Bucket, "list">, folder: string): AsyncGenerator<string> {
  return byPage(
    after => bucket.list(folder, after, pageKeys, timeout),
    key => key,
  );
}

/** Keys below a folder with their sizes, in order, a page at a time. @param timeoutMilliseconds for a page */
export function sizePages(
  bucket: Pick<RestorableBucket, "sizes">,
  folder: string,
  timeoutMilliseconds: number,
): AsyncGenerator<StoredSize[]> {
  return pages(
    after => bucket.sizes(folder, after, pageKeys, timeoutMilliseconds),
    ({ key }) => key,
  );
}

/** Keys below a folder with their sizes, in order, asked for page by page. */
export function sizesBelow(bucket: Pick<RestorableBucket, "sizes">, folder: string): AsyncGenerator<StoredSize> {
  return byPage(
    after => bucket.sizes(folder, after, pageKeys, timeout),
    ({ key }) => key,
  );
}

async function* byPage<Item>(
  page: (after: string) => Promise<Item[]>,
  keyOf: (item: Item) => string,
): AsyncGenerator<Item> {
  for await (const items of pages(page, keyOf)) yield* items;
}

async function* pages<Item>(
  page: (after: string) => Promise<Item[]>,
  keyOf: (item: Item) => string,
): AsyncGenerator<Item[]> {
  for (let after = ""; ;) {
    const items = await page(after);
    yield items;
    if (items.length < pageKeys) return;
    after = keyOf(items.at(-1)!);
  }
}
