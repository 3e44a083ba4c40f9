import { Bucket } from "../../../components/manager/store/bucket/bucket";
import { ownerKey } from "../../../components/manager/store/log/keys";
import { LogOwner } from "../../../components/manager/store/log/owner";
import { Upkeep } from "../../../components/manager/store/upkeep";
import { deletesWhatIsNamed, forgetsWhenItWasNamed, replace } from "../../manager/store/switchedOff";
import { Mutation } from "./mutation";

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return */
/** Has garbage collected by a node that differs in something. @param how of each run: what its upkeep, and the state that it is given, have instead, and what is done when it is over */
function collectsAs(
  how: (node: any) => { instead: Record<string, unknown>; then?: () => Promise<unknown> },
): () => () => void {
  return () =>
    replace(
      Upkeep.prototype,
      "collectGarbage",
      original =>
        async function (this: any, log: any, state: any, ...given: any[]) {
          const { instead, then } = how(Object.create(this, { state: { value: state } }));
          const own = Object.fromEntries(
            Object.entries(instead).map(([name, value]) => [name, { value, writable: true }]),
          );
          const self = Object.create(this, own);
          const deleted = (await original.call(self, log, instead.state ?? state, ...given)) as number;
          this.unnamedGone = self.unnamedGone;
          await then?.().catch(() => undefined);
          return deleted;
        },
    );
}

/** The node's options with another bucket. */
function withBucket(node: any, change: (bucket: Bucket) => Partial<Bucket>): Record<string, unknown> {
  const { bucket } = node.options;
  return { options: { ...node.options, bucket: { ...bucket, ...change(bucket) } } };
}

/** Keeping, in docs/store.md. Rule 4 is switched off in the plays of the store, whose clock can be ahead alone. */
export const keepingMutations: readonly Mutation[] = [
  {
    rule: "keeping 1",
    without: "what is kept stands in the owner's record before anything is deleted",
    shows: /was deleted before the horizon was raised|the owner's record points to it|a checkpoint of the history/,
    off: collectsAs(node => {
      let later: (() => Promise<unknown>) | undefined;
      const instead = withBucket(node, bucket => ({
        replace: (...given) => {
          later = () => bucket.replace(...given);
          return Promise.resolve('"later"');
        },
      }));
      return { instead, then: () => later?.() ?? Promise.resolve() };
    }),
  },
  {
    rule: "keeping 2",
    without: "a checkpoint stands at the horizon",
    shows: /position \d+ cannot be opened/,
    off: collectsAs(node => ({
      instead: withBucket(node, bucket => ({
        replace(key, content, ...rest) {
          if (key !== ownerKey) return bucket.replace(key, content, ...rest);
          const owner = JSON.parse(Buffer.from(content).toString()) as LogOwner;
          owner.history = owner.history.filter(({ position }) => position !== owner.horizon);
          return bucket.replace(key, Buffer.from(JSON.stringify(owner)), ...rest);
        },
      })),
    })),
  },
  {
    rule: "keeping 3a",
    without: "what a position that is kept needs is not deleted",
    shows: /was deleted, which/,
    off: deletesWhatIsNamed,
  },
  {
    rule: "keeping 3b",
    without: "what a kept checkpoint names is not deleted when later positions do not name it",
    shows: /was deleted, which the kept checkpoint/,
    off: forgetsWhenItWasNamed,
  },
  {
    rule: "keeping 5",
    without: "unnamed objects are deleted of epochs that are over only",
    shows: /names .*, which is not there/,
    off: collectsAs(node => {
      const snapshot = () => Object.assign(node.state.snapshot(), { epoch: node.state.epoch + 1 });
      // And again and again.
      return { instead: { state: Object.create(node.state, { snapshot: { value: snapshot } }), unnamedGone: -1 } };
    }),
  },
];
