import assert from "node:assert/strict";
import { deleteUnnamed } from "../../../../components/manager/store/log/deadWriters";
import { epochOfObject, blockKey, fileKey } from "../../../../components/manager/store/log/keys";
import { SstableList } from "../../../../components/manager/store/log/sstableList";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { MemoryBucket, steppedClock } from "../memoryBucket";

describe("what dead writers have left", () => {
  /** A state in epoch 3 that names one object, has retired another, and holds a large block. */
  function state(): DatabaseState {
    const state = new DatabaseState();
    state.epoch = 3;
    const file = (upload: number) => ({ key: fileKey(1, 1, upload), size: 1, crc32: 1 });
    const record = { level: 1, id: 1, entries: 1, bytes: 1, maxSequence: 1, keys: file(0), values: file(1) };
    const files = new SstableList(1);
    files.add([record]);
    state.tables.set(1, {
      number: 1,
      name: "app__t",
      dropped: false,
      configuration: "",
      files,
      nextId: 2,
      changed: -1,
      frozen: false,
    });
    state.retired.add({ position: 7, key: fileKey(1, 2, 0), since: 5 });
    const block = { sequence: 1, size: 1, hash: 1, tables: [1], epoch: 2, generation: 1, data: Buffer.alloc(0) };
    state.blocks.set("1.1", { ...block, key: blockKey(2, "aa") });
    return state;
  }

  it("goes, when its epoch is sealed and no kept position can name it; nothing else does", async () => {
    const bucket = new MemoryBucket();
    const kept = [
      fileKey(1, 1, 0),
      fileKey(1, 1, 1),
      fileKey(1, 2, 0),
      blockKey(2, "aa"),
      // Of this writer's own epoch: it may be on its way into the log. Of a later one: this writer knows nothing of it.
      fileKey(1, 3, 0),
      blockKey(3, "bb"),
      fileKey(9, 4, 0),
      "data/1/made by hand",
      "log/0000000001/000000000000001",
    ];
    const left = [fileKey(1, 1, 2), fileKey(7, 2, 5), blockKey(2, "cc")];
    for (const key of [...kept, ...left]) bucket.objects.set(key, Buffer.from("x"));
    let asked = 0;
    assert.equal(
      await deleteUnnamed(bucket, steppedClock(), state(), () => asked++ < 1),
      1,
      "another is the writer now",
    );
    assert.equal(await deleteUnnamed(bucket, steppedClock(), state(), () => true), 2);
    assert.deepEqual([...bucket.objects.keys()].sort(), kept.sort());
  });

  it("is known by the epoch in its key", () => {
    assert.equal(epochOfObject(fileKey(12, 345, 6)), 345);
    assert.equal(epochOfObject(blockKey(9, "0123abcdef")), 9);
    for (const key of ["data/x", "checkpoint/000000000000001", "data/blocks/1.aa"])
      assert.equal(epochOfObject(key), undefined);
  });
});
