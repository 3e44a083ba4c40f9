import { Value } from "../values";
import type { Server } from "./server";

/** Versions of the plugin and of the library that are simulated. */
export const pluginVersion = "4.5.7";
export const libraryVersion = "9.3.14";

/** Lines of SHOW STATUS. Those of the engine are up to a second old. */
export function serverStatus(server: Server): Value[][] {
  const lines: Value[][] = [
    ["Connections", server.connections],
    ["Questions", server.questions],
    ["Threads_connected", server.sessions.size],
    ["Threads_running", 1],
    ["Uptime", Math.floor((Date.now() - server.startedAt) / 1000)],
    ...engineLines(server),
  ];
  return lines.map(([name, value]) => [name ?? null, String(value)]);
}

function engineLines(server: Server): Value[][] {
  const status = server.cachedEngineStatus;
  if (!status) return [];
  const values: Record<string, Value> = {
    version: pluginVersion,
    library_version: libraryVersion,
    column_families: status.columnFamilies,
    global_sequence: status.globalSequence,
    memtable_bytes: status.memtableBytes,
    memory_limit: server.engine?.settings.memoryLimitBytes ?? 0,
    memory_pressure: 0,
    total_sstables: status.sstables,
    open_sstables: status.sstables,
    data_size_bytes: status.dataBytes,
    immutable_memtables: status.immutables,
    flush_pending: status.immutables,
    flush_queue: status.immutables,
    compaction_queue: 0,
    cache_hit_rate: 0,
    backpressure_waits: 0,
    lock_waits: 0,
    lock_deadlocks: 0,
    lock_timeouts: 0,
    unified_memtable_enabled: 1,
    unified_memtable_bytes: status.memtableBytes,
    unified_immutable_count: status.immutables,
    unified_is_flushing: status.immutables > 0 ? 1 : 0,
    unified_wal_generation: status.walGeneration,
    object_store_enabled: server.variables.get("tidesdb_object_store_backend") === "LOCAL" ? 0 : 1,
    replica_mode_active: status.replicaMode ? 1 : 0,
    primary_epoch: status.primaryEpoch,
    seen_epoch: status.seenEpoch,
    local_cache_bytes: status.localBytes,
    local_cache_files: status.localFiles,
    upload_queue_depth: status.uploadQueueDepth,
    total_uploads: status.totalUploads,
    upload_failures: status.uploadFailures,
    last_uploaded_generation: status.lastUploadedGeneration,
  };
  return Object.entries(values).map(([name, value]) => [`Tidesdb_${name}`, value]);
}

/** SHOW ENGINE TIDESDB STATUS: the long form. */
export function engineStatusText(server: Server): string {
  return engineLines(server)
    .map(([name, value]) => `${String(name)}: ${String(value)}\n`)
    .join("");
}
