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
  ],
};
