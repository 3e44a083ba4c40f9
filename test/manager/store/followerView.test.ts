import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineHandler } from "../../../components/manager/store/gateway/gateway";
import { ConnectionMemory } from "../../../components/manager/store/gateway/request";
import { LogWriter } from "../../../components/manager/store/log/append";
import { createLog } from "../../../components/manager/store/log/seal";
import { StoreNode } from "../../../components/manager/store/storeNode";
import { lookBytes } from "../../../components/manager/store/view/feed";
import { engineRequest } from "./engineRequest";
import { MemoryBucket } from "./memoryBucket";

const clock = { now: () => performance.now(), wall: () => Date.now(), sleep: () => Promise.resolve() };
const megabyte = 1024 * 1024;

describe("a follower that is far behind", () => {
  const folder = mkdtempSync(join(tmpdir(), "follower-view-"));
  after(() => rmSync(folder, { recursive: true }));

  /** One look of the engine, whose WAL has arrived with its end. @returns bytes of that */
  async function look(handler: EngineHandler): Promise<number> {
    const connection: ConnectionMemory = {};
    const ask = async (method: string, key: string) => {
      const request = engineRequest(connection, method, key);
      handler.arrived?.(connection);
      return handler.handle(request);
    };
    await ask("HEAD", "_tdb_primary_lease");
    const head = await ask("HEAD", "uwal_1.log");
    const { body } = await ask("GET", "uwal_1.log");
    await ask("HEAD", "_tdb_primary_lease");
    assert.equal(head.length ?? 0, body?.length ?? 0);
    return body?.length ?? 0;
  }

  it("reads no more of the log than its engine takes, and all of it in the end", async () => {
    const bucket = new MemoryBucket();
    await createLog(bucket, "db", "test", clock);
    const node = await StoreNode.open({
      bucket,
      clock,
      directory: join(folder, "data"),
      server: join(folder, "mysql"),
      own: join(folder, "own"),
      name: "a",
      durability: "interval",
      warn: message => assert.fail(message),
      sealed: () => undefined,
      overdue: () => undefined,
      boundMilliseconds: 3000,
    });
    const elected = (await node.takeOver())!;
    await node.align("follows");
    const { handler } = node.follow(() => Promise.resolve());
    const { epoch, position } = elected;
    const log = new LogWriter(bucket, clock, { epoch, position, nonce: "writer", time: 0 });
    await log.submit({ changes: [{ type: "table", number: 1, name: "app__t" }], payload: [] });
    const commits = 60;
    for (let sequence = 1; sequence <= commits; sequence++) {
      const blocks = [{ sequence, size: megabyte, hash: sequence, tables: [1] }];
      await log.submit({ changes: [{ type: "blocks", generation: 1, blocks }], payload: [Buffer.alloc(megabyte)] });
    }
    let bytes = 0;
    let turns = 0;
    while (node.state.position < log.position - 1 || bytes < commits * megabyte) {
      const before = node.state.position;
      await node.catchUp();
      assert.ok(node.state.position - before <= (2 * lookBytes) / megabyte + 2, "it would hold the rest in memory");
      assert.equal(node.isFull, node.state.position < log.position - 1);
      const sent = await look(handler);
      assert.ok(sent > 0 && sent <= lookBytes + megabyte, `${sent} bytes in one look`);
      bytes += sent;
      turns++;
    }
    assert.ok(turns >= (commits * megabyte) / lookBytes);
    // A takeover does not wait for an engine.
    for (let sequence = commits + 1; sequence <= 2 * commits; sequence++) {
      const blocks = [{ sequence, size: megabyte, hash: sequence, tables: [1] }];
      await log.submit({ changes: [{ type: "blocks", generation: 1, blocks }], payload: [Buffer.alloc(megabyte)] });
    }
    await node.catchUp();
    assert.ok(node.isFull);
    const again = await node.takeOver();
    assert.equal(again?.position, log.position + 1);
    await node.close();
  });
});
