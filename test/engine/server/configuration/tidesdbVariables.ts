/** What a value of a variable may be. */
export type VariableKind = "boolean" | "number" | "text" | readonly string[];

export interface VariableDefinition {
  kind: VariableKind;
  initial: string;
  /** Set at start only. */
  readOnly?: boolean;
  /** A session has a value of its own. */
  session?: boolean;
  /** Smallest value. */
  minimum?: number;
}

const boolean = (initial: "ON" | "OFF", readOnly = true): VariableDefinition => ({
  kind: "boolean",
  initial,
  readOnly,
});
const number = (initial: number, minimum = 0): VariableDefinition => ({
  kind: "number",
  initial: String(initial),
  readOnly: true,
  minimum,
});
const text = (): VariableDefinition => ({ kind: "text", initial: "", readOnly: true });
const session = (kind: VariableKind, initial: string): VariableDefinition => ({ kind, initial, session: true });

const syncModes = ["NONE", "INTERVAL", "FULL"] as const;

/** The plugin's variables, without `tidesdb_`, with its defaults. Any other name that starts with `tidesdb_` aborts the start. */
const definitions: Record<string, VariableDefinition> = {
  backpressure_wait_timeout_ms: session("number", "1000"),
  backup_dir: { kind: "text", initial: "" },
  block_cache_size: number(268_435_456),
  checkpoint_dir: { kind: "text", initial: "" },
  compact_after_range_delete_min_rows: session("number", "0"),
  compaction_threads: number(4),
  data_home_dir: text(),
  default_block_index_prefix_len: session("number", "16"),
  default_block_indexes: session("boolean", "ON"),
  default_bloom_filter: session("boolean", "ON"),
  default_bloom_fpr: session("number", "100"),
  default_compression: session(["NONE", "SNAPPY", "LZ4", "ZSTD", "LZ4_FAST"], "LZ4"),
  default_dividing_level_offset: session("number", "1"),
  default_index_sample_ratio: session("number", "1"),
  default_isolation_level: session(
    ["READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SNAPSHOT", "SERIALIZABLE"],
    "REPEATABLE_READ",
  ),
  default_klog_value_threshold: session("number", "512"),
  default_l0_queue_stall_threshold: session("number", "10"),
  default_l1_file_count_trigger: session("number", "4"),
  default_level_size_ratio: session("number", "10"),
  default_min_disk_space: session("number", "104857600"),
  default_min_levels: session("number", "1"),
  default_object_lazy_compaction: session("boolean", "OFF"),
  default_object_prefetch_compaction: session("boolean", "ON"),
  default_skip_list_max_level: session("number", "12"),
  default_skip_list_probability: session("number", "25"),
  default_sync_interval_us: session("number", "128000"),
  default_sync_mode: session(syncModes, "FULL"),
  default_tombstone_density_min_entries: session("number", "1024"),
  default_tombstone_density_trigger: session("number", "0"),
  default_use_btree: session("boolean", "OFF"),
  default_write_buffer_size: session("number", "67108864"),
  finish_compactions_on_close: boolean("OFF"),
  flush_threads: number(4),
  ft_stopword_table: { kind: "text", initial: "" },
  fts_blend_chars: { kind: "text", initial: "" },
  fts_bm25_b: { kind: "number", initial: "0.75" },
  fts_bm25_k1: { kind: "number", initial: "1.2" },
  fts_max_word_len: { kind: "number", initial: "84" },
  fts_min_word_len: { kind: "number", initial: "3" },
  lock_wait_timeout_ms: session("number", "50000"),
  log_level: { kind: ["DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"], initial: "DEBUG", readOnly: true },
  log_to_file: boolean("ON"),
  log_truncation_at: number(25_165_824),
  max_concurrent_flushes: number(0),
  max_memory_usage: number(0),
  max_open_sstables: number(256),
  object_store_backend: { kind: ["LOCAL", "S3", "FS"], initial: "LOCAL", readOnly: true },
  objstore_cache_on_read: boolean("ON"),
  objstore_cache_on_write: boolean("ON"),
  objstore_fs_path: text(),
  objstore_local_cache_max: number(0),
  objstore_max_concurrent_downloads: number(0),
  objstore_max_concurrent_uploads: number(0),
  objstore_multipart_part_size: number(0),
  objstore_multipart_threshold: number(0),
  objstore_replica_replay_wal: boolean("ON"),
  objstore_replicate_wal: boolean("ON"),
  objstore_sync_manifest_to_object: boolean("ON"),
  objstore_wal_sync_on_commit: boolean("OFF"),
  objstore_wal_sync_threshold: number(1_048_576),
  objstore_wal_upload_sync: boolean("OFF"),
  pessimistic_locking: boolean("ON", false),
  print_all_conflicts: boolean("OFF", false),
  promote_primary: boolean("OFF", false),
  replica_mode: boolean("OFF"),
  replica_sync_interval: number(5_000_000, 100_000),
  s3_access_key: text(),
  s3_bucket: text(),
  s3_endpoint: text(),
  s3_multipart_part_size: number(0),
  s3_multipart_threshold: number(0),
  s3_path_style: boolean("OFF"),
  s3_prefix: text(),
  s3_region: text(),
  s3_secret_key: text(),
  s3_tls_ca_path: text(),
  s3_tls_insecure_skip_verify: boolean("OFF"),
  s3_use_ssl: boolean("ON"),
  single_delete_primary: session("boolean", "OFF"),
  skip_unique_check: session("boolean", "OFF"),
  ttl: session("number", "0"),
  unified_memtable: boolean("ON"),
  unified_memtable_skip_list_max_level: number(0),
  unified_memtable_skip_list_probability: number(0),
  unified_memtable_sync_interval: number(128_000),
  unified_memtable_sync_mode: { kind: syncModes, initial: "FULL", readOnly: true },
  unified_memtable_write_buffer_size: number(268_435_456),
};

/** By full name. */
export const tidesdbVariables = new Map(
  Object.entries(definitions).map(([name, definition]) => [`tidesdb_${name}`, definition]),
);
