import { randomBytes } from "node:crypto";
import * as fsp from "node:fs/promises";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { S3Server } from "../engine/objectStore/s3Server";
import { Bucket } from "../../components/manager/store/bucket/bucket";
import { s3Bucket } from "../../components/manager/store/bucket/s3Bucket";
import { EngineHandler, Gateway } from "../../components/manager/store/gateway/gateway";
import { Change } from "../../components/manager/store/log/changes";
import { fileKey } from "../../components/manager/store/log/keys";
import { createLog } from "../../components/manager/store/log/seal";
import { forcedCompaction, port, RealEngine } from "./realEngine";
import { StoreHost, systemStoreClock } from "./storeHost";

const usage = `What the store relies on, looked at on the real engine:
  npx tsx test/storeEngine/measure.ts WHAT --engine PREFIX
WHAT: definitions   RENAME, every kind of ALTER, DROP, TRUNCATE; a running follower sees them; then another node takes over
      columns       in \`commit\`, columns that one client and then two add in place, the node lost at any moment, a takeover: --rounds 8 of each
      tables        opening an aligned volume with --tables 500 and --files 20 of each
      answers       what COMMIT says to three times 503, to a reset, to silence
      throughput    commits a second in \`commit\`, --delay 10 ms to the bucket, against the engine's own uploads
      shipping      commits a second in \`interval\` with the WAL shipped, against not, in turns of --turn 8 seconds
      follower      --rate 10 MB/s of writes for --seconds 60: how far a follower is behind, and when it has caught up
      levels        a running follower while the engine's default compaction makes levels, --seconds 60
Prints one line of JSON for each thing that was looked at.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string" },
    tables: { type: "string", default: "500" },
    files: { type: "string", default: "20" },
    delay: { type: "string", default: "10" },
    rounds: { type: "string", default: "8" },
    seconds: { type: "string", default: "60" },
    buffer: { type: "string", default: "1M" },
    turn: { type: "string", default: "8" },
    rate: { type: "string", default: "10" },
  },
});

const say = (result: object) => console.log(JSON.stringify(result));

/** Three nodes on a bucket in memory. */
class Bench {
  readonly hosts: StoreHost[] = [];
  private constructor(
    readonly folder: string,
    readonly server: S3Server,
    readonly bucket: Bucket,
  ) {}

  static async start(
    durability: "commit" | "interval",
    names: string[],
    options: string[] = forcedCompaction,
  ): Promise<Bench> {
    const folder = mkdtempSync(join(tmpdir(), "store-engine-"));
    const server = await S3Server.start("store-tests");
    const location = { endpoint: server.endpoint, bucket: "store-tests", region: "us-east-1", prefix: "db/" };
    const credentials = { accessKeyId: "tests", secretAccessKey: "tests" };
    const bucket = s3Bucket(
      { ...location, useTls: false, pathStyle: true },
      { current: () => Promise.resolve(credentials) },
    );
    await createLog(bucket, "measure", "measure", systemStoreClock);
    const bench = new Bench(folder, server, bucket);
    for (const [index, name] of names.entries()) {
      const engine = new RealEngine(values.engine!, join(folder, name), port(index));
      await engine.install(join(folder, "template"));
      const log = (message: string) => console.error(message);
      const host = new StoreHost({
        bucket,
        name,
        engine,
        durability,
        writeBuffer: values.buffer,
        options,
        tick: 50,
        log,
      });
      await host.boot();
      bench.hosts.push(host);
    }
    return bench;
  }

  async stop(): Promise<void> {
    for (const host of this.hosts) await host.crash().catch(() => undefined);
    this.server.stop();
    await fsp.rm(this.folder, { recursive: true, force: true });
  }
}

/** One ALTER TABLE each, and a row afterwards: the table has `id`, `v`, `s`, and a key of `v`. */
const alterations: Record<string, [change: string, row: string]> = {
  inplace: ["ADD COLUMN w INT, ALGORITHM=INPLACE", "3, 30, 'z', 300"],
  copied: ["ADD COLUMN w INT DEFAULT 7, ALGORITHM=COPY", "3, 30, 'z', 300"],
  last: ["DROP COLUMN s", "3, 30"],
  middle: ["ADD COLUMN w INT AFTER id", "3, 300, 30, 'z'"],
  without: ["DROP COLUMN v", "3, 'z'"],
  strict: ["ADD COLUMN w INT NOT NULL DEFAULT 7", "3, 30, 'z', 300"],
  optional: ["ADD COLUMN w INT DEFAULT 7", "3, 30, 'z', 300"],
  column: ["RENAME COLUMN s TO r", "3, 30, 'z'"],
  moved: ["MODIFY v INT AFTER s", "3, 'z', 30"],
  wider: ["MODIFY s VARCHAR(40)", "3, 30, 'z'"],
  standard: ["ALTER s SET DEFAULT 'q'", "3, 30, DEFAULT"],
  remark: ["COMMENT='a remark'", "3, 30, 'z'"],
  indexed: ["ADD KEY s (s)", "3, 30, 'z'"],
  unindexed: ["DROP KEY v", "3, 30, 'z'"],
  middleCopied: ["ADD COLUMN w INT AFTER id, ALGORITHM=COPY", "3, 300, 30, 'z'"],
  withoutCopied: ["DROP COLUMN v, ALGORITHM=COPY", "3, 'z'"],
};

async function columns(): Promise<void> {
  for (const clients of [1, 2]) {
    const bench = await Bench.start("commit", ["a", "b"]);
    let [writer, other] = bench.hosts as [StoreHost, StoreHost];
    await writer.write();
    await writer.engine.sql("CREATE DATABASE IF NOT EXISTS app");
    const tables = Array.from({ length: clients }, (_, client) => `app.t${client}`);
    for (const table of tables) await writer.engine.sql(`CREATE TABLE ${table} (id INT PRIMARY KEY)`);
    let [acknowledged, lost, wrongRows, added] = [0, 0, 0, 0];
    for (let round = 0; round < Number(values.rounds); round++) {
      const { engine } = writer;
      /** Columns and rows that were acknowledged. */
      const told: { table: string; column: string; row?: number }[] = [];
      const work = tables.map(async table => {
        const connection = await engine.connect();
        connection.on("error", () => undefined);
        try {
          for (;;) {
            const row = added++;
            const column = `c${row}`;
            await connection.query(`ALTER TABLE ${table} ADD COLUMN ${column} INT`);
            const one: (typeof told)[number] = { table, column };
            told.push(one);
            if (Math.random() < 0.5) continue;
            await connection.query(`INSERT INTO ${table} (id, ${column}) VALUES (${row}, ${row})`);
            one.row = row;
          }
        } catch {
          connection.destroy();
        }
      });
      await delay(300 + Math.random() * 700);
      engine.killNow();
      await Promise.all(work);
      await writer.crash();
      if (!(await other.write())) throw new Error("the seal failed");
      for (const { table, column, row } of told) {
        acknowledged++;
        const found = await other.engine
          .sql(`SELECT ${column} AS v FROM ${table} WHERE id = ${row ?? -1}`)
          .catch(() => undefined);
        if (!found) lost++;
        else if (row !== undefined && found[0]?.v !== row) wrongRows++;
      }
      await writer.wipe();
      await writer.boot();
      [writer, other] = [other, writer];
    }
    say({ clients, columnsAcknowledged: acknowledged, lost, wrongRows });
    await bench.stop();
  }
}

async function definitions(): Promise<void> {
  const bench = await Bench.start("commit", ["a", "b", "c"]);
  const [a, b, c] = bench.hosts as [StoreHost, StoreHost, StoreHost];
  await a.write();
  const tables = ["renamed", "dropped", "truncated", "reborn"];
  const steps = [
    "CREATE DATABASE IF NOT EXISTS app",
    ...tables.flatMap(name => [
      `CREATE TABLE app.${name} (id INT PRIMARY KEY, v INT, KEY v (v))`,
      `INSERT INTO app.${name} VALUES (1, 10), (2, 20)`,
    ]),
    ...Object.keys(alterations).flatMap(name => [
      `CREATE TABLE app.${name} (id INT PRIMARY KEY, v INT, s VARCHAR(20), KEY v (v))`,
      `INSERT INTO app.${name} VALUES (1, 10, 'x'), (2, 20, 'y')`,
    ]),
  ];
  for (const step of steps) await a.engine.sql(step);
  await a.flush();
  await c.follow();
  const changes = [
    ...Object.entries(alterations).flatMap(([name, [change, row]]) => [
      `ALTER TABLE app.${name} ${change}`,
      `INSERT INTO app.${name} VALUES (${row})`,
    ]),
    "RENAME TABLE app.renamed TO app.newname",
    "INSERT INTO app.newname VALUES (3, 30)",
    "DROP TABLE app.dropped",
    "TRUNCATE TABLE app.truncated",
    "INSERT INTO app.truncated VALUES (3, 30)",
    "DROP TABLE app.reborn",
    "CREATE TABLE app.reborn (id INT PRIMARY KEY, v INT)",
    "INSERT INTO app.reborn VALUES (9, 90)",
  ];
  for (const step of changes) {
    try {
      await a.engine.sql(step);
    } catch (error) {
      say({ step, error: String(error) });
    }
  }
  const look = async (host: StoreHost, name: string) => {
    const rows = await host.engine
      .sql(`SELECT * FROM app.${name} ORDER BY id`)
      .catch((error: unknown) => String(error));
    const counted = (key: string) =>
      host.engine.sql(`SELECT COUNT(*) AS n FROM app.${name} FORCE INDEX (${key}) WHERE ${key} > ''`).then(
        ([row]) => row?.n as unknown,
        (error: { errno?: number }) => error.errno,
      );
    const created = await host.engine.sql(`SHOW CREATE TABLE app.${name}`).catch(() => []);
    return {
      rows: typeof rows === "string" ? rows : rows.map(row => Object.values(row).join()),
      indexes: [await counted("v"), await counted("s")],
      created: String(created[0]?.["Create Table"]).replace(/\s+/g, " "),
    };
  };
  const names = ["newname", "renamed", "dropped", "truncated", "reborn", ...Object.keys(alterations)];
  const before = new Map<string, Awaited<ReturnType<typeof look>>>();
  for (const name of names) before.set(name, await look(a, name));
  const position = a.writing!.log.position - 1;
  for (const until = Date.now() + 30_000; c.feed!.position < position && Date.now() < until;) await delay(20);
  const compare = async (host: StoreHost, role: string) => {
    for (const name of names) {
      const now = await look(host, name);
      const was = before.get(name)!;
      say({ table: name, [role]: isDeepStrictEqual(now, was) ? "same" : now, primary: was });
    }
  };
  await compare(c, "follower");
  say({ dueForRestart: c.feed?.restartReasons });
  await a.crash();
  await b.write();
  await compare(b, "taker");
  say({ tables: b.state.liveTables().map(({ name }) => name), warnings: [...a.warnings, ...b.warnings] });
  await bench.stop();
}

/** Copies one real table's files into many tables of the log, and opens that. */
async function tables(): Promise<void> {
  const bench = await Bench.start("commit", ["a", "b"]);
  const [a, b] = bench.hosts as [StoreHost, StoreHost];
  await a.write();
  await a.engine.sql("CREATE DATABASE IF NOT EXISTS app");
  await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT)");
  await a.engine.sql("INSERT INTO app.t VALUES (1, 1), (2, 2)");
  await a.flush();
  const model = a.state.liveTables().find(({ name }) => name === "app__t")!;
  const [file] = [...model.files.values()];
  const contents = await Promise.all(
    [file!.keys, file!.values].map(async ({ key }) => (await bench.bucket.get(key, 10_000))!.content),
  );
  const count = Number(values.tables);
  const { log } = a.writing!;
  await a.engine.kill();
  for (let number = 1000; number < 1000 + count; number++) {
    const name = `app__copy${number}`;
    const [keysKey, valuesKey] = [fileKey(number, 1, 0), fileKey(number, 1, 1)];
    for (const [half, key] of [keysKey, valuesKey].entries()) await bench.bucket.create(key, contents[half]!, 10_000);
    const added = Array.from({ length: Number(values.files) }, (_, index) => ({
      ...file!,
      id: index + 1,
      keys: { ...file!.keys, key: keysKey },
      values: { ...file!.values, key: valuesKey },
    }));
    const changes: Change[] = [
      { type: "table", number, name },
      { type: "configuration", table: number, content: model.configuration },
      { type: "files", table: number, added, removed: [], nextId: added.length + 1 },
    ];
    await log.submit({ changes, payload: [] });
  }
  await a.crash();
  for (const round of ["fetches all", "has all"]) {
    await b.write();
    const rows = await b.engine.sql("SELECT COUNT(*) AS n FROM app.t");
    say({
      tables: count,
      files: 2 * count * Number(values.files),
      volume: round,
      steps: b.steps,
      rows: rows[0]?.n as unknown,
    });
    await b.crash();
    await b.boot();
  }
  await bench.stop();
}

async function answers(): Promise<void> {
  const bench = await Bench.start("commit", []);
  const engine = new RealEngine(values.engine!, join(bench.folder, "plain"), port(9));
  await engine.install(join(bench.folder, "template"));
  let wal: "good" | "503" | "reset" | "silent" = "good";
  let puts = 0;
  const key = randomBytes(16).toString("hex");
  const objects = new Map<string, { length: number; etag: string; epoch: number }>();
  // A store that takes whatever it is sent.
  const handler: EngineHandler = {
    async handle({ method, key, length, ifMatch, ifNoneMatch, epoch, drain, query }) {
      await drain();
      if (method === "PUT" && key.startsWith("uwal_")) {
        puts++;
        if (wal === "503") return { status: 503 };
        if (wal === "reset") throw new Error("reset");
        if (wal === "silent") await delay(200_000);
      }
      const present = objects.get(key);
      if (method === "PUT") {
        if ((ifNoneMatch && present) || (ifMatch !== undefined && present?.etag !== ifMatch)) return { status: 412 };
        const etag = `"${randomBytes(4).toString("hex")}"`;
        objects.set(key, { length, etag, epoch });
        return { status: 200, etag };
      }
      if (method === "DELETE") {
        objects.delete(key);
        return { status: 204 };
      }
      if (key === "" && query.has("prefix")) return { status: 200, body: Buffer.from("<ListBucketResult/>") };
      return present && method === "HEAD" ? { status: 200, ...present } : { status: 404 };
    },
  };
  const gateway = await Gateway.listen({
    bucket: "store",
    accessKeyId: () => key,
    handler: () => handler,
    lost: () => undefined,
    failed: () => undefined,
    broken: error => console.error(error),
  });
  await engine.start({
    endpoint: gateway.endpoint,
    accessKeyId: key,
    durability: "commit",
    writeBuffer: values.buffer,
    options: forcedCompaction,
  });
  await engine.sql("SET GLOBAL tidesdb_promote_primary=ON");
  await engine.sql("SET GLOBAL read_only=OFF");
  await engine.sql("CREATE DATABASE app");
  await engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY)");
  for (const [id, answer] of (["good", "503", "silent"] as const).entries()) {
    wal = answer;
    puts = 0;
    const begun = performance.now();
    const outcome = await engine.sql(`INSERT INTO app.t VALUES (${id})`).then(
      () => "acknowledged",
      (error: unknown) => String(error),
    );
    say({ wal: answer, outcome, milliseconds: Math.round(performance.now() - begun), puts });
  }
  await engine.kill();
  gateway.close();
  await bench.stop();
}

/** Uploads that the engine has given up, each after three attempts. */
async function failedUploads(engine: RealEngine): Promise<number> {
  const [row] = await engine.sql("SHOW GLOBAL STATUS LIKE 'Tidesdb_upload_failures'");
  return Number(row?.Value);
}

async function throughput(): Promise<void> {
  const seconds = 10;
  const slow = Number(values.delay);
  const count = async (engine: RealEngine, clients: number) => {
    let commits = 0;
    let stop = false;
    const work = Array.from({ length: clients }, async (_, client) => {
      const connection = await engine.connect("app");
      for (let id = client * 1_000_000; !stop; id++) {
        await connection.query(`REPLACE INTO t VALUES (${id}, ${id})`);
        commits++;
      }
      connection.destroy();
    });
    await delay(1000);
    const begun = performance.now();
    const from = commits;
    const before = await failedUploads(engine);
    const cpu = process.cpuUsage();
    const loop = monitorEventLoopDelay({ resolution: 5 });
    loop.enable();
    await delay(seconds * 1000);
    loop.disable();
    const used = process.cpuUsage(cpu);
    const elapsed = (performance.now() - begun) / 1000;
    const result = {
      clients,
      perSecond: Math.round((commits - from) / elapsed),
      failedUploads: (await failedUploads(engine)) - before,
      // Of this whole process: clients, managers and bucket.
      cpu: Number(((used.user + used.system) / 1e6 / elapsed).toFixed(2)),
      loopP99: Math.round(loop.percentile(99) / 1e6),
    };
    stop = true;
    await Promise.all(work);
    return result;
  };
  const prepare = async (engine: RealEngine) => {
    await engine.sql("CREATE DATABASE IF NOT EXISTS app");
    await engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT)");
  };
  const bench = await Bench.start("commit", ["a"]);
  const [a] = bench.hosts as [StoreHost];
  await a.write();
  await prepare(a.engine);
  bench.server.store.fault = () => delay(slow).then(() => undefined);
  for (const clients of [1, 8, 32]) say({ way: "store", delay: slow, ...(await count(a.engine, clients)) });
  await bench.stop();
  const server = await S3Server.start("store");
  const folder = mkdtempSync(join(tmpdir(), "store-engine-"));
  const engine = new RealEngine(values.engine!, join(folder, "direct"), port(8));
  await engine.install(join(folder, "template"));
  await engine.start({
    endpoint: server.endpoint,
    accessKeyId: "tests",
    durability: "commit",
    writeBuffer: values.buffer,
    options: forcedCompaction,
  });
  await engine.sql("SET GLOBAL tidesdb_promote_primary=ON");
  await engine.sql("SET GLOBAL read_only=OFF");
  await prepare(engine);
  server.store.fault = () => delay(slow).then(() => undefined);
  for (const clients of [1, 8, 32]) say({ way: "engine's own", delay: slow, ...(await count(engine, clients)) });
  await engine.kill();
  server.stop();
  await fsp.rm(folder, { recursive: true, force: true });
}

/** What shipping costs the clients: turns with and without it, so that a busy machine slows both. */
async function shipping(): Promise<void> {
  const bench = await Bench.start("interval", ["a"]);
  const [a] = bench.hosts as [StoreHost];
  await a.write();
  await a.engine.sql("CREATE DATABASE IF NOT EXISTS app");
  await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT)");
  let commits = 0;
  let stop = false;
  const clients = Array.from({ length: 8 }, async (_, client) => {
    const connection = await a.engine.connect("app");
    for (let id = client * 1_000_000; !stop; id++) {
      await connection.query(`REPLACE INTO t VALUES (${client * 1_000_000 + (id % 5000)}, ${id})`);
      commits++;
    }
    connection.destroy();
  });
  const perSecond: Record<"shipped" | "notShipped", number[]> = { shipped: [], notShipped: [] };
  for (let turn = 0; turn < 12; turn++) {
    a.ships = turn % 2 === 0;
    // What the turn before has left is not this one's.
    if (a.ships) await a.writing!.handler.ship();
    const [from, begun] = [commits, performance.now()];
    await delay(1000 * Number(values.turn));
    const rate = Math.round((commits - from) / ((performance.now() - begun) / 1000));
    // The first two warm it up.
    if (turn >= 2) perSecond[a.ships ? "shipped" : "notShipped"].push(rate);
  }
  stop = true;
  await Promise.all(clients);
  const median = (rates: number[]) => [...rates].sort((x, y) => x - y)[Math.floor(rates.length / 2)]!;
  const ratio = median(perSecond.shipped) / median(perSecond.notShipped);
  say({ clients: clients.length, perSecond, ratio: Number(ratio.toFixed(3)) });
  await bench.stop();
}

async function follower(): Promise<void> {
  const bench = await Bench.start("interval", ["a", "b"]);
  const [a, b] = bench.hosts as [StoreHost, StoreHost];
  await a.write();
  await a.engine.sql("CREATE DATABASE IF NOT EXISTS app");
  await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, s MEDIUMBLOB)");
  await a.engine.sql("CREATE TABLE app.beats (id INT PRIMARY KEY)");
  await a.engine.sql("INSERT INTO app.beats VALUES (0)");
  await b.follow();
  const rowBytes = 10_000;
  const begun = performance.now();
  const ends = begun + 1000 * Number(values.seconds);
  let sent = 0;
  const row = randomBytes(rowBytes / 2).toString("hex");
  const writers = Array.from({ length: 4 }, async (_, client) => {
    const connection = await a.engine.connect("app");
    for (let id = 0; performance.now() < ends; id++) {
      const due = (performance.now() - begun) * Number(values.rate) * 1000;
      if (sent > due) await delay(5);
      else {
        sent += rowBytes;
        await connection.query(`REPLACE INTO t VALUES (${client * 1_000_000 + (id % 20_000)}, '${row}')`);
      }
    }
    connection.destroy();
  });
  const writtenAt = [begun];
  const beats = (async () => {
    const connection = await a.engine.connect("app");
    while (performance.now() < ends) {
      const id = writtenAt.length;
      await connection.query(`INSERT INTO beats VALUES (${id})`);
      writtenAt.push(performance.now());
      await delay(50);
    }
    connection.destroy();
  })();
  const reader = await b.engine.connect("app");
  const shown = async () => {
    const [rows] = await reader.query("SELECT MAX(id) AS id FROM beats");
    return Number((rows as { id: number | null }[])[0]?.id ?? 0);
  };
  const lags: number[] = [];
  while (performance.now() < ends) {
    await delay(50);
    const next = writtenAt[(await shown().catch(() => 0)) + 1];
    lags.push(next === undefined ? 0 : Math.max(0, performance.now() - next));
  }
  await Promise.all([...writers, beats]);
  const last = performance.now();
  while ((await shown().catch(() => 0)) < writtenAt.length - 1 && performance.now() - last < 60_000) await delay(20);
  const caughtUp = Math.round(performance.now() - last);
  lags.sort((x, y) => x - y);
  const at = (share: number) => Math.round(lags[Math.floor(share * (lags.length - 1))]!);
  say({
    megabytesPerSecond: Number((sent / 1e6 / Number(values.seconds)).toFixed(1)),
    lagMilliseconds: { p50: at(0.5), p99: at(0.99), most: at(1) },
    caughtUpMilliseconds: caughtUp,
    restart: b.feed!.restartReasons,
    deliveredMegabytes: Math.round(b.feed!.deliveredBytes / 1e6),
  });
  reader.destroy();
  await bench.stop();
}

async function levels(): Promise<void> {
  const bench = await Bench.start("interval", ["a", "b"], ["--tidesdb_default_write_buffer_size=64K"]);
  const [a, b] = bench.hosts as [StoreHost, StoreHost];
  await a.write();
  await a.engine.sql("CREATE DATABASE IF NOT EXISTS app");
  await a.engine.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v INT, s VARCHAR(1500), KEY v (v))");
  await b.follow();
  const until = performance.now() + 1000 * Number(values.seconds);
  let v = 0;
  const writers = Array.from({ length: 4 }, async (_, client) => {
    const connection = await a.engine.connect("app");
    while (performance.now() < until) {
      const id = client * 1_000_000 + Math.floor(Math.random() * 3000);
      await connection.query(`REPLACE INTO t VALUES (${id}, ${v++}, '${"x".repeat(1200)}')`);
    }
    connection.destroy();
  });
  let hung = 0;
  let looks = 0;
  while (performance.now() < until) {
    await delay(2000);
    looks++;
    const answer = await Promise.race([
      b.engine.sql("SELECT COUNT(*) AS n, SUM(v) AS s FROM app.t").catch(String),
      delay(20_000).then(() => "hung"),
    ]);
    if (answer === "hung") hung++;
  }
  await Promise.all(writers);
  await a.writing!.handler.ship();
  const caught = performance.now();
  while (b.feed!.position < a.state.position && performance.now() - caught < 60_000) await delay(50);
  const seconds = (performance.now() - caught) / 1000;
  await delay(500);
  const sums = async (host: StoreHost) => {
    const [row] = await host.engine.sql("SELECT COUNT(*) AS n, SUM(v) AS s FROM app.t");
    return `${row!.n}/${row!.s}`;
  };
  const levels = a.state.liveTables().map(({ name, files }) => {
    const counts: Record<number, number> = {};
    for (const { level } of files.values()) counts[level] = (counts[level] ?? 0) + 1;
    return [name, counts];
  });
  say({
    levels,
    looks,
    hung,
    caughtUpSeconds: seconds.toFixed(1),
    restart: b.feed!.restartReasons,
    writer: await sums(a),
    runningFollower: await sums(b).catch(String),
    position: a.state.position,
  });
  await b.follow();
  await delay(500);
  say({ restartedFollower: await sums(b), steps: b.steps });
  await a.crash();
  await b.write();
  say({ takenOver: await sums(b), steps: b.steps, warnings: [...a.warnings, ...b.warnings] });
  await bench.stop();
}

const measurements: Record<string, () => Promise<void>> = {
  definitions,
  columns,
  tables,
  answers,
  throughput,
  shipping,
  follower,
  levels,
};

async function main(): Promise<void> {
  const what = measurements[positionals[0] ?? ""];
  if (!what || !values.engine) {
    console.error(usage);
    process.exit(2);
  }
  await what();
  process.exit(0);
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
