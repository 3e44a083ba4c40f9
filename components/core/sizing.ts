import { gibibyte, mebibyte } from "./quantities";

/** A machine that pods run on, as its type promises it. */
export interface NodeCapacity {
  memoryBytes: number;
  cpuCores: number;
  /** Local NVMe drives of the machine, together. 0: it has none. */
  instanceStoreBytes: number;
}

/** What a pod is to have. Each value that is left out is derived. */
export interface SizingRequest {
  /** True: the data is on the machine's NVMe drives; false: on a volume of its own. */
  onInstanceStore: boolean;
  /** The machine, where its type is known. A pod then takes three quarters of it. */
  node?: NodeCapacity;
  memoryBytes?: number;
  cpuCores?: number;
  cpuLimitCores?: number;
  blockCacheBytes?: number;
  writeBufferBytes?: number;
  flushThreads?: number;
  compactionThreads?: number;
  maxMemoryBytes?: number;
  maxConnections?: number;
  dataVolumeBytes?: number;
  temporaryVolumeBytes?: number;
}

/** What a pod gets. */
export interface Sizing {
  /** Request and limit of the pod's memory: a database that may be evicted for another pod's memory is no database. */
  memoryBytes: number;
  cpuRequestCores: number;
  cpuLimitCores: number;
  /** `tidesdb_block_cache_size`. */
  blockCacheBytes: number;
  /** `tidesdb_unified_memtable_write_buffer_size`. */
  writeBufferBytes: number;
  /** `tidesdb_flush_threads`. */
  flushThreads: number;
  /** `tidesdb_compaction_threads`. */
  compactionThreads: number;
  /** `tidesdb_max_memory_usage`: the engine's share of the pod's memory. Unset, the engine takes its share of the *machine's*. */
  maxMemoryBytes: number;
  /** `max_connections`. */
  maxConnections: number;
  /** The volume with MariaDB's and the engine's files: it holds all the data, since nothing is evicted from it. */
  dataVolumeBytes: number;
  /** `/tmp`: temporary tables and sort files. */
  temporaryVolumeBytes: number;
}

/** What a pod gets where neither a machine's type nor its memory is said: the requests of the hand-made deployment that this package replaces. */
export const defaultPod = { memoryBytes: 4 * gibibyte, cpuCores: 2 } as const;

/** A machine's kubelet, its operating system and its DaemonSets need the rest: on an 8 GiB EKS node about 1.1 GiB, and 0.3 of 2 cores. */
const podShareOfNode = 0.75;
/** Share of the machine's memory (or, where it is unknown, of the pod's) that caches blocks of SSTables. */
const blockCacheShare = 0.25;
/** Memtables that wait for their flush, their skip lists and the copies that are being uploaded: the engine holds up to this many write buffers. */
export const writeBuffersInMemory = 12;
/** The engine raises a lower `tidesdb_max_memory_usage` to this share of the machine's memory (measured: 512 MiB became 1205 MiB on 24 GiB). */
export const leastEngineShareOfNode = 0.05;

/** The manager with Node: 77 MB were measured without load, and 170 to 228 MB with 6 MB/s of writes (`test/storeEngine/managers.ts`, real engine), which is more than a small pod is for. */
const managerMemory = { least: 80 * mebibyte, most: 208 * mebibyte, share: 1 / 8 } as const;
/** mariadbd without TidesDB, its InnoDB and Aria buffers as this project sets them. */
export const mariadbMemoryBytes = 128 * mebibyte;
/** Stack, network and sort buffers of a connection at work. */
export const connectionMemoryBytes = mebibyte;
/** The memory-backed volume for the socket, the keys and the init file; it counts against the pod's memory. */
export const runVolumeBytes = 16 * mebibyte;
/** Room for the Node binary (about 120 MiB) that the init container copies. */
export const nodeVolumeBytes = 256 * mebibyte;
/** The kubelet keeps 5 files of 10 MiB of a container's log. */
export const containerLogBytes = 64 * mebibyte;

/** What a takeover replays at most, and each flush sends. */
const defaultWriteBuffer = 8 * mebibyte;
/** The manager of a node that takes over reads and writes a WAL of this size as a whole. */
export const largestWriteBuffer = 64 * mebibyte;
/** With less, most of the bucket's requests are for flushes of a few rows. */
export const smallestWriteBuffer = 4 * mebibyte;

/** Kubelet, images and logs share the drives with the data; the kubelet gives pods 90 % of them. */
export const dataShareOfInstanceStore = 0.8;
const temporaryShareOfInstanceStore = 0.05;
const defaultDataVolumeBytes = 100 * gibibyte;
/** On the node's root disk, which has 20 GiB on EKS. */
const defaultTemporaryVolumeBytes = 4 * gibibyte;
/** An initialised MariaDB and its copy take 0.3 GiB. */
export const smallestDataVolumeBytes = gibibyte;
/** No volume of EBS is larger: 64 TiB. */
export const largestDataVolumeBytes = 65_536 * gibibyte;

/** A table is refused, when it is made and when it is opened, whose buffer is more than half the engine's memory; so pods can shrink to a quarter of it later. */
const tableBufferShare = 1 / 8;
const largestTableBuffer = gibibyte;

/**
 * `tidesdb_default_write_buffer_size`, which goes into each new table for good. No rows are kept in it, since all tables share one memtable; it is the capacity of a table's first level, and what the
 * engine reckons for each merge that runs. Whole mebibytes.
 */
export function tableBufferBytes(maxMemoryBytes: number): number {
  return Math.max(mebibyte, Math.min(largestTableBuffer, wholeMebibytes(tableBufferShare * maxMemoryBytes)));
}

/** Derives what was left out of a request that `validateSizing` finds nothing wrong with. */
export function deriveSizing(request: SizingRequest): Sizing {
  const { node } = request;
  const memoryBytes =
    request.memoryBytes ?? (node ? wholeMebibytes(podShareOfNode * node.memoryBytes) : defaultPod.memoryBytes);
  const cpuRequestCores = request.cpuCores ?? (node ? podShareOfNode * node.cpuCores : defaultPod.cpuCores);
  const cacheBasis = request.memoryBytes ?? node?.memoryBytes ?? memoryBytes;
  const threads = clamp(Math.floor(node?.cpuCores ?? cpuRequestCores), 2, 4);
  const maxConnections = request.maxConnections ?? clamp(Math.floor(memoryBytes / (32 * mebibyte)), 32, 1000);
  return {
    memoryBytes,
    cpuRequestCores,
    cpuLimitCores: request.cpuLimitCores ?? Math.max(node?.cpuCores ?? 2 * cpuRequestCores, cpuRequestCores),
    blockCacheBytes: request.blockCacheBytes ?? wholeMebibytes(blockCacheShare * cacheBasis),
    writeBufferBytes: request.writeBufferBytes ?? defaultWriteBuffer,
    flushThreads: request.flushThreads ?? threads,
    compactionThreads: request.compactionThreads ?? threads,
    maxMemoryBytes: request.maxMemoryBytes ?? wholeMebibytes(memoryBytes - besidesEngine(memoryBytes, maxConnections)),
    maxConnections,
    dataVolumeBytes: request.dataVolumeBytes ?? defaultDataVolume(request),
    temporaryVolumeBytes: request.temporaryVolumeBytes ?? defaultTemporaryVolume(request),
  };
}

/** What the container may write to the machine's disk, which Kubernetes counts as ephemeral storage. */
export function ephemeralStorageBytes(
  { dataVolumeBytes, temporaryVolumeBytes }: Sizing,
  onInstanceStore: boolean,
): number {
  return (onInstanceStore ? dataVolumeBytes : 0) + temporaryVolumeBytes + nodeVolumeBytes + containerLogBytes;
}

/** Memory that the pod needs besides the engine. Bytes. */
export function besidesEngine(memoryBytes: number, maxConnections: number): number {
  const { least, most, share } = managerMemory;
  const manager = clamp(wholeMebibytes(share * memoryBytes), least, most);
  return manager + mariadbMemoryBytes + runVolumeBytes + maxConnections * connectionMemoryBytes;
}

function defaultDataVolume({ onInstanceStore, node }: SizingRequest): number {
  if (!onInstanceStore || !node) return defaultDataVolumeBytes;
  return Math.floor((dataShareOfInstanceStore * node.instanceStoreBytes) / gibibyte) * gibibyte;
}

function defaultTemporaryVolume({ onInstanceStore, node }: SizingRequest): number {
  if (!onInstanceStore || !node) return defaultTemporaryVolumeBytes;
  return wholeMebibytes(temporaryShareOfInstanceStore * node.instanceStoreBytes);
}

function wholeMebibytes(bytes: number): number {
  return Math.floor(bytes / mebibyte) * mebibyte;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
