import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { emptyWal, walBlocks, walEnd, WalReader } from "../../formats/writeAheadLog";
import { newestWal, Node, prefix, until } from "../lab";
import { ConformanceSection } from "../test";

const table = "CREATE TABLE app.t (id INT PRIMARY KEY, v INT)";
const insert = (id: number, value = 1) => `INSERT INTO app.t VALUES (${id}, ${value})`;
const count = async (node: Node) => Number((await node.sql("SELECT COUNT(*) FROM app.t"))[0]?.[0]);
const wals = (names: string[]) => names.filter(name => /^uwal_\d+\.log$/.test(name));

export const durability: ConformanceSection = {
  section: "Durability",
  tests: [
    {
      title: "sends each commit to the bucket soon with a WAL threshold of 16, where a replica reads it",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        const replica = await lab.replica();
        await primary.sql(insert(2));
        await until("the replica shows the row", 10, async () => (await count(replica)) === 2);
      },
    },
    {
      title: "keeps small commits from the bucket with a threshold of 1 MiB",
      async run(lab) {
        const primary = await lab.primary({ tidesdb_objstore_wal_sync_threshold: "1M" });
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        for (let id = 2; id < 50; id++) await primary.sql(insert(id));
        await lab.polls();
        assert.ok((lab.object(newestWal(primary.files()))?.length ?? 0) <= emptyWal.length);
      },
    },
    {
      title: "sends the whole active WAL with each commit in commit mode, and looks at it",
      async run(lab) {
        const primary = await lab.primary({
          tidesdb_objstore_wal_sync_on_commit: "ON",
          tidesdb_objstore_wal_sync_threshold: "0",
        });
        await primary.sql(table);
        lab.bucket.calls.length = 0;
        for (let id = 0; id < 5; id++) await primary.sql(insert(id));
        const of = (operation: string) =>
          lab.bucket.calls.filter(call => call.operation === operation && call.key.startsWith(`${prefix}uwal_`)).length;
        assert.equal(of("put"), 5);
        assert.equal(of("head"), 5);
        const wal = newestWal(primary.files());
        assert.equal(new WalReader().read(wal, lab.object(wal) ?? emptyWal).at(-1)?.writes.length, 1);
      },
    },
    {
      title: "acknowledges a commit in commit mode that the bucket has not got",
      async run(lab) {
        const primary = await lab.primary({
          tidesdb_objstore_wal_sync_on_commit: "ON",
          tidesdb_objstore_wal_sync_threshold: "0",
        });
        await primary.sql(table, insert(1));
        const wal = newestWal(primary.files());
        const before = lab.object(wal)?.length ?? 0;
        lab.bucket.down();
        await primary.sql(insert(2));
        assert.equal(lab.object(wal)?.length ?? 0, before);
        await until("the failure is counted", 5, async () => (await primary.status("Tidesdb_upload_failures")) > 0);
      },
    },
    {
      title: "has a replica's empty WAL of 8 bytes sent over the primary's with a threshold of 1",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await until("the WAL is in the bucket", 10, () => (lab.object("uwal_0.log")?.length ?? 0) > 8);
        await primary.kill();
        await lab.replica({ tidesdb_objstore_wal_sync_threshold: "1" });
        await until("the replica's WAL replaces it", 10, () => lab.object("uwal_0.log")?.length === 8);
      },
    },
    {
      title: "says that its upload queue is empty while uploads that failed are parked",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        lab.bucket.fault = ({ operation, key }) => {
          if (operation === "put" && /\.[kv]log$/.test(key)) throw new Error("no");
        };
        await primary.flush("app.t");
        await until("the failure is counted", 10, async () => (await primary.status("Tidesdb_upload_failures")) > 0);
        assert.equal(await primary.status("Tidesdb_upload_queue_depth"), 0);
        assert.equal(lab.objects("app__t/").filter(name => name.endsWith(".klog")).length, 0);
      },
    },
    {
      title: "preallocates the file of a WAL with its first commit, and sends no more than its blocks",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await primary.sql(insert(2));
        const wal = newestWal(primary.files());
        assert.equal(primary.size(wal), 64 * 1024 * 1024);
        await until("it is in the bucket", 10, () => (lab.object(wal)?.length ?? 0) > 8);
        const object = lab.object(wal) ?? Buffer.alloc(0);
        assert.equal(walEnd(object), object.length);
        assert.ok(object.length < 1000);
      },
    },
    {
      title: "writes one block for each transaction, all of whose entries have its sequence",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table);
        await primary.flush("app.t");
        await primary.sql("INSERT INTO app.t VALUES (1, 1), (2, 2), (3, 3)");
        await primary.sql("DELETE FROM app.t WHERE id = 2");
        const wal = newestWal(primary.files());
        const read = () => new WalReader().read(wal, lab.object(wal) ?? emptyWal);
        await until("both are in the bucket", 10, () => read().length === 2);
        const [first, second] = read();
        assert.equal(first?.writes.length, 3);
        assert.equal(second?.writes.length, 1);
        assert.equal(second?.writes[0]?.[2], null);
        assert.ok((second?.sequence ?? 0) > (first?.sequence ?? 0));
      },
    },
    {
      title: "reads a WAL to its last whole block, whatever is missing behind it",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await primary.sql(insert(2), insert(3));
        const wal = newestWal(primary.files());
        const blocks = () => walBlocks(lab.object(wal) ?? Buffer.alloc(0));
        await until("all is in the bucket", 10, () => blocks().length === 2);
        await primary.kill();
        const [first, second] = blocks();
        const body = Buffer.concat([emptyWal, first!, second!.subarray(0, second!.length - 3)]);
        lab.bucket.objects.set(prefix + wal, { ...lab.bucket.objects.get(prefix + wal)!, body });
        const other = await lab.replica();
        await until("it shows the first two rows", 10, async () => (await count(other)) === 2);
      },
    },
    {
      title: "passes over what a WAL brings a follower out of the order of its sequences",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(0));
        await primary.flush("app.t");
        const replica = await lab.replica();
        await until("the replica follows", 10, async () => (await count(replica)) === 1);
        const object = () => lab.bucket.objects.get(prefix + newestWal(lab.objects()))!;
        // What the follower gets: the later commit first, and both in the next poll.
        lab.bucket.fault = ({ operation, key }) => {
          if (operation === "get" && key.startsWith(`${prefix}uwal_`)) throw new Error("held");
        };
        await primary.sql(insert(1));
        await primary.sql(insert(2));
        const wal = newestWal(primary.files());
        const blocks = () => walBlocks(lab.object(wal) ?? Buffer.alloc(0));
        await until("both are in the bucket", 10, () => blocks().length === 2);
        await primary.kill();
        const [first, second] = blocks();
        const key = prefix + wal;
        const present = lab.bucket.objects.get(key) ?? object();
        lab.bucket.objects.set(key, {
          ...present,
          etag: '"1"',
          body: Buffer.concat([emptyWal, second!]),
        });
        lab.bucket.up();
        await until("the later row is there", 10, async () => (await count(replica)) === 2);
        lab.bucket.objects.set(key, {
          ...present,
          etag: '"2"',
          body: Buffer.concat([emptyWal, second!, first!]),
        });
        await lab.polls();
        const ids = (await replica.sql("SELECT id FROM app.t")).map(([id]) => Number(id));
        assert.deepEqual(
          ids.sort((a, b) => a - b),
          [0, 2],
        );
      },
    },
    {
      title:
        "writes blocks of commits that run side by side out of the order of their sequences, and a follower lacks those until the next flush",
      async run(lab) {
        const primary = await lab.primary();
        const tables = Array.from({ length: 8 }, (_, i) => `app.t${i}`);
        const all = async (node: Node) => {
          const each = tables.map(async name => Number((await node.sql(`SELECT COUNT(*) FROM ${name}`))[0]?.[0]));
          return (await Promise.all(each)).reduce((sum, rows) => sum + rows);
        };
        for (const name of tables) await primary.sql(`CREATE TABLE ${name} (id INT PRIMARY KEY)`);
        await primary.flush(tables[0]!);
        const replica = await lab.replica();
        await until("the replica follows", 10, async () => (await all(replica)) === 0);
        const wal = newestWal(primary.files());
        const reader = new WalReader();
        const overtaken = () => {
          let highest = 0;
          return reader.read(wal, lab.object(wal) ?? emptyWal).filter(({ sequence }) => {
            const isOvertaken = sequence < highest;
            highest = Math.max(highest, sequence);
            return isOvertaken;
          }).length;
        };
        let ids = 0;
        const end = Date.now() + 60_000;
        const client = async (name: string) => {
          const query = await primary.session();
          while (overtaken() === 0 && Date.now() < end)
            for (let i = 0; i < 20; i++) await query(`INSERT INTO ${name} VALUES (${++ids})`);
        };
        await Promise.all(tables.map(client));
        await until("the order is disturbed in the bucket", 10, () => overtaken() > 0);
        await lab.polls();
        await lab.polls();
        const lacking = ids - (await all(replica));
        assert.ok(lacking > 0, `${overtaken()} out of order, ${lacking} lacking`);
        await primary.flush(tables[0]!);
        await until("the replica has all", 20, async () => (await all(replica)) === ids);
        assert.equal(await all(primary), ids);
      },
    },
    {
      title: "has several uploads of one WAL under way at once, and one at a time with one upload thread",
      async run(lab) {
        for (const threads of [undefined, "1"]) {
          const primary = await lab.primary({ tidesdb_objstore_max_concurrent_uploads: threads });
          await primary.sql("DROP TABLE IF EXISTS app.t", table);
          let under = 0;
          let most = 0;
          lab.bucket.fault = ({ operation, key }) => {
            if (operation !== "put" || !key.startsWith(`${prefix}uwal_`)) return;
            most = Math.max(most, ++under);
            return sleep(1500).then(() => void under--);
          };
          const end = Date.now() + 6000;
          for (let id = 1; Date.now() < end; id++) {
            await primary.sql(insert(id));
            await sleep(50);
          }
          lab.bucket.up();
          await primary.kill();
          if (threads === "1") assert.equal(most, 1);
          else assert.ok(most > 1, `${most} at once`);
        }
      },
    },
    {
      title: "deletes no WAL from the bucket",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table);
        for (let id = 0; id < 4; id++) {
          await primary.sql(insert(id));
          await primary.flush("app.t");
        }
        await lab.polls();
        const generations = wals(lab.objects());
        assert.ok(generations.length >= 4, generations.join(", "));
      },
    },
    {
      title: "reads the first 256 WALs in the order of their names, and so misses one whose name comes later",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        const replica = await lab.replica();
        await until("the replica follows", 10, async () => (await count(replica)) === 1);
        // In the order of names they stand before the primary's.
        await primary.sql(insert(3));
        await primary.flush("app.t");
        await until("the replica follows", 10, async () => (await count(replica)) === 2);
        for (let generation = 1000; generation < 1300; generation++)
          lab.bucket.objects.set(`${prefix}uwal_${generation}.log`, { body: emptyWal, etag: '"e"', metadata: {} });
        await primary.sql(insert(2));
        await lab.polls();
        assert.equal(await count(replica), 2);
      },
    },
  ],
};
