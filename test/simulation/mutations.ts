import { decide } from "../../components/manager/decide/decide";
import { Steps } from "../../components/manager/transitions/steps";
import { EntryInbox } from "../../components/manager/peers/entryInbox";
import { LogWriter } from "../../components/manager/store/log/append";
import { DatabaseState } from "../../components/manager/store/log/state";
import { BehindHorizon, LogReader } from "../../components/manager/store/log/tail";
import { FollowerFeed } from "../../components/manager/store/view/feed";
import { DraftBox } from "../../components/manager/store/wal/drafts";
import {
  answersAtOnce,
  forgetsLeftovers,
  showsHalfFlushes,
  retiresAtSeals,
  deletesWhatIsNamed,
  forgetsWhenItWasNamed,
  replace,
} from "../manager/store/switchedOff";
import { SimulatedBucket } from "./bucket";
import { SimulatedServer } from "./server";

/** A rule of docs/store.md that is switched off. */
export interface Mutation {
  rule: string;
  without: string;
  decide?: typeof decide;
  /** Switches it off in the code. @returns what switches it on again */
  off?: () => () => void;
}

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return */
/** Every rule that can be taken out at one place: the simulation must notice each. */
export const mutations: readonly Mutation[] = [
  {
    rule: "log 1",
    without: "an append of which nothing is known is made again with the same bytes",
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
    off: () =>
      replace(
        SimulatedBucket.prototype,
        "create",
        create =>
          function (this: SimulatedBucket, key: string, content: Uint8Array) {
            // Where nobody has looked whether it does.
            if (!key.startsWith("log/")) return create.call(this, key, content);
            this.put(key, content);
            return "created";
          },
      ),
  },
  {
    rule: "log 4",
    without: "a seal counts only where entries are kept",
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
    rule: "log 6",
    without: "what was pushed is applied when it is durable, not before",
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
    off: () => replace(DraftBox.prototype, "usable", () => () => []),
  },
  {
    rule: "acknowledging 1",
    without: "a commit is answered when the log has it",
    off: answersAtOnce,
  },
  {
    rule: "acknowledging 5",
    without: "what a killed engine has on its disk goes into the log",
    off: forgetsLeftovers,
  },
  {
    rule: "flushes 1",
    without: "a flush is shown as a whole, when its rotated WAL has come",
    off: showsHalfFlushes,
  },
  {
    rule: "flushes 3a",
    without: "a release retires its blocks",
    off: () => replace(DatabaseState.prototype, "retire", () => () => undefined),
  },
  {
    rule: "flushes 3b",
    without: "nothing else retires one",
    off: retiresAtSeals,
  },
  {
    rule: "opening",
    without: "what was replayed is flushed before the primary opens",
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
  {
    rule: "shown 4",
    without: "files are shown behind all rows that were in the log before them",
    off: () =>
      replace(
        FollowerFeed.prototype,
        "showConfirmed",
        () =>
          function (this: any) {
            for (const { changes } of this.later.splice(0)) for (const change of changes) this.show(change);
          },
      ),
  },
  {
    rule: "shown 5",
    without: "a commit that comes late has its follower begin anew",
    off: () =>
      replace(
        FollowerFeed.prototype,
        "take",
        original =>
          async function (this: any, ...given: unknown[]) {
            await original.apply(this, given);
            this.reasons.delete("a commit arrived after later ones had been shown");
          },
      ),
  },
  {
    rule: "keeping",
    without: "what a position that is kept needs is not deleted",
    off: deletesWhatIsNamed,
  },
  {
    rule: "history",
    without: "what a kept checkpoint names is not deleted when later positions do not name it",
    off: forgetsWhenItWasNamed,
  },
  {
    rule: "hang",
    without: "an engine that hangs is killed",
    decide: (view, now) => decide({ ...view, canary: undefined }, now),
  },
  {
    rule: "peers",
    without: "peers confirm a primary that the API server does not answer",
    decide: (view, now) => ({ ...decide(view, now), failsafe: undefined }),
  },
  {
    rule: "volume",
    without: "a primary whose volume hangs lets its lease run out",
    decide(view, now) {
      const decision = decide(view, now);
      return decision.lease?.kind === "letRunOut" ? { ...decision, lease: { kind: "renew" } } : decision;
    },
  },
  {
    rule: "lease",
    without: "a primary ends itself before its lease does",
    decide: (view, now) => decide({ ...view, hold: view.hold && { ...view.hold, deadline: now + 10_000 } }, now),
  },
];

/** The mutation of a rule; undefined: all rules hold. */
export function mutationOf(rule: string | undefined): Mutation | undefined {
  return mutations.find(mutation => mutation.rule === rule);
}
