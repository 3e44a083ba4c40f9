import { Steps } from "../../../components/manager/transitions/steps";
import { FlushBook } from "../../../components/manager/store/flush/flushBook";
import { parseSstableFile } from "../../../components/manager/store/flush/sstableFile";
import { EngineRequest } from "../../../components/manager/store/gateway/request";
import { SstableSender } from "../../../components/manager/store/gateway/sstableSender";
import { WriterRequests } from "../../../components/manager/store/gateway/writerRequests";
import { DatabaseState } from "../../../components/manager/store/log/state";
import { readCommit } from "../../../components/manager/store/wal/commit";
import { footerMark, Frame, frameBytes, readFrame } from "../../../components/manager/store/wal/frame";
import { Shipper } from "../../../components/manager/store/wal/shipper";
import { WalScanner } from "../../../components/manager/store/wal/scanner";
import {
  answersAtOnce,
  forgetsLeftovers,
  replace,
  retiresAtSeals,
  showsHalfFlushes,
} from "../../manager/store/switchedOff";
import { SimulatedServer } from "../server";
import { anyOf, lostWrite, Mutation, standstill, unordered, wrongRow } from "./mutation";

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return */
/** Has a WAL's blocks found by another reader. @param next the next block in bytes, and where what follows it begins */
function scansBy(next: (bytes: Buffer, offset: number) => Frame | undefined): () => () => void {
  return () =>
    replace(
      WalScanner.prototype,
      "look",
      () =>
        async function (this: any) {
          const found: unknown[] = [];
          const bytes = (await this.read(64 * 1024)) as Buffer;
          let offset = 0;
          for (let frame = next(bytes, 0); frame; frame = next(bytes, offset)) {
            const { data, hash } = frame;
            try {
              found.push({ generation: this.generation, ...readCommit(data), hash, data });
            } catch {
              break;
            }
            offset = frame.end;
          }
          this.position += offset;
          return found;
        },
    );
}

/** Acknowledging and flushes, in docs/store.md. */
export const engineMutations: readonly Mutation[] = [
  {
    rule: "acknowledging 1",
    without: "a commit is answered when the log has it",
    shows: unordered,
    off: answersAtOnce,
  },
  {
    rule: "acknowledging 2a",
    without: "a block counts with a right checksum",
    shows: /has other data of commit/,
    off: scansBy((bytes, offset) => {
      if (offset + frameBytes > bytes.length) return undefined;
      const [size, hash] = [bytes.readUInt32LE(offset), bytes.readUInt32LE(offset + 4)];
      const end = offset + size + frameBytes;
      if (size === 0 || end > bytes.length || !bytes.subarray(end - 4, end).equals(footerMark)) return undefined;
      return { data: bytes.subarray(offset + 8, end - 8), hash, end };
    }),
  },
  {
    rule: "acknowledging 2b",
    without: "nothing is looked for behind an open place",
    shows: unordered,
    off: scansBy((bytes, offset) => {
      for (let at = offset; at + frameBytes <= bytes.length; at++) {
        const frame = readFrame(bytes, at);
        if (typeof frame !== "string") return frame;
      }
      return undefined;
    }),
  },
  {
    rule: "acknowledging 3",
    without: "a block is known by sequence and hash, not by its place",
    shows: anyOf(unordered, lostWrite),
    // As many blocks as the writer's first WAL began with are passed over in each.
    off: () =>
      replace(
        Shipper.prototype,
        "scan",
        () =>
          async function (this: any) {
            await this.seeFolder(true);
            const all: unknown[] = [];
            for (const generation of [...this.scanners.keys()].sort((a: number, b: number) => a - b)) {
              const scanner = this.scanners.get(generation);
              if (!scanner) continue;
              const found = (await scanner.look()) as unknown[];
              const passed = Math.min(found.length, this.options.known.size - (scanner.passed ?? 0));
              scanner.passed = (scanner.passed ?? 0) + passed;
              if (this.options.sync) this.unsynced.add(scanner);
              all.push(...found.slice(passed));
            }
            return all;
          },
      ),
  },
  {
    rule: "acknowledging 4",
    without: "in interval a block counts when it is on the disk",
    shows: /is not on its writer's disk/,
    off: () => replace(WalScanner.prototype, "sync", () => () => Promise.resolve()),
  },
  {
    rule: "acknowledging 5",
    without: "what a killed engine has on its disk goes into the log",
    shows: anyOf(unordered, lostWrite),
    off: forgetsLeftovers,
  },
  {
    rule: "flushes 1",
    without: "a flush is shown as a whole, when its rotated WAL has come",
    shows: anyOf(wrongRow, /blocks are to be replayed/, standstill),
    off: showsHalfFlushes,
  },
  {
    rule: "flushes 2",
    without: "a merge's inputs stay until all that replaces them is shown",
    families: ["disks lost in peace", "orderly", "takeovers"],
    shows: wrongRow,
    off: () =>
      replace(
        FlushBook.prototype,
        "take",
        original =>
          function (this: any, table: number, book: any) {
            const waits = new Set(book.pending.flatMap((step: any) => step.added.map((one: any) => one.entry.id)));
            const isShown = ({ name, generation }: any) => generation <= this.done && !waits.has(name.id);
            const gone = book.pending.flatMap((step: any) => step.removed.filter(isShown));
            for (const step of book.pending) step.removed = step.removed.filter((one: any) => !isShown(one));
            if (gone.length > 0) book.pending.unshift({ added: [], removed: gone, nextId: 0 });
            return original.call(this, table, book);
          },
      ),
  },
  {
    rule: "flushes 3a",
    without: "a release retires its blocks",
    shows: /blocks are to be replayed/,
    off: () => replace(DatabaseState.prototype, "retire", () => () => undefined),
  },
  {
    rule: "flushes 3b",
    without: "nothing else retires one",
    shows: /blocks are to be replayed/,
    off: retiresAtSeals,
  },
  {
    rule: "flushes 4",
    without: "what a manifest names and was not sent is sent from the disk",
    families: ["orderly", "compaction and definitions", "takeovers"],
    shows: anyOf(/flush \d+ is not released/, standstill),
    off: () => replace(SstableSender.prototype, "sendFromDisk", () => () => Promise.resolve()),
  },
  {
    rule: "flushes 5a",
    without: "the engine's deletes are ignored",
    shows: /was deleted, which/,
    off: () =>
      replace(
        WriterRequests.prototype,
        "handle",
        original =>
          async function (this: any, request: EngineRequest) {
            const [folder = "", name = ""] = request.key.split("/");
            const file = request.method === "DELETE" ? parseSstableFile(name) : undefined;
            const table = file && this.options.state.tables.get(this.numbers.get(folder));
            for (const { id, keys } of table?.files.values() ?? [])
              if (id === file!.id) await this.options.bucket.delete(keys.key, 1000).catch(() => undefined);
            return (await original.call(this, request)) as unknown;
          },
      ),
  },
  {
    rule: "flushes 5b",
    without: "a table that the engine's map lacks is kept unless it was dropped",
    shows: lostWrite,
    off: () =>
      replace(
        WriterRequests.prototype,
        "putNumberMap",
        original =>
          function (this: any, ...given: unknown[]) {
            for (const name of this.numbers.keys()) this.listed.add(name);
            return original.apply(this, given) as unknown;
          },
      ),
  },
  {
    rule: "opening",
    without: "what was replayed is flushed before the primary opens",
    shows: /before its replayed rows were flushed/,
    off() {
      const undo = [
        replace(SimulatedServer.prototype, "flush", () => () => Promise.resolve()),
        replace(Steps.prototype, "within", () => (_milliseconds: number, work: Promise<unknown>) => {
          work.catch(() => undefined);
          return Promise.resolve();
        }),
      ];
      return () => undo.forEach(one => one());
    },
  },
];
