/** What an option takes: `ON`, `OFF` and their like, or any text. */
type Takes = "boolean" | "value";

/**
 * The options that the policies ask about, each with the shortest abbreviation that the server takes for it (`mariadbd --verbose --help` lists all of them; those of
 * TidesDB are abbreviated among themselves).
 */
const knownOptions: Readonly<Record<string, readonly [takes: Takes, shortest: string]>> = {
  bind_address: ["value", "bind"],
  datadir: ["value", "datadir"],
  default_storage_engine: ["value", "default_s"],
  default_tmp_storage_engine: ["value", "default_tm"],
  enforce_storage_engine: ["value", "enf"],
  init_connect: ["value", "init_c"],
  init_file: ["value", "init_f"],
  local_infile: ["boolean", "loca"],
  old_passwords: ["boolean", "old_p"],
  plugin_load: ["value", "plugin_load"],
  plugin_load_add: ["value", "plugin_load_"],
  read_only: ["boolean", "read_o"],
  require_secure_transport: ["boolean", "req"],
  secure_auth: ["boolean", "secure_a"],
  secure_file_priv: ["value", "secure_f"],
  skip_grant_tables: ["boolean", "skip_g"],
  skip_networking: ["boolean", "skip_ne"],
  ssl: ["boolean", "ssl"],
  ssl_ca: ["value", "ssl_ca"],
  ssl_cert: ["value", "ssl_ce"],
  ssl_key: ["value", "ssl_k"],
  tls_version: ["value", "tl"],
  tidesdb_default_l1_file_count_trigger: ["value", "tidesdb_default_l1"],
  tidesdb_default_min_levels: ["value", "tidesdb_default_min_l"],
  tidesdb_default_sync_mode: ["value", "tidesdb_default_sync_m"],
  tidesdb_default_tombstone_density_min_entries: ["value", "tidesdb_default_tombstone_density_m"],
  tidesdb_default_tombstone_density_trigger: ["value", "tidesdb_default_tombstone_density_t"],
  tidesdb_default_write_buffer_size: ["value", "tidesdb_default_w"],
  tidesdb_max_memory_usage: ["value", "tidesdb_max_m"],
  tidesdb_max_open_sstables: ["value", "tidesdb_max_o"],
  tidesdb_object_store_backend: ["value", "tidesdb_obje"],
  tidesdb_objstore_local_cache_max: ["value", "tidesdb_objstore_l"],
  tidesdb_objstore_replica_replay_wal: ["boolean", "tidesdb_objstore_replica_"],
  tidesdb_objstore_replicate_wal: ["boolean", "tidesdb_objstore_replicat"],
  tidesdb_objstore_sync_manifest_to_object: ["boolean", "tidesdb_objstore_s"],
  tidesdb_objstore_wal_sync_on_commit: ["boolean", "tidesdb_objstore_wal_sync_o"],
  tidesdb_objstore_wal_sync_threshold: ["value", "tidesdb_objstore_wal_sync_t"],
  tidesdb_objstore_wal_upload_sync: ["boolean", "tidesdb_objstore_wal_u"],
  tidesdb_promote_primary: ["boolean", "tidesdb_pro"],
  tidesdb_replica_mode: ["boolean", "tidesdb_replica_m"],
  tidesdb_replica_sync_interval: ["value", "tidesdb_replica_s"],
  tidesdb_s3_access_key: ["value", "tidesdb_s3_a"],
  tidesdb_s3_bucket: ["value", "tidesdb_s3_b"],
  tidesdb_s3_endpoint: ["value", "tidesdb_s3_e"],
  tidesdb_s3_path_style: ["boolean", "tidesdb_s3_pa"],
  tidesdb_s3_prefix: ["value", "tidesdb_s3_pr"],
  tidesdb_s3_region: ["value", "tidesdb_s3_r"],
  tidesdb_s3_secret_key: ["value", "tidesdb_s3_s"],
  tidesdb_s3_tls_ca_path: ["value", "tidesdb_s3_tls_c"],
  tidesdb_s3_tls_insecure_skip_verify: ["boolean", "tidesdb_s3_tls_i"],
  tidesdb_s3_use_ssl: ["boolean", "tidesdb_s3_u"],
  tidesdb_unified_memtable: ["boolean", "tidesdb_unified_memtable"],
  tidesdb_unified_memtable_sync_mode: ["value", "tidesdb_unified_memtable_sync_m"],
  tidesdb_unified_memtable_write_buffer_size: ["value", "tidesdb_unified_memtable_w"],
};

/** What MariaDB takes in front of an option's name. `loose` only forgives unknown names; `maximum` and `autoset` are for numbers. */
const prefix = /^(loose|skip|disable|enable|maximum|autoset)_(.+)$/;

/** An option as the server understands it. */
export interface ServerOption {
  /** In full, lower case, `_` for `-`. */
  name: string;
  /** `ON` and `OFF` where a prefix decides; otherwise as it is written. */
  value: string;
}

/** What the server makes of a written option: abbreviations completed and prefixes applied. `value` is undefined for an option without `=`. */
export function serverOption(written: string, value: string | undefined): ServerOption {
  let name = written.toLowerCase().replaceAll("-", "_");
  let modifier: string | undefined;
  let full = inFull(name);
  while (full === undefined) {
    const [, next, rest] = prefix.exec(name) ?? [];
    if (rest === undefined) break;
    modifier = next;
    name = rest;
    full = inFull(name);
  }
  return { name: full ?? name, value: modified(modifier, value) };
}

function modified(modifier: string | undefined, value: string | undefined): string {
  switch (modifier) {
    // Only the digit 0 negates: `skip-x=OFF` is OFF, and `enable-x=OFF` is ON.
    case "skip":
    case "disable":
      return value === "0" ? "ON" : "OFF";
    case "enable":
      return value === "0" ? "OFF" : "ON";
    default:
      return value ?? "ON";
  }
}

function inFull(name: string): string | undefined {
  if (Object.hasOwn(knownOptions, name)) return name;
  return Object.entries(knownOptions).find(
    ([full, [, shortest]]) => full.startsWith(name) && name.startsWith(shortest),
  )?.[0];
}

/** Whether an option without `=` takes the next argument as its value. */
export function takesNextArgument(written: string): boolean {
  const name = inFull(
    written
      .toLowerCase()
      .replaceAll("-", "_")
      .replace(/^loose_/, ""),
  );
  return name !== undefined && knownOptions[name]![0] === "value";
}

/** Whether a boolean option's value switches it on. MariaDB knows `ON`, `TRUE` and `1`; it warns of anything else, `yes` included, and takes it for OFF. */
export function isOn(value: string): boolean {
  return /^(on|true|1)$/i.test(value);
}
