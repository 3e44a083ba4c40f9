import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import type * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, afterEach, before, describe, it } from "mocha";
import { SqlConnection } from "../../../components/manager/engine/sqlConnection";
import { ServerError } from "../../../components/manager/engine/sqlPacket";
import { administrator, TestServer } from "../../engine/testServer";
import { challenge, ok, packet, scriptedSqlServer } from "./scriptedSqlServer";

const timeout = 2000;

describe("the manager's SQL connection", () => {
  let server: TestServer;
  let connection: SqlConnection;

  before(async () => {
    server = await TestServer.start();
    connection = await SqlConnection.open({ socketPath: server.socket, ...administrator }, timeout);
  });
  after(() => {
    connection.destroy();
    server.stop();
  });

  it("answers numbers as numbers, NULL as null, and all else as text", async () => {
    await connection.query(
      "CREATE TABLE app.kinds (id BIGINT PRIMARY KEY, small TINYINT, real_number DOUBLE, text VARCHAR(50), exact DECIMAL(10,2))",
    );
    assert.deepEqual(await connection.query("INSERT INTO app.kinds VALUES (-3, 7, 2.5, 'ümläut', 12.3)"), []);
    await connection.query("INSERT INTO app.kinds VALUES (9007199254740991, NULL, NULL, NULL, NULL)");
    assert.deepEqual(await connection.query("SELECT * FROM app.kinds ORDER BY id"), [
      { id: -3, small: 7, real_number: 2.5, text: "ümläut", exact: "12.30" },
      { id: 9007199254740991, small: null, real_number: null, text: null, exact: null },
    ]);
    assert.deepEqual(await connection.query("SELECT id FROM app.kinds WHERE id = 5"), []);
  });

  it("neither reads nor writes an integer beyond 2^53 as another one", async () => {
    await connection.query("CREATE TABLE app.big (id BIGINT PRIMARY KEY)");
    const ids = [-9223372036854775808n, 9007199254740993n, 9223372036854775807n];
    for (const id of ids) await connection.query("INSERT INTO app.big VALUES (?)", [id]);
    const rows = await connection.query("SELECT id FROM app.big WHERE id IN (?, ?, ?) ORDER BY id", ids);
    assert.deepEqual(
      rows,
      ids.map(id => ({ id })),
    );
  });

  it("puts values in the place of question marks, whatever they hold", async () => {
    await connection.query("CREATE TABLE app.texts (id INT PRIMARY KEY, text VARCHAR(50))");
    const hostile = `'); DROP TABLE app.texts; -- \\' "?\n\0`;
    await connection.query("INSERT INTO app.texts VALUES (?, ?)", [1, hostile]);
    const rows = await connection.query("SELECT text FROM app.texts WHERE text = ? AND id = ?", [hostile, 1]);
    assert.deepEqual(rows, [{ text: hostile }]);
    await assert.rejects(connection.query("SELECT ?", [1.5]), /not a whole number/);
    await assert.rejects(connection.query("SELECT 'secret', ?, ?", [1]), (error: Error) => {
      assert.equal(error.message, "1 values for 2 question marks");
      return true;
    });
  });

  it("says the server's error, and goes on", async () => {
    await assert.rejects(connection.query("SELECT * FROM app.absent"), (error: ServerError) => {
      assert.equal(error.errno, 1146);
      assert.equal(error.sqlState, "42S02");
      assert.match(error.message, /absent/);
      return true;
    });
    assert.deepEqual(await connection.query("SELECT 1 AS one"), [{ one: 1 }]);
  });

  it("answers statements that were sent at once in their order", async () => {
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const answers = await Promise.all(numbers.map(i => connection.query("SELECT ? AS i", [i])));
    assert.deepEqual(
      answers.map(([row]) => row?.i),
      numbers,
    );
  });

  it("reads a value of many packets of the network", async () => {
    for (const length of [250, 251, 65_535, 65_536, 300_000]) {
      const long = "x".repeat(length);
      assert.deepEqual(await connection.query("SELECT ? AS text", [long]), [{ text: long }]);
    }
  });

  it("does not open with a wrong password", async () => {
    const wrong = { socketPath: server.socket, ...administrator, password: "Wrong-1234" };
    await assert.rejects(SqlConnection.open(wrong, timeout), { errno: 1045 });
  });

  it("rejects what waits for an answer when it ends", async () => {
    const other = await SqlConnection.open({ socketPath: server.socket, ...administrator }, timeout);
    const waiting = [other.query("SELECT 1"), other.query("SELECT 2")];
    other.destroy();
    for (const query of waiting) await assert.rejects(query, /abandoned/);
    assert.equal(other.isOpen, false);
    await assert.rejects(other.query("SELECT 3"), /closed/);
  });

  it("does not open without a server", async () => {
    const nowhere = { socketPath: path.join(server.directory, "nowhere"), ...administrator };
    await assert.rejects(SqlConnection.open(nowhere, timeout), { code: "ENOENT" });
  });
});

describe("the manager's SQL connection, with a server that", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sql-"));
  const options = { socketPath: path.join(folder, "s"), user: "u", password: "p" };
  let listener: net.Server;

  after(() => fs.rmSync(folder, { recursive: true }));
  afterEach(() => listener.close());

  async function serve(...answers: ((received: Buffer) => Buffer)[]): Promise<void> {
    listener = await scriptedSqlServer(options.socketPath, ...answers);
  }

  it("asks for the password again with another challenge", async () => {
    const sha1 = (...parts: (Buffer | string)[]) =>
      createHash("sha1")
        .update(Buffer.concat(parts.map(p => Buffer.from(p as Buffer))))
        .digest();
    const second = Buffer.from("abcdefghijklmnopqrst");
    let proven = false;
    await serve(
      () => packet(2, [0xfe], "mysql_native_password\0", second, [0]),
      received => {
        const mask = sha1(second, sha1(sha1("p")));
        const hash = Buffer.from(received.subarray(4).map((byte, i) => byte ^ (mask[i] ?? 0)));
        proven = received[3] === 3 && hash.equals(sha1("p"));
        return packet(4, ok);
      },
    );
    const connection = await SqlConnection.open(options, timeout);
    assert.ok(proven);
    connection.destroy();
  });

  it("wants another plugin", async () => {
    await serve(() => packet(2, [0xfe], "ed25519\0", challenge, [0]));
    await assert.rejects(SqlConnection.open(options, timeout), /needs ed25519/);
  });

  it("has too many connections", async () => {
    await serve();
    listener.on("connection", socket => socket.end(packet(0, [0xff, 0x10, 0x04], "Too many connections")));
    await assert.rejects(SqlConnection.open(options, timeout), { errno: 1040, message: "Too many connections" });
  });

  it("says nothing", async () => {
    await serve();
    await assert.rejects(SqlConnection.open(options, 50), /sent no greeting/);
  });

  it("ends the session between two statements", async () => {
    await serve(() => packet(2, ok));
    let ended: Promise<unknown> | undefined;
    listener.on("connection", socket => {
      socket.once("data", () =>
        setTimeout(() => socket.end(packet(0, [0xff, 0x87, 0x07], "#70100Connection was killed")), 20),
      );
      ended = new Promise(resolve => socket.on("close", resolve));
    });
    const connection = await SqlConnection.open(options, timeout);
    await ended;
    await assert.rejects(connection.query("SELECT 1"), /closed/);
  });
});
