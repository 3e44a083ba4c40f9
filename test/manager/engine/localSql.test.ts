import assert from "node:assert/strict";
import * as fs from "node:fs";
import type * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { managerAccount } from "../../../components/core/accountStatements";
import { LocalSql, SqlFailure } from "../../../components/manager/engine/localSql";
import { TestServer } from "../../engine/testServer";
import { ok, packet, scriptedSqlServer } from "./scriptedSqlServer";

const timeout = 2000;
const password = "Manager-123";

describe("SQL over the pod's own socket", () => {
  let server: TestServer;
  let sql: LocalSql;

  before(async () => {
    server = await TestServer.start();
    const { name, host } = managerAccount;
    await server.run(
      `CREATE USER ${name}@${host} IDENTIFIED BY '${password}'; GRANT ALL PRIVILEGES ON *.* TO ${name}@${host};`,
    );
    sql = new LocalSql(() => password, server.socket);
  });
  after(() => {
    sql.reset();
    server.stop();
  });

  const session = async (purpose: string) => (await sql.query(purpose, "SELECT CONNECTION_ID() AS id", timeout))[0]?.id;

  it("keeps a session for each purpose", async () => {
    const [control, heartbeat] = [await session("control"), await session("heartbeat")];
    assert.notEqual(control, heartbeat);
    assert.equal(await session("control"), control);
  });

  it("begins another session where the server has ended one", async () => {
    const before = await session("control");
    await sql.query("other", `KILL CONNECTION ${Number(before)}`, timeout);
    // The news of it may come after the next statement was sent: that one fails, and the one after it does not.
    const next = await session("control").catch(() => session("control"));
    assert.notEqual(next, before);
  });

  it("says the server's number of an error", async () => {
    await assert.rejects(sql.query("control", "SELECT * FROM app.absent", timeout), (error: SqlFailure) => {
      assert.equal(error.errno, 1146);
      assert.match(error.message, /^SQL error 1146 \(42S02\)/);
      return true;
    });
  });

  it("begins anew when its server was replaced", async () => {
    const before = await session("control");
    sql.reset();
    assert.notEqual(await session("control"), before);
  });
});

describe("SQL over the pod's own socket, to a server that", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sql-"));
  const socketPath = path.join(folder, "s");
  const secret = "Correct-Horse-1";
  const statement = `CREATE OR REPLACE USER 'shop'@'%' IDENTIFIED BY '${secret}'`;
  let listener: net.Server;
  let sql: LocalSql;

  beforeEach(() => (sql = new LocalSql(() => password, socketPath)));
  afterEach(() => {
    sql.reset();
    listener.close();
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  /** To the login, and to one statement. */
  const answersOnce = [() => packet(2, ok), () => packet(1, ok)];

  /** Fails with a text that tells what was tried, and of which the log may have every word. */
  async function failsWith(expected: RegExp, limit = timeout): Promise<void> {
    await assert.rejects(sql.query("control", statement, limit), (error: Error) => {
      assert.match(error.message, expected);
      assert.ok(!String(error.stack).includes("Correct"), error.message);
      assert.ok(!error.message.includes("shop"), error.message);
      return true;
    });
  }

  it("does not answer in time: no part of the statement is told but what it does", async () => {
    listener = await scriptedSqlServer(socketPath, ...answersOnce);
    await sql.query("control", "DO 1", timeout);
    await failsWith(/^no answer in 100 ms to CREATE OR REPLACE USER \(control\)$/, 100);
  });

  it("quotes a statement that it does not understand: the quotation is not told", async () => {
    const quotation = `You have an error in your SQL syntax near 'shop' IDENTIFIED BY '${secret}'' at line 1`;
    listener = await scriptedSqlServer(
      socketPath,
      () => packet(2, ok),
      () => packet(1, [0xff, 0x28, 0x04], `#42000${quotation}`),
    );
    await failsWith(/^SQL error 1064 \(42000\) You have an error in your SQL syntax$/);
  });

  it("has not answered in time is left: the next statement has a session of its own", async () => {
    listener = await scriptedSqlServer(socketPath, ...answersOnce, () => Buffer.alloc(0), ...answersOnce);
    await sql.query("control", "DO 1", timeout);
    await assert.rejects(sql.query("control", "SELECT 1", 100), /no answer/);
    assert.deepEqual(await sql.query("control", "DO 1", timeout), []);
  });
});
