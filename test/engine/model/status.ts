import type { EngineState } from "./state";

/** The figures behind the `Tidesdb_*` status variables. */
export interface EngineStatus {
  replicaMode: boolean;
  /** Epoch of the lease that this node took; 0: none. */
  primaryEpoch: number;
  /** Highest epoch seen in the bucket. */
  seenEpoch: number;
  globalSequence: number;
  walGeneration: number;
  lastUploadedGeneration: number;
  uploadQueueDepth: number;
  totalUploads: number;
  uploadFailures: number;
  columnFamilies: number;
  sstables: number;
  dataBytes: number;
  memtableBytes: number;
  immutables: number;
  localFiles: number;
  localBytes: number;
}

export function statusOf(state: EngineState): EngineStatus {
  const sstables = [...state.families.values()].flatMap(family => family.sstables);
  const files = state.disk.list();
  return {
    replicaMode: state.replicaMode,
    primaryEpoch: state.primaryEpoch,
    seenEpoch: state.seenEpoch,
    globalSequence: state.nextSequence,
    walGeneration: state.walGeneration,
    lastUploadedGeneration: state.uploader.lastGeneration,
    uploadQueueDepth: state.uploader.depth,
    totalUploads: state.uploader.total,
    uploadFailures: state.uploader.failures,
    columnFamilies: state.families.size,
    sstables: sstables.length,
    dataBytes: sstables.reduce((sum, sstable) => sum + sstable.bytes, 0),
    memtableBytes: state.active.bytes,
    immutables: state.immutables.length,
    localFiles: files.length,
    localBytes: files.reduce((sum, file) => sum + (state.disk.size(file) ?? 0), 0),
  };
}
