import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseSize, readConfiguration } from "./server/configuration/configuration";
import { Variables } from "./server/execute/variables";
import { parseInstallation } from "./server/installation";

describe("simulated engine: options", () => {
  let directory: string;
  before(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), "options-"))));
  after(() => fs.rmSync(directory, { recursive: true, force: true }));

  function file(name: string, ...lines: string[]): string {
    const full = path.join(directory, name);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, `${lines.join("\n")}\n`);
    return full;
  }

  it("come from the server's groups of a file and of those that it includes, the later one winning, the command line last", () => {
    file("included/b.cnf", "[mysqld]", "port=2");
    file("included/a.cnf", "[server]", "port=1", "max-connections = 7");
    file("included/ignored.txt", "[mysqld]", "port=9");
    const main = file(
      "my.cnf",
      "[client]",
      "port=5",
      "[mariadb]",
      'datadir = "/some where" ',
      "sql_mode='ANSI' # comment",
      `!includedir ${path.join(directory, "included")}`,
      "[mariadbd]",
      "key_buffer_size=1M",
    );
    const { options } = readConfiguration([`--defaults-file=${main}`, "--read-only", "--max_connections=8"]);
    assert.equal(options.get("port"), "2");
    assert.equal(options.get("max_connections"), "8");
    assert.equal(options.get("datadir"), "/some where");
    assert.equal(options.get("sql_mode"), "ANSI");
    assert.equal(new Variables({ options, plugins: new Set(), warnings: [] }).get("read_only"), "ON");
  });

  it("of the engine are there with its plugin only, in any spelling, with their kinds checked", () => {
    const plugin = "--plugin-load-add=ha_tidesdb.so";
    assert.throws(() => readConfiguration(["--tidesdb_replica_mode=ON"]), /unknown variable 'tidesdb_replica_mode=ON'/);
    const { options } = readConfiguration([
      plugin,
      "--TidesDB-Replica-Mode",
      "--tidesdb_unified_memtable_write_buffer_size=8M",
      "--tidesdb_replica_sync_interval=5",
      "--tidesdb-object-store-backend=s3",
      "--skip-tidesdb-log-to-file",
    ]);
    assert.equal(options.get("tidesdb_replica_mode"), "ON");
    assert.equal(options.get("tidesdb_unified_memtable_write_buffer_size"), "8388608");
    assert.equal(options.get("tidesdb_replica_sync_interval"), "100000");
    assert.equal(options.get("tidesdb_object_store_backend"), "S3");
    assert.equal(options.get("tidesdb_log_to_file"), "OFF");
    assert.throws(() => readConfiguration([plugin, "--tidesdb_flush_threads=many"]), /many/);
    assert.throws(() => readConfiguration([plugin, "--tidesdb_replica_mode=maybe"]), /maybe/);
    assert.throws(() => readConfiguration([plugin, "--tidesdb_object_store_backend=floppy"]), /floppy/);
    assert.throws(() => readConfiguration([plugin, "--tidesdb_s3_bucket"]), /requires an argument/);
  });

  it("of the password check are there with its plugin only", () => {
    const option = "--simple_password_check_digits=2";
    assert.throws(() => readConfiguration([option]), /unknown variable/);
    const configuration = readConfiguration(["--plugin_load_add=simple_password_check", option]);
    assert.equal(new Variables(configuration).get("simple_password_check_digits"), "2");
  });

  it("are refused when unknown, and passed over with a warning when loose", () => {
    assert.throws(() => readConfiguration(["--no-such-option=1"]), /unknown variable 'no-such-option=1'/);
    assert.throws(() => readConfiguration(["nonsense"]), /unknown argument/);
    assert.deepEqual(readConfiguration(["--loose-no-such-option=1"]).warnings, [
      "unknown option '--loose-no-such-option'",
    ]);
  });

  it("do not show a secret when they are refused", () => {
    const text = "tidesdb_s3_secret_key=very-secret";
    assert.throws(
      () => readConfiguration([`--${text}`]),
      (error: Error) => !error.message.includes("very-secret"),
    );
  });

  it("must be in a group, and in a file that is there", () => {
    assert.throws(
      () => readConfiguration([`--defaults-file=${file("bare.cnf", "port=1")}`]),
      /without preceding group/,
    );
    assert.throws(() => readConfiguration(["--defaults-file=/nowhere/my.cnf"]), /Could not open/);
  });

  it("have sizes with suffixes", () => {
    assert.deepEqual(["7", "8K", "8m", "2G", "1.5K", "x"].map(parseSize), [
      7,
      8192,
      8_388_608,
      2_147_483_648,
      1536,
      undefined,
    ]);
  });

  it("of the installer are its own or the server's", () => {
    const installation = parseInstallation([
      "--no-defaults",
      "--datadir=/data",
      "--skip-test-db",
      "--innodb_page_size=4k",
    ]);
    assert.deepEqual(installation, {
      dataDirectory: "/data",
      rootWithoutPassword: false,
      testDatabase: false,
      serverParameters: ["--datadir=/data", "--innodb_page_size=4k"],
    });
  });
});
