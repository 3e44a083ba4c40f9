import assert from "node:assert/strict";
import { Conflict, Store } from "../../components/manager/ports";
import { retryingStore } from "../../components/manager/retryingStore";

/** A clock that moves when somebody sleeps. */
function steppedClock() {
  let at = 0;
  return {
    now: () => at,
    sleep: (milliseconds: number) => {
      at += milliseconds;
      return Promise.resolve();
    },
  };
}

/** A store of which each call fails until it has been asked so often. */
function flaky(failures: number, error: Error) {
  const calls: string[] = [];
  const call = (name: string) => (): Promise<never> => {
    calls.push(name);
    return calls.length <= failures ? Promise.reject(error) : Promise.resolve(7 as never);
  };
  const names = [
    "readOwner",
    "writeOwner",
    "list",
    "size",
    "put",
    "delete",
    "copy",
    "epochOf",
    "readEngineEpoch",
    "stampEpoch",
    "supportsConditionalWrites",
  ] as const satisfies (keyof Store)[];
  const store = Object.fromEntries(names.map(name => [name, call(name)])) as unknown as Store;
  return { store, calls };
}

const busy = new Error("the object store answered 503 SlowDown");

describe("a store that is asked again", () => {
  it("answers after some 503", async () => {
    const { store, calls } = flaky(3, busy);
    assert.equal(await retryingStore(store, steppedClock()).readEngineEpoch(1500), 7);
    assert.equal(calls.length, 4);
  });

  it("sends a small read again that is not answered in a third of its time, and then waits for it to the end", async () => {
    const { store } = flaky(0, busy);
    const clock = steppedClock();
    const limits: number[] = [];
    const hangs = async (timeout: number) => {
      limits.push(timeout);
      await clock.sleep(timeout);
      throw new Error(`no answer in ${timeout} ms`);
    };
    const asked = retryingStore({ ...store, readOwner: hangs, list: hangs }, clock);
    await assert.rejects(asked.readOwner(1500), /no answer/);
    assert.deepEqual(limits, [500, 970]);
    // A listing may take long by right.
    await assert.rejects(asked.list(1500), /no answer/);
    assert.equal(limits.at(-1), 1500);
  });

  it("gives up when the time is over, and never sleeps beyond it", async () => {
    const { store, calls } = flaky(Infinity, busy);
    const clock = steppedClock();
    await assert.rejects(retryingStore(store, clock).list(1500), /503/);
    assert.ok(calls.length > 4 && clock.now() <= 1500, `${calls.length} calls in ${clock.now()} ms`);
  });

  it("does not repeat a conditional write, nor a look at whether the bucket is well, nor after a conflict", async () => {
    const once = async (error: Error, ask: (store: Store) => Promise<unknown>) => {
      const { store, calls } = flaky(Infinity, error);
      await assert.rejects(ask(retryingStore(store, steppedClock())));
      assert.equal(calls.length, 1);
    };
    const record = { databaseId: "d", epoch: 1, holder: "h", volumeId: "v", clean: false };
    await once(busy, store => store.writeOwner(record, "e", 1500));
    await once(busy, store => store.put("k", new Uint8Array(), { ifAbsent: true }, 1500));
    await once(busy, store => store.size("k", 1500));
    await once(new Conflict("k"), store => store.copy("a", "b", 1500));
  });
});
