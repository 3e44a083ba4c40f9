import { FlushBook } from "../../../components/manager/store/flush/flushBook";
import { Entry } from "../../../components/manager/store/log/entry";
import { RetiredObjects } from "../../../components/manager/store/log/retired";
import { DatabaseState } from "../../../components/manager/store/log/state";
import { StoreNode } from "../../../components/manager/store/storeNode";
import { Shipper } from "../../../components/manager/store/wal/shipper";

/*
 * Rules of the store, switched off in its code: for the plays of the store alone, and for the simulation. Each answers what switches the rule on again.
 */

/* eslint-disable @typescript-eslint/no-explicit-any */
/** Puts another method in place of one. @returns what undoes it */
export function replace(
  prototype: any,
  name: string,
  by: (original: (...given: any[]) => any) => (...given: any[]) => any,
) {
  const holder = prototype as Record<string, (...given: any[]) => any>;
  const original = holder[name]!;
  if (typeof original !== "function") throw new Error(`there is no ${name} any more`);
  holder[name] = by(original);
  return () => void (holder[name] = original);
}

/** Has every snapshot of the state changed: checkpoints, views and the collection of garbage begin with one. */
export const snapshotsWith = (change: (copy: DatabaseState) => void) =>
  replace(
    DatabaseState.prototype,
    "snapshot",
    original =>
      function (this: DatabaseState) {
        const copy = original.call(this) as DatabaseState;
        change(copy);
        return copy;
      },
  );

/** Has the state changed behind each entry that it applies. */
export const afterEachEntry = (change: (state: DatabaseState, entry: Entry) => void) =>
  replace(
    DatabaseState.prototype,
    "apply",
    original =>
      function (this: DatabaseState, entry: Entry) {
        original.call(this, entry);
        change(this, entry);
      },
  );

/** A commit is answered before the log has it. */
export const answersAtOnce = () =>
  replace(
    Shipper.prototype,
    "look",
    original =>
      function (this: Shipper, ...given: unknown[]) {
        (original.apply(this, given) as Promise<void>).catch(() => undefined);
        return Promise.resolve();
      },
  );

/** What a killed engine has on its disk does not go into the log. */
export const forgetsLeftovers = () =>
  replace(
    StoreNode.prototype,
    "appendLeftovers",
    () =>
      async function (this: StoreNode) {
        await this.catchUp();
      },
  );

/** A flush is shown before its rotated WAL has come. */
export const showsHalfFlushes = () =>
  replace(
    FlushBook.prototype,
    "wholeUntil",
    () =>
      function (this: { generations: Map<number, unknown>; done: number }) {
        return Math.max(this.done, ...this.generations.keys());
      },
  );

/** A seal retires all blocks. */
export const retiresAtSeals = () =>
  afterEachEntry((state, { kind }) => {
    if (kind === "seal") state.blocks.clear();
  });

/** What a kept position names is to be deleted. */
export const deletesWhatIsNamed = () =>
  snapshotsWith(copy => {
    const named = [...copy.tables.values()].flatMap(({ files }) => [...files.values()]);
    copy.retired = RetiredObjects.of(named.map(({ keys }) => ({ position: 0, key: keys.key })));
  });

/** What a kept checkpoint names is to be deleted once later positions do not name it. */
export const forgetsWhenItWasNamed = () =>
  snapshotsWith(copy => {
    copy.retired = RetiredObjects.of([...copy.retired].map(object => ({ ...object, since: object.position })));
  });

/** What is given up goes by the node's wall clock alone. */
export const trustsTheWallClock = () =>
  replace(
    StoreNode.prototype,
    "collectGarbage",
    original =>
      function (this: StoreNode, ...given: unknown[]) {
        const state = Object.create(this.state, { time: { value: Infinity } }) as DatabaseState;
        return original.apply(Object.create(this, { state: { value: state } }), given) as unknown;
      },
  );
