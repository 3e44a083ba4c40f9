import { LogWriter } from "../../../components/manager/store/log/append";
import { changeOwner } from "../../../components/manager/store/log/seal";
import { BehindHorizon, LogReader } from "../../../components/manager/store/log/tail";
import { EntryInbox } from "../../../components/manager/peers/entryInbox";
import { StoreNode } from "../../../components/manager/store/storeNode";
import { DraftBox } from "../../../components/manager/store/wal/drafts";
import { replace, snapshotsWith } from "../../manager/store/switchedOff";
import { SimulatedBucket } from "../bucket";
import type { SimulatedNode } from "../node";
import { anyOf, lostWrite, Mutation, standstill, unordered, wrongRow } from "./mutation";

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return */
/** The log, in docs/store.md. */
export const logMutations: readonly Mutation[] = [
  {
    rule: "log 1",
    without: "an append of which nothing is known is made again with the same bytes",
    shows: anyOf(unordered, lostWrite, wrongRow),
    off: () =>
      replace(
        LogWriter.prototype,
        "append",
        original =>
          async function (this: any, entry: { position: number }) {
            let tried = false;
            const { bucket } = this;
            const once = { ...bucket, create: undefined as unknown };
            once.create = async (...given: unknown[]) => {
              tried = true;
              return await (bucket.create(...given) as Promise<unknown>).catch(() => "created");
            };
            this.bucket = Object.assign(Object.create(bucket), once);
            try {
              await original.call(this, entry);
            } finally {
              this.bucket = bucket;
            }
            return tried;
          },
      ),
  },
  {
    rule: "log 2",
    without: "the bucket gives a number to one",
    shows: /leaves the line|follows the seal of its epoch/,
    off: () =>
      replace(
        SimulatedBucket.prototype,
        "create",
        create =>
          function (this: SimulatedBucket, key: string, content: Uint8Array, by: SimulatedNode) {
            // Where nobody has looked whether it does.
            if (!key.startsWith("log/")) return create.call(this, key, content, by);
            this.put(key, content, by);
            return "created";
          },
      ),
  },
  {
    rule: "log 3",
    without: "seals and their neighbours stay",
    shows: /a seal or its neighbour/,
    off: () =>
      snapshotsWith(copy => {
        // What is kept for ever is found that way, and nothing else is.
        Object.defineProperty(copy.seals, "flatMap", { value: () => [] });
      }),
  },
  {
    rule: "log 4",
    without: "a seal counts only where entries are kept",
    families: ["sleepers"],
    shows: /was written where another had been deleted|leaves the line|follows the seal|two nodes accept writes/,
    off: () =>
      replace(
        LogReader.prototype,
        "assertKept",
        original =>
          async function (this: LogReader, ...given: unknown[]) {
            try {
              return await (original.apply(this, given) as Promise<unknown>);
            } catch (error) {
              if (error instanceof BehindHorizon) return undefined;
              throw error;
            }
          },
      ),
  },
  {
    rule: "log 5",
    without: "the owner's record follows a seal",
    shows: /the owner's record leads/,
    off: () =>
      replace(
        StoreNode.prototype,
        "takeOver",
        original =>
          async function (this: any, ...given: unknown[]) {
            const epoch = this.state.epoch + 1;
            await changeOwner(this.options.bucket, ({ owner }) =>
              owner.epoch < epoch ? { ...owner, epoch, sealedAt: this.state.position + 1 } : undefined,
            );
            return original.apply(this, given);
          },
      ),
  },
  {
    rule: "log 6",
    without: "what was pushed is applied when it is durable, not before",
    shows: anyOf(wrongRow, standstill, /lacks a commit of it/),
    off: () =>
      replace(
        EntryInbox.prototype,
        "nextDurable",
        () =>
          function (this: any, { epoch, position }: { epoch: number; position: number }) {
            return epoch === this.epoch ? this.entries.get(position + 1) : undefined;
          },
      ),
  },
  {
    rule: "log 7",
    without: "a candidate appends what it was told before it seals",
    families: ["takeovers", "disks lost in peace"],
    shows: /opens without a commit that/,
    off: () => replace(DraftBox.prototype, "usable", () => () => []),
  },
  {
    rule: "log 8",
    without: "a node closes its own writer before it reads anything",
    families: ["in place while the bucket is in trouble"],
    shows: /takes its own entry \d+ for another writer's/,
    off: () => replace(LogWriter.prototype, "close", () => () => Promise.resolve()),
  },
];
