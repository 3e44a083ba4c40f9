import assert from "node:assert/strict";
import * as http from "node:http";
import { httpRequest } from "../../../components/manager/base/httpRequest";
import { ScriptedHttpServer } from "./scriptedHttpServer";

describe("one HTTP request", () => {
  let server: ScriptedHttpServer;
  let agent: http.Agent;

  beforeEach(async () => {
    server = await ScriptedHttpServer.start();
    agent = new http.Agent({ keepAlive: true });
  });
  afterEach(() => {
    agent.destroy();
    server.stop();
  });

  const ask = (method: string, path: string, options: { body?: string | Buffer; limit?: number } = {}) =>
    httpRequest({
      method,
      url: new URL(`http://localhost:${server.port}${path}`),
      headers: { "x-test": "yes" },
      body: options.body,
      timeoutMilliseconds: options.limit ?? 5000,
      agent,
    });

  it("has an answer of whatever status, with its headers and its body", async () => {
    server.answer = () => ({ status: 503, headers: { etag: '"e"' }, body: "später" });
    const { status, headers, body } = await ask("GET", "/a?b=c");
    assert.deepEqual({ status, etag: headers.etag, body }, { status: 503, etag: '"e"', body: "später" });
    assert.deepEqual(server.asked, ["GET /a?b=c"]);
    assert.equal(server.last.headers["x-test"], "yes");
    assert.match(server.last.headers["user-agent"] ?? "", /^tidesql-manager/);
  });

  it("sends its body with its length in bytes, text or not", async () => {
    for (const body of ["ü", Buffer.from("ü")]) {
      await ask("PUT", "/a", { body });
      assert.equal(server.last.body, "ü");
      assert.equal(server.last.headers["content-length"], "2");
    }
  });

  it("fails when no answer comes in time, with what was asked and without its query", async () => {
    server.answer = () => undefined;
    await assert.rejects(ask("GET", "/slow?token=secret", { limit: 50 }), (error: Error) => {
      assert.equal(error.message, `GET localhost:${server.port}/slow: no answer in 50 ms`);
      return true;
    });
  });

  it("fails when the answer is cut off", async () => {
    server.answer = () => {
      setTimeout(() => server.breakConnections(), 50);
      return { status: 200, headers: { "content-length": "100" }, body: "begun" };
    };
    await assert.rejects(
      ask("GET", "/cut"),
      /^Error: GET localhost:\d+\/cut: (aborted|socket hang up|read ECONNRESET)/,
    );
  });

  it("fails when nobody is there", async () => {
    const { port } = server;
    server.stop();
    await assert.rejects(ask("GET", "/"), new RegExp(`^Error: GET localhost:${port}/: `));
  });
});
