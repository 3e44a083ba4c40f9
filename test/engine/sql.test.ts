import * as assert from "node:assert/strict";
import * as mysql2 from "mysql2/promise";
import { errorOf, TestServer } from "./testServer";

type Row = Record<string, unknown>;

describe("simulated engine: SQL", () => {
  let server: TestServer;
  let client: mysql2.Connection;
  before(async () => {
    server = await TestServer.start();
    client = await server.remote({ database: "app" });
  });
  after(() => server.stop());

  const query = async (sql: string, values?: unknown[]) => (await client.query(sql, values))[0];
  const rows = async (sql: string, values?: unknown[]) => (await query(sql, values)) as Row[];
  const column = async (sql: string) => (await rows(sql)).map(row => Object.values(row)[0]);

  beforeEach(async () => {
    await query("DROP TABLE IF EXISTS people");
    await query(
      "CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL, age INT DEFAULT 30, UNIQUE KEY by_name (name)) ENGINE=TidesDB",
    );
    await query("INSERT INTO people (name, age) VALUES ('Ann', 41), ('Bob', 17), ('Cid', 25)");
  });

  it("finds, orders, limits and counts", async () => {
    assert.deepEqual(await column("SELECT name FROM people WHERE age > 20 ORDER BY age DESC"), ["Ann", "Cid"]);
    assert.deepEqual(await column("SELECT p.name FROM people AS p ORDER BY name LIMIT 1 OFFSET 1"), ["Bob"]);
    assert.deepEqual(await column("SELECT name FROM people ORDER BY id LIMIT 1, 5"), ["Bob", "Cid"]);
    assert.deepEqual(
      await rows("SELECT COUNT(*) AS n, MIN(age) AS low, MAX(age) AS high, SUM(age) AS total FROM people"),
      [{ n: 3, low: 17, high: 41, total: 83 }],
    );
    assert.deepEqual(await rows("SELECT age > 20 AS grown, COUNT(*) AS n FROM people GROUP BY age > 20 ORDER BY n"), [
      { grown: 0, n: 1 },
      { grown: 1, n: 2 },
    ]);
    assert.deepEqual(await column("SELECT name FROM people WHERE name LIKE 'b%' OR id IN (3, 9)"), ["Bob", "Cid"]);
    assert.deepEqual(await column("SELECT COALESCE(NULL, IF(age BETWEEN 20 AND 30, 'fit', 'other')) FROM people"), [
      "other",
      "other",
      "fit",
    ]);
    assert.deepEqual(await column("SELECT DISTINCT age IS NULL FROM people"), [0]);
  });

  it("finds by primary key what a scan finds", async () => {
    assert.deepEqual(await column("SELECT name FROM people WHERE id = 2"), ["Bob"]);
    assert.deepEqual(await column("SELECT name FROM people WHERE id = '2' AND age = 18"), []);
    assert.deepEqual(await column("SELECT name FROM people WHERE id IN (3, 1, 3)"), ["Cid", "Ann"]);
  });

  it("numbers rows, fills defaults, and refuses what does not fit", async () => {
    assert.equal(((await query("INSERT INTO people (name) VALUES ('Dee')")) as mysql2.ResultSetHeader).insertId, 4);
    assert.deepEqual(await rows("SELECT * FROM people WHERE id = LAST_INSERT_ID()"), [{ id: 4, name: "Dee", age: 30 }]);
    assert.equal(await errorOf(query("INSERT INTO people (name) VALUES ('Ann')")), 1062);
    assert.equal(await errorOf(query("INSERT INTO people (id, name) VALUES (1, 'Zoe')")), 1062);
    assert.equal(await errorOf(query("INSERT INTO people (age) VALUES (1)")), 1364);
    assert.equal(await errorOf(query("INSERT INTO people (name, age) VALUES (NULL, 1)")), 1048);
    assert.equal(await errorOf(query("INSERT INTO people (name, age) VALUES ('Zoe', 'old')")), 1366);
    assert.equal(await errorOf(query("INSERT INTO people (name, age) VALUES ('Zoe', 3000000000)")), 1264);
    assert.equal(await errorOf(query("INSERT INTO people (name) VALUES (?)", ["x".repeat(21)])), 1406);
    assert.equal(await errorOf(query("INSERT INTO people (name, age) VALUES ('Zoe')")), 1136);
    assert.deepEqual(await column("SELECT COUNT(*) FROM people"), [4]);
  });

  it("writes nothing of a statement that fails half way", async () => {
    assert.equal(await errorOf(query("INSERT INTO people (name) VALUES ('New'), ('Ann')")), 1062);
    assert.deepEqual(await column("SELECT name FROM people WHERE name = 'New'"), []);
  });

  it("replaces, and updates on a duplicate", async () => {
    await query("REPLACE INTO people (id, name, age) VALUES (1, 'Ann', 50)");
    const updated = await query(
      "INSERT INTO people (id, name, age) VALUES (1, 'x', 8), (9, 'Ivy', 9) ON DUPLICATE KEY UPDATE age = age + VALUES(age)",
    );
    assert.equal((updated as mysql2.ResultSetHeader).affectedRows, 3);
    await query("INSERT IGNORE INTO people (name) VALUES ('Bob')");
    assert.deepEqual(await rows("SELECT id, age FROM people WHERE id IN (1, 9)"), [
      { id: 1, age: 58 },
      { id: 9, age: 9 },
    ]);
  });

  it("updates and deletes", async () => {
    await query("UPDATE people SET age = age + 1, name = CONCAT(name, '!') WHERE age < 30");
    assert.deepEqual(await column("SELECT name FROM people WHERE age IN (18, 26)"), ["Bob!", "Cid!"]);
    assert.equal(await errorOf(query("UPDATE people SET name = 'Ann' WHERE id = 2")), 1062);
    await query("DELETE FROM people ORDER BY age LIMIT 1");
    await query("DELETE FROM people WHERE id = 1");
    assert.deepEqual(await column("SELECT id FROM people"), [3]);
    await query("TRUNCATE people");
    assert.deepEqual(await column("SELECT COUNT(*) FROM people"), [0]);
  });

  it("shows a transaction's writes to itself only, until it commits", async () => {
    const other = await server.remote({ database: "app" });
    const others = async () => ((await other.query("SELECT COUNT(*) AS n FROM people"))[0] as Row[])[0]?.n;
    await query("START TRANSACTION");
    await query("INSERT INTO people (name) VALUES ('Eve')");
    await query("DELETE FROM people WHERE id = 1");
    await query("INSERT INTO people (name) VALUES ('Fay')");
    assert.deepEqual(await column("SELECT COUNT(*) FROM people"), [4]);
    assert.equal(await others(), 3);
    await query("COMMIT");
    assert.equal(await others(), 4);
    await query("BEGIN");
    await query("DELETE FROM people");
    await query("ROLLBACK");
    assert.equal(await others(), 4);
    await query("SET autocommit=0");
    await query("DELETE FROM people");
    assert.equal(await others(), 4);
    await query("SET autocommit=1");
    assert.equal(await others(), 0);
  });

  it("loses no update of two clients that count at once", async () => {
    const others = await Promise.all([1, 2, 3].map(() => server.remote({ database: "app" })));
    await Promise.all(
      others.flatMap(other =>
        Array.from({ length: 20 }, () => other.query("UPDATE people SET age = age + 1 WHERE id = 2")),
      ),
    );
    assert.deepEqual(await column("SELECT age FROM people WHERE id = 2"), [77]);
  });

  it("lets a writer wait for another's transaction, and give up in time", async () => {
    const other = await server.remote({ database: "app" });
    await query("BEGIN");
    await query("UPDATE people SET age = 1 WHERE id = 1");
    await other.query("SET SESSION tidesdb_lock_wait_timeout_ms=50");
    assert.equal(await errorOf(other.query("UPDATE people SET age = 2 WHERE id = 1")), 1205);
    await query("COMMIT");
    assert.equal(await errorOf(other.query("UPDATE people SET age = 2 WHERE id = 1")), undefined);
  });

  it("drops a transaction whose client is gone", async () => {
    const gone = await server.remote({ database: "app" });
    await gone.query("BEGIN");
    await gone.query("DELETE FROM people");
    gone.destroy();
    await query("UPDATE people SET age = 2 WHERE id = 1");
    assert.deepEqual(await column("SELECT COUNT(*) FROM people"), [3]);
  });

  it("keeps tables of another engine on the node, out of the bucket", async () => {
    await query("CREATE TABLE local_only (id INT PRIMARY KEY) ENGINE=InnoDB");
    await query("INSERT INTO local_only VALUES (1), (2)");
    assert.deepEqual(await column("SELECT COUNT(*) FROM local_only"), [2]);
    assert.ok(![...server.store.objects.keys()].some(key => key.includes("local_only")));
    assert.equal(await errorOf(query("CREATE TABLE other (id INT) ENGINE=Sphinx")), 1235);
    await query("DROP TABLE local_only");
  });

  it("stores rows of tables without a primary key", async () => {
    await query("CREATE TABLE IF NOT EXISTS plain (text VARCHAR(10))");
    await query("INSERT INTO plain VALUES ('a'), ('a')");
    await query("UPDATE plain SET text = 'b' LIMIT 1");
    assert.deepEqual(await column("SELECT text FROM plain ORDER BY text"), ["a", "b"]);
    await query("DROP TABLE plain");
  });

  it("names what is not there", async () => {
    assert.equal(await errorOf(query("SELECT * FROM nowhere")), 1146);
    assert.equal(await errorOf(query("SELECT * FROM missing.nowhere")), 1146);
    assert.equal(await errorOf(query("SELECT nothing FROM people")), 1054);
    assert.equal(await errorOf(query("SELECT NO_SUCH_FUNCTION(1)")), 1305);
    assert.equal(await errorOf(query("SELECT @@no_such_variable")), 1193);
    assert.equal(await errorOf(query("SELEKT 1")), 1064);
    assert.equal(await errorOf(query("CREATE TABLE people (id INT)")), 1050);
    assert.equal(await errorOf(query("DROP TABLE nowhere")), 1051);
    assert.equal(await errorOf(query("CREATE DATABASE app")), 1007);
    assert.equal(await errorOf(query("")), 1065);
    assert.equal(await errorOf(query("SELECT 1 FROM people JOIN people")), 1235);
  });

  it("shows databases, tables, columns, processes, plugins, variables and status", async () => {
    assert.ok((await column("SHOW DATABASES")).includes("app"));
    assert.deepEqual(await column("SHOW TABLES"), ["people"]);
    assert.deepEqual(await column("SHOW COLUMNS FROM people"), ["id", "name", "age"]);
    assert.match(String((await rows("SHOW CREATE TABLE people"))[0]?.["Create Table"]), /PRIMARY KEY \(`id`\)/);
    assert.ok((await rows("SHOW FULL PROCESSLIST")).some(row => row.Info === "SHOW FULL PROCESSLIST"));
    assert.deepEqual(
      await column("SELECT PLUGIN_AUTH_VERSION FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'tidesdb'"),
      ["4.5.7"],
    );
    assert.deepEqual(await rows("SHOW GLOBAL VARIABLES LIKE 'tidesdb\\_replica\\_mode'"), [
      { Variable_name: "tidesdb_replica_mode", Value: "OFF" },
    ]);
    assert.deepEqual(await column("SHOW GLOBAL STATUS WHERE Variable_name = 'Tidesdb_primary_epoch'"), [
      "Tidesdb_primary_epoch",
    ]);
    assert.deepEqual(
      await rows(
        "SELECT TABLE_NAME AS name, ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
      ),
      [{ name: "people", engine: "TidesDB" }],
    );
  });

  it("answers what clients ask when they connect", async () => {
    await query("SET NAMES utf8mb4");
    await query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    await query("SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES'), @@session.wait_timeout = 60");
    assert.deepEqual(await rows("select @@version_comment limit 1"), [
      { "@@version_comment": "Simulation of TideSQL for tests" },
    ]);
    assert.deepEqual(
      await rows("SELECT @@max_allowed_packet, @@wait_timeout, @@tx_isolation /* and so on */ -- comment"),
      [{ "@@max_allowed_packet": 16777216, "@@wait_timeout": 60, "@@tx_isolation": "REPEATABLE-READ" }],
    );
    assert.deepEqual(await column("SELECT /*!40001 SQL_NO_CACHE */ 0x4142 FROM DUAL"), [Buffer.from("AB").toString()]);
    await query("SET @a = 5, @b := @a + 1");
    assert.deepEqual(await column("SELECT @b"), [6]);
  });
});

describe("simulated engine: who may do what", () => {
  let server: TestServer;
  let admin: mysql2.Connection;
  before(async () => {
    server = await TestServer.start(["plugin_load_add=simple_password_check.so"]);
    admin = await server.remote({ database: "app" });
    await admin.query("CREATE TABLE items (id INT PRIMARY KEY)");
    await admin.query("CREATE USER writer@'%' IDENTIFIED BY 'Writer-123'");
    await admin.query("GRANT SELECT, INSERT ON `app`.* TO writer@'%'");
  });
  after(() => server.stop());
  const writer = () => server.remote({ user: "writer", password: "Writer-123", database: "app" });

  it("refuses writes of all but administrators while the server is read-only", async () => {
    const client = await writer();
    await admin.query("SET GLOBAL read_only=ON");
    assert.equal(await errorOf(client.query("INSERT INTO items VALUES (1)")), 1290);
    await client.query("BEGIN");
    assert.equal(await errorOf(client.query("INSERT INTO items VALUES (1)")), 1290);
    await client.query("ROLLBACK");
    assert.equal(await errorOf(admin.query("INSERT INTO items VALUES (2)")), undefined);
    await admin.query("SET GLOBAL read_only=OFF");
    assert.equal(await errorOf(client.query("INSERT INTO items VALUES (1)")), undefined);
    assert.equal(await errorOf(client.query("SET GLOBAL read_only=OFF")), 1227);
  });

  it("waits with read_only for a transaction that has written", async () => {
    const client = await writer();
    await client.query("BEGIN");
    await client.query("INSERT INTO items VALUES (10)");
    let done = false;
    const closing = admin.query("SET GLOBAL read_only=ON").then(() => (done = true));
    const other = await server.local();
    await other.query("SELECT 1");
    assert.equal(done, false);
    await other.query(
      `KILL ${(await client.query<mysql2.RowDataPacket[]>("SELECT CONNECTION_ID() AS id"))[0][0]?.id as number}`,
    );
    await closing;
    await admin.query("SET GLOBAL read_only=OFF");
    assert.deepEqual((await admin.query("SELECT id FROM items WHERE id = 10"))[0], []);
  });

  it("keeps accounts to their grants", async () => {
    const client = await writer();
    assert.equal(await errorOf(client.query("DELETE FROM items")), 1142);
    assert.equal(await errorOf(client.query("DROP TABLE items")), 1142);
    assert.equal(await errorOf(client.query("CREATE DATABASE mine")), 1044);
    assert.equal(await errorOf(client.query("CREATE USER another@'%' IDENTIFIED BY 'Another-1'")), 1227);
    assert.equal(await errorOf(client.query("SELECT * FROM mysql.user")), 1142);
    assert.equal(await errorOf(client.query("GRANT SELECT ON app.* TO writer@'%'")), 1045);
    const databases = (await client.query("SHOW DATABASES"))[0] as Row[];
    assert.deepEqual(
      databases.map(row => row.Database),
      ["information_schema", "app"],
    );
  });

  it("makes, changes and drops accounts", async () => {
    assert.equal(await errorOf(admin.query("CREATE USER writer@'%' IDENTIFIED BY 'Writer-123'")), 1396);
    assert.equal(await errorOf(admin.query("GRANT SELECT ON app.* TO nobody@'%'")), 1133);
    await admin.query("CREATE OR REPLACE USER temporary@'%' IDENTIFIED BY 'First-123' REQUIRE SSL");
    assert.equal(await errorOf(server.remote({ user: "temporary", password: "First-123" })), 1045);
    await admin.query("ALTER USER temporary@'%' REQUIRE NONE");
    await admin.query("SET PASSWORD FOR temporary@'%' = PASSWORD('Second-123')");
    assert.equal(await errorOf(server.remote({ user: "temporary", password: "First-123" })), 1045);
    await server.remote({ user: "temporary", password: "Second-123" });
    const grants = (await admin.query("SHOW GRANTS FOR writer@'%'"))[0] as Row[];
    assert.ok(grants.some(row => Object.values(row)[0] === "GRANT SELECT, INSERT ON `app`.* TO `writer`@`%`"));
    await admin.query("REVOKE INSERT ON app.* FROM writer@'%'");
    assert.equal(await errorOf((await writer()).query("INSERT INTO items VALUES (99)")), 1142);
    await admin.query("GRANT INSERT ON app.* TO writer@'%'");
    await admin.query("DROP USER IF EXISTS temporary@'%', never@'%'");
    assert.equal(await errorOf(admin.query("DROP USER temporary@'%'")), 1396);
  });

  it("takes a grant's database for a pattern, unless it is escaped", async () => {
    for (const name of ["my_shop", "myxshop"]) await admin.query(`CREATE DATABASE ${name}`);
    await admin.query("CREATE USER shopper@'%' IDENTIFIED BY 'Shopper-1'");
    const seen = async () => {
      const client = await server.remote({ user: "shopper", password: "Shopper-1" });
      return ((await client.query("SHOW DATABASES"))[0] as Row[]).map(row => row.Database).slice(1);
    };
    await admin.query("GRANT SELECT ON `my\\_shop`.* TO shopper@'%'");
    assert.deepEqual(await seen(), ["my_shop"]);
    await admin.query("GRANT SELECT ON `my_shop`.* TO shopper@'%'");
    assert.deepEqual(await seen(), ["my_shop", "myxshop"]);
  });

  it("takes account names that need quoting as they are", async () => {
    await admin.query("CREATE USER 'o''hara`'@'%' IDENTIFIED BY 'It''s-a-Pa55 \\\\ word'");
    await server.remote({ user: "o'hara`", password: "It's-a-Pa55 \\ word" });
    await admin.query("DROP USER 'o''hara`'@'%'");
  });

  it("refuses passwords that the password check refuses, an empty one too", async () => {
    for (const password of ["Short-1", "no-upper-case-1", "NO-LOWER-CASE-1", "No-Digits-Here", "NoOthers123"]) {
      assert.equal(await errorOf(admin.query("CREATE USER weak@'%' IDENTIFIED BY ?", [password])), 1819, password);
    }
    assert.equal(await errorOf(admin.query("CREATE USER weak@'%'")), 1819);
  });
});

describe("simulated engine: a replica's SQL", () => {
  it("fails with the engine's own errors, and writes once it is promoted", async () => {
    const server = await TestServer.start([], true);
    try {
      const client = await server.remote({ database: "app" });
      assert.equal(await errorOf(client.query("CREATE TABLE items (id INT PRIMARY KEY)")), 1005);
      await client.query("SET GLOBAL tidesdb_promote_primary=ON");
      assert.equal(await errorOf(client.query("SET GLOBAL tidesdb_promote_primary=ON")), 1105);
      await client.query("CREATE TABLE items (id INT PRIMARY KEY)");
      await client.query("INSERT INTO items VALUES (1)");
      const [optimised] = await client.query("OPTIMIZE TABLE items");
      assert.equal((optimised as Row[])[0]?.Msg_text, "OK");
      assert.deepEqual((await client.query("SELECT @@tidesdb_promote_primary AS trigger_variable"))[0], [
        { trigger_variable: 0 },
      ]);
    } finally {
      server.stop();
    }
  });

  it("says that a row cannot be written in the engine's strange way", async () => {
    const server = await TestServer.start();
    try {
      const client = await server.remote({ database: "app" });
      await client.query("CREATE TABLE items (id INT PRIMARY KEY)");
      await client.query("INSERT INTO items VALUES (1)");
      // Another node takes the lease: the next publish demotes this one.
      const lease = server.store.objects.get("_tdb_primary_lease")!;
      await server.store.put("_tdb_primary_lease", Buffer.from("epoch=2\n"), {
        metadata: { epoch: "2" },
        ifMatch: lease.etag,
      });
      await client.query("OPTIMIZE TABLE items");
      assert.equal(await errorOf(client.query("INSERT INTO items VALUES (2)")), 1207);
      assert.equal(await errorOf(client.query("DROP TABLE items")), undefined);
      assert.deepEqual((await client.query("SELECT id FROM items"))[0], [{ id: 1 }]);
    } finally {
      server.stop();
    }
  });

  it("shows the engine's status as it was up to a second ago", async () => {
    const server = await TestServer.start([], true);
    try {
      const client = await server.remote();
      const active = async () => {
        const [lines] = await client.query("SHOW GLOBAL STATUS LIKE 'Tidesdb_replica_mode_active'");
        return (lines as Row[])[0]?.Value;
      };
      await client.query("SET GLOBAL tidesdb_promote_primary=ON");
      assert.equal(await active(), "1");
      while ((await active()) === "1") await new Promise(resolve => setTimeout(resolve, 50));
    } finally {
      server.stop();
    }
  });
});
