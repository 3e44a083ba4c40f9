import assert from "node:assert/strict";
import { emptyWal, walBlocks, WalReader } from "../../formats/writeAheadLog";
import { newestWal, Node, prefix, until } from "../lab";
import { ConformanceSection } from "../test";

const count = async (node: Node, table: string) => Number((await node.sql(`SELECT COUNT(*) FROM ${table}`))[0]?.[0]);

/** A primary with a table that was flushed once, and rows in the WAL. */
async function written(primary: Node, rows: number): Promise<void> {
  await primary.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT)", "INSERT INTO app.t VALUES (0, 0)");
  await primary.flush("app.t");
  for (let id = 1; id <= rows; id++) await primary.sql(`INSERT INTO app.t VALUES (${id}, 1)`);
}

export const roles: ConformanceSection = {
  section: "Roles",
  tests: [
    {
      title:
        "refuses writes on a replica with error 1207 and tables with 1005, and with 1290 what read_only refuses before",
      async run(lab) {
        const primary = await lab.primary();
        await written(primary, 1);
        const replica = await lab.replica();
        assert.equal(await replica.error("INSERT INTO app.t VALUES (9, 9)"), 1207);
        assert.equal(await replica.error("CREATE TABLE app.u (id INT PRIMARY KEY)"), 1005);
        await replica.sql(
          "CREATE USER reader@localhost",
          "GRANT ALL ON app.* TO reader@localhost",
          "SET GLOBAL read_only=ON",
        );
        await replica.sql("DROP USER reader@localhost");
      },
    },
    {
      title: "lets a promoted replica make tables that a replica finds which starts later",
      async run(lab) {
        const primary = await lab.primary();
        await written(primary, 3);
        const replica = await lab.replica();
        assert.equal(await count(replica, "app.t"), 4);
      },
    },
    {
      title: "raises the epoch of its lease in the bucket with each promotion",
      async run(lab) {
        const epoch = () => Number(lab.bucket.objects.get(`${prefix}_tdb_primary_lease`)?.metadata.epoch ?? 0);
        const first = await lab.primary();
        await written(first, 1);
        const before = epoch();
        const second = await lab.replica();
        await first.kill();
        await second.promote();
        assert.equal(epoch(), before + 1);
      },
    },
    {
      title: "fails a promotion that loses the race for the lease with an error",
      async run(lab) {
        const first = await lab.primary();
        await written(first, 1);
        const second = await lab.replica();
        let armed = true;
        lab.bucket.fault = ({ operation, key }) => {
          if (!armed || operation !== "put" || !key.endsWith("_tdb_primary_lease")) return;
          armed = false;
          // Another node was a moment faster.
          const lease = lab.bucket.objects.get(key);
          if (lease) lab.bucket.objects.set(key, { ...lease, etag: '"another"' });
        };
        assert.notEqual(await second.error("SET GLOBAL tidesdb_promote_primary=ON"), undefined);
        lab.bucket.up();
        assert.equal(await second.error("INSERT INTO app.t VALUES (9, 9)"), 1207);
      },
    },
    {
      title: "believes a promotion that it was given while the bucket was down: it answers OK and takes writes",
      async run(lab) {
        const first = await lab.primary();
        await written(first, 1);
        const second = await lab.replica();
        await first.kill();
        lab.bucket.down();
        assert.equal(await second.error("SET GLOBAL tidesdb_promote_primary=ON"), undefined);
        assert.equal(await second.error("INSERT INTO app.t VALUES (9, 9)"), undefined);
      },
    },
    {
      title: "loses nothing by kill -9 when it is started on its own volume, as a replica, and promoted",
      async run(lab) {
        const primary = await lab.primary();
        await written(primary, 40);
        await primary.kill();
        await primary.start();
        await primary.promote();
        await primary.flush("app.t");
        assert.equal(await count(primary, "app.t"), 41);
        assert.equal(await count(await lab.replica(), "app.t"), 41);
      },
    },
    {
      title:
        "moves the WAL past an earlier primary's with the flush after a promotion: a frozen one that goes on harms nobody",
      async run(lab) {
        const first = await lab.primary();
        await written(first, 5);
        const second = await lab.replica();
        await until("the replica follows", 10, async () => (await count(second, "app.t")) === 6);
        first.freeze();
        await second.promote();
        await second.flush("app.t");
        for (let id = 100; id < 120; id++) await second.sql(`INSERT INTO app.t VALUES (${id}, 2)`);
        first.thaw();
        for (let id = 200; id < 210; id++) await first.sql(`INSERT INTO app.t VALUES (${id}, 3)`);
        const wal = newestWal(second.files());
        const arrived = () => new WalReader().read(wal, lab.object(wal) ?? emptyWal).length >= 20;
        await until("all of the second's is in the bucket", 20, arrived);
        await lab.polls();
        await first.kill();
        await second.kill();
        const third = await lab.replica();
        await third.promote();
        assert.equal(Number((await third.sql("SELECT COUNT(*) FROM app.t WHERE id BETWEEN 100 AND 119"))[0]?.[0]), 20);
        assert.equal(Number((await third.sql("SELECT COUNT(*) FROM app.t WHERE id >= 200"))[0]?.[0]), 0);
      },
    },
    {
      title: "lets a replica without a volume start without harm to the bucket",
      async run(lab) {
        const primary = await lab.primary();
        await written(primary, 20);
        await lab.polls();
        await primary.kill();
        const other = await lab.replica();
        await lab.polls();
        await other.promote();
        assert.equal(await count(other, "app.t"), 21);
      },
    },
    {
      title: "reads the WAL when it starts as primary without a volume, and puts its own over it with its first commit",
      async run(lab) {
        // No flush yet: all is in uwal_0.
        const primary = await lab.primary();
        await primary.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT)", "INSERT INTO app.t VALUES (1, 1)");
        const rows = () => new WalReader().read("uwal_0.log", lab.object("uwal_0.log") ?? emptyWal);
        await until("the definition and the row are in the bucket", 10, () => rows().length === 2);
        await primary.kill();
        const other = await lab.replica({ tidesdb_replica_mode: "OFF" });
        await lab.polls();
        assert.equal(await count(other, "app.t"), 1);
        assert.equal(rows().length, 2);
        await other.sql("INSERT INTO app.t VALUES (2, 2)");
        await until("only the new row is in the bucket", 10, () => rows().length === 1);
      },
    },
    {
      title:
        "opens the bucket as a writer from the installer that loads the plugin: takes over what is in the WAL, and replaces it",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT)", "INSERT INTO app.t VALUES (1, 1)");
        const wal = () => walBlocks(lab.object("uwal_0.log") ?? Buffer.from(emptyWal));
        await until("the row is in the bucket", 10, () => wal().length >= 2);
        await primary.kill();
        const row = wal().at(-1)!;
        await lab.node().install({ tidesdb_replica_mode: "OFF" });
        assert.ok(!wal().some(block => block.equals(row)));
        assert.ok(lab.objects("app__t/").some(name => name.endsWith(".klog")));
        assert.equal(await count(await lab.replica(), "app.t"), 1);
      },
    },
    {
      title: "sends all its tables again when it is started as primary",
      async run(lab) {
        const primary = await lab.primary();
        await written(primary, 1);
        await primary.stop();
        const files = lab.objects("app__t/").filter(name => name.endsWith(".klog"));
        assert.notEqual(files.length, 0);
        lab.bucket.calls.length = 0;
        await primary.start({ tidesdb_replica_mode: "OFF" });
        const sent = () => lab.bucket.calls.filter(({ operation }) => operation === "put").map(({ key }) => key);
        await until("its tables are sent", 10, () => files.every(name => sent().includes(prefix + name)));
      },
    },
  ],
};
