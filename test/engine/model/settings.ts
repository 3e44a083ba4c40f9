/** What the server's variables tell the engine. The defaults are the engine's own, not those that a deployment should have. */
export interface EngineSettings {
  /** `tidesdb_replica_mode`. */
  replicaMode: boolean;
  /** `tidesdb_replica_sync_interval`: a replica polls the bucket so long after the last poll ended. The engine refuses less than 100. Milliseconds. */
  replicaSyncIntervalMilliseconds: number;
  /** `tidesdb_objstore_wal_sync_threshold`: the reaper sends the active WAL when it has grown by so much. 0: never. Bytes. */
  walSyncThresholdBytes: number;
  /** `tidesdb_objstore_wal_sync_on_commit`. */
  walSyncOnCommit: boolean;
  /** `tidesdb_unified_memtable_write_buffer_size`. Bytes. */
  writeBufferBytes: number;
  /** `tidesdb_objstore_max_concurrent_uploads`; a replica has one less. */
  maxConcurrentUploads: number;
  /** `tidesdb_max_open_sstables`: with more SSTables than that scans fail. */
  maxOpenSstables: number;
  /** What the engine may take of the machine's memory: a table is refused whose write buffer is more than half of it. Bytes. */
  memoryLimitBytes: number;
  /**
   * How likely a promotion misses what the newest WAL object got after the replica's last poll: rows that were in the bucket were missing after 1 of 10 promotions
   * right after the primary's death, and after none that waited for a further poll. The cause is not known, so the model throws dice.
   */
  skipLastWalProbability: number;
  /**
   * How likely a commit's block reaches the WAL after that of a commit with a higher sequence which runs beside it: 1 of 300 to 1,000 with eight clients. Followers pass over it.
   */
  overtakenCommitProbability: number;
}

/** The engine's defaults. */
export const defaultEngineSettings: EngineSettings = {
  replicaMode: false,
  replicaSyncIntervalMilliseconds: 5000,
  walSyncThresholdBytes: 1_048_576,
  walSyncOnCommit: false,
  writeBufferBytes: 268_435_456,
  maxConcurrentUploads: 4,
  maxOpenSstables: 256,
  memoryLimitBytes: Infinity,
  skipLastWalProbability: 0.1,
  overtakenCommitProbability: 0.01,
};

/** What a table's column family is created with: the `tidesdb_default_*` variables of the session, or the table's own options. */
export interface FamilySettings {
  /** Level 1 is merged when it holds so many SSTables. */
  l1FileCountTrigger: number;
  /** Levels that the tree has from the start. */
  minLevels: number;
  /** An SSTable with more tombstones than this share has its key range merged down. Parts of 10,000; 0: never. */
  tombstoneDensityTrigger: number;
  /** SSTables with fewer entries are left alone. */
  tombstoneDensityMinEntries: number;
  /** Capacity of level 1; each further level holds ten times as much. Bytes. */
  writeBufferBytes: number;
}

/** The library's defaults. The column family of the table definitions has them whatever the server's variables say. */
export const defaultFamilySettings: FamilySettings = {
  l1FileCountTrigger: 4,
  minLevels: 1,
  tombstoneDensityTrigger: 0,
  tombstoneDensityMinEntries: 1024,
  writeBufferBytes: 67_108_864,
};
