import assert from "node:assert/strict";
import { once } from "node:events";
import * as net from "node:net";
import { EngineHandler, Gateway } from "../../../../components/manager/store/gateway/gateway";
import { EngineRequest } from "../../../../components/manager/store/gateway/request";

const key = "0123456789abcdef";
const authorization = `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/s3/aws4_request, Signature=x`;
/** What libcurl before 8.7 sends behind a body of the WAL: all that is reserved in the file. */
const reserved = 64 * 1024 * 1024;

/** A request on a connection of its own, by hand: no HTTP client of today sends more than it has announced. */
class Connection {
  private received = "";
  private readonly socket: net.Socket;
  /** Bytes that the gateway's side has taken, buffers of the system included. */
  get taken(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  constructor(endpoint: string) {
    this.socket = net.connect(Number(endpoint.split(":")[1]), "127.0.0.1");
    this.socket.on("data", (chunk: Buffer) => (this.received += chunk.toString()));
    this.socket.on("error", () => undefined);
  }

  async ask(method: string, path: string, length = 0, behind = 0): Promise<string> {
    const head = [`${method} /store/${path} HTTP/1.1`, "host: gateway", `authorization: ${authorization}`];
    this.socket.write([...head, `content-length: ${length}`, "", ""].join("\r\n"));
    if (length + behind > 0) this.socket.write(Buffer.alloc(length + behind));
    while (!this.received.includes("\r\n\r\n")) await once(this.socket, "data");
    const answer = this.received;
    this.received = "";
    return answer;
  }

  /** What libcurl does when it is told that the connection closes. */
  close(): void {
    this.socket.destroy();
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await new Promise(resolve => this.socket.once("close", resolve));
  }
}

const lengthIn = (answer: string) => Number(/content-length: (\d+)/.exec(answer)?.[1]);

/** A store that answers uploads when it is told to. */
class Store implements EngineHandler {
  readonly uploads: { request: EngineRequest; answer: () => void; fail: () => void }[] = [];

  async handle(request: EngineRequest) {
    const { method, connection, drain } = request;
    if (method === "HEAD") return { status: 200, length: connection.sent?.length ?? 0 };
    await drain();
    await new Promise<void>((answer, reject) =>
      this.uploads.push({ request, answer, fail: () => reject(new Error("sealed")) }),
    );
    return { status: 200, etag: '"done"' };
  }

  async holds(count: number): Promise<void> {
    while (this.uploads.length < count) await new Promise(setImmediate);
  }
}

describe("uploads that send more than they announce, as libcurl before 8.7 does", () => {
  let gateway: Gateway;
  let store: Store;
  let lost: number;
  let connections: Connection[];

  beforeEach(async () => {
    store = new Store();
    lost = 0;
    connections = [];
    gateway = await Gateway.listen({
      bucket: "store",
      accessKeyId: () => key,
      handler: () => store,
      lost: () => lost++,
      failed: () => undefined,
      broken: error => assert.fail(error),
    });
  });
  afterEach(() => {
    for (const connection of connections) connection.close();
    gateway.close();
  });

  function connect(): Connection {
    const connection = new Connection(gateway.endpoint);
    connections.push(connection);
    return connection;
  }

  it("are answered on a connection that closes, and what is behind them is not read", async () => {
    const connection = connect();
    const answer = connection.ask("PUT", "uwal_1.log", 1000, reserved);
    await store.holds(1);
    assert.equal(store.uploads[0]!.request.length, 1000);
    store.uploads[0]!.answer();
    assert.match(await answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(connection.taken < reserved / 2, `${connection.taken} bytes`);
    assert.equal(lengthIn(await connect().ask("HEAD", "uwal_1.log")), 1000);
    await connection.closed();
  });

  it("say in the answer that the connection closes, for that alone ends the upload", async () => {
    const answer = connect().ask("PUT", "uwal_1.log", 1000, reserved);
    await store.holds(1);
    store.uploads[0]!.answer();
    assert.match(await answer, /connection: close\r\n/);
    const ordinary = connect();
    const kept = ordinary.ask("PUT", "uwal_1.log", 1000);
    await store.holds(2);
    store.uploads[1]!.answer();
    assert.doesNotMatch(await kept, /connection: close/i);
    assert.equal(lengthIn(await ordinary.ask("HEAD", "uwal_1.log")), 1000);
  });

  it("are each told their own length, though they ask on another connection", async () => {
    const lengths = [1000, 2000, 3000];
    const answers = lengths.map(length => {
      const connection = connect();
      return connection.ask("PUT", "uwal_1.log", length, reserved).then(() => ({ length, connection }));
    });
    await store.holds(lengths.length);
    for (const { answer } of store.uploads) answer();
    const left = new Set(answers);
    while (left.size > 0) {
      const [promise, { length, connection }] = await Promise.race(
        [...left].map(async promise => [promise, await promise] as const),
      );
      left.delete(promise);
      connection.close();
      assert.equal(lengthIn(await connect().ask("HEAD", "uwal_1.log")), length);
    }
  });

  it("do not wait for ever for one that does not ask", async () => {
    const answers = [1000, 2000].map(length => connect().ask("PUT", "uwal_1.log", length, reserved));
    await store.holds(2);
    for (const { answer } of store.uploads) answer();
    await Promise.all(answers);
  });

  it("of an engine that is gone are not answered, and hold up nobody", async () => {
    let answered = 0;
    const former = [1000, 2000].map(length => {
      const connection = connect();
      connection.ask("PUT", "uwal_1.log", length, reserved).then(
        () => answered++,
        () => undefined,
      );
      return connection;
    });
    await store.holds(2);
    const { uploads } = store;
    store = new Store();
    for (const { answer } of uploads) answer();
    await Promise.all(former.map(connection => connection.closed()));
    assert.equal(answered, 0);
    const answer = connect().ask("PUT", "uwal_2.log", 500, reserved);
    await store.holds(1);
    store.uploads[0]!.answer();
    assert.match(await answer, /200 OK/);
  });

  it("get no answer when their commit is not in the log, and are read to their end: the engine is being killed", async () => {
    const connection = connect();
    let answered = false;
    void connection.ask("PUT", "uwal_1.log", 1000, reserved).then(() => (answered = true));
    await store.holds(1);
    store.uploads[0]!.fail();
    while (connection.taken < reserved) await new Promise(setImmediate);
    assert.deepEqual([lost, answered], [1, false]);
  });

  it("are told from what is no request at all, which closes the connection", async () => {
    const connection = connect();
    void connection.ask("HEAD", "uwal_1.log", 0, 100);
    await connection.closed();
  });
});
