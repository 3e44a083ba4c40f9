import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { collectGarbage } from "../../../components/manager/base/heap";

describe("the heap's garbage", () => {
  const { gc } = globalThis;
  afterEach(() => (globalThis.gc = gc));

  it("is collected when there is much of it, long before a minute is over", async () => {
    const events = new EventEmitter();
    globalThis.gc = (() => void events.emit("collected")) as NodeJS.GCFunction;
    const end = collectGarbage(() => undefined);
    const collected = once(events, "collected", { signal: AbortSignal.timeout(30_000) });
    const held = Buffer.alloc(16 * 1024 * 1024, 1);
    // The manager's timer keeps no process alive.
    const alive = setInterval(() => undefined, 1000);
    await collected;
    clearInterval(alive);
    end();
    assert.equal(held[0], 1);
  });
});
