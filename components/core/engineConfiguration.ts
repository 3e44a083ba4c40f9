import { bareOption, normalisedOption } from "./engineSettings";
import { Durability } from "./managerConfiguration";
import { podLayout } from "./podLayout";
import { mariadbSize } from "./quantities";
import { Sizing, tableBufferBytes } from "./sizing";

/** What the server's configuration depends on. */
export interface EngineConfigurationInput {
  durability: Durability;
  /** The object store's. The engine signs with it what it asks of the manager. */
  region: string;
  /** Refuses connections without TLS. */
  requireTls: boolean;
  sizing: Sizing;
  /** Merges SSTables with deleted rows as they are flushed. Default true. */
  automaticCompaction?: boolean;
  /** The user's own options, which {@link validateEngineSettings} finds nothing wrong with. One that is set here already takes the new value. */
  settings: Record<string, string>;
}

/** One line of the configuration. */
export type EngineSetting = [key: string, value: string];

/** What a password needs, for `simple_password_check`; core/passwords.ts checks declared ones before anything is made. */
export const passwordRules = { minimalLength: 8, digits: 1, lettersOfEachCase: 1, otherCharacters: 1 } as const;

/** How often a replica's engine asks the manager for what is new: the engine's least. Microseconds. */
export const replicaPollMicroseconds = 100_000;
/** Two files for each of 4096 open SSTables, tables and connections; a container starts with 1024 on some machines. */
const openFiles = 65_536;
/** A query that fills the temporary volume fails; without a limit the kubelet evicts the pod. In blocks of 64 KiB. */
const temporaryShare = 0.75;

/**
 * The server's options, each once but for `plugin_load_add`. Nothing secret is among them, and nothing that the manager passes itself: where the engine's object store is, which is the manager's own port, and its key. Each line's reason is in docs/engine-options.md.
 */
export function engineSettings(input: EngineConfigurationInput): EngineSetting[] {
  const settings = [
    ...serverSettings(input),
    ...tlsSettings(input.requireTls),
    ...objectStoreSettings(input),
    ...durabilitySettings(input),
    ...memorySettings(input.sizing),
    ...compactionSettings(input.sizing),
    ...(input.automaticCompaction === false ? [] : automaticCompactionSettings),
  ];
  for (const [key, value] of Object.entries(input.settings)) {
    const present = settings.findIndex(([existing]) => bareOption(existing) === bareOption(key));
    const line: EngineSetting = [normalisedOption(key), value];
    if (present === -1) settings.push(line);
    else settings[present] = line;
  }
  return settings;
}

/** The text of `engine.cnf`, which the manager's generated configuration includes. */
export function engineConfigurationText(input: EngineConfigurationInput): string {
  const lines = engineSettings(input).map(([key, value]) => `${key}=${value}`);
  return ["# The reason for each line: docs/engine-options.md of pulumi-tidesql.", "[mariadbd]", ...lines, ""].join(
    "\n",
  );
}

function serverSettings({ sizing }: EngineConfigurationInput): EngineSetting[] {
  const temporary = blocks(temporaryShare * sizing.temporaryVolumeBytes);
  return [
    ["plugin_maturity", "gamma"],
    ["plugin_load_add", "ha_tidesdb.so"],
    ["plugin_load_add", "simple_password_check.so"],
    ["default_storage_engine", "TidesDB"],
    ["default_tmp_storage_engine", "Aria"],
    ["skip_log_bin", "ON"],

    ["bind_address", "*"],
    ["port", String(podLayout.mysqlPort)],
    ["skip_name_resolve", "ON"],
    ["max_connections", String(sizing.maxConnections)],
    ["max_connect_errors", "4294967295"],
    ["max_allowed_packet", "64M"],
    ["open_files_limit", String(openFiles)],

    ["transaction_isolation", "READ-COMMITTED"],
    ["max_statement_time", "3600"],
    ["idle_transaction_timeout", "60"],
    ["lock_wait_timeout", "60"],
    ["loose_max_tmp_total_space_usage", String(temporary)],
    ["loose_max_tmp_session_space_usage", String(blocks(temporary / 2))],

    ["simple_password_check_minimal_length", String(passwordRules.minimalLength)],
    ["simple_password_check_digits", String(passwordRules.digits)],
    ["simple_password_check_letters_same_case", String(passwordRules.lettersOfEachCase)],
    ["simple_password_check_other_characters", String(passwordRules.otherCharacters)],
    ["strict_password_validation", "ON"],
    ["local_infile", "OFF"],
    ["secure_file_priv", podLayout.temporaryDirectory],

    ["character_set_server", "utf8mb4"],
    ["collation_server", "utf8mb4_uca1400_ai_ci"],

    ["performance_schema", "OFF"],
    ["innodb_buffer_pool_size", "32M"],
    ["innodb_buffer_pool_dump_at_shutdown", "OFF"],
    ["innodb_buffer_pool_load_at_startup", "OFF"],
    ["aria_pagecache_buffer_size", "16M"],
    ["key_buffer_size", "1M"],
  ];
}

/** The certificate is there in any case, since the managers talk over it; plain connections are a choice. */
function tlsSettings(required: boolean): EngineSetting[] {
  const directory = podLayout.tlsSecretDirectory;
  return [
    ["require_secure_transport", required ? "ON" : "OFF"],
    ["ssl_cert", `${directory}/tls.crt`],
    ["ssl_key", `${directory}/tls.key`],
    ["ssl_ca", `${directory}/ca.crt`],
    ["tls_version", "TLSv1.2,TLSv1.3"],
  ];
}

function objectStoreSettings({ region }: EngineConfigurationInput): EngineSetting[] {
  return [
    ["tidesdb_object_store_backend", "S3"],
    ["tidesdb_s3_region", region],
  ];
}

/** The same on every node, since any node can become primary. */
function durabilitySettings({ durability }: EngineConfigurationInput): EngineSetting[] {
  return [
    ["tidesdb_unified_memtable", "ON"],
    ["tidesdb_unified_memtable_sync_mode", "FULL"],
    ["tidesdb_objstore_wal_sync_on_commit", durability === "commit" ? "ON" : "OFF"],
    ["tidesdb_replica_sync_interval", String(replicaPollMicroseconds)],
    ["tidesdb_objstore_local_cache_max", "0"],
  ];
}

function memorySettings(sizing: Sizing): EngineSetting[] {
  return [
    ["tidesdb_unified_memtable_write_buffer_size", mariadbSize(sizing.writeBufferBytes)],
    ["tidesdb_block_cache_size", mariadbSize(sizing.blockCacheBytes)],
    ["tidesdb_max_memory_usage", mariadbSize(sizing.maxMemoryBytes)],
    ["tidesdb_flush_threads", String(sizing.flushThreads)],
    ["tidesdb_compaction_threads", String(sizing.compactionThreads)],
    ["tidesdb_max_open_sstables", "4096"],
    ["tidesdb_log_level", "WARN"],
    ["tidesdb_log_to_file", "OFF"],
  ];
}

/** The tree's shape is to cause as few merges as can be: a node that loads its tables from the bucket looks for the files that those write under other names. */
function compactionSettings(sizing: Sizing): EngineSetting[] {
  return [
    ["tidesdb_default_l1_file_count_trigger", "1000"],
    ["tidesdb_default_min_levels", "2"],
    ["tidesdb_default_write_buffer_size", mariadbSize(tableBufferBytes(sizing.maxMemoryBytes))],
  ];
}

/** An SSTable with a deleted row in it is merged, by name and not by the tree's shape. */
const automaticCompactionSettings: EngineSetting[] = [
  ["tidesdb_default_tombstone_density_trigger", "1"],
  ["tidesdb_default_tombstone_density_min_entries", "1"],
];

function blocks(bytes: number): number {
  const block = 65_536;
  return Math.floor(bytes / block) * block;
}
