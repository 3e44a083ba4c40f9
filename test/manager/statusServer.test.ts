import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Manager } from "../../components/manager/manager";
import { managerPages, serveStatus } from "../../components/manager/statusServer";
import { noRequests } from "../../components/manager/usage";
import { now, primary } from "./views";

describe("the status server", () => {
  let server: Server;

  before(async () => {
    const view = primary();
    const manager = {
      view: () => view,
      ready: () => true,
      heartbeatAgeSeconds: () => 0.4,
      notInBucket: () => undefined,
      alarm: "",
      counters: { promotions: 2 },
      lastTick: now,
    };
    const clock = { now: () => now, wallTime: () => "", sleep: () => Promise.resolve() };
    const usage = { requests: noRequests(), enginePid: () => 0, replicaSyncIntervalMicroseconds: 100_000 };
    server = serveStatus(managerPages(manager as unknown as Manager, usage), clock, 0);
    await once(server, "listening");
  });

  after(() => server.close());

  const get = (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);

  it("answers /status with the node's status as JSON, also without a certificate to read", async () => {
    const response = await get("/status");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    const status = (await response.json()) as { pod: string; counters: unknown; certificateExpires?: string };
    assert.equal(status.pod, "orders-1");
    assert.deepEqual(status.counters, { promotions: 2 });
    assert.equal(status.certificateExpires, undefined);
  });

  it("answers nothing else than its four paths", async () => {
    assert.equal((await get("/healthz")).status, 200);
    assert.equal((await get("/readyz")).status, 200);
    for (const path of ["/", "/status/..", "/etc/tidesql/tls/tls.key"]) assert.equal((await get(path)).status, 404);
  });
});
