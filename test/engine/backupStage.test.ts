import * as assert from "node:assert/strict";
import * as mysql2 from "mysql2/promise";
import { errorOf, TestServer } from "./testServer";

type Row = Record<string, unknown>;

describe("simulated engine: BACKUP STAGE", () => {
  let server: TestServer;
  let client: mysql2.Connection;
  let holder: mysql2.Connection;
  before(async () => {
    server = await TestServer.start();
    client = await server.remote({ database: "app" });
    await client.query("CREATE TABLE items (id INT PRIMARY KEY)");
    await client.query("CREATE TABLE others (id INT PRIMARY KEY)");
    await client.query("CREATE TABLE idle (id INT PRIMARY KEY)");
  });
  after(() => server.stop());
  beforeEach(async () => {
    await client.query("DELETE FROM items");
    holder = await server.remote({ database: "app" });
  });
  afterEach(() => holder.end());

  const rows = async (sql: string) => (await client.query(sql))[0] as Row[];
  const ids = async () => (await rows("SELECT id FROM items ORDER BY id")).map(({ id }) => id);
  const idOf = async (connection: mysql2.Connection) =>
    ((await connection.query("SELECT CONNECTION_ID() AS id"))[0] as Row[])[0]?.id as number;
  const block = async (stage = "BLOCK_COMMIT") => {
    await holder.query("BACKUP STAGE START");
    await holder.query(`BACKUP STAGE ${stage}`);
  };

  /** A statement that the server has begun, and does not answer. */
  interface Waiting {
    answer: Promise<unknown>;
    isAnswered: () => boolean;
  }

  /** Sends a statement, and comes back when the server's list of processes shows it. */
  async function begin(connection: mysql2.Connection, sql: string): Promise<Waiting> {
    let answered = false;
    const answer = connection.query(sql).finally(() => (answered = true));
    answer.catch(() => undefined);
    const isShown = async () => (await rows("SHOW FULL PROCESSLIST")).some(({ Info }) => Info === sql);
    while (!(await isShown())) assert.equal(answered, false, `${sql} does not wait`);
    return { answer, isAnswered: () => answered };
  }

  it("lets commits of others wait for its end, and nothing else", async () => {
    const writer = await server.remote({ database: "app" });
    const another = await server.remote({ database: "app" });
    await writer.query("BEGIN");
    await writer.query("INSERT INTO items VALUES (1)");
    await block();
    await writer.query("INSERT INTO items VALUES (2)");
    const commit = await begin(writer, "COMMIT");
    const insert = await begin(another, "INSERT INTO others VALUES (1)");
    const optimize = await begin(await server.remote({ database: "app" }), "OPTIMIZE TABLE idle");
    assert.deepEqual(await ids(), []);
    assert.deepEqual((await holder.query("SELECT id FROM others"))[0], []);
    await client.query("UPDATE idle SET id = 5 WHERE id = 99");
    await client.query("BEGIN");
    await client.query("INSERT INTO idle VALUES (1)");
    await client.query("ROLLBACK");
    for (const { isAnswered } of [commit, insert, optimize]) assert.equal(isAnswered(), false);
    await holder.query("BACKUP STAGE END");
    await Promise.all([commit.answer, insert.answer, optimize.answer]);
    assert.deepEqual(await ids(), [1, 2]);
    assert.deepEqual(await rows("SELECT id FROM others"), [{ id: 1 }]);
  });

  const endings: Record<string, () => Promise<unknown> | void> = {
    "is closed": () => holder.end(),
    "is gone": () => holder.destroy(),
    "is killed": async () => client.query(`KILL ${await idOf(holder)}`),
    "is reset": () => holder.changeUser({ database: "app" }),
  };
  for (const [name, end] of Object.entries(endings)) {
    it(`ends when its connection ${name}`, async () => {
      const writer = await server.remote({ database: "app" });
      await block();
      const insert = await begin(writer, "INSERT INTO items VALUES (1)");
      await end();
      await insert.answer;
      assert.deepEqual(await ids(), [1]);
      await client.query("BACKUP STAGE START");
      await client.query("BACKUP STAGE END");
    });
  }

  it("writes nothing of a commit that waits while its client is killed", async () => {
    const writer = await server.remote({ database: "app" });
    const id = await idOf(writer);
    await block();
    const insert = await begin(writer, "INSERT INTO items VALUES (1)");
    await client.query(`KILL ${id}`);
    assert.equal(await errorOf(insert.answer), 1927);
    await holder.query("BACKUP STAGE END");
    await client.query("INSERT INTO items VALUES (2)");
    assert.deepEqual(await ids(), [2]);
  });

  it("lets a commit wait as long as lock_wait_timeout says", async () => {
    const writer = await server.remote({ database: "app" });
    await writer.query("SET SESSION lock_wait_timeout=0");
    await block();
    assert.equal(await errorOf(writer.query("INSERT INTO items VALUES (1)")), 1205);
    await holder.query("BACKUP STAGE END");
    assert.deepEqual(await ids(), []);
  });

  it("waits for the commits that are under way, while new ones wait for it", async () => {
    const writer = await server.remote({ database: "app" });
    const { backup, sessions } = server.server;
    let finish: () => void = () => undefined;
    const underWay = backup.pass(
      "commit",
      sessions.get(await idOf(client))!,
      () => new Promise<void>(r => (finish = r)),
    );
    await holder.query("BACKUP STAGE START");
    const blocking = await begin(holder, "BACKUP STAGE BLOCK_COMMIT");
    const insert = await begin(writer, "INSERT INTO items VALUES (1)");
    assert.equal(blocking.isAnswered(), false);
    finish();
    await Promise.all([underWay, blocking.answer]);
    assert.equal(insert.isAnswered(), false);
    await holder.query("BACKUP STAGE END");
    await insert.answer;
  });

  it("lets definitions wait from BLOCK_DDL on, and commits go on", async () => {
    const definer = await server.remote({ database: "app" });
    await block("FLUSH");
    await client.query("CREATE TABLE early (id INT PRIMARY KEY)");
    await client.query("DROP TABLE early");
    await holder.query("BACKUP STAGE BLOCK_DDL");
    await client.query("INSERT INTO items VALUES (1)");
    const create = await begin(definer, "CREATE TABLE late (id INT PRIMARY KEY)");
    assert.equal((await rows("SHOW TABLES LIKE 'late'")).length, 0);
    assert.equal(create.isAnswered(), false);
    await holder.query("BACKUP STAGE END");
    await create.answer;
    await client.query("DROP TABLE late");
  });

  it("goes forward only, by its own stages", async () => {
    for (const stage of ["FLUSH", "BLOCK_DDL", "BLOCK_COMMIT", "END"]) {
      assert.equal(await errorOf(holder.query(`BACKUP STAGE ${stage}`)), 4146);
    }
    for (const stage of ["START", "flush", "BLOCK_DDL", "BLOCK_COMMIT"]) {
      await holder.query(`BACKUP STAGE ${stage}`);
      assert.equal(await errorOf(holder.query(`BACKUP STAGE ${stage}`)), 4147);
    }
    assert.equal(await errorOf(holder.query("BACKUP STAGE BLOCK_DDL")), 4147);
    assert.equal(await errorOf(client.query("BACKUP STAGE END")), 4146);
    await holder.query("BACKUP STAGE END");
    assert.equal(await errorOf(holder.query("BACKUP STAGE END")), 4146);
    assert.equal(await errorOf(holder.query("BACKUP STAGE MIDDLE")), 4149);
    assert.equal(await errorOf(holder.query("BACKUP LOCK items")), 1064);
  });

  it("is one session's at a time", async () => {
    const second = await server.remote();
    const hasty = await server.remote();
    await hasty.query("SET SESSION lock_wait_timeout=0");
    await block("FLUSH");
    assert.equal(await errorOf(hasty.query("BACKUP STAGE START")), 1205);
    const start = await begin(second, "BACKUP STAGE START");
    await holder.query("BACKUP STAGE END");
    await start.answer;
    assert.equal(await errorOf(hasty.query("BACKUP STAGE START")), 1205);
    await second.query("BACKUP STAGE END");
    await hasty.query("BACKUP STAGE START");
    await hasty.query("BACKUP STAGE END");
  });

  it("refuses what would have its own session wait for itself", async () => {
    await holder.query("BEGIN");
    await holder.query("INSERT INTO items VALUES (1)");
    await block();
    // It committed first.
    assert.deepEqual(await ids(), [1]);
    for (const sql of [
      "INSERT INTO items VALUES (2)",
      "CREATE TABLE late (id INT PRIMARY KEY)",
      "OPTIMIZE TABLE items",
      "SET GLOBAL read_only=ON",
    ]) {
      assert.equal(await errorOf(holder.query(sql)), 4145, sql);
    }
    await holder.query("COMMIT");
    await holder.query("BACKUP STAGE END");
    await holder.query("INSERT INTO items VALUES (2)");
  });

  it("is for those who may reload", async () => {
    await client.query("CREATE USER writer@'%' IDENTIFIED BY 'Writer-123'");
    const writer = await server.remote({ user: "writer", password: "Writer-123" });
    assert.equal(await errorOf(writer.query("BACKUP STAGE START")), 1227);
  });
});
