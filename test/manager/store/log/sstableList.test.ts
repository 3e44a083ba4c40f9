import assert from "node:assert/strict";
import fc from "fast-check";
import { fileKey, parseFileKey } from "../../../../components/manager/store/log/keys";
import { NamedSstable, SstableList } from "../../../../components/manager/store/log/sstableList";

const table = 7;
const number = fc.nat({ max: 2 ** 48 });
const half = fc
  .record(
    {
      epoch: fc.nat({ max: 2 ** 32 - 1 }),
      upload: fc.nat({ max: 999_999_999_999 }),
      size: number,
      crc32: fc.nat({ max: 2 ** 32 - 1 }),
    },
    { noNullPrototype: true },
  )
  .map(({ epoch, upload, size, crc32 }) => ({ key: fileKey(table, epoch, upload), size, crc32 }));
/** Few names, so that they meet. */
const sstable: fc.Arbitrary<NamedSstable> = fc.record(
  {
    level: fc.integer({ min: 1, max: 4 }),
    id: fc.nat({ max: 6 }),
    entries: number,
    bytes: number,
    maxSequence: number,
    since: number,
    keys: half,
    values: half,
  },
  { noNullPrototype: true, requiredKeys: ["level", "id", "entries", "bytes", "maxSequence", "keys", "values"] },
);
const step = fc.record({
  removed: fc.array(fc.record({ level: fc.integer({ min: 1, max: 4 }), id: fc.nat({ max: 6 }) }), { maxLength: 3 }),
  added: fc.array(sstable, { maxLength: 5 }),
  copies: fc.boolean(),
});

describe("a table's list of SSTables", () => {
  const name = ({ level, id }: { level: number; id: number }) => `${level}/${id}`;
  const inOrder = (records: Iterable<NamedSstable>) => [...records].sort((a, b) => a.level - b.level || a.id - b.id);

  it("has what was put into it, by name and by number, whatever came before; a copy stays what it was", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        let list = new SstableList(table);
        const expected = new Map<string, NamedSstable>();
        const copies: [SstableList, NamedSstable[]][] = [];
        for (const { removed, added, copies: isCopied } of steps) {
          for (const one of removed) {
            list.remove(one);
            expected.delete(name(one));
          }
          list.add(added);
          for (const one of added) expected.set(name(one), one);
          const all = inOrder(expected.values());
          assert.equal(list.size, all.length);
          assert.deepEqual([...list.values()], all);
          assert.deepEqual(
            [...list.names()],
            all.map(({ level, id }) => ({ level, id })),
          );
          assert.deepEqual(
            [...list.manifest()],
            all.map(({ level, id, entries, bytes }) => ({ level, id, entries, bytes })),
          );
          assert.equal(list.deepest, all.at(-1)?.level ?? 0);
          assert.equal(list.highestSequence, Math.max(0, ...all.map(({ maxSequence }) => maxSequence)));
          for (let level = 1; level <= 4; level++)
            for (let id = 0; id <= 6; id++) {
              const one = expected.get(name({ level, id }));
              assert.deepEqual(list.get({ level, id }), one);
              assert.equal(list.has({ level, id }), one !== undefined);
              if (!one) continue;
              assert.ok(list.isHalf(one, "keys", parseFileKey(one.keys.key)!));
              assert.equal(list.isHalf(one, "keys", parseFileKey(one.values.key)!), one.keys.key === one.values.key);
            }
          for (let id = 0; id <= 6; id++)
            assert.deepEqual(
              list.ofNumber(id),
              all.find(one => one.id === id),
            );
          if (!isCopied) continue;
          copies.push([list, all]);
          list = list.copy();
        }
        for (const [copy, all] of copies) assert.deepEqual([...copy.values()], all);
      }),
    );
  });

  it("takes no key but one of its table, and nothing of a record with another", () => {
    const file = (key: string) => ({ key, size: 1, crc32: 1 });
    const record = { level: 1, id: 1, entries: 1, bytes: 1, maxSequence: 1 };
    const list = new SstableList(table);
    for (const key of [fileKey(8, 1, 1), "data/7/1", fileKey(table, 2 ** 32, 1)])
      assert.throws(
        () => list.add([{ ...record, keys: file(fileKey(table, 1, 1)), values: file(key) }]),
        new RegExp(`${key} as a file of table 7`),
      );
    assert.equal(list.size, 0);
  });
});
