import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import {
  EngineConfigurationInput,
  engineConfigurationText,
  engineSettings,
} from "../../components/core/engineConfiguration";
import { bareOption, validateEngineSettings } from "../../components/core/engineSettings";
import { deriveSizing } from "../../components/core/sizing";

const input: EngineConfigurationInput = {
  durability: "interval",
  region: "us-east-1",
  requireTls: true,
  sizing: deriveSizing({ onInstanceStore: false }),
  settings: {},
};

/** Options as the server would read them from the text: the last value counts, but for those that add up. */
function parsed(text: string): Map<string, string[]> {
  const options = new Map<string, string[]>();
  let section = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[(\w+)\]$/.exec(line);
    if (header) {
      section = header[1] ?? "";
      continue;
    }
    assert.equal(section, "mariadbd", line);
    const [, key, value] = /^([a-z][a-z0-9_]*)=(.+)$/.exec(line) ?? assert.fail(`not an option: ${line}`);
    options.set(key ?? "", [...(options.get(key ?? "") ?? []), value ?? ""]);
  }
  return options;
}

function options(changes: Partial<EngineConfigurationInput> = {}): Map<string, string[]> {
  return parsed(engineConfigurationText({ ...input, ...changes }));
}

/** Given by the manager on its command line or in its own file: here they would be a second truth. */
const managersOwn = [
  "tidesdb_replica_mode",
  "tidesdb_promote_primary",
  "tidesdb_s3_access_key",
  "tidesdb_s3_endpoint",
  "tidesdb_s3_bucket",
  "tidesdb_s3_prefix",
  "tidesdb_objstore_wal_sync_threshold",
  "tidesdb_s3_secret_key",
  "read_only",
  "datadir",
  "basedir",
  "socket",
  "pid_file",
  "tmpdir",
  "init_file",
  "log_error",
  "user",
];

describe("engine configuration", () => {
  it("stores new tables in TidesDB and the bucket, temporary ones on the node", () => {
    const set = options();
    assert.deepEqual(set.get("default_storage_engine"), ["TidesDB"]);
    assert.deepEqual(set.get("default_tmp_storage_engine"), ["Aria"]);
    // With it, MariaDB refuses temporary tables of another engine (measured: error 1290), and TidesDB's would go to the bucket.
    assert.equal(set.has("enforce_storage_engine"), false);
    assert.deepEqual(set.get("plugin_load_add"), ["ha_tidesdb.so", "simple_password_check.so"]);
    // The manager sets the same passwords at each start, which this plugin refuses.
    assert.ok(![...set.values()].flat().some(value => value.includes("password_reuse")));
  });

  it("is without secrets and without what the manager sets", () => {
    const set = options();
    for (const key of managersOwn) assert.equal(set.has(key), false, key);
  });

  it("leaves to the manager where the engine's object store is: its own port", () => {
    const s3 = [...options().keys()].filter(key => key.startsWith("tidesdb_s3_"));
    assert.deepEqual(s3, ["tidesdb_s3_region"]);
  });

  describe("durability", () => {
    it("has commits wait for the manager in commit, and not in interval", () => {
      const onCommit = (durability: EngineConfigurationInput["durability"]) =>
        options({ durability }).get("tidesdb_objstore_wal_sync_on_commit");
      assert.deepEqual([onCommit("commit"), onCommit("interval")], [["ON"], ["OFF"]]);
    });

    it("every mode syncs the local WAL at each commit and evicts nothing", () => {
      for (const mode of ["commit", "interval"] as const) {
        const set = options({ durability: mode });
        assert.deepEqual(set.get("tidesdb_unified_memtable_sync_mode"), ["FULL"]);
        assert.deepEqual(set.get("tidesdb_objstore_local_cache_max"), ["0"]);
      }
    });
  });

  it("compacts only in the way that leaves plain file names", () => {
    const set = options();
    assert.deepEqual(set.get("tidesdb_default_l1_file_count_trigger"), ["1000"]);
    assert.deepEqual(set.get("tidesdb_default_min_levels"), ["2"]);
    assert.deepEqual(set.get("tidesdb_default_tombstone_density_trigger"), ["1"]);
    assert.deepEqual(set.get("tidesdb_default_tombstone_density_min_entries"), ["1"]);
    assert.deepEqual(set.get("tidesdb_default_write_buffer_size"), ["452M"]);
    assert.deepEqual(set.get("tidesdb_max_open_sstables"), ["4096"]);
  });

  it("requires TLS unless plain connections were chosen", () => {
    assert.deepEqual(options().get("require_secure_transport"), ["ON"]);
    assert.deepEqual(options({ requireTls: false }).get("require_secure_transport"), ["OFF"]);
    assert.deepEqual(options({ requireTls: false }).get("ssl_key"), ["/etc/tidesql/tls/tls.key"]);
  });

  it("temporary tables hit a limit of the server before the kubelet evicts the pod", () => {
    const set = options();
    const total = Number(set.get("loose_max_tmp_total_space_usage")?.[0]);
    assert.ok(total > 0 && total < input.sizing.temporaryVolumeBytes);
    assert.equal(total % 65_536, 0);
  });

  it("opens enough files for the key and the value file of each open SSTable", () => {
    const set = options();
    const needed = 2 * Number(set.get("tidesdb_max_open_sstables")?.[0]) + input.sizing.maxConnections;
    assert.ok(Number(set.get("open_files_limit")?.[0]) > needed);
  });

  it("each option has its line and its reason in docs/engine-options.md, which says whether it is free to change", () => {
    const documentation = readFileSync(path.join(__dirname, "../../docs/engine-options.md"), "utf8").split("\n");
    for (const durability of ["commit", "interval"] as const) {
      for (const [key] of engineSettings({ ...input, durability })) {
        const rows = documentation.filter(line => line.startsWith(`| \`${bareOption(key)}\` `));
        assert.equal(rows.length, 1, key);
        const free = validateEngineSettings({ [key]: "1" }).length === 0;
        assert.equal(rows[0]?.includes("(free)"), free, key);
      }
    }
  });

  describe("the user's own options", () => {
    it("replace what is there and add what is not", () => {
      const settings = { "Max-Allowed-Packet": "128M", long_query_time: "1" };
      assert.deepEqual(validateEngineSettings(settings), []);
      const set = options({ settings });
      assert.deepEqual(set.get("max_allowed_packet"), ["128M"]);
      assert.deepEqual(set.get("long_query_time"), ["1"]);
    });

    const decided = [...managersOwn, ...engineSettings(input).map(([key]) => bareOption(key))].filter(
      key => validateEngineSettings({ [key]: "1" }).length > 0,
    );

    it("may not decide what the protocol decides", () => {
      for (const key of [
        ...managersOwn,
        "tidesdb_objstore_wal_sync_threshold",
        "tidesdb_objstore_wal_sync_on_commit",
        "tidesdb_objstore_local_cache_max",
        "tidesdb_replica_sync_interval",
        "tidesdb_s3_prefix",
        "tidesdb_object_store_backend",
        "default_storage_engine",
        "enforce_storage_engine",
        "skip_grant_tables",
        "require_secure_transport",
        "tidesdb_default_l1_file_count_trigger",
        "plugin_load",
        "log_bin",
      ]) {
        const [problem] = validateEngineSettings({ [key]: "1" });
        assert.equal(problem?.propertyPath, `engineSettings.${key}`);
        assert.match(problem?.reason ?? "", /: /, "says the way out");
      }
    });

    it("may not decide it in any spelling that MariaDB knows", () => {
      const spelling = fc.tuple(
        fc.constantFrom(...decided),
        fc.constantFrom("", "loose_", "skip-", "loose-skip_", "maximum-", "DISABLE_", "enable-"),
        fc.boolean(),
        fc.boolean(),
        fc.nat(),
      );
      fc.assert(
        fc.property(spelling, ([key, modifier, upper, hyphens, cut]) => {
          // At least three characters remain: MariaDB takes an abbreviation that fits one option only.
          let written = modifier + key.slice(0, Math.max(3, key.length - (cut % 4)));
          if (hyphens) written = written.replaceAll("_", "-");
          if (upper) written = written.toUpperCase();
          fc.pre(!/[-_]$/.test(written));
          assert.equal(validateEngineSettings({ [written]: "OFF" }).length, 1, written);
        }),
      );
    });

    it("leave the rest of the file as it was, whatever they hold", () => {
      const settings = fc.dictionary(
        fc.oneof(
          fc.constantFrom("max_allowed_packet", "Wait-Timeout", "long_query_time", "tls_version", "sql_mode"),
          fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/),
          fc.string(),
        ),
        fc.oneof(fc.string(), fc.constantFrom("1", "ON\nread_only=OFF", "1 # 2", "a\\nb", "[client]", "!include /x")),
      );
      const protectedKeys = engineSettings(input)
        .map(([key]) => key)
        .filter(key => decided.includes(bareOption(key)));
      const before = options();
      fc.assert(
        fc.property(settings, given => {
          const accepted = Object.fromEntries(
            Object.entries(given).filter(([key, value]) => validateEngineSettings({ [key]: value }).length === 0),
          );
          if (validateEngineSettings(accepted).length > 0) return;
          const after = options({ settings: accepted });
          for (const key of protectedKeys) assert.deepEqual(after.get(key), before.get(key), key);
          for (const key of managersOwn) assert.equal(after.has(key), false, key);
          for (const [key, values] of after) assert.ok(values.length === 1 || key === "plugin_load_add", key);
        }),
        { numRuns: 500 },
      );
    });

    it("are refused twice under two spellings, and with values that break the line", () => {
      const twins = validateEngineSettings({ wait_timeout: "1", "Wait-Timeout": "2" });
      assert.match(twins[0]?.reason ?? "", /same option as "wait_timeout"/);
      for (const value of ["", " 1", "a\nread_only=OFF", "it's", 'a"b', "a#b", "a\\b", "ü"]) {
        assert.equal(validateEngineSettings({ wait_timeout: value }).length, 1, JSON.stringify(value));
      }
      assert.equal(validateEngineSettings({ "!include": "/x" }).length, 1);
    });
  });
});
