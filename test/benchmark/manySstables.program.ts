import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import * as fs from "node:fs/promises";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Bucket } from "../../components/manager/store/bucket/bucket";
import { SstableRecord } from "../../components/manager/store/log/changes";
import { readCheckpoint, writeCheckpoint } from "../../components/manager/store/log/checkpoint";
import { CheckpointPointer } from "../../components/manager/store/log/owner";
import { DatabaseState } from "../../components/manager/store/log/state";

/*
 * Run by manySstables.benchmark.ts as a process with the pod's options: what the manager does with a database's books.
 *   write FOLDER TABLES FILES   makes a checkpoint, and prints where it is
 *   hold FOLDER POINTER         reads it, then applies flushes and writes checkpoints; prints memory and delays
 */
const [what, folder = "", first = "", second = ""] = process.argv.slice(2);

/** A folder instead of a bucket: what is measured is the books, not the network. */
const files: Pick<Bucket, "putFile" | "getFile"> = {
  async putFile(key, path) {
    const to = join(folder, key.replaceAll("/", "_"));
    await fs.copyFile(path, to);
    return sumOf(to);
  },
  async getFile(key, path) {
    await fs.copyFile(join(folder, key.replaceAll("/", "_")), path);
    return sumOf(path);
  },
};

async function sumOf(path: string) {
  let [size, sum] = [0, 0];
  for await (const chunk of createReadStream(path)) {
    size += (chunk as Buffer).length;
    sum = crc32(chunk as Buffer, sum);
  }
  return { size, crc32: sum };
}

const sstable = (table: number, id: number): SstableRecord => ({
  level: 1 + (id % 3),
  id,
  entries: 50_000,
  bytes: 3_000_000 + id,
  maxSequence: 1_000_000 + id,
  keys: { key: `data/${table}/12.${table * 1000 + 2 * id}`, size: 1_500_000 + id, crc32: 0x9000_0000 + id },
  values: { key: `data/${table}/12.${table * 1000 + 2 * id + 1}`, size: 1_500_000 + id, crc32: 0xa000_0000 + id },
});

function entry(state: DatabaseState, table: number, added: SstableRecord[], isNew: boolean) {
  const { epoch, position } = state;
  return {
    kind: "changes" as const,
    epoch,
    position: position + 1,
    nonce: "benchmark",
    time: 1_800_000_000_000 + position,
    changes: [
      ...(isNew ? [{ type: "table" as const, number: table, name: `app__t${table}` }] : []),
      { type: "files" as const, table, added, removed: [], nextId: 1_000_000 },
    ],
    payload: Buffer.alloc(0),
  };
}

async function write(tables: number, count: number): Promise<void> {
  const state = new DatabaseState();
  for (let table = 1; table <= tables; table++)
    state.apply(
      entry(
        state,
        table,
        Array.from({ length: count / tables }, (_, id) => sstable(table, id)),
        true,
      ),
    );
  console.log(JSON.stringify(await writeCheckpoint(files as Bucket, state, join(folder, "scratch"))));
}

async function hold(pointer: CheckpointPointer): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: 5 });
  let most = 0;
  const look = () => (most = Math.max(most, process.memoryUsage.rss()));
  const watch = setInterval(look, 20);
  await delay(200);
  const before = process.memoryUsage.rss();
  loop.enable();
  const state = await readCheckpoint(files as Bucket, pointer, join(folder, "scratch"));
  const tables = state.liveTables().length;
  const sstables = state.liveTables().reduce((sum, table) => sum + table.files.size, 0);
  for (let round = 0; round < 3; round++) {
    const written = writeCheckpoint(files as Bucket, state.snapshot(), join(folder, "scratch"));
    for (let flush = 0; flush < 100; flush++) {
      const table = 1 + ((round * 100 + flush) % tables);
      state.apply(entry(state, table, [sstable(table, 900_000 + round * 100 + flush)], false));
      await delay(5);
    }
    await written;
  }
  loop.disable();
  clearInterval(watch);
  look();
  console.log(
    JSON.stringify({
      sstables,
      bareMegabytes: before / 1e6,
      mostMegabytes: most / 1e6,
      longestBlockMilliseconds: loop.max / 1e6,
    }),
  );
}

void (what === "write" ? write(Number(first), Number(second)) : hold(JSON.parse(first) as CheckpointPointer));
