import assert from "node:assert/strict";
import * as aws4 from "aws4";
import { ObjectStoreLocation } from "../../components/core/managerConfiguration";
import { objectStore } from "../../components/manager/objectStore";
import { Conflict, Store } from "../../components/manager/ports";
import { S3Server } from "../engine/objectStore/s3Server";
import { owner } from "./views";
import { ReceivedRequest, ScriptedAnswer, ScriptedHttpServer } from "./scriptedHttpServer";

const timeout = 5000;
const credentials = { accessKeyId: "AKIATEST", secretAccessKey: "secret-key-of-tests" };

const location = (endpoint: string): ObjectStoreLocation => ({
  endpoint,
  bucket: "tests",
  region: "eu-west-1",
  prefix: "orders/",
  useTls: false,
  pathStyle: true,
});

describe("the deployment's folder in a bucket", () => {
  let server: S3Server;
  let store: Store;
  const keys = () => [...server.store.objects.keys()].sort();

  beforeEach(async () => {
    server = await S3Server.start();
    store = objectStore(location(server.endpoint), credentials);
  });
  afterEach(() => server.stop());

  it("has no owner's record at first, and then the one that was written", async () => {
    assert.equal(await store.readOwner(timeout), undefined);
    const record = owner({ epoch: 3, engineVersion: "4.5.7", lastBeat: { epoch: 3, beat: 12 } });
    const etag = await store.writeOwner(record, undefined, timeout);
    assert.deepEqual(await store.readOwner(timeout), { record, etag });
    assert.deepEqual(keys(), ["orders/owner.json"]);
  });

  it("takes an owner's record over the one that the writer knows, and over no other", async () => {
    const first = await store.writeOwner(owner({ epoch: 1 }), undefined, timeout);
    await assert.rejects(store.writeOwner(owner({ epoch: 1, holder: "x" }), undefined, timeout), Conflict);
    const second = await store.writeOwner(owner({ epoch: 2 }), first, timeout);
    await assert.rejects(store.writeOwner(owner({ epoch: 3 }), first, timeout), Conflict);
    assert.deepEqual(await store.readOwner(timeout), { record: owner({ epoch: 2 }), etag: second });
  });

  it("keeps objects with the engine's epoch, and says their size", async () => {
    assert.equal(await store.size("data/uwal_1.log", timeout), undefined);
    assert.equal(await store.epochOf("data/uwal_1.log", timeout), 0);
    await store.put("data/uwal_1.log", Buffer.from("rows"), { ifAbsent: true, epoch: 4 }, timeout);
    assert.equal(await store.size("data/uwal_1.log", timeout), 4);
    assert.equal(await store.epochOf("data/uwal_1.log", timeout), 4);
    await assert.rejects(store.put("data/uwal_1.log", Buffer.from("x"), { ifAbsent: true }, timeout), Conflict);
    const [object] = await store.list(timeout, "data/");
    assert.deepEqual({ key: object?.key, size: object?.size }, { key: "data/uwal_1.log", size: 4 });
    await assert.rejects(store.put("data/uwal_1.log", Buffer.from("x"), { ifMatch: "other" }, timeout), Conflict);
    await store.put("data/uwal_1.log", Buffer.from("more rows"), { ifMatch: object?.etag }, timeout);
    assert.equal(await store.size("data/uwal_1.log", timeout), 9);
    await store.delete("data/uwal_1.log", timeout);
    await store.delete("data/uwal_1.log", timeout);
    assert.deepEqual(await store.list(timeout), []);
  });

  it("tells of each request, by the kind as which S3 bills it", async () => {
    const kinds: string[] = [];
    const counted = objectStore(location(server.endpoint), credentials, kind => kinds.push(kind));
    await counted.put("data/a", Buffer.from("x"), {}, timeout);
    await counted.list(timeout, "data/");
    await counted.size("data/a", timeout);
    await counted.readOwner(timeout);
    await counted.copy("data/a", "data/b", timeout);
    await counted.delete("data/a", timeout);
    assert.deepEqual(kinds, ["put", "list", "get", "get", "put", "delete"]);
  });

  it("reads the epoch of the engine's own lease", async () => {
    assert.equal(await store.readEngineEpoch(timeout), 0);
    await store.put("data/_tdb_primary_lease", Buffer.from(""), { epoch: 6 }, timeout);
    assert.equal(await store.readEngineEpoch(timeout), 6);
  });

  it("is found in a store that honours both conditions, and leaves nothing there", async () => {
    assert.equal(await store.supportsConditionalWrites(timeout), true);
    assert.deepEqual(keys(), []);
  });

  for (const condition of ["ifNoneMatch", "ifMatch"] as const)
    it(`is not taken in a store that ignores ${condition === "ifMatch" ? "If-Match" : "If-None-Match"}`, async () => {
      const { store: objects } = server;
      const put = objects.put.bind(objects);
      objects.put = (key, body, options = {}) => put(key, body, { ...options, [condition]: undefined });
      assert.equal(await store.supportsConditionalWrites(timeout), false);
      assert.deepEqual(keys(), []);
    });
});

describe("an object store that", () => {
  let server: ScriptedHttpServer;
  let store: Store;

  beforeEach(async () => {
    server = await ScriptedHttpServer.start();
    store = objectStore(location(`localhost:${server.port}`), credentials);
  });
  afterEach(() => server.stop());

  const answers = (answer: ScriptedAnswer) => (server.answer = () => answer);
  const error = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
  const content = Buffer.from("rows");

  for (const status of [409, 412])
    it(`answers a conditional write with ${status} has another writer`, async () => {
      answers({ status, body: error("ConditionalRequestConflict") });
      await assert.rejects(store.writeOwner(owner(), "e", timeout), Conflict);
      await assert.rejects(store.put("data/uwal_1.log", content, { ifAbsent: true }, timeout), Conflict);
    });

  it("does not have any more what was to be replaced has another writer; one without a bucket has not", async () => {
    answers({ status: 404, body: error("NoSuchKey") });
    await assert.rejects(store.writeOwner(owner(), "e", timeout), Conflict);
    answers({ status: 404, body: error("NoSuchBucket") });
    const withoutBucket = store.writeOwner(owner(), "e", timeout);
    await assert.rejects(withoutBucket, { message: "writing owner.json: the object store answered 404 NoSuchBucket" });
  });

  it("is overloaded is no other writer, and its answer is told by its code", async () => {
    answers({ status: 503, body: error("SlowDown") });
    const failed = { name: "Error", message: "writing owner.json: the object store answered 503 SlowDown" };
    await assert.rejects(store.writeOwner(owner(), "e", timeout), failed);
    await assert.rejects(store.list(timeout), /listing the bucket: the object store answered 503 SlowDown/);
  });

  it("answers 200 to a copy, and then an error, has not copied", async () => {
    answers({ status: 200, body: error("InternalError") });
    const expected = /the object store answered 200, and then InternalError/;
    await assert.rejects(store.copy("data/a", "data/b", timeout), expected);
    await assert.rejects(store.stampEpoch("data/a", 7, timeout), expected);
    answers({ status: 200, body: "" });
    await assert.rejects(store.copy("data/a", "data/b", timeout), /and then no result/);
  });

  it("copies is told from where, and with which epoch", async () => {
    answers({ status: 200, body: "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>" });
    await store.copy("data/t/L1P0_1.klog", "data/t/L1_1.klog", timeout);
    assert.equal(server.last.headers["x-amz-copy-source"], "/tests/orders/data/t/L1P0_1.klog");
    await store.stampEpoch("data/t/MANIFEST", 7, timeout);
    const { headers } = server.last;
    assert.equal(headers["x-amz-copy-source"], "/tests/orders/data/t/MANIFEST");
    assert.equal(headers["x-amz-metadata-directive"], "REPLACE");
    assert.equal(headers["x-amz-meta-epoch"], "7");
    assert.deepEqual(server.asked, ["PUT /tests/orders/data/t/L1_1.klog", "PUT /tests/orders/data/t/MANIFEST"]);
  });

  it("lists in pages is asked for all of them", async () => {
    const page = (key: string, next?: string) => {
      const more = next === undefined ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`;
      const object = `<Contents><Key>orders/${key}</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents>`;
      return `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${object}${more}</ListBucketResult>`;
    };
    server.answer = ({ path }) => ({
      status: 200,
      body: path.includes("continuation-token=next%2F1") ? page("data/b") : page("data/a", "next/1"),
    });
    assert.deepEqual(
      (await store.list(timeout, "data/")).map(({ key }) => key),
      ["data/a", "data/b"],
    );
    assert.equal(server.received.length, 2);
  });

  it("holds another's record under the owner's name is not understood", async () => {
    for (const body of ["{}", '{"databaseId":"d1","epoch":"7"}', "<html>"]) {
      answers({ status: 200, body });
      await assert.rejects(store.readOwner(timeout));
    }
  });

  it("checks signatures finds them right, query and body included", async () => {
    await store.writeOwner(owner(), "e", timeout);
    await store.list(timeout, "data/a b/").catch(() => undefined);
    for (const request of server.received) assert.equal(request.headers.authorization, signatureOf(request));
    assert.ok(!JSON.stringify(server.received).includes(credentials.secretAccessKey));
  });

  /** What the Authorization header must say, from the request as it arrived. */
  function signatureOf({ method, path, headers, body }: ReceivedRequest): string | undefined {
    const signed = /SignedHeaders=([^,]*)/.exec(headers.authorization ?? "")?.[1]?.split(";") ?? [];
    const covered = Object.fromEntries(signed.map(name => [name, String(headers[name])]));
    const request = { method, path, host: headers.host, headers: covered, service: "s3", region: "eu-west-1", body };
    return aws4.sign(request, credentials).headers?.Authorization as string | undefined;
  }
});
