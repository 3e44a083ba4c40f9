import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogWriter } from "../../../components/manager/store/log/append";
import { entryKey } from "../../../components/manager/store/log/keys";
import { changeOwner, createLog } from "../../../components/manager/store/log/seal";
import { BehindHorizon } from "../../../components/manager/store/log/tail";
import { StoreNode } from "../../../components/manager/store/storeNode";
import { DraftBox } from "../../../components/manager/store/wal/drafts";
import { FoundBlock } from "../../../components/manager/store/wal/scanner";
import { MemoryBucket, steppedClock } from "./memoryBucket";

const block = (sequence: number): FoundBlock => ({
  generation: 1,
  sequence,
  tables: [1],
  hash: sequence,
  data: Buffer.from(`commit ${sequence}`),
});

describe("a takeover with drafts", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "drafts-"))));
  const nodes: StoreNode[] = [];
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
    await fs.rm(folder, { recursive: true });
  });

  /** A writer that has made a table at position 2, two candidates that know it, and drafts behind it. */
  async function play() {
    const bucket = new MemoryBucket();
    const clock = steppedClock();
    await createLog(bucket, "db", "test", clock);
    const alive = { rival: true };
    const node = async (name: string) => {
      const opened = await StoreNode.open({
        bucket,
        clock,
        directory: join(folder, name),
        server: join(folder, `${name}-mysql`),
        own: join(folder, `${name}-store`),
        name,
        durability: "interval",
        warn: () => undefined,
        sealed: () => undefined,
        overdue: () => undefined,
        boundMilliseconds: 20_000,
        mayTakeOver: () => name !== "rival" || alive.rival,
      });
      nodes.push(opened);
      return opened;
    };
    const { epoch, position } = (await (await node("writer")).takeOver())!;
    const writer = new LogWriter(bucket, clock, { epoch, position, nonce: "writer", time: 0 });
    await writer.submit({ changes: [{ type: "table", number: 1, name: "t" }], payload: [] });
    const candidate = await node("candidate");
    const rival = await node("rival");
    for (const one of [candidate, rival]) await one.catchUp();
    const drafts = new DraftBox();
    const told = { epoch, nonce: "writer", base: 0, after: position };
    drafts.take({ ...told, number: 0, blocks: [block(1), block(2)] });
    drafts.take({ ...told, number: 1, blocks: [block(3)] });
    return { bucket, writer, candidate, rival, drafts, position, alive };
  }

  const replayed = ({ state }: StoreNode) => state.blocksToReplay().map(({ data }) => data.toString());

  it("has them in the log before its seal, and ends the writer that lives", async () => {
    const { writer, candidate, drafts, position } = await play();
    const election = await candidate.takeOver(new Map(), true, drafts);
    assert.deepEqual(election, { epoch: 3, position: position + 3 });
    assert.deepEqual(replayed(candidate), ["commit 1", "commit 2", "commit 3"]);
    await assert.rejects(writer.submit({ changes: [], payload: [] }), { name: "Sealed" });
  });

  it("takes none behind what another candidate has appended and left", async () => {
    const { bucket, candidate, rival, drafts, alive } = await play();
    const half = new DraftBox();
    half.take({ epoch: 2, nonce: "writer", base: 0, after: 2, number: 0, blocks: [block(1)] });
    // It dies before its seal.
    const create = bucket.create.bind(bucket);
    let appends = 0;
    bucket.create = (key, content) => {
      if (++appends === 1) return create(key, content);
      alive.rival = false;
      return Promise.reject(new Error("it has died"));
    };
    await assert.rejects(rival.takeOver(new Map(), true, half));
    bucket.create = create;
    await candidate.takeOver(new Map(), true, drafts);
    assert.deepEqual(replayed(candidate), ["commit 1"]);
  });

  it("puts nothing where entries were deleted", async () => {
    const { bucket, writer, candidate, drafts, position } = await play();
    for (let number = 0; number < 10; number++) await writer.submit({ changes: [], payload: [] });
    await changeOwner(bucket, ({ owner }) => ({ ...owner, horizon: 9 }));
    for (let at = position + 1; at < 9; at++) bucket.objects.delete(entryKey(2, at));
    await assert.rejects(candidate.takeOver(new Map(), true, drafts), BehindHorizon);
    assert.ok(!bucket.objects.has(entryKey(2, position + 1)));
  });
});
