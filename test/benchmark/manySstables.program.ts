import * as fs from "node:fs";
import * as fsp from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { collectGarbage } from "../../components/manager/base/heap";
import { Bucket, FileSum, StoreClock } from "../../components/manager/store/bucket/bucket";
import { ManifestEntry, writeManifest } from "../../components/manager/store/flush/manifestFile";
import { sstableFile } from "../../components/manager/store/flush/sstableFile";
import { EngineHandler } from "../../components/manager/store/gateway/gateway";
import { ConnectionMemory } from "../../components/manager/store/gateway/request";
import { SstableRecord } from "../../components/manager/store/log/changes";
import { ChangesEntry, encodeEntry } from "../../components/manager/store/log/entry";
import { checkpoint } from "../../components/manager/store/log/keeping";
import { fileKey, parseFileKey } from "../../components/manager/store/log/keys";
import { createLog } from "../../components/manager/store/log/seal";
import { DatabaseState } from "../../components/manager/store/log/state";
import { openLog } from "../../components/manager/store/log/tail";
import { StoreNode } from "../../components/manager/store/storeNode";
import { engineRequest } from "../manager/store/engineRequest";

/*
 * Run by manySstables.benchmark.ts as a process with the pod's options: what a manager's store does with a database of many SSTables, as a follower and as the writer. The engine's requests go to its handlers, the
 * volume is a folder of links, and the bucket a folder: what is measured is what the manager holds and how long it is busy, not the network.
 *   write FOLDER TABLES FILES   makes a bucket with a checkpoint, and a volume
 *   hold FOLDER                 goes through a node's life on them; prints memory and delays
 */
const [what, folder = "", first = "", second = ""] = process.argv.slice(2);

const bucketFolder = join(folder, "bucket");
const directory = join(folder, "data");
const own = join(folder, "own");
/** SSTables of one table, however many there are in all: the engine keeps no more open. */
const largestTable = 4000;
/** Links that a file system lets a file have, at least. */
const links = 30_000;
const epoch = 1;

const clock: StoreClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: milliseconds => delay(milliseconds),
};

/** Of either half: as much as the manager reads in one, a head and the metadata with the highest sequence. */
const content = (() => {
  const metadata = Buffer.alloc(100);
  metadata.writeUInt32LE(0x5353544d, 0);
  metadata.writeBigUInt64LE(12345n, 4 + 8 * 8);
  const foot = Buffer.alloc(8);
  foot.writeUInt32LE(metadata.length, 0);
  Buffer.from([0x42, 0x54, 0x44, 0x42]).copy(foot, 4);
  return Buffer.concat([Buffer.alloc(8), metadata, foot]);
})();
const sum: FileSum = { size: content.length, crc32: crc32(content) };

/** SSTables by table, from table 1 on. */
function sizes(tables: number, sstables: number): number[] {
  const rest = sstables - largestTable;
  return [largestTable, ...Array.from({ length: tables - 1 }, (_, index) => Math.floor((rest + index) / (tables - 1)))];
}

const sstable = (table: number, id: number): SstableRecord => ({
  level: 1 + (id % 3),
  id,
  entries: 50_000,
  bytes: 3_000_000 + id,
  maxSequence: 1_000_000 + id,
  keys: { key: fileKey(table, epoch, 2 * id), ...sum },
  values: { key: fileKey(table, epoch, 2 * id + 1), ...sum },
});

const nameOf = (table: number) => `app__t${table}`;

/** A folder instead of a bucket. Objects of data that were there from the start are only listed. */
class FolderBucket implements Bucket {
  /** SSTables of each table from the start, from table 1 on. */
  sizes: readonly number[] = [];

  async get(key: string) {
    const read = await fsp.readFile(this.path(key)).catch(() => undefined);
    return read && { content: read, etag: String(crc32(read)) };
  }

  async create(key: string, bytes: Uint8Array) {
    const made = await fsp.writeFile(this.path(key), bytes, { flag: "wx" }).then(
      () => true,
      () => false,
    );
    return made ? ("created" as const) : ("taken" as const);
  }

  async replace(key: string, bytes: Uint8Array, etag: string | undefined) {
    if ((await this.get(key))?.etag !== etag) return undefined;
    await fsp.writeFile(this.path(key), bytes);
    return String(crc32(bytes));
  }

  async putFile(key: string, path: string) {
    await fsp.copyFile(path, this.path(key));
    return sumOf(path);
  }

  async getFile(key: string, path: string) {
    await fsp.copyFile(this.path(key), path);
    return sumOf(path);
  }

  async list(folder: string, after: string, limit: number) {
    await delay(1);
    const keys: string[] = [];
    if (folder !== "data/") return keys;
    const last = parseFileKey(after);
    for (let table = last?.table ?? 1; table <= this.sizes.length; table++)
      for (let upload = table === last?.table ? last.upload + 1 : 0; upload < 2 * this.sizes[table - 1]!; upload++) {
        keys.push(fileKey(table, epoch, upload));
        if (keys.length === limit) return keys;
      }
    return keys;
  }

  async delete(key: string) {
    await fsp.rm(this.path(key), { force: true });
  }

  private path(key: string): string {
    return join(bucketFolder, key.replaceAll("/", "_"));
  }
}

async function sumOf(path: string): Promise<FileSum> {
  const file = await fsp.open(path);
  const chunk = Buffer.alloc(4096);
  let [size, sum] = [0, 0];
  for (let { bytesRead } = await file.read(chunk); bytesRead > 0; { bytesRead } = await file.read(chunk)) {
    size += bytesRead;
    sum = crc32(chunk.subarray(0, bytesRead), sum);
  }
  await file.close();
  return { size, crc32: sum };
}

function flushEntry(state: DatabaseState, table: number, added: SstableRecord[], isNew = false): ChangesEntry {
  return {
    kind: "changes",
    epoch: state.epoch,
    position: state.position + 1,
    nonce: "benchmark",
    time: 1_800_000_000_000 + state.position,
    changes: [
      ...(isNew ? [{ type: "table" as const, number: table, name: nameOf(table) }] : []),
      { type: "files", table, added, removed: [], nextId: 1_000_000 },
    ],
    payload: Buffer.alloc(0),
  };
}

async function write(tables: number, count: number): Promise<void> {
  for (const path of [bucketFolder, directory, own]) fs.mkdirSync(path);
  const bucket = new FolderBucket();
  await createLog(bucket, "benchmark", "benchmark", clock);
  const { state } = await openLog(bucket, join(folder, "scratch"));
  state.apply({ kind: "seal", epoch: 0, position: 0, nonce: "", time: 0, nextEpoch: epoch, author: "" });
  const sources: string[] = [];
  const book = fs.openSync(join(own, "book"), "w");
  let linked = 0;
  for (const [index, size] of sizes(tables, count).entries()) {
    const table = index + 1;
    const added = Array.from({ length: size }, (_, id) => sstable(table, id));
    state.apply(flushEntry(state, table, added, true));
    fs.mkdirSync(join(directory, nameOf(table)));
    const lines: string[] = [];
    for (const { level, id, keys, values } of added)
      for (const [half, { key }] of [["keys", keys] as const, ["values", values] as const]) {
        const path = join(nameOf(table), sstableFile(level, id, half));
        if (linked++ % links === 0) {
          sources.push(join(folder, `source-${sources.length}`));
          fs.writeFileSync(sources.at(-1)!, content);
        }
        fs.linkSync(sources.at(-1)!, join(directory, path));
        lines.push(`${JSON.stringify({ path, key })}\n`);
      }
    fs.writeSync(book, lines.join(""));
  }
  fs.closeSync(book);
  await checkpoint(bucket, state.snapshot(), join(folder, "scratch"));
}

/** What one part of a node's life has cost. */
interface PhaseResult {
  seconds: number;
  /** The longest time for which nothing else could be done, by the clock, and without what other programs took of it. */
  milliseconds: number;
  own: number;
  /** The most that was resident until its end. */
  megabytes: number;
}

/** Does one part of a node's life, and notes the longest time for which nothing else could be done. */
type Phase = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Of the SSTable that each table gets while the node follows. */
const followedId = 900_000;

/** A flush of each table comes from another node, and the engine looks at each. Nothing of it is held afterwards. */
async function follow(node: StoreNode, phase: Phase): Promise<void> {
  const { state } = node;
  const { handler, feed } = await phase("beginning to follow", () =>
    Promise.resolve(node.follow(() => Promise.resolve())),
  );
  handler.letGo();
  const asks = newEngine(handler);
  await phase("following", async () => {
    for (const { number, name } of state.liveTables()) {
      await node.apply(encodeEntry(flushEntry(state, number, [sstable(number, followedId)])));
      for (const [method, key] of [
        ["HEAD", "_tdb_primary_lease"],
        ["HEAD", `${name}/MANIFEST`],
        ["GET", `${name}/MANIFEST`],
      ] as const) {
        await delay(1);
        await asks(method, key);
      }
    }
    if (feed.position !== state.position)
      throw new Error(`the view is at ${feed.position}, the log at ${state.position}`);
  });
}

/** Milliseconds between two looks. */
const lookEvery = 5;

/** Nanoseconds that this thread has run for, whoever else wanted its core. */
function ownTime(): bigint {
  return BigInt(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]!);
}

/** The longest that the loop has been held up for. */
class LoopWatch {
  private longest = { milliseconds: 0, own: 0 };
  private readonly delay = monitorEventLoopDelay({ resolution: lookEvery });
  private last = ownTime();
  private readonly timer = setInterval(() => {
    const now = ownTime();
    this.longest.own = Math.max(this.longest.own, Number(now - this.last) / 1e6);
    this.last = now;
  }, lookEvery);

  constructor() {
    this.delay.enable();
  }

  /** Since the last call: by the clock, and of this thread's own time, which other programs do not take. Milliseconds. */
  take(): { milliseconds: number; own: number } {
    const { own } = this.longest;
    const taken = { milliseconds: this.delay.max / 1e6, own };
    this.longest = { milliseconds: 0, own: 0 };
    this.delay.reset();
    return taken;
  }

  stop(): void {
    clearInterval(this.timer);
    this.delay.disable();
  }
}

async function hold(): Promise<void> {
  const phases: Record<string, PhaseResult> = {};
  const bucket = new FolderBucket();
  const watch = new LoopWatch();
  const endCollecting = collectGarbage(() => undefined);
  const phase: Phase = async (name, work) => {
    await delay(4 * lookEvery);
    watch.take();
    const began = performance.now();
    const result = await work();
    const seconds = (performance.now() - began) / 1000;
    await delay(4 * lookEvery);
    phases[name] = { seconds, ...watch.take(), megabytes: residentMegabytes() };
    return result;
  };
  const node = await phase("reading the log", async () => {
    const opened = await StoreNode.open({
      bucket,
      clock,
      directory,
      own,
      server: join(folder, "server"),
      name: "benchmark",
      durability: "commit",
      warn: message => console.error(message),
      sealed: error => console.error(error),
      overdue: () => undefined,
      boundMilliseconds: 20_000,
    });
    await opened.catchUp();
    return opened;
  });
  const { state } = node;
  const tables = state.liveTables().map(({ number }) => number);
  const sstables = state.liveTables().reduce((all, { files }) => all + files.size, 0);
  await phase("aligning", () => node.align("follows"));
  await follow(node, phase);
  const election = await phase("sealing", () => node.takeOver(undefined, true));
  // What was added as a follower is not in the bucket.
  for (const table of tables) {
    const { keys, values } = sstable(table, followedId);
    for (const { key } of [keys, values]) await bucket.create(key, content);
  }
  await phase("aligning again", () => node.align("writes"));
  const writing = await phase("beginning to write", () => node.write(election!));
  const asks = newEngine(writing.handler);
  await phase("flushing", async () => {
    for (let flush = 0; flush < tables.length; flush++) {
      const table = tables[flush]!;
      const id = 1_000_000 + flush;
      for (const half of ["keys", "values"] as const) {
        const path = join(nameOf(table), sstableFile(1, id, half));
        await fsp.writeFile(join(directory, path), content);
        await asks("PUT", path, content);
      }
      const entries = [...state.tables.get(table)!.files.manifest(), { level: 1, id, entries: 1, bytes: 1 }];
      await publish(asks, table, entries);
      if (state.tables.get(table)!.files.size !== entries.length) throw new Error("the flush is not in the log");
    }
  });
  await phase("writing checkpoints, and flushing meanwhile", async () => {
    for (let round = 0; round < 3; round++) {
      const written = checkpoint(bucket, state.snapshot(), join(own, "checkpoint.writing"));
      for (const table of tables.slice(0, 50)) {
        const entries = [...state.tables.get(table)!.files.manifest()].slice(1);
        await publish(asks, table, entries);
      }
      await written;
    }
  });
  bucket.sizes = sizes(tables.length, sstables);
  await phase("collecting garbage", () =>
    node.collectGarbage(
      writing,
      { keepMilliseconds: 0, rules: { everyPositionMilliseconds: 1e9, dailyCheckpointMilliseconds: 1e9 } },
      () => true,
    ),
  );
  await phase("collecting the heap's garbage, as each minute", () => Promise.resolve(globalThis.gc!()));
  await writing.close();
  await node.close();
  watch.stop();
  endCollecting();
  console.log(JSON.stringify({ sstables, mostMegabytes: residentMegabytes(), phases }));
}

type Ask = (method: string, key: string, body?: Buffer) => Promise<void>;

/** Sends a manifest. What the engine takes to make it is not the manager's time. */
async function publish(asks: Ask, table: number, entries: ManifestEntry[]): Promise<void> {
  const body = writeManifest({ entries, nextId: 2_000_000 });
  await delay(1);
  await asks("PUT", `${nameOf(table)}/MANIFEST`, body);
}

/** An engine's thread, which asks on one connection. */
function newEngine(handler: EngineHandler): Ask {
  const connection: ConnectionMemory = {};
  return async (method, key, body) => {
    const answer = await handler.handle(engineRequest(connection, method, key, body));
    if (answer.status >= 300) throw new Error(`${method} ${key} is answered ${answer.status}`);
  };
}

/** The most that was resident so far. */
function residentMegabytes(): number {
  return (Number(/VmHWM:\s+(\d+) kB/.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024) / 1e6;
}

void (what === "write" ? write(Number(first), Number(second)) : hold());
