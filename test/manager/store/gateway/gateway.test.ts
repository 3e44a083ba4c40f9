import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileKey } from "../../../../components/manager/store/log/keys";
import { createLog } from "../../../../components/manager/store/log/seal";
import { Sealed } from "../../../../components/manager/store/log/append";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { readBook } from "../../../../components/manager/store/volume/book";
import { LogReader } from "../../../../components/manager/store/log/tail";
import { writeManifest } from "../../../../components/manager/store/flush/manifestFile";
import { settingsPatience } from "../../../../components/manager/store/gateway/followingRequests";
import { EngineHandler, Gateway } from "../../../../components/manager/store/gateway/gateway";
import { StoreNode } from "../../../../components/manager/store/storeNode";
import { Writing } from "../../../../components/manager/store/writing";
import { fileHeader, writeFrame } from "../../../../components/manager/store/wal/frame";
import { MemoryBucket } from "../memoryBucket";
import { encodeWalData } from "../../../engine/formats/writeAheadLog";

const clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: (ms: number) => delay(ms).then(() => undefined),
};
const key = "0123456789abcdef";

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** The engine's threads, as the gateway sees them: one connection each. */
class Thread {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  constructor(private readonly endpoint: string) {}

  ask(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = http.request(
        `http://${this.endpoint}/store/${path}`,
        {
          method,
          agent: this.agent,
          headers: {
            authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/s3/aws4_request, Signature=x`,
            ...(body && { "content-length": body.length }),
            ...headers,
          },
        },
        response => {
          const chunks: Buffer[] = [];
          response.on("error", reject);
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () =>
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

describe("the engine's object store", () => {
  let folder: string;
  let directory: string;
  let bucket: MemoryBucket;
  let node: StoreNode;
  let gateway: Gateway;
  let handler: EngineHandler;
  let thread: Thread;
  let writings: Writing[];
  const failures: string[] = [];
  const sealed: Sealed[] = [];
  const overdue: number[] = [];
  let lost = 0;
  /** Milliseconds by which a node's clock is ahead of the system's. */
  let passed = 0;

  async function nodeOf(name: string): Promise<StoreNode> {
    return StoreNode.open({
      bucket,
      clock: { ...clock, now: () => clock.now() + passed },
      directory: join(folder, name, "data"),
      server: join(folder, name, "mysql"),
      own: join(folder, name, "own"),
      name,
      durability: "commit",
      warn: message => failures.push(message),
      sealed: error => sealed.push(error),
      overdue: milliseconds => overdue.push(milliseconds),
      boundMilliseconds: 3000,
    });
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "gateway-"));
    directory = join(folder, "a", "data");
    bucket = new MemoryBucket();
    failures.length = sealed.length = overdue.length = lost = passed = 0;
    writings = [];
    await createLog(bucket, "db", "test", clock);
    node = await nodeOf("a");
    gateway = await Gateway.listen({
      bucket: "store",
      accessKeyId: () => key,
      handler: () => handler,
      lost: () => lost++,
      failed: (what, error) => failures.push(`${what} ${error instanceof Error ? error.message : ""}`),
      broken: error => failures.push(String(error)),
    });
    thread = new Thread(gateway.endpoint);
  });
  afterEach(async () => {
    thread.close();
    gateway.close();
    for (const writing of writings) await writing.close();
    await node.close();
    await fs.rm(folder, { recursive: true });
  });

  async function writer(): Promise<Writing> {
    const election = await node.takeOver();
    await node.align("writes");
    const writing = await node.write(election!);
    handler = writing.handler;
    writings.push(writing);
    return writing;
  }
  async function log(): Promise<DatabaseState> {
    const reader = new LogReader(bucket, new DatabaseState());
    await reader.catchUp();
    return reader.state;
  }
  const wal = (generation: number) => join(directory, `uwal_${generation}.log`);
  const frame = (sequence: number, table = 1) => writeFrame(encodeWalData(sequence, [[table, `k${sequence}`, "v"]]));
  /** A WAL with room in it, as the engine leaves it while it writes. */
  async function written(generation: number, ...frames: Buffer[]): Promise<number> {
    const bytes = Buffer.concat([fileHeader, ...frames]);
    await fs.writeFile(wal(generation), Buffer.concat([bytes, Buffer.alloc(100_000)]));
    return bytes.length;
  }

  it("refuses a wrong key, and answers nothing of another bucket", async () => {
    await writer();
    const wrong = await thread.ask("GET", "UNIMAP", undefined, {
      authorization: "AWS4-HMAC-SHA256 Credential=another/x",
    });
    assert.equal(wrong.status, 403);
    assert.match(failures.join(), /wrong key/);
    assert.equal((await thread.ask("GET", "../other/UNIMAP")).status, 404);
  });

  it("tells the volume's book nothing of a file whose engine is gone: others may have its name by then", async () => {
    const writing = await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    await fs.mkdir(join(directory, "app__t"), { recursive: true });
    const content = sstable(7);
    for (const name of ["L1_1.klog", "L1_2.klog"]) await fs.writeFile(join(directory, "app__t", name), content);
    assert.equal((await thread.ask("PUT", "app__t/L1_1.klog", content)).status, 200);
    let closing: Promise<void> | undefined;
    bucket.fate = operation => {
      if (operation === "putFile") closing = writing.close();
      return "works";
    };
    assert.equal((await thread.ask("PUT", "app__t/L1_2.klog", content)).status, 500);
    await closing;
    const book = await fs.readFile(join(folder, "a", "own", "book"), "utf8");
    assert.match(book, /L1_1\.klog/);
    assert.doesNotMatch(book, /L1_2\.klog/);
  });

  it("has a commit's engine killed that cannot be brought into the log, and gives it no answer", async () => {
    await writer();
    const length = await written(1, frame(1));
    bucket.fate = operation => (operation === "create" ? "fails" : "works");
    const answer = thread.ask("PUT", "uwal_1.log", Buffer.alloc(length)).then(() => "answered");
    answer.catch(() => undefined);
    while (!failures.some(text => text.startsWith("PUT uwal_1.log"))) {
      await writings[0]!.close();
      await clock.sleep(5);
    }
    assert.equal(lost, 1);
    assert.equal(await Promise.race([answer, clock.sleep(50).then(() => "none")]), "none");
  });

  it("is an empty bucket while the engine opens its volume, but for the number map", async () => {
    await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    handler = node.opening();
    assert.doesNotMatch((await thread.ask("GET", "?list-type=2&prefix=")).body, /Contents/);
    assert.equal((await thread.ask("GET", "app__t/MANIFEST")).status, 404);
    assert.equal((await thread.ask("GET", "UNIMAP")).body, "1 app__t\n");
    const before = bucket.written.length;
    assert.equal((await thread.ask("PUT", "app__t/MANIFEST", Buffer.from("x"))).status, 200);
    assert.equal((await thread.ask("HEAD", "app__t/MANIFEST")).headers["content-length"], "1");
    assert.equal(bucket.written.length, before, "a node that does not write publishes nothing");
    assert.equal((await thread.ask("PUT", "_tdb_primary_lease", Buffer.from("x"))).status, 412);
  });

  it("answers a WAL when its commits are in the log, and says on the same connection what was sent", async () => {
    await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    const length = await written(1, frame(1), frame(2));
    assert.equal((await thread.ask("PUT", "uwal_1.log", Buffer.alloc(length))).status, 200);
    assert.deepEqual(
      [...(await log()).blocks.values()].map(({ sequence }) => sequence),
      [1, 2],
    );
    assert.equal((await thread.ask("HEAD", "uwal_1.log")).headers["content-length"], String(length));
    const other = new Thread(gateway.endpoint);
    const longer = await written(1, frame(1), frame(2), frame(3));
    await other.ask("PUT", "uwal_1.log", Buffer.alloc(longer));
    assert.equal((await thread.ask("HEAD", "uwal_1.log")).headers["content-length"], String(length), "of its own PUT");
    other.close();
  });

  it("does not answer while another writer's place before the end is not filled", async () => {
    const { shipper } = await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    const [first, second] = [frame(1), frame(2)];
    const length = await written(1, Buffer.alloc(first.length), second);
    let answered = false;
    const answer = thread.ask("PUT", "uwal_1.log", Buffer.alloc(length)).then(({ status }) => {
      answered = true;
      return status;
    });
    // The request has come, the file was looked at since, and answers to later requests are here.
    while ((gateway.requests.get("PUT") ?? 0) < 2) await delay(1);
    const other = new Thread(gateway.endpoint);
    for (let times = 0; times < 5; times++) {
      await shipper.look(1);
      await other.ask("GET", "UNIMAP");
    }
    other.close();
    assert.equal(answered, false);
    assert.equal((await log()).blocks.size, 0);
    const file = await fs.open(wal(1), "r+");
    await file.write(first, 0, first.length, fileHeader.length);
    await file.close();
    assert.equal(await answer, 200);
    assert.equal((await log()).blocks.size, 2);
  });

  it("never answers a commit behind another's seal, and has the engine killed first", async () => {
    await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    const other = await nodeOf("b");
    await other.catchUp();
    assert.ok(await other.takeOver());
    const length = await written(1, frame(1));
    const thread2 = new Thread(gateway.endpoint);
    let answered = false;
    thread.ask("PUT", "uwal_1.log", Buffer.alloc(length)).then(
      () => (answered = true),
      () => undefined,
    );
    while (sealed.length === 0) await delay(5);
    for (let times = 0; times < 5; times++) await thread2.ask("GET", "UNIMAP");
    thread2.close();
    assert.equal(answered, false);
    assert.ok(![...(await log()).blocks.values()].some(({ sequence }) => sequence === 1));
    await other.close();
  });

  it("does not answer a commit while the bucket does not, and answers it afterwards", async () => {
    const { log: appends } = await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    const length = await written(1, frame(1));
    bucket.fate = () => "fails";
    let answered = false;
    const answer = thread.ask("PUT", "uwal_1.log", Buffer.alloc(length)).then(() => (answered = true));
    while (appends.waitingMilliseconds() < 50) await delay(5);
    assert.equal(answered, false);
    bucket.fate = () => "works";
    await answer;
    assert.equal((await log()).blocks.size, 1);
  });

  it("has the engine killed when a commit waits too long, for the bucket or for a place that nobody fills", async () => {
    const { waitingMilliseconds } = await writer();
    assert.equal(waitingMilliseconds(), 0);
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    const length = await written(1, Buffer.alloc(100), frame(2));
    let answered = false;
    thread.ask("PUT", "uwal_1.log", Buffer.alloc(length)).then(
      () => (answered = true),
      () => undefined,
    );
    while (overdue.length === 0) await delay(10);
    assert.ok(overdue[0]! > 3000);
    assert.equal(answered, false);
  });

  it("shows a flush when its files and its WAL are there, and not before", async () => {
    const writing = await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    await thread.ask("PUT", "app__t/config.ini", Buffer.from("[app__t]\n"));
    const length = await written(1, frame(1));
    await thread.ask("PUT", "uwal_1.log", Buffer.alloc(length));
    await fs.mkdir(join(directory, "app__t"));
    const keys = sstable(1);
    for (const [name, content] of [
      ["L1_1.klog", keys],
      ["L1_1.vlog", fileHeader],
    ] as const) {
      await fs.writeFile(join(directory, "app__t", name), content);
      assert.equal((await thread.ask("HEAD", `app__t/${name}`)).status, 404, "the engine makes it");
      assert.equal((await thread.ask("PUT", `app__t/${name}`, content)).status, 200);
    }
    const manifest = writeManifest({ entries: [{ level: 1, id: 1, entries: 1, bytes: keys.length }], nextId: 2 });
    assert.equal((await thread.ask("PUT", "app__t/MANIFEST", manifest)).status, 200);
    assert.equal((await log()).tables.get(1)!.files.size, 0);
    // A committer of the same generation, whose file is larger than what it sends, ends no flush.
    await written(2);
    await thread.ask("PUT", "uwal_1.log", Buffer.alloc(length));
    assert.equal((await log()).blocks.size, 1);
    await fs.truncate(wal(1), length);
    await thread.ask("PUT", "uwal_1.log", Buffer.alloc(length));
    await writing.released(1);
    const state = await log();
    assert.deepEqual([state.tables.get(1)!.files.size, state.blocks.size], [1, 0]);
    const another = new Thread(gateway.endpoint);
    assert.equal((await another.ask("HEAD", "app__t/L1_1.klog")).status, 200, "it is in the log, and nowhere else");
    assert.equal((await another.ask("HEAD", "app__t/L1_9.klog")).status, 404);
    const known = async () => (await readBook(join(folder, "a", "own", "book"))).known.get("app__t/L1_1.klog");
    assert.ok(await known());
    assert.equal((await thread.ask("DELETE", "app__t/L1_1.klog")).status, 204);
    assert.ok(bucket.objects.has([...state.tables.get(1)!.files.values()][0]!.keys.key), "a delete is not obeyed");
    assert.equal(await known(), undefined, "but the volume has it no more");
  });

  it("sends what the engine has merged before its promotion and names now", async () => {
    await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    await fs.mkdir(join(directory, "app__t"));
    await fs.writeFile(join(directory, "app__t/L2P0_7.klog"), sstable(1));
    await fs.writeFile(join(directory, "app__t/L2P0_7.vlog"), fileHeader);
    const manifest = writeManifest({ entries: [{ level: 2, id: 7, entries: 1, bytes: 1 }], nextId: 8 });
    await thread.ask("PUT", "app__t/MANIFEST", manifest);
    const [file] = (await log()).tables.get(1)!.files.values();
    assert.deepEqual([file!.level, file!.id], [2, 7]);
    assert.ok(bucket.objects.get(file!.keys.key)!.equals(sstable(1)));
    assert.ok(bucket.objects.has(file!.values.key));
  });

  it("drops a table that the engine has dropped, and not one that it has forgotten", async () => {
    await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n2 app__u\n"));
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    assert.equal((await log()).liveTables().length, 2);
    assert.match(failures.join(), /lacks a table/);
    await thread.ask("GET", "?list-type=2&prefix=app__u/");
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__renamed\n"));
    assert.deepEqual(
      (await log()).liveTables().map(({ name }) => name),
      ["app__renamed"],
    );
    assert.equal((await thread.ask("GET", "UNIMAP")).body, "1 app__renamed\n2 dropped.2\n");
  });

  it("lets only the node that has sealed raise the engine's lease, and enforces its probes", async () => {
    await writer();
    const before = await thread.ask("HEAD", "_tdb_primary_lease");
    const epoch = Number(before.headers["x-amz-meta-epoch"]);
    const headers = { "if-match": before.headers.etag! };
    const raised = await thread.ask("PUT", "_tdb_primary_lease", Buffer.from("x"), headers);
    assert.equal(raised.status, 200);
    assert.equal(Number((await thread.ask("HEAD", "_tdb_primary_lease")).headers["x-amz-meta-epoch"]), epoch + 1);
    assert.equal((await thread.ask("PUT", "_tdb_primary_lease", Buffer.from("x"), headers)).status, 412);
    const again = await thread.ask("PUT", "_tdb_primary_lease", Buffer.from("x"), { "if-match": raised.headers.etag! });
    assert.equal(again.headers.etag, raised.headers.etag, "renewed");
    const probe = () => thread.ask("PUT", "_tdb_fence_probe_1", Buffer.from("1"), { "if-none-match": "*" });
    assert.deepEqual([(await probe()).status, (await probe()).status], [200, 412]);
    await thread.ask("DELETE", "_tdb_fence_probe_1");
    assert.equal((await probe()).status, 200);
  });

  it("brings into the log what an engine had on its disk, on a resume and after nobody else's seal", async () => {
    await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    await written(1, frame(1), frame(2));
    await node.close();
    node = await nodeOf("a");
    const election = await node.takeOver();
    assert.ok(election);
    assert.deepEqual(
      node.state.blocksToReplay().map(({ sequence }) => sequence),
      [1, 2],
    );
    await node.align("writes");
    writings.push(await node.write(election));
    await written(9, frame(3));
    const other = await nodeOf("b");
    await other.catchUp();
    await other.takeOver();
    await other.close();
    await node.close();
    node = await nodeOf("a");
    await node.takeOver(undefined, true);
    assert.equal(node.state.blocks.size, 2, "another has sealed: what was not in the log is lost");
  });

  it("gives a follower's engine each commit once, and a new table its manifest after it was discovered", async () => {
    const { log: appends } = await writer();
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n"));
    const follower = await nodeOf("b");
    await follower.catchUp();
    await follower.align("follows");
    const view = follower.follow(() => Promise.resolve());
    const writing = handler;
    const length = await written(1, frame(1));
    await thread.ask("PUT", "uwal_1.log", Buffer.alloc(length));
    handler = view.handler;
    await follower.catchUp();
    const engine = new Thread(gateway.endpoint);
    assert.equal((await engine.ask("GET", "app__t/MANIFEST")).status, 404, "no poll has begun on this connection");
    const poll = async () => {
      await engine.ask("HEAD", "_tdb_primary_lease");
      const list = await engine.ask("GET", "?list-type=2&prefix=uwal_");
      const name = /uwal_\d+\.log/.exec(list.body)?.[0];
      return name ? (await engine.ask("GET", name)).body.includes("k1") : false;
    };
    assert.equal(await poll(), true);
    assert.equal(await poll(), false);
    handler = writing;
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n2 app__u\n"));
    await thread.ask("PUT", "app__u/config.ini", Buffer.from("[app__u]\n"));
    for (const table of [1, 2]) {
      const none = { key: fileKey(table, 1, 99), size: 1, crc32: 0 };
      const added = { level: 1, id: 1, entries: 1, bytes: 1, maxSequence: 1, keys: none, values: none };
      await appends.submit({
        changes: [{ type: "files", table, added: [added], removed: [], nextId: 2 }],
        payload: [],
      });
    }
    handler = view.handler;
    await follower.catchUp();
    await engine.ask("HEAD", "_tdb_primary_lease");
    const manifest = async (table: string) => Buffer.from((await engine.ask("GET", `${table}/MANIFEST`)).body).length;
    const empty = await manifest("app__u");
    assert.ok((await manifest("app__t")) > empty, "one that it has opened is never emptied");
    await engine.ask("HEAD", "app__u/MANIFEST");
    assert.ok((await manifest("app__u")) > empty);
    view.handler.letGo();
    engine.close();
    await follower.close();
  });

  it("shows a follower's engine a table once its settings are known, or were waited for, and has it merge nothing", async () => {
    await writer();
    const follower = await nodeOf("b");
    await follower.catchUp();
    await follower.align("follows");
    const view = follower.follow(() => Promise.resolve());
    const writing = handler;
    const engine = new Thread(gateway.endpoint);
    const listed = async () => {
      await follower.catchUp();
      handler = view.handler;
      await engine.ask("HEAD", "_tdb_primary_lease");
      const { body } = await engine.ask("GET", "?list-type=2");
      handler = writing;
      return [...body.matchAll(/<Key>(.*?)\/MANIFEST/g)].map(([, name]) => name);
    };
    const settings = async (table: string) => {
      handler = view.handler;
      const { status, body } = await engine.ask("GET", `${table}/config.ini`);
      handler = writing;
      return [status, body];
    };
    await thread.ask("PUT", "UNIMAP", Buffer.from("1 app__t\n2 app__u\n"));
    assert.deepEqual(await listed(), []);
    await thread.ask("PUT", "app__t/config.ini", Buffer.from("[app__t]\nl1_file_count_trigger = 1000\n"));
    assert.deepEqual(await listed(), ["app__t"]);
    assert.deepEqual(await settings("app__t"), [200, "[app__t]\nl1_file_count_trigger = 100000000\n"]);
    passed += settingsPatience;
    assert.deepEqual(await listed(), ["app__t", "app__u"]);
    assert.equal((await settings("app__u"))[0], 404);
    assert.deepEqual(view.feed.restartReasons, []);
    await thread.ask("PUT", "app__u/config.ini", Buffer.from("[app__u]\n"));
    await listed();
    assert.deepEqual(view.feed.restartReasons, ["a table's settings came after it had been opened"]);
    view.handler.letGo();
    engine.close();
    await follower.close();
  });
});

/** A file of keys whose metadata say this highest sequence. */
function sstable(maxSequence: number): Buffer {
  const metadata = Buffer.alloc(100);
  metadata.writeUInt32LE(0x5353544d, 0);
  metadata.writeBigUInt64LE(BigInt(maxSequence), 68);
  return Buffer.concat([fileHeader, writeFrame(Buffer.from("rows")), writeFrame(metadata)]);
}
