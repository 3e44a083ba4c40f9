import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { fileKey } from "../../../../components/manager/store/log/keys";
import { readBook, VolumeBook } from "../../../../components/manager/store/volume/book";
import { fileName, KnownFiles, keyOf } from "../../../../components/manager/store/volume/knownFiles";

const path = fc
  .record({
    folder: fc.constantFrom("app__a", "app__ü"),
    level: fc.constantFrom(1, 63),
    partition: fc.constantFrom(undefined, 0, 77),
    id: fc.constantFrom(0, 9, 2 ** 40),
    half: fc.constantFrom("keys" as const, "values" as const),
  })
  .map(
    ({ folder, partition, ...name }) =>
      `${folder}/${fileName({ ...name, ...(partition !== undefined && { partition }) })}`,
  );
const key = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.nat({ max: 9 })).map(numbers => fileKey(...numbers));
const line = fc.tuple(path, fc.option(key, { nil: undefined }));

function contentOf(known: KnownFiles): Map<string, string> {
  const content = new Map<string, string>();
  for (const folder of known.folders())
    for (const { name, object } of known.in(folder)) content.set(`${folder}/${fileName(name)}`, keyOf(object));
  return content;
}

describe("the book of a volume's files", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "book-"))));
  after(() => fs.rm(folder, { recursive: true }));

  it("says after each start what was last said of each file", async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line, { maxLength: 20 }), { maxLength: 3 }), async starts => {
        const file = join(folder, `book-${number++}`);
        const expected = new Map<string, string>();
        for (const lines of starts) {
          const book = await VolumeBook.open(file);
          for (const [path, key] of lines) {
            if (key === undefined) expected.delete(path);
            else expected.set(path, key);
            await (key === undefined ? book.forget([path]) : book.add(path, key));
          }
          const known = await book.read();
          assert.deepEqual(contentOf(known), expected);
          for (const [path, key] of expected) assert.equal(keyOf(known.get(path)!), key);
          await book.close();
        }
      }),
      { numRuns: 30 },
    );
  });

  it("is written anew when most of it is of files that are gone, and goes on from there", async () => {
    const file = join(folder, "long");
    const book = await VolumeBook.open(file);
    const nameOf = (id: number) => `app__t/L1_${id}.klog`;
    const lines = Array.from(
      { length: 3000 },
      (_, id) => `${JSON.stringify({ path: nameOf(id), key: fileKey(1, 1, id) })}\n`,
    );
    await fs.appendFile(file, lines.join(""));
    assert.equal((await book.read()).size, 3000, "more than one chunk of it");
    assert.equal((await readBook(file)).lines, 3000, "nothing in it is needless");
    await book.forget(Array.from({ length: 2400 }, (_, id) => nameOf(id)));
    assert.equal((await book.read()).size, 600);
    await book.add(nameOf(1), fileKey(1, 2, 1));
    const { known, lines: left } = await readBook(file);
    assert.deepEqual([known.size, left], [601, 601]);
    await book.close();
  });

  it("trusts no line that is cut off, and nothing that is no file of an SSTable", async () => {
    const file = join(folder, "torn");
    const whole = JSON.stringify({ path: "app__t/L1_1.klog", key: fileKey(1, 1, 1) });
    await fs.writeFile(
      file,
      `${whole}\n[]\n"L1"\n${JSON.stringify({ path: "app__t/MANIFEST", key: "m" })}\n${whole.slice(0, 30)}`,
    );
    assert.deepEqual([...contentOf((await readBook(file)).known).keys()], ["app__t/L1_1.klog"]);
    const book = await VolumeBook.open(file);
    await book.add("app__t/L1_2.klog", fileKey(1, 1, 2));
    await book.close();
    assert.deepEqual([...contentOf((await readBook(file)).known).keys()], ["app__t/L1_1.klog", "app__t/L1_2.klog"]);
    assert.equal((await readBook(join(folder, "none"))).known.size, 0);
  });
});
