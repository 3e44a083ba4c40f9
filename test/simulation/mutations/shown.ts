import promises from "node:fs/promises";
import { Bucket } from "../../../components/manager/store/bucket/bucket";
import { FollowingRequests } from "../../../components/manager/store/gateway/followingRequests";
import { OpeningRequests } from "../../../components/manager/store/gateway/openingRequests";
import { EngineRequest } from "../../../components/manager/store/gateway/request";
import { StoreNode } from "../../../components/manager/store/storeNode";
import { FollowerFeed } from "../../../components/manager/store/view/feed";
import { afterEachEntry, replace } from "../../manager/store/switchedOff";
import { calls } from "../volume";
import { anyOf, Mutation, wrongRow } from "./mutation";

const follower = anyOf(wrongRow, /lacks a commit of it/);

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return */
/** Does something with a running follower's feed after one of its methods. */
function afterwards(method: string, then: (feed: any, ...given: any[]) => void): () => () => void {
  return () =>
    replace(
      FollowerFeed.prototype,
      method,
      original =>
        function (this: any, ...given: unknown[]) {
          const result: unknown = original.apply(this, given);
          if (result instanceof Promise) return result.then(value => (then(this, ...given), value as unknown));
          then(this, ...given);
          return result;
        },
    );
}

/** What an engine is shown, in docs/store.md. */
export const shownMutations: readonly Mutation[] = [
  {
    rule: "shown 1",
    without: "an engine that opens is shown the number map",
    shows: anyOf(wrongRow, /has other data|is not there any more/),
    off: () =>
      replace(
        OpeningRequests.prototype,
        "handle",
        original =>
          function (this: OpeningRequests, request: EngineRequest) {
            return request.key === "UNIMAP" && request.method === "GET"
              ? Promise.resolve({ status: 404 })
              : original.call(this, request);
          },
      ),
  },
  {
    rule: "shown 2a",
    without: "a file is known by its content, not by its name",
    shows: wrongRow,
    off: () =>
      replace(
        StoreNode.prototype,
        "align",
        original =>
          function (this: any, role: string) {
            const { bucket } = this.options;
            const getFile: Bucket["getFile"] = async (key, path) => {
              const present = await promises.readFile(path.replace(/\.fetching$/, "")).catch(() => undefined);
              const sum = await bucket.getFile(key, path);
              if (present) await promises.writeFile(path, present);
              return sum;
            };
            const self = Object.create(this, {
              options: { value: { ...this.options, bucket: { ...bucket, getFile } } },
            });
            return original.call(self, role).then((alignment: unknown) => {
              for (const name of ["aligned", "alignment", "feed"]) this[name] = self[name];
              return alignment;
            });
          },
      ),
  },
  {
    rule: "shown 2b",
    without: "the aligned WAL has a generation that no other had",
    shows: /was begun again in/,
    off: () => afterEachEntry(state => void (state.highestGeneration = 0)),
  },
  {
    rule: "shown 2c",
    without: "an aligned volume has one WAL",
    families: ["in place"],
    shows: /an aligned volume has one WAL/,
    off: () =>
      replace(
        calls,
        "rm",
        original => (mount: unknown, path: string) =>
          /\/uwal_\d+\.log$/.test(path) ? Promise.resolve() : original(mount, path),
      ),
  },
  {
    rule: "shown 3",
    without: "the number map has every number that was ever given",
    families: ["compaction and definitions"],
    // The newest table has to be dropped before a takeover, and another one made after it: about once in 400.
    schedules: 2000,
    shows: /was given again/,
    off: () =>
      afterEachEntry(({ tables }) => {
        for (const { number, dropped } of tables.values()) if (dropped) tables.delete(number);
      }),
  },
  {
    rule: "shown 4a",
    without: "files are shown behind all rows that were in the log before them",
    shows: follower,
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
    rule: "shown 4b",
    without: "blocks are shown until the engine has read them",
    shows: follower,
    off: afterwards("sent", (feed, cut) => feed.confirm(cut)),
  },
  {
    rule: "shown 4c",
    without: "blocks come in the order of their sequences",
    shows: follower,
    off: () =>
      replace(
        FollowerFeed.prototype,
        "insert",
        () =>
          function (this: any, block: unknown) {
            this.queue.push(block);
          },
      ),
  },
  {
    rule: "shown 5a",
    without: "a commit that comes late has its follower begin anew",
    shows: follower,
    off: afterwards("take", feed => feed.reasons.delete("a commit arrived after later ones had been shown")),
  },
  {
    rule: "shown 5b",
    without: "a table that was renamed has followers begin anew",
    families: ["compaction and definitions"],
    shows: anyOf(follower, /has the tables/),
    off: afterwards("show", feed => feed.reasons.delete("a table was renamed")),
  },
  {
    rule: "shown 5c",
    without: "a table that was dropped has followers begin anew",
    families: ["compaction and definitions"],
    shows: /has the tables/,
    off: afterwards("show", feed => feed.reasons.delete("a table was dropped")),
  },
  {
    rule: "shown 6",
    without: "an engine that follows merges nothing",
    shows: /merges files of table/,
    off: () =>
      replace(
        StoreNode.prototype,
        "align",
        original =>
          function (this: any) {
            return original.call(this, "writes");
          },
      ),
  },
  {
    rule: "shown 8",
    without: "a table is shown with its settings, and one that was shown without them has followers begin anew",
    families: ["compaction and definitions"],
    shows: /merges files of table/,
    off() {
      const restore = [
        replace(FollowingRequests.prototype, "mayBeOpened", () => () => true),
        replace(FollowerFeed.prototype, "openedWithoutSettings", () => () => undefined),
      ];
      return () => restore.forEach(undo => undo());
    },
  },
];
