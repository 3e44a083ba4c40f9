import { engineOptionProblem } from "./engineOptions/engineOptions";
import { InputProblem } from "./inputProblem";

/** Server options that the manager gives on the command line, or that the project's other arguments decide: a second value would break the protocol or an argument's promise. */
const decidedElsewhere: [keys: string[], wayOut: string][] = [
  [
    [
      "tidesdb_replica_mode",
      "tidesdb_promote_primary",
      "read_only",
      "super_read_only",
      "init_file",
      "skip_grant_tables",
    ],
    "the manager decides who is primary and who may log in: leave it out",
  ],
  [
    [
      "datadir",
      "basedir",
      "socket",
      "pid_file",
      "tmpdir",
      "user",
      "port",
      "bind_address",
      "skip_networking",
      "plugin_dir",
    ],
    "the pod's layout is fixed: leave it out",
  ],
  [
    ["tidesdb_data_home_dir", "tidesdb_backup_dir", "tidesdb_checkpoint_dir", "secure_file_priv"],
    "the pod's layout is fixed: leave it out",
  ],
  [
    ["plugin_load", "plugin_load_add", "plugin_maturity", "tidesdb"],
    "the project loads the plugins that it needs: leave it out",
  ],
  [
    ["default_storage_engine", "default_tmp_storage_engine", "storage_engine", "enforce_storage_engine"],
    "tables of another engine would stay on one node and be lost with it: name the engine in CREATE TABLE where you want that",
  ],
  [["log_error", "tidesdb_log_to_file"], "the log belongs on the container's standard error: leave it out"],
  [["log_bin", "skip_log_bin"], "nothing reads a binary log here, and it would fill the volume: leave it out"],
  [["tidesdb_object_store_backend", "tidesdb_s3_*"], "set it in objectStore"],
  [
    ["tidesdb_objstore_wal_sync_*", "tidesdb_objstore_replicate_wal", "tidesdb_objstore_replica_replay_wal"],
    "choose it with durability",
  ],
  [
    ["tidesdb_objstore_sync_manifest_to_object", "tidesdb_unified_memtable_sync_*", "tidesdb_default_sync_*"],
    "another value loses acknowledged writes: leave it out",
  ],
  [
    ["tidesdb_replica_sync_interval"],
    "replicas are told of each entry, and their engines ask on the pod's own loopback: leave it out",
  ],
  [
    ["tidesdb_objstore_local_cache_max"],
    "a node that evicts files and restarts on its disk loses sight of data: leave it out and size the volume with storage.sizeGiB",
  ],
  [
    ["tidesdb_unified_memtable", "tidesdb_unified_memtable_write_buffer_size", "tidesdb_block_cache_size"],
    "set it in sizing (writeBufferBytes, blockCacheBytes)",
  ],
  [
    ["tidesdb_max_memory_usage", "tidesdb_flush_threads", "tidesdb_compaction_threads", "max_connections"],
    "set it in sizing (maxMemoryBytes, flushThreads, compactionThreads, maxConnections)",
  ],
  [
    [
      "tidesdb_default_l1_file_count_trigger",
      "tidesdb_default_min_levels",
      "tidesdb_default_level_size_ratio",
      "tidesdb_default_dividing_level_offset",
      "tidesdb_default_tombstone_density_*",
      "tidesdb_default_write_buffer_size",
      "tidesdb_default_object_lazy_compaction",
      "tidesdb_max_open_sstables",
    ],
    "other compaction settings make nodes that start later miss data: leave it out (docs/engine.md, Compaction)",
  ],
  [["require_secure_transport", "ssl", "ssl_*"], "set it in tls"],
  [
    ["transaction_isolation", "tx_isolation", "tidesdb_default_isolation_level"],
    "replicas give old rows to longer transactions of a higher level: set it in the sessions that need it, on the primary (docs/engine.md, Reading from replicas)",
  ],
  [
    ["simple_password_check*", "password_reuse_check*", "strict_password_validation"],
    "declared passwords are checked against the project's rules before anything is made: leave it out",
  ],
  [
    ["skip_name_resolve", "skip_host_cache", "host_cache_size"],
    "names are not resolved, so that a slow DNS never blocks a login: leave it out",
  ],
  [["wsrep*"], "this is not a Galera cluster: leave it out"],
  [["bootstrap", "chroot", "daemonize"], "the manager starts and stops the server: leave it out"],
];

/** What MariaDB allows in front of an option's name. */
const modifiers = /^(loose|skip|disable|enable|maximum|autoset)_/;

/** An option's name as MariaDB compares it: `-` is `_`, and case does not matter. */
export function normalisedOption(key: string): string {
  return key.toLowerCase().replaceAll("-", "_");
}

/** An option's name without what only says how to set it: `loose_max_tmp_total_space_usage` sets `max_tmp_total_space_usage`. */
export function bareOption(key: string): string {
  return normalisedOption(key).replace(/^loose_/, "");
}

/**
 * What is wrong with the server options that a user adds. Refused are options that something else decides, under any of the spellings that MariaDB knows: modifiers
 * (`skip-`, `loose-`, ...) and abbreviations included.
 */
export function validateEngineSettings(settings: Record<string, string>): InputProblem[] {
  const problems: InputProblem[] = [];
  const seen = new Map<string, string>();
  for (const [key, value] of Object.entries(settings)) {
    const propertyPath = `engineSettings.${key}`;
    const bare = bareOption(key);
    const twin = seen.get(bare);
    seen.set(bare, key);
    if (!/^[a-z][a-z0-9_]*$/.test(bare)) {
      problems.push({
        propertyPath,
        reason: "is not an option's name: write letters, digits and _, like max_allowed_packet",
      });
    } else if (twin !== undefined) {
      problems.push({ propertyPath, reason: `sets the same option as "${twin}": keep one of them` });
    } else if (refusal(bare) !== undefined) {
      problems.push({ propertyPath, reason: `cannot be set here: ${refusal(bare)}` });
    } else if (!/^[\x20-\x7e]{1,1024}$/.test(value) || /["'`#\\]/.test(value) || value.trim() !== value) {
      problems.push({
        propertyPath,
        reason:
          "has a value that a configuration file cannot hold on one line: write plain ASCII without quotes, # or \\",
      });
    } else {
      const reason = engineOptionProblem(normalisedOption(key), value);
      if (reason !== undefined) problems.push({ propertyPath, reason });
    }
  }
  return problems;
}

/** Why an option may not be set, and the way out; undefined when it may. */
function refusal(option: string): string | undefined {
  const spellings = [option];
  for (let rest = option; modifiers.test(rest);) spellings.push((rest = rest.replace(modifiers, "")));
  for (const [keys, wayOut] of decidedElsewhere) {
    if (keys.some(key => spellings.some(spelling => decides(key, spelling)))) return wayOut;
  }
  return undefined;
}

/** Whether setting `option` sets `key`: by its name, by an abbreviation of it, or, where the key ends with `*`, as one of its family. */
function decides(key: string, option: string): boolean {
  if (key.endsWith("*")) return option.startsWith(key.slice(0, -1)) || key.startsWith(option);
  return key.startsWith(option);
}
