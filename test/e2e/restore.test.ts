import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { RestorableBucket } from "../../components/manager/store/bucket/bucket";
import { s3Bucket } from "../../components/manager/store/bucket/s3Bucket";
import { keysBelow, sizesBelow } from "../../components/manager/store/log/listing";
import type { CheckReport } from "../../components/manager/store/checkStore";
import type { KeptHistory } from "../../components/manager/store/readHistory";
import type { RestorePlan } from "../../components/manager/store/restoreCommand";
import { Deployment } from "./deployment";
import { audit } from "./ledger";
import { deployLocalStack, freshName, projectFolder, remove } from "./localStack";
import { LedgerWriter } from "./writer";

/** Rows of a client that show that it works. */
const steadyRows = 20;
/** A database must be ready this soon. Seconds. */
const healthySeconds = 120;
/** Writes must come on within this. Seconds. */
const recoverySeconds = 30;

describe("the past of a database on a real Kubernetes", function () {
  this.bail(true);
  let source: Deployment;
  let writer: LedgerWriter;
  let table: string;
  /** What the source had at the moment that is restored. */
  let rows: number[];
  let moment: { position: number; time: string };
  const made: Deployment[] = [];

  after("remove the databases", async () => {
    await writer?.stop();
    for (const deployment of made) await remove(deployment);
  });

  /** Runs a command of the package, as users do. */
  function tidesql(argv: string[], environment: NodeJS.ProcessEnv = {}) {
    const start = join(projectFolder, "cli/start.mjs");
    return new Promise<{ code: number; out: string; error: string }>(resolve => {
      const options = { cwd: projectFolder, env: { ...process.env, ...environment }, timeout: 120_000 };
      execFile(process.execPath, [start, ...argv], options, (failure, out, error) => {
        resolve({ code: failure === null ? 0 : Number(failure.code ?? -1), out, error });
      });
    });
  }

  /** The same on the source's own pods. */
  async function ofSource<Answer>(...argv: string[]): Promise<Answer> {
    const where = ["--kubeconfig", source.kubernetes.kubeconfig, "--name", source.options.name, "--json"];
    const { code, out, error } = await tidesql([...argv, ...where]);
    assert.equal(code, 0, `${argv.join(" ")}: ${error}${out}`);
    return JSON.parse(out) as Answer;
  }

  const store = () => source.environment.objectStore;

  function folder(prefix: string): RestorableBucket {
    const { accessKeyId, secretAccessKey, ...location } = store();
    return s3Bucket({ ...location, prefix }, { current: () => Promise.resolve({ accessKeyId, secretAccessKey }) });
  }

  const deploy = async (options: Parameters<typeof deployLocalStack>[0]) => {
    const deployment = await deployLocalStack(options);
    made.push(deployment);
    await deployment.healthy(healthySeconds);
    return deployment;
  };

  const sorted = (ids: number[]) => [...ids].sort((a, b) => a - b);

  it("is listed as positions with times", async function () {
    source = await deploy({ durability: "commit" });
    table = `${source.options.database}.ledger`;
    await source.query("primary", `CREATE TABLE ${table} (id BIGINT NOT NULL PRIMARY KEY)`);
    writer = source.write({ table, suspectAfterMilliseconds: 3000 });
    await writer.acknowledgements(steadyRows, recoverySeconds);
    await writer.stop();
    rows = sorted(await source.ids("primary", table));
    assert.ok(rows.length >= steadyRows);
    const { every } = await ofSource<KeptHistory>("history");
    moment = every.until;
    assert.deepEqual([every.from.position, every.until.position > 2], [0, true]);
    const age = Date.now() - Date.parse(moment.time);
    assert.ok(age >= 0 && age < 600_000, `the newest position is of ${moment.time}`);
  });

  it("is whole, and a check says so while the database is written to", async () => {
    writer = source.write({ table, firstId: 100_000, suspectAfterMilliseconds: 3000 });
    await writer.acknowledgements(steadyRows, recoverySeconds);
    const report = await ofSource<CheckReport>("check");
    assert.deepEqual(report.problems, []);
    assert.ok(report.position > moment.position);
  });

  it("is not whole in a copy with one byte changed, and a check names the entry", async function () {
    if (source.environment.route !== "direct") this.skip();
    const { name } = source.options;
    const copy = folder(`${name}-copy/`);
    const from = { bucket: store().bucket, prefix: `${name}/` };
    // The record comes first: what it names is there by then.
    await copy.copyFrom(from, "owner.json", 0);
    for (const part of ["checkpoint/", "log/", "data/"])
      for await (const { key, size } of sizesBelow(folder(from.prefix), part)) await copy.copyFrom(from, key, size);
    const { endpoint, region, accessKeyId, secretAccessKey, useTls } = store();
    const where = ["--bucket", from.bucket, "--prefix", `${name}-copy/`, "--region", region];
    const url = `${useTls ? "https" : "http"}://${endpoint}`;
    const check = () =>
      tidesql(["check", ...where, "--endpoint", url], {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      });
    const before = await check();
    assert.equal(before.code, 0, before.out + before.error);
    const entries: string[] = [];
    for await (const key of keysBelow(copy, "log/")) entries.push(key);
    const damaged = entries[Math.floor(entries.length / 2)]!;
    const content = Buffer.from((await copy.get(damaged, 5000))!.content);
    const middle = Math.floor(content.length / 2);
    content[middle] = content[middle]! ^ 1;
    await copy.delete(damaged, 5000);
    await copy.create(damaged, content, 5000);
    const after = await check();
    assert.equal(after.code, 1, after.out + after.error);
    assert.match(after.out, new RegExp(`^! .*${damaged}.*`, "m"));
    console.log(`        ${/^! .*$/m.exec(after.out)?.[0]}`);
  });

  it("becomes another database by `tidesql restore --fill`, while the source goes on", async () => {
    const name = freshName();
    const argv = ["restore", "--at", moment.time, "--to", name];
    const plan = await ofSource<RestorePlan>(...argv);
    assert.deepEqual([plan.folder, plan.position, plan.time], ["empty", moment.position, moment.time]);
    const filled = await ofSource<RestorePlan>(...argv, "--fill");
    assert.deepEqual([filled.folder, filled.position], ["complete", moment.position]);
    const restored = await deploy({ name, nodes: 1, databaseId: filled.databaseId! });
    assert.deepEqual(sorted(await restored.ids("primary", table)), rows);
    await restored.query("primary", `INSERT INTO ${table} (id) VALUES (0)`);
    await writer.acknowledgements(steadyRows, recoverySeconds);
    assert.ok(!(await source.ids("primary", table)).includes(0));
  });

  it("becomes another database by the argument `restore`", async () => {
    const from = { prefix: `${source.options.name}/`, at: moment.time };
    const restored = await deploy({ nodes: 1, restore: from });
    assert.deepEqual(sorted(await restored.ids("primary", table)), rows);
  });

  it("has cost the source nothing: all that it has acknowledged is there", async () => {
    await writer.acknowledgements(steadyRows, recoverySeconds);
    const entries = await writer.stop();
    const ids = (await source.ids("primary", table)).filter(id => id >= 100_000);
    const { lost, unknown } = audit(entries, ids);
    assert.deepEqual({ lost, unknown }, { lost: [], unknown: [] });
    const report = await ofSource<CheckReport>("check");
    assert.deepEqual(report.problems, []);
  });
});
