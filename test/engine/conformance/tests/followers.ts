import assert from "node:assert/strict";
import { newestWal, Node, prefix, until } from "../lab";
import { ConformanceSection } from "../test";

const table = "CREATE TABLE app.t (id INT PRIMARY KEY, v INT)";
const insert = (id: number, value = 1) => `INSERT INTO app.t VALUES (${id}, ${value})`;
const ids = async (node: Node) => (await node.sql("SELECT id FROM app.t ORDER BY id")).map(([id]) => Number(id));
const pointRead = async (node: Node, id: number) =>
  Number((await node.sql(`SELECT v FROM app.t WHERE id = ${id}`))[0]?.[0]);
const scan = async (node: Node, id: number) =>
  Number((await node.sql("SELECT id, v FROM app.t")).find(([found]) => Number(found) === id)?.[1]);

export const followers: ConformanceSection = {
  section: "Followers",
  tests: [
    {
      title: "reads each WAL as a whole at each poll, whether it has changed or not",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await primary.sql(insert(2));
        const replica = await lab.replica();
        await until("the replica follows", 20, async () => (await ids(replica)).length === 2);
        lab.bucket.calls.length = 0;
        await lab.polls();
        await lab.polls();
        for (const wal of lab.objects("uwal_")) {
          const gets = lab.bucket.calls.filter(({ operation, key }) => operation === "get" && key === prefix + wal);
          assert.ok(gets.length >= 2, `${wal} was read ${gets.length} times`);
        }
      },
    },
    {
      title: "gives old versions to reads by key, and not to scans, once a WAL is gone that it has not read to its end",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await primary.sql("UPDATE app.t SET v = 2");
        const replica = await lab.replica();
        await until("the replica follows", 20, async () => (await pointRead(replica, 1)) === 2);
        replica.freeze();
        const wal = newestWal(lab.objects());
        await primary.sql("UPDATE app.t SET v = 3");
        await primary.flush("app.t");
        await until(
          "the table's file and the WAL are in the bucket",
          20,
          () => lab.objects("app__t/").filter(name => name.endsWith(".klog")).length >= 2,
        );
        await primary.sql(insert(2));
        await primary.flush("app.t");
        lab.bucket.objects.delete(prefix + wal);
        replica.thaw();
        await until("the replica has gone on", 20, async () => (await ids(replica)).length === 2);
        await lab.polls();
        assert.deepEqual([await scan(replica, 1), await pointRead(replica, 1)], [3, 2]);
      },
    },
    {
      title: "loses rows below the highest that is left, where a WAL that was moved on is not in the bucket yet",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await lab.polls();
        const wal = newestWal(primary.files());
        let stalled = 0;
        let release = () => undefined as void;
        const released = new Promise<void>(resolve => (release = resolve));
        lab.bucket.fault = ({ operation, key }) => {
          if (operation !== "put" || (/uwal_/.test(key) && key !== prefix + wal)) return;
          stalled++;
          return released.then(() => Promise.reject(new Error("too late")));
        };
        await primary.sql(insert(2));
        void primary.flush("app.t").catch(() => undefined);
        await until("the WAL has moved on", 20, () => newestWal(primary.files()) !== wal);
        await primary.sql(insert(3));
        const next = newestWal(primary.files());
        await until("the next WAL is in the bucket", 20, () => (lab.object(next)?.length ?? 0) > 8);
        await primary.kill();
        release();
        lab.bucket.up();
        assert.ok(stalled > 0);
        const replica = await lab.replica();
        await lab.polls();
        assert.deepEqual(await ids(replica), [1, 3]);
      },
    },
  ],
};
