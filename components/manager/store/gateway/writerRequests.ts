import * as fs from "node:fs/promises";
import { join } from "node:path";
import { Bucket, StoreClock } from "../bucket/bucket";
import { Change } from "../log/changes";
import { DatabaseState } from "../log/state";
import { LogWriter } from "../log/append";
import { walGeneration } from "../wal/files";
import { Shipper } from "../wal/shipper";
import { FlushBook } from "../flush/flushBook";
import { readManifest } from "../flush/manifestFile";
import { parseSstableFile, SstableFileName } from "../flush/sstableFile";
import { VolumeBook } from "../volume/book";
import { numberMapText, readNumberMap } from "../volume/engineFiles";
import { EngineAnswer, listing, notFound } from "./answer";
import { EngineHandler } from "./gateway";
import { EngineLease } from "./lease";
import { EngineRequest } from "./request";
import { SstableSender } from "./sstableSender";

/** Bytes of the largest small file that the engine sends: a manifest of 200,000 SSTables. */
const smallFileBytes = 16 * 1024 * 1024;
/** Milliseconds within which the engine tells the number of a table whose files it sends: the map comes at the end of a rename. */
const nameTimeout = 10_000;

export interface WriterOptions {
  bucket: Bucket;
  clock: StoreClock;
  /** The engine's data directory. */
  directory: string;
  /** The log's state, kept up with what this writer appends. */
  state: DatabaseState;
  log: LogWriter;
  shipper: Shipper;
  flushes: FlushBook;
  book: VolumeBook;
  /** Something that the engine should not do, or that it can do wrong. */
  warn: (message: string, fields?: Record<string, unknown>) => void;
  /** A flush was released; generation of its WAL. */
  released: (generation: number) => void;
}

/** The engine of the one node that writes. */
export class WriterRequests implements EngineHandler {
  private readonly lease: EngineLease;
  /** Live tables by name, as the engine last said. */
  private readonly numbers = new Map<string, number>();
  private readonly sender: SstableSender;
  /** Bytes of what was sent beside SSTables, by key. */
  private readonly sizes = new Map<string, number>();
  private readonly finished = new Set<number>();
  /** Tables whose objects the engine has listed: it does that before it drops one. */
  private readonly listed = new Set<string>();

  constructor(private readonly options: WriterOptions) {
    this.lease = new EngineLease(options.log.epoch);
    this.sender = new SstableSender({ ...options, epoch: options.log.epoch });
    for (const { name, number } of options.state.liveTables()) this.numbers.set(name, number);
  }

  async handle(request: EngineRequest): Promise<EngineAnswer> {
    const lease = this.lease.answer(request, true);
    if (lease) return lease;
    switch (request.method) {
      case "PUT":
        return this.put(request);
      case "POST":
        return this.multipart(request);
      case "DELETE":
        return this.remove(request.key);
      case "HEAD":
        return this.head(request);
      default:
        return this.get(request);
    }
  }

  /** Brings into the log what the engine has written so far. For `interval`, and before the epoch ends in order. */
  async ship(): Promise<void> {
    await this.options.shipper.look();
  }

  /** The engine is gone. */
  close(): void {
    this.sender.close();
  }

  private async put(request: EngineRequest): Promise<EngineAnswer> {
    const { key } = request;
    const generation = walGeneration(key);
    if (generation !== undefined) return this.putWal(request, generation);
    if (key === "UNIMAP") return this.putNumberMap(await request.body(smallFileBytes));
    const [folder, name, ...more] = key.split("/");
    const file = name === undefined || more.length > 0 ? undefined : parseSstableFile(name);
    if (file && request.query.has("partNumber")) {
      await request.drain();
      return { status: 200, etag: `"part-${request.query.get("partNumber")}"` };
    }
    if (file) {
      await request.drain();
      return this.putFile(key, folder!, file, request.length);
    }
    if (name === "MANIFEST") return this.putManifest(folder!, await request.body(smallFileBytes));
    if (name === "config.ini") return this.putConfiguration(folder!, await request.body(smallFileBytes));
    this.options.warn("the engine sent an unknown request", { key });
    return { status: 200 };
  }

  /** Answered when entries hold all that was in the file when the request came, or never. */
  private async putWal(request: EngineRequest, generation: number): Promise<EngineAnswer> {
    const { key, length } = request;
    const { shipper } = this.options;
    if (!this.finished.has(generation)) {
      // The committer's block was in the file before its request was here. The body is the same again.
      await Promise.all([shipper.look(generation, length), request.drain()]);
      if (await this.isRotated(generation, length)) await this.finish(generation);
    }
    this.sizes.set(key, length);
    return { status: 200, etag: `"${length}"` };
  }

  /** The engine sends a WAL as a whole when all files of its flush are sent. Committers send a part of the file, which is larger: room is reserved in it while it grows. */
  private async isRotated(generation: number, length: number): Promise<boolean> {
    const { shipper } = this.options;
    if ((await shipper.fileSize(generation)) !== length) return false;
    return ((await shipper.newestGeneration()) ?? 0) > generation;
  }

  private async finish(generation: number): Promise<void> {
    if (this.finished.has(generation)) return;
    this.finished.add(generation);
    await this.options.shipper.finish(generation);
    this.options.flushes.walWhole(generation);
    await this.release();
  }

  /** What may be shown by now goes into the log, in one entry. */
  private async release(): Promise<void> {
    const { flushes, log, released } = this.options;
    const before = flushes.releasedUntil;
    const changes = flushes.due();
    if (changes.length === 0) return;
    await log.submit({ changes, payload: [] });
    flushes.inLog(changes);
    if (flushes.releasedUntil > before) released(flushes.releasedUntil);
  }

  private async putFile(key: string, folder: string, file: SstableFileName, length: number): Promise<EngineAnswer> {
    await this.sender.send(await this.numberOf(folder), key, file, length);
    await this.release();
    return { status: 200, etag: `"${length}"` };
  }

  /** Large files come in parts. They are on the disk as a whole: the last request sends them. */
  private async multipart({ key, query, drain }: EngineRequest): Promise<EngineAnswer> {
    await drain();
    if (query.has("uploads")) {
      const body = "<InitiateMultipartUploadResult><UploadId>whole</UploadId></InitiateMultipartUploadResult>";
      return { status: 200, body: Buffer.from(body) };
    }
    const [folder, name = ""] = key.split("/");
    const file = parseSstableFile(name);
    if (file) await this.putFile(key, folder!, file, (await fs.stat(join(this.options.directory, key))).size);
    const body = '<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>';
    return { status: 200, body: Buffer.from(body) };
  }

  private async putManifest(folder: string, body: Buffer): Promise<EngineAnswer> {
    const { flushes, shipper } = this.options;
    // Whose rows a file holds is known by the blocks: they are all in the files by now, the newest one among them. A file that was taken for an older flush's would be shown before its rows are in the log.
    await shipper.lookEverywhere();
    const table = await this.numberOf(folder);
    const manifest = readManifest(body);
    for (const { id } of flushes.unsent(table, manifest)) await this.sender.sendFromDisk(table, folder, id);
    flushes.manifest(table, manifest);
    await this.release();
    return { status: 200, etag: '"manifest"', epoch: this.lease.shownEpoch };
  }

  private async putConfiguration(folder: string, body: Buffer): Promise<EngineAnswer> {
    const table = await this.numberOf(folder);
    const content = body.toString();
    if (this.options.state.tables.get(table)?.configuration !== content)
      await this.options.log.submit({ changes: [{ type: "configuration", table, content }], payload: [] });
    this.sizes.set(`${folder}/config.ini`, body.length);
    return { status: 200, etag: '"configuration"' };
  }

  private async putNumberMap(body: Buffer): Promise<EngineAnswer> {
    const { flushes, log, state, warn } = this.options;
    const map = readNumberMap(body.toString());
    const before = new Map([...this.numbers].map(([name, number]) => [number, name]));
    const changes: Change[] = [];
    for (const [number, name] of map) {
      if (before.get(number) === name) continue;
      if (state.tables.get(number)?.dropped) {
        warn("the engine reused the number of a dropped table", { number, name });
        continue;
      }
      changes.push({ type: "table", number, name });
      flushes.table(number);
    }
    for (const [number, name] of before) {
      if (map.has(number)) continue;
      if (!this.listed.has(name)) {
        warn("the engine's number map lacks a table that was not dropped; the table is kept", { number, name });
        continue;
      }
      changes.push({ type: "dropped", number });
      flushes.dropped(number);
    }
    if (changes.length > 0) await log.submit({ changes, payload: [] });
    for (const change of changes) {
      if (change.type === "dropped") this.forget(before.get(change.number)!);
      else if (change.type === "table") {
        const former = before.get(change.number);
        if (former !== undefined) this.numbers.delete(former);
        this.numbers.set(change.name, change.number);
      }
    }
    if (changes.some(({ type }) => type === "dropped")) await this.release();
    this.sizes.set("UNIMAP", body.length);
    return { status: 200, etag: '"map"' };
  }

  private forget(name: string): void {
    this.numbers.delete(name);
    this.listed.delete(name);
  }

  private async numberOf(folder: string): Promise<number> {
    const until = this.options.clock.now() + nameTimeout;
    for (;;) {
      const number = this.numbers.get(folder);
      if (number !== undefined) return number;
      if (this.options.clock.now() > until) throw new Error(`the engine sends files of ${folder}, which has no number`);
      await this.options.clock.sleep(20);
    }
  }

  /** Released manifests decide what the bucket has, not the engine; of its own files it does. */
  private async remove(key: string): Promise<EngineAnswer> {
    this.sizes.delete(key);
    if (parseSstableFile(key.split("/")[1] ?? "")) await this.options.book.forget([key]);
    return { status: 204 };
  }

  private head({ key, connection }: EngineRequest): EngineAnswer {
    const length = connection.sent?.key === key ? connection.sent.length : this.sentBytes(key);
    return length === undefined ? notFound : { status: 200, length, epoch: this.lease.shownEpoch };
  }

  private sentBytes(key: string): number | undefined {
    const [folder, name = ""] = key.split("/");
    const file = parseSstableFile(name);
    const table = this.numbers.get(folder!);
    return file && table !== undefined ? this.sender.sentBytes(table, file) : this.sizes.get(key);
  }

  private get({ key, query }: EngineRequest): EngineAnswer {
    if (key === "") {
      const prefix = query.get("prefix") ?? "";
      if (prefix.endsWith("/")) this.listed.add(prefix.slice(0, -1));
      return { status: 200, body: listing([]) };
    }
    if (key === "UNIMAP")
      return { status: 200, body: Buffer.from(numberMapText(this.options.state.tables.values())), etag: '"map"' };
    return notFound;
  }
}
