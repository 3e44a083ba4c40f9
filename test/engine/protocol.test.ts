import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { connect } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { RowDataPacket } from "mysql2/promise";
import { makeCertificate } from "./testCertificate";
import { administrator, errorOf, TestServer } from "./testServer";

describe("simulated engine: the MySQL protocol", () => {
  let server: TestServer;
  before(async () => (server = await TestServer.start()));
  after(() => server.stop());

  it("answers the mariadb client over the local socket", async () => {
    const connection = await server.local();
    assert.deepEqual(
      [...(await connection.query<object[]>("SELECT 1 AS one, 'two' AS two, NULL AS three"))],
      [{ one: 1, two: "two", three: null }],
    );
    assert.match(connection.serverVersion(), /^11\.8\.6-MariaDB/);
    await connection.ping();
  });

  it("answers the mysql2 client over TCP", async () => {
    const connection = await server.remote();
    const [rows, fields] = await connection.query<RowDataPacket[]>(
      "SELECT VERSION() AS version, CONNECTION_ID() AS id",
    );
    assert.equal(rows[0]?.version, "11.8.6-MariaDB");
    assert.deepEqual(
      fields.map(({ name }) => name),
      ["version", "id"],
    );
  });

  it("runs prepared statements of both clients, with values of all kinds", async () => {
    const [local, remote] = [await server.local(), await server.remote()];
    await local.query(
      `CREATE TABLE app.kinds (id BIGINT PRIMARY KEY, small TINYINT, big BIGINT, real_number DOUBLE, text VARCHAR(50), bytes BLOB, moment DATETIME, exact DECIMAL(10,2))`,
    );
    const statement = "INSERT INTO app.kinds VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    await remote.execute(statement, [
      1,
      -5,
      9007199254740991,
      1.5,
      "ümläut 'quoted' \\",
      Buffer.from([0, 255]),
      "2026-01-02 03:04:05",
      "12.30",
    ]);
    await local.execute(statement, [2, 7, -3, -2.25, "", Buffer.from("b"), "2026-01-02 03:04:06", 4]);
    await remote.execute(statement, [3, null, null, null, null, null, null, null]);
    for (const read of [
      async () => (await remote.execute<RowDataPacket[]>("SELECT * FROM app.kinds WHERE id = ?", [1]))[0][0],
      async () => (await remote.query<RowDataPacket[]>("SELECT * FROM app.kinds WHERE id = 1"))[0][0],
    ]) {
      const row = await read();
      assert.deepEqual(
        [row?.small, row?.big, row?.real_number, row?.text, row?.exact],
        [-5, 9007199254740991, 1.5, "ümläut 'quoted' \\", "12.30"],
      );
    }
    const rows = await local.execute<Record<string, unknown>[]>(
      "SELECT * FROM app.kinds WHERE id > ? ORDER BY id",
      [1],
    );
    assert.deepEqual(
      rows.map(row => [row.id, row.small, row.big, row.real_number, row.text]),
      [
        [2, 7, -3, -2.25, ""],
        [3, null, null, null, null],
      ],
    );
  });

  it("carries rows that are longer than one packet", async () => {
    const connection = await server.remote();
    await connection.query("CREATE TABLE app.long_rows (id INT PRIMARY KEY, text LONGTEXT)");
    const text = "x".repeat(17_000_000);
    await connection.query("INSERT INTO app.long_rows VALUES (1, ?)", [text]);
    const [rows] = await connection.query<RowDataPacket[]>("SELECT text FROM app.long_rows");
    assert.equal((rows[0]?.text as string).length, text.length);
  });

  it("runs several statements of one request where the client asks for that", async () => {
    const several = await server.remote({ multipleStatements: true });
    const [results] = await several.query<RowDataPacket[][]>("SELECT 1 AS a; SELECT 2 AS b");
    assert.deepEqual(results, [[{ a: 1 }], [{ b: 2 }]]);
    const single = await server.remote();
    assert.equal(await errorOf(single.query("SELECT 1; SELECT 2")), 1064);
  });

  it("refuses a wrong password, an unknown user and an account of another host", async () => {
    assert.equal(await errorOf(server.remote({ password: "wrong" })), 1045);
    assert.equal(await errorOf(server.remote({ user: "nobody" })), 1045);
    await server.run("CREATE USER elsewhere@'10.%' IDENTIFIED BY 'Some-1234'");
    assert.equal(await errorOf(server.remote({ user: "elsewhere", password: "Some-1234" })), 1045);
  });

  it("refuses a database that is not there, or not allowed", async () => {
    await server.run("CREATE USER guest@'%' IDENTIFIED BY 'Guest-123'");
    assert.equal(await errorOf(server.remote({ database: "missing" })), 1049);
    assert.equal(await errorOf(server.remote({ user: "guest", password: "Guest-123", database: "app" })), 1044);
  });

  it("changes the user of a connection, and forgets what the session had set", async () => {
    const connection = await server.remote({ database: "app" });
    await connection.query("SET @a = 5");
    await connection.changeUser({ ...administrator, database: "mysql" });
    const [rows] = await connection.query<RowDataPacket[]>("SELECT DATABASE() AS db, @a AS a");
    assert.deepEqual(rows[0], { db: "mysql", a: null });
  });

  it("ends a connection that is killed, with an error that says so", async () => {
    const [victim, other] = [await server.local(), await server.remote()];
    const [row] = await victim.query<{ id: number }[]>("SELECT CONNECTION_ID() AS id");
    await other.query(`KILL CONNECTION ${row?.id ?? 0}`);
    assert.notEqual(await errorOf(victim.query("SELECT 1")), undefined);
    assert.equal(await errorOf(other.query(`KILL ${row?.id ?? 0}`)), 1094);
    await assert.rejects(other.query("KILL HARD 4711"));
  });

  it("refuses more connections than it may have", async () => {
    const small = await TestServer.start(["max_connections=2"]);
    try {
      await small.run("CREATE USER guest@'%' IDENTIFIED BY 'Guest-123'");
      const guest = { user: "guest", password: "Guest-123" };
      await small.remote(guest);
      await small.remote(guest);
      assert.equal(await errorOf(small.remote(guest)), 1040);
    } finally {
      small.stop();
    }
  });
});

describe("simulated engine: TLS", () => {
  let server: TestServer;
  let authority: string;
  let directory: string;
  before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "certificate-"));
    const { certificate, key } = makeCertificate("orders-primary.shop.svc");
    authority = certificate;
    fs.writeFileSync(path.join(directory, "certificate"), certificate);
    fs.writeFileSync(path.join(directory, "key"), key);
    server = await TestServer.start([
      "require_secure_transport=ON",
      `ssl_cert=${directory}/certificate`,
      `ssl_key=${directory}/key`,
      `ssl_ca=${directory}/certificate`,
    ]);
  });
  after(() => {
    server.stop();
    fs.rmSync(directory, { recursive: true });
  });

  it("serves clients that verify its certificate, and its name", async () => {
    const stream = connect(server.port, "127.0.0.1");
    const ssl = { ca: authority, rejectUnauthorized: true, verifyIdentity: true };
    const connection = await server.remote({ host: "orders-primary.shop.svc", stream, ssl });
    assert.deepEqual((await connection.query<RowDataPacket[]>("SELECT 1 AS one"))[0], [{ one: 1 }]);
    const other = connect(server.port, "127.0.0.1");
    await assert.rejects(server.remote({ host: "orders-replica.shop.svc", stream: other, ssl }));
  });

  it("serves the other client too", async () => {
    const overTcp = { socketPath: undefined, host: "127.0.0.1", port: server.port };
    const connection = await server.local({ ...overTcp, ssl: { ca: authority, rejectUnauthorized: false } });
    assert.deepEqual([...(await connection.query<object[]>("SELECT 2 AS two"))], [{ two: 2 }]);
  });

  it("is not what a client trusts that knows another authority", async () => {
    const other = makeCertificate("orders-primary.shop.svc").certificate;
    await assert.rejects(server.remote({ ssl: { ca: other, rejectUnauthorized: true } }));
  });

  it("has the renewed certificate after FLUSH SSL", async () => {
    const renewed = makeCertificate("orders-primary.shop.svc");
    fs.writeFileSync(path.join(directory, "certificate"), renewed.certificate);
    fs.writeFileSync(path.join(directory, "key"), renewed.key);
    await server.remote({ ssl: { ca: authority, rejectUnauthorized: true } });
    await (await server.local()).query("FLUSH SSL");
    await assert.rejects(server.remote({ ssl: { ca: authority, rejectUnauthorized: true } }));
    authority = renewed.certificate;
    await server.remote({ ssl: { ca: authority, rejectUnauthorized: true } });
  });

  it("is required over TCP and not over the local socket", async () => {
    assert.equal(await errorOf(server.remote()), 3159);
    await server.local();
  });

  it("is required of an account that requires it, with the error of a wrong password", async () => {
    await server.run(
      "CREATE USER secure@'%' IDENTIFIED BY 'Secure-123' REQUIRE SSL; SET GLOBAL require_secure_transport=OFF",
    );
    const secure = { user: "secure", password: "Secure-123" };
    assert.equal(await errorOf(server.remote(secure)), 1045);
    await server.remote({ ...secure, ssl: { ca: authority } });
  });
});
