import assert from "node:assert/strict";
import { s3Bucket } from "../../../../components/manager/store/bucket/s3Bucket";
import { createLog } from "../../../../components/manager/store/log/seal";
import { forcedCompaction, RealEngine } from "../../../storeEngine/realEngine";
import { StoreHost, systemStoreClock } from "../../../storeEngine/storeHost";
import { Lab, until } from "../lab";
import { ConformanceSection } from "../test";

/** Nodes of one database behind the store on the log, whose bucket is the lab's. */
async function nodes(lab: Lab, durability: "commit" | "interval", ...names: string[]): Promise<StoreHost[]> {
  const location = { endpoint: lab.endpoint, bucket: "tests", region: "us-east-1", prefix: "log/" };
  const bucket = s3Bucket(
    { ...location, useTls: false, pathStyle: true },
    { current: () => Promise.resolve({ accessKeyId: "key", secretAccessKey: "secret" }) },
  );
  await createLog(bucket, "conformance", "conformance", systemStoreClock);
  const options = { durability, writeBuffer: "1M", options: [...forcedCompaction, "--skip-networking"], tick: 25 };
  return Promise.all(
    names.map(async name => {
      const engine = new RealEngine(lab.enginePrefix, lab.scratch(name), 0);
      await engine.install(lab.scratch(`template-${name}`));
      const host = new StoreHost({ ...options, bucket, name, engine, log: () => undefined });
      await host.boot();
      lab.closing(() => host.crash());
      return host;
    }),
  );
}

/** Id and value of each row: by a scan, by the index, and by one read for each key. */
async function rowsOf({ engine }: StoreHost): Promise<string[]> {
  const show = (rows: object[]) => rows.map(row => Object.values(row).join("=")).join();
  const scanned = await engine.sql("SELECT id, v FROM app.t ORDER BY id");
  const found: object[] = [];
  for (const { id } of scanned) found.push(...(await engine.sql(`SELECT id, v FROM app.t WHERE id = ${id}`)));
  const indexed = await engine.sql("SELECT id, v FROM app.t WHERE v >= 0 ORDER BY id");
  return [show(scanned), show(found), show(indexed)];
}

const agree = (rows: string) => [rows, rows, rows];

async function shows(host: StoreHost, rows: string): Promise<void> {
  await until(`${host.options.name} shows ${rows}`, 20, async () => (await rowsOf(host)).every(seen => seen === rows));
}

/** The names of a table's columns. */
async function columnsOf({ engine }: StoreHost, table = "app.t"): Promise<string> {
  return (await engine.sql(`SHOW COLUMNS FROM ${table}`)).map(({ Field: name }) => String(name)).join();
}

/** Rows of a statement, each with its values. */
async function answer({ engine }: StoreHost, statement: string): Promise<string> {
  return (await engine.sql(statement)).map(row => Object.values(row).join("=")).join();
}

async function hasColumns(host: StoreHost, columns: string): Promise<void> {
  await until(`${host.options.name} has ${columns}`, 20, async () => (await columnsOf(host)) === columns);
}

export const behindTheStore: ConformanceSection = {
  section: "Behind the store on the log",
  tests: [
    {
      title: "writes, is followed, and is taken over from an aligned volume with every commit that was acknowledged",
      async run(lab) {
        const [a, b] = (await nodes(lab, "commit", "a", "b")) as [StoreHost, StoreHost];
        await a.write();
        await a.engine.sql("CREATE DATABASE app");
        await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT, KEY v (v))");
        for (let id = 1; id < 4; id++) await a.engine.sql(`INSERT INTO app.t VALUES (${id}, 1)`);
        await b.follow();
        await shows(b, "1=1,2=1,3=1");
        await a.flush();
        await a.engine.sql("UPDATE app.t SET v = 2 WHERE id = 1");
        await a.engine.sql("DELETE FROM app.t WHERE id = 2");
        await shows(b, "1=2,3=1");
        await a.engine.sql("INSERT INTO app.t VALUES (4, 4)");
        await a.crash();
        assert.equal(await b.write(), true);
        assert.deepEqual(await rowsOf(b), agree("1=2,3=1,4=4"));
        await b.engine.sql("CREATE TABLE app.u (id INT PRIMARY KEY)");
        await b.engine.sql("INSERT INTO app.t VALUES (5, 5)");
        await a.wipe();
        await a.boot();
        await a.follow();
        await shows(a, "1=2,3=1,4=4,5=5");
        await until("the new table is there", 20, async () => {
          const [row] = await a.engine.sql("SELECT COUNT(*) AS count FROM app.u");
          return row?.count === 0;
        });
        assert.deepEqual([...a.warnings, ...b.warnings], []);
      },
    },
    {
      title: "goes on in place with what it had on its disk alone, in interval",
      async run(lab) {
        const [a] = (await nodes(lab, "interval", "a")) as [StoreHost];
        await a.write();
        await a.engine.sql("CREATE DATABASE app");
        await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT, KEY v (v))");
        for (let id = 1; id < 30; id++) await a.engine.sql(`INSERT INTO app.t VALUES (${id}, ${id})`);
        await a.crash();
        await a.boot();
        assert.equal(await a.write(), true);
        const rows = Array.from({ length: 29 }, (_, index) => `${index + 1}=${index + 1}`).join();
        assert.deepEqual(await rowsOf(a), agree(rows));
      },
    },
    {
      title: "gives a node that takes over every column that ALTER TABLE has added in place, with its rows",
      async run(lab) {
        const [a, b, c] = (await nodes(lab, "commit", "a", "b", "c")) as [StoreHost, StoreHost, StoreHost];
        await a.write();
        await a.engine.sql("CREATE DATABASE app");
        await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT, KEY v (v))");
        await a.engine.sql("INSERT INTO app.t VALUES (1, 1)");
        await a.engine.sql("ALTER TABLE app.t ADD COLUMN w INT");
        await a.engine.sql("INSERT INTO app.t VALUES (2, 2, 20)");
        // Acknowledged, and nothing is written afterwards.
        await a.engine.sql("ALTER TABLE app.t ADD COLUMN x INT");
        await a.crash();
        assert.equal(await b.write(), true);
        assert.equal(await columnsOf(b), "id,v,w,x");
        assert.equal(await answer(b, "SELECT id, v, w, x FROM app.t ORDER BY id"), "1=1==,2=2=20=");
        await b.engine.sql("INSERT INTO app.t VALUES (3, 3, 30, 300)");
        await b.engine.sql("ALTER TABLE app.t ADD COLUMN y INT");
        await b.flush();
        await b.crash();
        assert.equal(await c.write(), true);
        assert.equal(await columnsOf(c), "id,v,w,x,y");
        assert.equal(await answer(c, "SELECT id, w, x FROM app.t ORDER BY id"), "1==,2=20=,3=30=300");
      },
    },
    {
      title: "shows a running follower what ALTER TABLE has added in place",
      async run(lab) {
        const [a, b] = (await nodes(lab, "interval", "a", "b")) as [StoreHost, StoreHost];
        await a.write();
        await a.engine.sql("CREATE DATABASE app");
        await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT, KEY v (v))");
        await a.engine.sql("INSERT INTO app.t VALUES (1, 1)");
        // An engine that was opened before there was a table finds none until it is started again.
        await a.writing!.handler.ship();
        await b.follow();
        await shows(b, "1=1");
        await a.engine.sql("ALTER TABLE app.t ADD COLUMN w INT");
        await hasColumns(b, "id,v,w");
        await a.engine.sql("INSERT INTO app.t VALUES (2, 2, 20)");
        await until("its rows", 20, async () => (await answer(b, "SELECT w FROM app.t WHERE id = 2")) === "20");
        await a.engine.sql("ALTER TABLE app.t ADD KEY w (w)");
        await a.engine.sql("INSERT INTO app.t VALUES (3, 3, 30)");
        const indexed = "SELECT id FROM app.t FORCE INDEX (w) WHERE w >= 20 ORDER BY id";
        await until("its index", 20, async () => (await answer(b, indexed)) === "2,3");
        assert.deepEqual(b.feed?.restartReasons, []);
        await a.crash();
        assert.equal(await b.write(), true);
        assert.equal(await columnsOf(b), "id,v,w");
        assert.equal(await answer(b, indexed), "2,3");
        assert.deepEqual([...a.warnings, ...b.warnings], []);
      },
    },
    {
      title: "keeps what ALTER TABLE has added in place in RENAME TABLE, and forgets it in DROP TABLE",
      async run(lab) {
        const [a, b] = (await nodes(lab, "commit", "a", "b")) as [StoreHost, StoreHost];
        await a.write();
        await a.engine.sql("CREATE DATABASE app");
        for (const table of ["t", "gone"]) {
          await a.engine.sql(`CREATE TABLE app.${table} (id INT PRIMARY KEY, v INT, KEY v (v))`);
          await a.engine.sql(`INSERT INTO app.${table} VALUES (1, 1)`);
          await a.engine.sql(`ALTER TABLE app.${table} ADD COLUMN w INT`);
        }
        await a.engine.sql("RENAME TABLE app.t TO app.renamed");
        await a.engine.sql("DROP TABLE app.gone");
        await a.engine.sql("CREATE TABLE app.gone (id INT PRIMARY KEY, z INT)");
        await a.engine.sql("INSERT INTO app.gone VALUES (5, 50)");
        await a.crash();
        assert.equal(await b.write(), true);
        assert.equal(await columnsOf(b, "app.renamed"), "id,v,w");
        assert.equal(await answer(b, "SELECT * FROM app.gone"), "5=50");
      },
    },
    {
      title: "goes on in place with a column that ALTER TABLE has added last, and hands it on",
      async run(lab) {
        const [a, b] = (await nodes(lab, "interval", "a", "b")) as [StoreHost, StoreHost];
        await a.write();
        await a.engine.sql("CREATE DATABASE app");
        await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT, KEY v (v))");
        await a.engine.sql("INSERT INTO app.t VALUES (1, 1)");
        a.ships = false;
        await a.engine.sql("ALTER TABLE app.t ADD COLUMN w INT");
        await a.engine.sql("INSERT INTO app.t VALUES (2, 2, 20)");
        await a.crash();
        a.ships = true;
        await a.boot();
        assert.equal(await a.write(), true);
        assert.equal(await columnsOf(a), "id,v,w");
        await a.crash();
        assert.equal(await b.write(), true);
        assert.equal(await columnsOf(b), "id,v,w");
        assert.equal(await answer(b, "SELECT id, w FROM app.t ORDER BY id"), "1=,2=20");
      },
    },
  ],
};
