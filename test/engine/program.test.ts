import * as assert from "node:assert/strict";
import { ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as mariadb from "mariadb";
import { buildEngine } from "./build";
import { emptyWal, WalReader } from "./formats/writeAheadLog";
import { S3Server } from "./objectStore/s3Server";

const manager = { user: "manager", password: "Manager-123" };
const items = "id INT NOT NULL PRIMARY KEY, text VARCHAR(20)";

/** The program as it is bundled, in processes of its own. */
class Program {
  readonly output: string[] = [];
  private child: ChildProcess | undefined;

  constructor(
    private readonly bundle: string,
    readonly directory: string,
    private readonly options: string[],
  ) {}

  get socket(): string {
    return path.join(this.directory, "s");
  }

  residentKilobytes(): number {
    const status = fs.readFileSync(`/proc/${this.child?.pid ?? 0}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
  }

  /** Resolves with its exit code and signal. */
  exit(): Promise<unknown[]> {
    return this.child ? once(this.child, "exit") : Promise.resolve([]);
  }

  file(name: string, lines: string[]): string {
    const file = path.join(this.directory, name);
    fs.writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  }

  install(...options: string[]): ReturnType<typeof spawnSync> {
    return spawnSync(process.execPath, [
      this.bundle,
      "mariadb-install-db",
      `--datadir=${this.directory}/mysql`,
      ...options,
    ]);
  }

  /** Starts mariadbd as the manager does, and waits until it answers. */
  async start(...extra: string[]): Promise<mariadb.Connection> {
    this.launch(...extra);
    for (;;) {
      try {
        const connection = await mariadb.createConnection({
          socketPath: this.socket,
          ...manager,
          bigIntAsNumber: true,
        });
        connection.on("error", () => undefined);
        return connection;
      } catch (error) {
        if (this.child?.exitCode !== null) throw new Error(`it ended: ${this.output.join("")}`, { cause: error });
        await new Promise(resolve => setTimeout(resolve, 20));
      }
    }
  }

  launch(...extra: string[]): ChildProcess {
    const included = this.file("engine.cnf", [
      "# comment",
      "[mariadbd]",
      "plugin-load-add = ha_tidesdb.so",
      ...this.options,
    ]);
    const configuration = this.file("my.cnf", [`!include ${included}`, "[client]", "nonsense=1"]);
    const init = this.file("init.sql", [
      `CREATE OR REPLACE USER ${manager.user}@localhost IDENTIFIED BY '${manager.password}';`,
      `GRANT ALL PRIVILEGES ON *.* TO ${manager.user}@localhost WITH GRANT OPTION;`,
      "DROP USER IF EXISTS root@localhost;",
      "CREATE DATABASE IF NOT EXISTS app;",
    ]);
    this.child = spawn(process.execPath, [
      this.bundle,
      "mariadbd",
      `--defaults-file=${configuration}`,
      "--basedir=/usr/local/mariadb",
      `--datadir=${this.directory}/mysql`,
      `--socket=${this.socket}`,
      `--pid-file=${this.directory}/pid`,
      `--init-file=${init}`,
      "--tidesdb_replica_mode=ON",
      "--read_only=ON",
      ...extra,
    ]);
    this.child.stderr?.on("data", (text: Buffer) => this.output.push(text.toString()));
    return this.child;
  }

  async end(signal: NodeJS.Signals): Promise<[number | null, NodeJS.Signals | null]> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return [child?.exitCode ?? null, null];
    const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    child.kill(signal);
    return exited;
  }
}

describe("simulated engine: the program", () => {
  let directory: string;
  let bundle: string;
  let s3: S3Server;
  const programs: Program[] = [];

  before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "program-"));
    bundle = await buildEngine(path.join(directory, "engine.js"));
    s3 = await S3Server.start();
  });
  after(async () => {
    for (const program of programs) await program.end("SIGKILL");
    s3.stop();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  function program(prefix: string, ...options: string[]): Program {
    const made = new Program(bundle, fs.mkdtempSync(path.join(directory, "node-")), [
      "port=0",
      "default_storage_engine=TidesDB",
      "loose_a_variable_of_the_future=1",
      "tidesdb_object_store_backend=S3",
      `tidesdb_s3_endpoint=${s3.endpoint}`,
      `tidesdb_s3_bucket=${s3.bucket}`,
      `tidesdb_s3_prefix=${prefix}/data/`,
      "tidesdb_s3_use_ssl=OFF",
      "tidesdb_s3_path_style=ON",
      "tidesdb_s3_access_key=key",
      "tidesdb_s3_secret_key=secret",
      "tidesdb_objstore_wal_sync_threshold=16",
      "tidesdb_replica_sync_interval=100000",
      "tidesdb_unified_memtable_write_buffer_size=8M",
      ...options,
    ]);
    programs.push(made);
    return made;
  }

  function installed(prefix: string, ...options: string[]): Program {
    const made = program(prefix, ...options);
    made.install("--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db");
    return made;
  }

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 20));
  }

  it("says what it is, before anything else", () => {
    const { stderr } = spawnSync(process.execPath, [bundle]);
    assert.equal(stderr.toString().split("\n")[0], "This is a simulation of TideSQL for tests, not a database.");
  });

  it("installs what the real installer leaves: root without a password at four hosts, and nobody else", async () => {
    const node = installed("install");
    const connection = await node.start();
    const accounts = await connection.query<{ user: string; host: string; secret: string }[]>(
      "SELECT User AS user, Host AS host, authentication_string AS secret FROM mysql.user ORDER BY user, host",
    );
    const roots = accounts.filter(({ user }) => user === "root");
    // The init file has dropped the fourth.
    assert.deepEqual(roots.map(({ host }) => host).sort(), ["127.0.0.1", "::1", os.hostname().toLowerCase()].sort());
    assert.ok(roots.every(({ secret }) => secret === ""));
    assert.deepEqual(
      accounts.filter(({ user }) => user !== "root").map(({ user }) => user),
      ["manager", "mariadb.sys"],
    );
    assert.ok(!fs.existsSync(path.join(node.directory, "mysql", "test")));
  });

  it("loses no commit that it has acknowledged when it is killed, and starts again on its disk", async () => {
    const node = installed("kill");
    let connection = await node.start();
    await connection.query("SET GLOBAL tidesdb_promote_primary=ON");
    await connection.query(`CREATE TABLE app.items (${items})`);
    await connection.query("OPTIMIZE TABLE app.items");
    for (let id = 1; id <= 200; id++) await connection.query("INSERT INTO app.items VALUES (?, 'row')", [id]);
    assert.ok(node.residentKilobytes() < 120_000);
    assert.deepEqual(await node.end("SIGKILL"), [null, "SIGKILL"]);
    connection = await node.start();
    await connection.query("SET GLOBAL tidesdb_promote_primary=ON");
    await connection.query("INSERT INTO app.items VALUES (201, 'trial')");
    const [row] = await connection.query<object[]>("SELECT COUNT(*) AS n, MAX(id) AS last FROM app.items");
    assert.deepEqual(row, { n: 201, last: 201 });
    assert.ok(fs.readdirSync(path.join(node.directory, "tidesdb_data")).includes("uwal_1.log"));
  });

  it("is followed by another within moments, which takes over what was acknowledged", async () => {
    const [primary, follower] = [installed("follow"), installed("follow")];
    const writer = await primary.start();
    await writer.query("SET GLOBAL tidesdb_promote_primary=ON");
    await writer.query(`CREATE TABLE app.items (${items})`);
    await writer.query("INSERT INTO app.items VALUES (1, 'one')");
    // A node that opened an empty bucket finds no tables until it is promoted or starts again.
    const reader = await follower.start();
    const count = async () => {
      const [row] = (await reader.query("SELECT COUNT(*) AS n FROM app.items").catch(() => [{ n: 0 }])) as {
        n: number;
      }[];
      return row?.n ?? 0;
    };
    await until(async () => (await count()) === 1);
    await primary.end("SIGKILL");
    await reader.query("SET GLOBAL tidesdb_promote_primary=ON");
    await reader.query("INSERT INTO app.items VALUES (2, 'two')");
    assert.equal(await count(), 2);
    assert.equal(s3.store.objects.get("follow/data/_tdb_primary_lease")?.metadata.epoch, "2");
  });

  it("stops in order on SIGTERM: flushed, uploaded, exit code 0", async () => {
    const node = installed("stop", "tidesdb_objstore_wal_sync_threshold=0");
    const connection = await node.start();
    await connection.query("SET GLOBAL tidesdb_promote_primary=ON");
    await connection.query(`CREATE TABLE app.items (${items})`);
    await connection.query("INSERT INTO app.items VALUES (1, 'one')");
    assert.deepEqual(await node.end("SIGTERM"), [0, null]);
    assert.match(node.output.join(""), /Shutdown complete/);
    assert.ok(s3.store.objects.has("stop/data/app__items/L1_0.klog"));
    assert.ok(!fs.existsSync(node.socket));
    const next = installed("stop");
    const reader = await next.start();
    assert.deepEqual([...(await reader.query<object[]>("SELECT id FROM app.items"))], [{ id: 1 }]);
  });

  it("aborts the start for a variable that it does not know, a missing init file, an uninitialised directory", async () => {
    const refusals: [Program, string[], RegExp][] = [
      [installed("abort", "tidesdb_no_such_variable=1"), [], /unknown variable 'tidesdb_no_such_variable=1'/],
      [installed("abort", "no_such_variable=1"), [], /unknown variable 'no_such_variable=1'/],
      [installed("abort", "tidesdb_flush_threads=many"), [], /tidesdb_flush_threads/],
      [installed("abort"), ["--init-file=/nowhere/init.sql"], /init\.sql' not found/],
      [program("abort"), [], /Can't open and lock privilege tables/],
    ];
    const exits = refusals.map(([node, extra]) => once(node.launch(...extra), "close"));
    for (const [i, [node, , message]] of refusals.entries()) {
      assert.equal((await exits[i])?.[0], 1);
      assert.match(node.output.join(""), message);
      assert.match(node.output.join(""), /Aborting/);
    }
  });

  it("starts all the same when a statement of the init file fails, without what comes after it", async () => {
    const node = installed("init");
    const init = node.file("own.sql", [
      `CREATE USER ${manager.user}@localhost IDENTIFIED BY '${manager.password}';`,
      `GRANT ALL PRIVILEGES ON *.* TO ${manager.user}@localhost;`,
      "CREATE DATABASE one;",
      "CREATE DATABASE one;",
      "CREATE DATABASE two;",
    ]);
    const connection = await node.start(`--init-file=${init}`);
    const databases = (await connection.query<{ Database: string }[]>("SHOW DATABASES")).map(row => row.Database);
    assert.ok(databases.includes("one") && !databases.includes("two"));
    assert.match(node.output.join(""), /ERROR: 1007/);
  });

  it("opens the bucket from the installer when that loads the plugin, as a writer: it takes over what is in the WAL, and replaces it", async () => {
    const primary = installed("installer");
    const writer = await primary.start();
    await writer.query("SET GLOBAL tidesdb_promote_primary=ON");
    await writer.query(`CREATE TABLE app.items (${items})`);
    await writer.query("INSERT INTO app.items VALUES (1, 'one')");
    const wal = () =>
      new WalReader().read("uwal_0.log", s3.store.objects.get("installer/data/uwal_0.log")?.body ?? emptyWal);
    await until(() => wal().length === 2);
    await primary.end("SIGKILL");
    const node = program("installer");
    const file = node.file("my.cnf", [
      "[mysqld]",
      "plugin_load_add=ha_tidesdb",
      "tidesdb_object_store_backend=S3",
      `tidesdb_s3_endpoint=${s3.endpoint}`,
      `tidesdb_s3_bucket=${s3.bucket}`,
      "tidesdb_s3_prefix=installer/data/",
      "tidesdb_s3_use_ssl=OFF",
      "tidesdb_s3_path_style=ON",
      "tidesdb_s3_access_key=key",
      "tidesdb_s3_secret_key=secret",
    ]);
    const child = spawn(process.execPath, [
      bundle,
      "mariadb-install-db",
      `--defaults-file=${file}`,
      `--datadir=${node.directory}/mysql`,
    ]);
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0);
    assert.deepEqual(wal(), []);
    assert.ok([...s3.store.objects.keys()].some(key => /^installer\/data\/app__items\/.*\.klog$/.test(key)));
  });

  it("ends like the engine does when that crashes: by signal 11", async () => {
    const primary = installed("crash");
    const writer = await primary.start();
    await writer.query("SET GLOBAL tidesdb_promote_primary=ON");
    await writer.query(`CREATE TABLE app.items (${items})`);
    await writer.query("INSERT INTO app.items VALUES (1, 'one')");
    s3.store.fault = ({ operation, key }) => {
      if (operation === "put" && key === "crash/data/app__items/L1_0.vlog") throw new Error("unavailable");
    };
    await writer.query("OPTIMIZE TABLE app.items");
    s3.store.up();
    await primary.end("SIGKILL");
    for (const key of s3.store.objects.keys()) if (/^crash\/data\/uwal/.test(key)) s3.store.objects.delete(key);
    const node = installed("crash");
    const connection = await node.start();
    await connection.query("SET GLOBAL tidesdb_promote_primary=ON");
    const exited = node.exit();
    await assert.rejects(connection.query("SELECT COUNT(*) FROM app.items"));
    assert.deepEqual(await exited, [null, "SIGSEGV"]);
  });
});
