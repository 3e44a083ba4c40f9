import * as assert from "node:assert/strict";
import * as http from "node:http";
import { AddressInfo } from "node:net";
import { PreconditionFailed } from "./model/ports";
import { S3Location, s3ObjectStore } from "./objectStore/s3ObjectStore";
import { S3Server } from "./objectStore/s3Server";

const location: S3Location = {
  endpoint: "",
  bucket: "tests",
  region: "us-east-1",
  prefix: "orders/data/",
  accessKeyId: "key",
  secretAccessKey: "secret",
  useTls: false,
  pathStyle: true,
  verifyTls: true,
};

describe("simulated engine: the S3 client", () => {
  let server: S3Server;
  before(async () => (server = await S3Server.start()));
  after(() => server.stop());
  const client = () => s3ObjectStore({ ...location, endpoint: server.endpoint });
  const bytes = (text: string) => Buffer.from(text);

  it("puts, gets, looks at and deletes objects below the prefix", async () => {
    const store = client();
    const etag = await store.put("folder/a b+c.log", bytes("content"), { metadata: { epoch: "3" } });
    assert.ok(server.store.objects.has("orders/data/folder/a b+c.log"));
    const object = await store.get("folder/a b+c.log");
    assert.deepEqual(
      [Buffer.from(object!.body).toString(), object?.etag, object?.metadata],
      ["content", etag, { epoch: "3" }],
    );
    assert.deepEqual(await store.head("folder/a b+c.log"), { size: 7, etag, metadata: { epoch: "3" } });
    await store.delete("folder/a b+c.log");
    assert.equal(await store.get("folder/a b+c.log"), undefined);
    assert.equal(await store.head("folder/a b+c.log"), undefined);
    await store.delete("folder/a b+c.log");
  });

  it("puts under a condition, and says when that does not hold", async () => {
    const store = client();
    const etag = await store.put("lease", bytes("1"), { ifNoneMatch: true });
    await assert.rejects(store.put("lease", bytes("2"), { ifNoneMatch: true }), PreconditionFailed);
    await store.put("lease", bytes("2"), { ifMatch: etag });
    await assert.rejects(store.put("lease", bytes("3"), { ifMatch: etag }), PreconditionFailed);
    assert.equal(Buffer.from((await store.get("lease"))!.body).toString(), "2");
  });

  it("lists more objects than fit into one answer, in the order of their keys", async () => {
    const store = client();
    for (let i = 0; i < 1005; i++)
      server.store.objects.set(`orders/data/uwal_${i}.log`, { body: bytes("x"), etag: '"e"', metadata: {} });
    server.store.objects.set("orders/other", { body: bytes("x"), etag: '"e"', metadata: {} });
    const keys = (await store.list("uwal_")).map(({ key }) => key);
    assert.equal(keys.length, 1005);
    assert.deepEqual(keys.slice(0, 4), ["uwal_0.log", "uwal_1.log", "uwal_10.log", "uwal_100.log"]);
    assert.deepEqual(keys, [...keys].sort());
  });

  it("fails where the store answers anything else: unavailable, forbidden, moved", async () => {
    for (const status of [503, 403, 307]) {
      const other = http.createServer((_, response) =>
        response.writeHead(status, { location: "http://127.0.0.1:1/" }).end(),
      );
      await new Promise<void>(resolve => other.listen(0, "127.0.0.1", resolve));
      const store = s3ObjectStore({ ...location, endpoint: `127.0.0.1:${(other.address() as AddressInfo).port}` });
      await assert.rejects(store.get("a"), new RegExp(String(status)));
      await assert.rejects(store.put("a", bytes("")), new RegExp(String(status)));
      other.close();
      other.closeAllConnections();
    }
  });

  it("fails at once where nothing listens", async () => {
    const store = s3ObjectStore({ ...location, endpoint: "127.0.0.1:1" });
    await assert.rejects(store.head("a"), /ECONNREFUSED/);
  });

  it("has a connection for each thread, and the next one of its kind goes on with it", async () => {
    const sockets: [string, unknown][] = [];
    server.onRequest(({ url = "", socket }) => sockets.push([url.split("/").at(-1)!, socket]));
    const store = client();
    const asks =
      (...keys: string[]) =>
      async () => {
        for (const key of keys) await store.head(key);
      };
    await Promise.all([store.thread("follower", asks("a", "b", "c")), store.thread("sender", asks("d", "e"))]);
    await store.thread("follower", asks("f"));
    const groups = new Map<unknown, string>();
    for (const [key, socket] of sockets) groups.set(socket, (groups.get(socket) ?? "") + key);
    assert.deepEqual([...groups.values()].sort(), ["abcf", "de"]);
  });

  it("sends again what a kept connection lost because the server had closed it", async () => {
    let requests = 0;
    const other = http.createServer((request, response) => {
      request.resume();
      // The second request finds its connection gone.
      if (++requests === 2) request.socket.destroy();
      else response.end("ok");
    });
    await new Promise<void>(resolve => other.listen(0, "127.0.0.1", resolve));
    const store = s3ObjectStore({ ...location, endpoint: `127.0.0.1:${(other.address() as AddressInfo).port}` });
    for (let i = 0; i < 2; i++) assert.equal(Buffer.from((await store.get("a"))!.body).toString(), "ok");
    assert.equal(requests, 3);
    other.close();
    other.closeAllConnections();
  });
});
