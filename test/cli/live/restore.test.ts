import assert from "node:assert/strict";
import { runRestore } from "../../../cli/live/restore";
import type { Kubectl } from "../../../cli/live/kubectl";
import type { Surroundings } from "../../../cli/live/surroundings";
import { s3Bucket } from "../../../components/manager/store/bucket/s3Bucket";
import { LogWriter } from "../../../components/manager/store/log/append";
import { fileKey } from "../../../components/manager/store/log/keys";
import { createLog, seal } from "../../../components/manager/store/log/seal";
import { DatabaseState } from "../../../components/manager/store/log/state";
import { LogReader } from "../../../components/manager/store/log/tail";
import { S3Server } from "../../engine/objectStore/s3Server";
import { steppedClock } from "../../manager/store/memoryBucket";

/** The first entry's time. */
const began = Date.parse("2024-03-01T00:00:00Z");
const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

describe("tidesql restore", () => {
  const before = keys.map(key => process.env[key]);
  let server: S3Server;

  beforeEach(async () => {
    for (const key of keys) process.env[key] = "tests";
    server = await S3Server.start("orders-data");
    await writeSource();
  });
  afterEach(() => {
    server.stop();
    keys.forEach((key, index) => {
      if (before[index] === undefined) delete process.env[key];
      else process.env[key] = before[index];
    });
  });

  const folder = (prefix: string) =>
    s3Bucket(
      {
        endpoint: server.endpoint,
        bucket: "orders-data",
        region: "us-east-1",
        prefix,
        useTls: false,
        pathStyle: true,
      },
      { current: () => Promise.resolve({ accessKeyId: "tests", secretAccessKey: "tests" }) },
    );

  /** Ten files of one table, a second apart, at positions 3 to 12. */
  async function writeSource() {
    const bucket = folder("orders/");
    const clock = { ...steppedClock(), wall: () => began + clock.at };
    await createLog(bucket, "source", "test", clock);
    const reader = new LogReader(bucket, new DatabaseState());
    await reader.catchUp();
    const election = await seal(bucket, clock, reader, { nonce: "w", author: "w" });
    const log = new LogWriter(bucket, clock, {
      ...election!,
      nonce: "w",
      time: 0,
      durable: entry => reader.state.apply(entry),
    });
    await log.submit({ changes: [{ type: "table", number: 1, name: "app__t" }], payload: [] });
    for (let id = 0; id < 10; id++) {
      clock.at = (id + 1) * 1000;
      const [keys, values] = [2 * id, 2 * id + 1].map(upload => ({ key: fileKey(1, 1, upload), size: 1, crc32: 1 }));
      for (const { key } of [keys!, values!]) await bucket.create(key, Buffer.from("x"), 1000);
      const added = { level: 1, id, entries: 1, bytes: 1, maxSequence: 1, keys: keys!, values: values! };
      await log.submit({
        changes: [{ type: "files", table: 1, added: [added], removed: [], nextId: 99 }],
        payload: [],
      });
    }
  }

  /** Runs the command. @param taken databases of the cluster; without them it reads the bucket from here */
  async function restore(argv: string[], { taken, answer = "" }: { taken?: string[]; answer?: string } = {}) {
    const out: string[] = [];
    const error: string[] = [];
    const asked: (readonly string[])[] = [];
    const kubectl: Kubectl = {
      run: args => {
        asked.push(args);
        if (args[0] === "exec") return Promise.resolve(answer);
        const items = args.includes("statefulsets")
          ? (taken ?? []).map(name => ({
              metadata: { name, namespace: "shop" },
              spec: { replicas: 1, template: { spec: {} } },
            }))
          : [{ metadata: { name: "orders-0", uid: "u" }, spec: {}, status: {} }];
        return Promise.resolve(JSON.stringify({ items }));
      },
      forward: () => Promise.reject(new Error("nothing is forwarded")),
    };
    const surroundings = {
      out: { write: (text: string) => out.push(text) },
      error: { write: (text: string) => error.push(text) },
      kubectl: () => kubectl,
      clock: { now: () => 0, today: () => new Date(0), sleep: () => new Promise(() => undefined) },
    } as unknown as Surroundings;
    const here = ["--bucket", "orders-data", "--prefix", "orders/", "--endpoint", `http://${server.endpoint}`];
    const code = await runRestore(taken ? argv : [...argv, ...here], surroundings);
    return { code, out: out.join(""), error: error.join(""), asked };
  }

  const objects = (prefix: string) => [...server.store.objects.keys()].filter(key => key.startsWith(prefix)).sort();
  const atThree = new Date(began + 3500).toISOString();

  it("finds the position of a time, and says what the new database's program needs", async () => {
    const all = objects("");
    const { code, out } = await restore(["--at", atThree, "--to", "orders-past"]);
    assert.equal(code, 0);
    assert.match(out, /is position 5 \(2024-03-01T00:00:03\.000Z\), 6 objects, 6 B$/m);
    assert.match(out, /s3:\/\/orders-data\/orders-past\/ is empty/);
    assert.match(out, /new Database\("orders-past", \{\n {4}restore: \{ prefix: "orders\/", at: "5" \},/);
    assert.deepEqual(objects(""), all, "it only reads");
  });

  it("fills the folder, and says so again when it is called again", async () => {
    const source = objects("orders/");
    const filled = await restore(["--at", atThree, "--to", "orders-past", "--fill", "--json"]);
    assert.deepEqual([filled.code, filled.error], [0, filled.error]);
    const plan = JSON.parse(filled.out) as { databaseId: string; folder: string; position: number };
    assert.deepEqual([plan.folder, plan.position], ["complete", 5]);
    assert.equal(objects("orders-past/data/").length, 6);
    const owner = JSON.parse((await folder("orders-past/").get("owner.json", 1000))!.content.toString()) as object;
    assert.deepEqual(
      { ...owner, checkpoints: [] },
      {
        layout: 1,
        databaseId: plan.databaseId,
        epoch: 2,
        sealedAt: 1,
        checkpoints: [],
        history: [],
        horizon: 5,
        restored: { place: "s3://orders-data/orders/", databaseId: "source", position: 5, at: atThree },
      },
    );
    assert.deepEqual(objects("orders-past/restore"), [], "nothing is left of it");
    assert.deepEqual(objects("orders/"), source, "the source is untouched");
    // Even when the source is gone.
    for (const key of source) await server.store.delete(key);
    const again = await restore(["--at", atThree, "--to", "orders-past"]);
    assert.equal(again.code, 0);
    assert.match(again.out, new RegExp(`has the whole copy[^]*databaseId: "${plan.databaseId}"`));
  });

  it("goes on with a copy that was broken off, at the same position and with the same identity", async () => {
    const copied: string[] = [];
    const isCopy = (url: string, headers: object) => "x-amz-copy-source" in headers && url.includes("/data/");
    server.judge = ({ url, headers }) =>
      isCopy(url, headers) && url.includes(`/${fileKey(1, 1, 3)}`) ? { status: 503, code: "SlowDown" } : undefined;
    await restore(["--at", "latest", "--to", "orders-past", "--fill"]);
    const mark = JSON.parse((await folder("orders-past/").get("restore.json", 1000))!.content.toString()) as {
      databaseId: string;
    };
    const begun = objects("orders-past/data/");
    assert.ok(begun.length > 0);
    const looked = await restore(["--at", "latest", "--to", "orders-past"]);
    assert.match(looked.out, /has a part of the copy/);
    assert.doesNotMatch(looked.out, /new Database/);
    server.judge = ({ url, headers }) => {
      if (isCopy(url, headers)) copied.push(url.slice("/orders-data/".length));
      return undefined;
    };
    const ended = await restore(["--at", "latest", "--to", "orders-past", "--fill", "--json"]);
    assert.equal((JSON.parse(ended.out) as { databaseId: string }).databaseId, mark.databaseId);
    assert.equal(objects("orders-past/data/").length, 20);
    assert.deepEqual(
      copied.filter(key => begun.includes(key)),
      [],
      "what is there is not copied again",
    );
  });

  it("refuses what cannot be, by name, and writes nothing", async () => {
    await folder("used/").create("notes.txt", Buffer.from("mine"), 1000);
    await restore(["--at", "5", "--to", "begun", "--fill"]);
    const all = objects("");
    const refused = async (argv: string[], code: number, reason: RegExp, taken?: string[]) => {
      const result = await restore(argv, { ...(taken && { taken }) });
      assert.match(result.error, reason);
      assert.deepEqual([result.code, result.out], [code, ""]);
      assert.deepEqual(objects(""), all);
      return result;
    };
    for (const fill of [[], ["--fill"]]) {
      await refused(["--at", "2024-02-28T00:00:00Z", "--to", "new", ...fill], 1, /database began after that/);
      await refused(["--at", "2999-01-01T00:00:00Z", "--to", "new", ...fill], 1, /in the future/);
      await refused(["--at", "99", "--to", "new", ...fill], 1, /position 99 is not there yet: the log ends at 12/);
      await refused(["--at", "5", "--to", "used", ...fill], 1, /s3:\/\/orders-data\/used\/ is not empty: it has notes/);
      await refused(
        ["--at", "6", "--to", "begun", ...fill],
        1,
        /begun\/ is not empty: it has database [-0-9a-f]{36}\./,
      );
      await refused(["--at", "5", "--to", "orders", ...fill], 1, /is that of the old one/);
      await refused(["--at", "5", "--to", "new", "--to-prefix", "orders/new/", ...fill], 1, /around or within it/);
    }
    await refused(["--to", "new"], 2, /--at is missing/);
    await refused(["--at", "5"], 2, /--to is missing/);
    await refused(["--at", "yesterday", "--to", "new"], 2, /--at takes a time with its zone/);
    await refused(["--at", "5", "--to", "New_One"], 2, /--to .*New_One/);
    await refused(["--at", "5", "--to", "new", "--to-prefix", "new"], 2, /--to-prefix .*\//);
    const { asked } = await refused(
      ["--at", "5", "--to", "new", "--name", "orders"],
      1,
      /database new in namespace shop/,
      ["orders", "new"],
    );
    assert.ok(!asked.some(([first]) => first === "exec"));
  });

  it("refuses a store that does not copy within itself, before anything is begun", async () => {
    server.judge = ({ headers }) =>
      "x-amz-copy-source" in headers ? { status: 501, code: "NotImplemented" } : undefined;
    const { code, error } = await restore(["--at", "5", "--to", "new", "--fill"]);
    assert.match(error, /does not copy objects within itself \(.*501 NotImplemented\)/);
    assert.deepEqual([code, objects("new/")], [1, []]);
  });

  it("asks a pod, and says why it refuses", async () => {
    const taken = ["orders"];
    const argv = ["--at", "5", "--to", "new", "--fill"];
    const answer = { place: "s3://orders-data/orders/", position: 5, folder: "complete", databaseId: "d2" };
    const well = await restore(argv, { taken, answer: JSON.stringify(answer) });
    assert.deepEqual(well.asked.at(-1)!.slice(-4), ["restore", "5", "new/", "--fill"]);
    assert.match(well.out, /databaseId: "d2"/);
    const refused = await restore(argv, { taken, answer: JSON.stringify({ place: "p", refused: "it is not kept" }) });
    assert.deepEqual([refused.code, refused.error], [1, "it is not kept\n"]);
  });
});
