import assert from "node:assert/strict";
import { Lab, Node, prefix, until } from "../lab";
import { ConformanceSection } from "../test";

const table = "CREATE TABLE app.t (id INT PRIMARY KEY, v INT)";
const insert = (id: number) => `INSERT INTO app.t VALUES (${id}, 1)`;
const count = async (node: Node, name = "app.t") => Number((await node.sql(`SELECT COUNT(*) FROM ${name}`))[0]?.[0]);

export const restarts: ConformanceSection = {
  section: "Restarts, followers and what they load",
  tests: [
    {
      title: "does not look for SSTables that the manifest names when one of the table is on the disk",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await primary.sql(insert(2));
        await primary.flush("app.t");
        const replica = await lab.replica();
        assert.equal(await count(replica), 2);
        await replica.kill();
        const [first] = replica.files("app__t/").filter(name => name.endsWith(".klog"));
        replica.remove(first ?? "");
        replica.remove((first ?? "").replace("klog", "vlog"));
        await primary.kill();
        await replica.start();
        await lab.polls();
        assert.equal(await count(replica), 1);
      },
    },
    {
      title: "shows nothing of tables when the bucket was down as an empty replica opened it",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        const replica = lab.node();
        lab.bucket.down();
        await replica.start().catch(() => undefined);
        lab.bucket.up();
        if (replica.ended) return;
        await lab.polls();
        assert.equal(await replica.error("SELECT * FROM app.t"), 1146);
      },
    },
    {
      title: "passes over what is older than the newest row of any SSTable, in a node that starts empty",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, "CREATE TABLE app.u (id INT PRIMARY KEY)");
        await primary.flush("app.t");
        await primary.sql(insert(1), "INSERT INTO app.u VALUES (1)");
        await diesWithHalfAFlush(lab, primary);
        const fresh = await lab.replica();
        await lab.polls();
        assert.equal(await count(fresh, "app.u"), 1);
        assert.equal(await count(fresh), 0);
      },
    },
    {
      title: "has the same sequence on a node that has followed and on one that lacks rows",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, "CREATE TABLE app.u (id INT PRIMARY KEY)");
        await primary.flush("app.t");
        const follower = await lab.replica();
        await primary.sql(insert(1), "INSERT INTO app.u VALUES (1)");
        await until(
          "the follower has both",
          10,
          async () => (await count(follower)) + (await count(follower, "app.u")) === 2,
        );
        await diesWithHalfAFlush(lab, primary);
        const fresh = await lab.replica();
        await lab.polls();
        assert.equal(await count(follower), 1);
        assert.equal(await count(fresh), 0);
        const sequence = (node: Node) => node.status("Tidesdb_global_sequence");
        await until("the status is as new", 5, async () => (await sequence(fresh)) === (await sequence(follower)));
      },
    },
    {
      title: "begins a poll with its lease, then lists all, then reads manifests, then the WALs",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await until("a WAL is there", 60, () => lab.objects("uwal_").length > 0);
        await primary.kill();
        await lab.replica();
        await lab.polls();
        lab.bucket.calls.length = 0;
        await lab.polls();
        const calls = lab.bucket.calls.map(({ operation, key }) => `${operation} ${key.slice(prefix.length)}`);
        const begin = calls.indexOf("head _tdb_primary_lease");
        const end = calls.indexOf("head _tdb_primary_lease", begin + 1);
        assert.ok(begin >= 0 && end > begin, calls.join(", "));
        const poll = calls.slice(begin, end);
        assert.deepEqual(poll.slice(0, 2), ["head _tdb_primary_lease", "list "], poll.join(", "));
        const at = (call: string) => poll.indexOf(call);
        assert.ok(at("get app__t/MANIFEST") > 1, poll.join(", "));
        assert.ok(at("list uwal_") > at("get app__t/MANIFEST"), poll.join(", "));
        assert.ok(poll.findLastIndex(call => call.startsWith("get uwal_")) > at("list uwal_"), poll.join(", "));
        assert.ok(!poll.some(call => call.startsWith("put")), poll.join(", "));
      },
    },
    {
      title: "asks for its map of tables before it lists anything when it starts",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await primary.kill();
        lab.bucket.calls.length = 0;
        await lab.replica();
        const calls = lab.bucket.calls.map(({ operation, key }) => `${operation} ${key.slice(prefix.length)}`);
        const map = calls.indexOf("get UNIMAP");
        assert.ok(map >= 0 && map < calls.findIndex(call => call.startsWith("list")), calls.slice(0, 12).join(", "));
      },
    },
    {
      title: "sends manifests over the primary's when a replica opens the bucket",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table, insert(1));
        await primary.flush("app.t");
        await primary.kill();
        lab.bucket.calls.length = 0;
        await lab.replica();
        const sent = lab.bucket.calls.filter(({ operation }) => operation === "put").map(({ key }) => key);
        assert.ok(sent.includes(`${prefix}app__t/MANIFEST`), sent.join(", "));
      },
    },
    {
      title: "refuses to delete by an alias without a database in use",
      async run(lab) {
        const primary = await lab.primary();
        await primary.sql(table);
        assert.equal(await primary.error("DELETE a FROM app.t a, app.t b WHERE a.id IN (1, 5) AND b.id = a.id"), 1046);
      },
    },
    {
      title: "merges by the tree's shape under names with a partition, which a node that starts later takes for empty",
      async run(lab) {
        const primary = await lab.primary({
          tidesdb_default_l1_file_count_trigger: "2",
          tidesdb_default_min_levels: "1",
        });
        await primary.sql(table);
        for (let id = 1; id <= 6; id++) {
          await primary.sql(insert(id));
          await primary.flush("app.t");
        }
        const merged = () => primary.files("app__t/").filter(name => /\/L\d+P\d+_\d+\.klog$/.test(name));
        await until("a merged file is there", 10, () => merged().length > 0);
        await lab.polls();
        await primary.kill();
        const replica = await lab.replica();
        await lab.polls();
        const found = replica.files("app__t/").filter(name => name.endsWith(".klog"));
        assert.notEqual(found.length, 0);
        for (const name of found) {
          assert.match(name, /\/L\d+_\d+\.klog$/);
          assert.ok(replica.size(name) <= 8, `${name} has ${replica.size(name)} bytes`);
        }
      },
    },
  ],
};

/** The primary flushes, of `app.u` the bucket gets it, of `app.t` it does not, and the primary dies. */
async function diesWithHalfAFlush(lab: Lab, primary: Node): Promise<void> {
  lab.bucket.fault = ({ operation, key }) => {
    if (operation === "put" && key.startsWith(`${prefix}app__t/`)) throw new Error("held");
  };
  await primary.flush("app.u");
  await until("the other table's is there", 10, () => lab.objects("app__u/").some(name => name.endsWith(".klog")));
  await lab.polls();
  await primary.kill();
  lab.bucket.up();
}
