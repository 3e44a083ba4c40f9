import assert from "node:assert/strict";
import { LogWriter, WriterClosed } from "../../../../components/manager/store/log/append";
import { entryKey } from "../../../../components/manager/store/log/keys";
import { createLog, seal } from "../../../../components/manager/store/log/seal";
import { DatabaseState } from "../../../../components/manager/store/log/state";
import { LogReader } from "../../../../components/manager/store/log/tail";
import { MemoryBucket, steppedClock } from "../memoryBucket";

describe("a writer that its node has closed", () => {
  async function writer(mayGoOn?: () => boolean) {
    const bucket = new MemoryBucket();
    const clock = steppedClock();
    await createLog(bucket, "db", "test", clock);
    const reader = new LogReader(bucket, new DatabaseState());
    await reader.catchUp();
    const election = (await seal(bucket, clock, reader, { nonce: "w", author: "w" }))!;
    const durable: number[] = [];
    const sealed: string[] = [];
    const log = new LogWriter(bucket, clock, {
      ...election,
      nonce: "w",
      time: 0,
      durable: ({ position }) => durable.push(position),
      sealed: error => sealed.push(error.message),
      ...(mayGoOn && { mayGoOn }),
    });
    const say = (name: string) => log.submit({ changes: [{ type: "table", number: 1, name }], payload: [] });
    return { bucket, clock, reader, election, log, say, durable, sealed };
  }

  it("tells nobody of an entry that was on its way, which the log has all the same", async () => {
    const { bucket, reader, election, log, say, durable, sealed } = await writer();
    let arrived!: () => void;
    const onItsWay = new Promise<void>(resolve => (arrived = resolve));
    bucket.fate = operation => {
      if (operation === "create") arrived();
      return operation === "create" ? "answer lost" : "fails";
    };
    const said = say("t");
    await onItsWay;
    const waiting = say("u");
    const closing = log.close();
    await assert.rejects(said, WriterClosed);
    await assert.rejects(waiting, WriterClosed);
    await closing;
    await assert.rejects(say("v"), WriterClosed);
    assert.deepEqual([durable, sealed], [[], []], "its own node has not sealed it, and applies nothing twice");
    bucket.fate = () => "works";
    assert.ok(bucket.objects.has(entryKey(election.epoch, election.position)));
    assert.equal(await reader.catchUp(), 1);
    assert.equal(reader.state.tables.get(1)!.name, "t");
  });

  it("gives up when it may not go on, and says what its appends have cost before", async () => {
    let may = true;
    const { bucket, clock, log, say } = await writer(() => may);
    bucket.fate = operation => (operation === "create" && clock.at < 100 ? "fails" : "works");
    await say("t");
    assert.equal(log.figures.entries, 1);
    assert.ok(log.figures.bytes > 0 && log.figures.milliseconds >= 100);
    may = false;
    bucket.fate = () => "fails";
    await assert.rejects(say("u"), WriterClosed);
  });

  it("ends a candidate in the same way, before it has sealed and while it does not know whether it has", async () => {
    const { bucket, clock, reader } = await writer();
    const candidate = { nonce: "c", author: "c", insist: true };
    await assert.rejects(seal(bucket, clock, reader, { ...candidate, mayGoOn: () => false }), WriterClosed);
    let asked = 0;
    let created = false;
    bucket.fate = operation => {
      created ||= operation === "create";
      return created ? "fails" : "works";
    };
    const trying = seal(bucket, clock, reader, { ...candidate, mayGoOn: () => asked++ < 3 });
    await assert.rejects(trying, WriterClosed);
    assert.equal(asked, 4, "it was tried until then");
  });
});
