import { CompactableTable } from "./compaction";
import { Inventory } from "./inventory";
import { Monotonic, OwnerRecord, VolumeRecord } from "./view";

/**
 * What the manager needs of the world. The real adapters are in this folder; a simulation passes its own. No other way leads out of the manager:
 * no clock, no timer, no random number and no socket is used past these.
 */
export interface Ports {
  clock: Clock;
  kubernetes: Kubernetes;
  store: Store;
  engine: Engine;
  volume: Volume;
  peers: Peers;
  watchdog: Watchdog;
  log: Log;
  /** Ends this process. */
  exit(code: number): void;
}

export interface Clock {
  /** Milliseconds, monotonic. */
  now(): Monotonic;
  /** Wall clock, ISO 8601: for people who read the Lease, never for a decision. */
  wallTime(): string;
  sleep(milliseconds: number): Promise<void>;
}

/** The Lease as the API server gave it. */
export interface LeaseObject {
  resourceVersion: string;
  holder: string;
  epoch: number;
  renewTime: string;
  preferredSuccessor: string;
  /** The epoch that its holder released in order, or undefined. */
  releasedEpoch?: number;
}

/** An update lost against somebody else's. The state has to be read again. */
export class Conflict extends Error {
  constructor(what: string) {
    super(`${what} was changed by another writer`);
    this.name = "Conflict";
  }
}

/** What the API server says of one of the database's pods. */
export interface PodRecord {
  name: string;
  /** Of this very pod: its replacement under the same name has another. */
  uid: string;
  /** The database's container runs, as its node has said last: a node that was lost says nothing any more. */
  runs: boolean;
  /** The role label, "none" without one. */
  role: string;
  /** Whether the Service for reads selects it. */
  reads: boolean;
  /** Of the StatefulSet's template that it was made from. */
  revision: string;
  ready: boolean;
  /** It has been told to go. */
  leaving: boolean;
  /** It is killed so long after that; undefined: it has not been told to go. Seconds. */
  leavesWithinSeconds?: number;
  /** Value of the annotation that asks for a switchover, empty without one. */
  switchover: string;
  /** Value of the annotation that asks for a promotion, empty without one. */
  promote: string;
}

/** The API server has answered that it did nothing: it is overloaded, or does not allow it. */
export class NotAccepted extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NotAccepted";
  }
}

/** The API server does not accept this pod's token any more. It is bound to the pod: that is gone, deleted by force, and its containers are killed within two seconds. */
export class PodGone extends NotAccepted {
  constructor(message: string) {
    super(message);
    this.name = "PodGone";
  }
}

export interface Kubernetes {
  readLease(timeoutMilliseconds: number): Promise<LeaseObject | undefined>;
  /** @throws Conflict when it exists. */
  createLease(lease: Omit<LeaseObject, "resourceVersion">, timeoutMilliseconds: number): Promise<LeaseObject>;
  /** @throws Conflict when `resourceVersion` is not the current one. */
  updateLease(lease: LeaseObject, timeoutMilliseconds: number): Promise<LeaseObject>;
  /** The pods of this database. */
  readPods(timeoutMilliseconds: number): Promise<PodRecord[]>;
  /** Only a `replica` begins to be read; a `primary` that was one goes on for a while, and `none` takes both labels off. A pod that is gone is no error. */
  setRole(pod: string, role: "primary" | "replica" | "none", timeoutMilliseconds: number): Promise<void>;
  /** Takes a pod out of the Service for reads. One that is gone is no error. */
  endReads(pod: string, timeoutMilliseconds: number): Promise<void>;
  /** The revision that the StatefulSet's pods are to have; empty when there is none, undefined while its status is older than its specification. */
  updateRevision(timeoutMilliseconds: number): Promise<string | undefined>;
  /** Has a pod replaced, in order. One that is gone is no error. */
  deletePod(pod: string, timeoutMilliseconds: number): Promise<void>;
  /** Takes the annotations off by which a person asked for something. */
  clearRequests(pod: string, timeoutMilliseconds: number): Promise<void>;
  /** A Kubernetes Event on this pod. Best effort: never throws. */
  event(type: "Normal" | "Warning", reason: string, message: string): void;
}

export interface StoredObject {
  key: string;
  size: number;
  etag: string;
}

/** When a PUT may take effect, and what it says of its origin. */
export interface PutCondition {
  ifAbsent?: boolean;
  ifMatch?: string;
  /** The engine's epoch, as its own uploads carry it. */
  epoch?: number;
}

export interface Store {
  /** The owner's record and its ETag; undefined when there is none. */
  readOwner(timeoutMilliseconds: number): Promise<{ record: OwnerRecord; etag: string } | undefined>;
  /**
   * Writes the record where `etag` is the current one, or where there is none (`etag` undefined). Answers the new ETag.
   * @throws Conflict
   */
  writeOwner(record: OwnerRecord, etag: string | undefined, timeoutMilliseconds: number): Promise<string>;
  /** Everything in a folder below the deployment's prefix, or all of it; keys are relative to the prefix. */
  list(timeoutMilliseconds: number, folder?: string): Promise<StoredObject[]>;
  /** Size of an object, undefined when there is none. The key is relative to the prefix. */
  size(key: string, timeoutMilliseconds: number): Promise<number | undefined>;
  /** Writes an object where the condition holds. @throws Conflict */
  put(key: string, content: Uint8Array, condition: PutCondition, timeoutMilliseconds: number): Promise<void>;
  /** Deletes an object. One that is not there is no error. */
  delete(key: string, timeoutMilliseconds: number): Promise<void>;
  /** Copies an object within the bucket. Keys are relative to the prefix. */
  copy(from: string, to: string, timeoutMilliseconds: number): Promise<void>;
  /** The engine's epoch that an object carries; 0 when it carries none, or is not there. */
  epochOf(key: string, timeoutMilliseconds: number): Promise<number>;
  /** Lets an object carry another epoch of the engine. */
  stampEpoch(key: string, epoch: number, timeoutMilliseconds: number): Promise<void>;
  /** Epoch of the engine's own lease object; 0 when there is none. */
  readEngineEpoch(timeoutMilliseconds: number): Promise<number>;
  /** Whether the store refuses a second conditional creation of one key, and a conditional replacement of what is not there any more. */
  supportsConditionalWrites(timeoutMilliseconds: number): Promise<boolean>;
}

/** What a node does for a peer that cannot reach the bucket itself. */
export type Detour = Pick<Store, "list" | "put" | "readEngineEpoch">;

/** The row that the primary keeps writing and the replicas keep reading, through the bucket. */
export interface Heartbeat {
  epoch: number;
  beat: number;
  /** Generation of the primary's WAL. */
  generation: number;
}

export interface Engine {
  /**
   * Starts mariadbd as a replica and resolves once it answers. `onSpawn` is called as soon as there is a process.
   * @throws when it ended or did not answer in time: a process may be left, and is to be killed
   */
  start(timeoutMilliseconds: number, onSpawn: (pid: number) => void): Promise<void>;
  /** Called once for each process that ended, whatever the reason. */
  onExit(listener: (how: string) => void): void;
  /** SIGKILL, at once. No-op without a process. */
  kill(): void;
  /** SIGKILL; resolves when the process is gone. That may take long, or never happen, where a disk does not answer. */
  end(): Promise<void>;
  /** PID of mariadbd, 0 without one. */
  pid(): number;
  /** Uses the certificate files as they are now for new connections. No-op without a process. @throws when the server refuses them */
  reloadCertificate(timeoutMilliseconds: number): Promise<void>;
  /** Declared users and databases are there, no account is without a password, none is there that was not declared. Mends what can be mended. */
  checkAccounts(): Promise<void>;
  /** Version of the TideSQL plugin as `major.minor.patch`; undefined when it does not say. */
  version(): Promise<string | undefined>;
  setReadOnly(on: boolean, timeoutMilliseconds: number): Promise<void>;
  /** Ends every session but the manager's own. */
  endSessions(timeoutMilliseconds: number): Promise<void>;
  promote(timeoutMilliseconds: number): Promise<void>;
  /** Makes the manager's own table where it is missing, and writes a heartbeat. */
  writeHeartbeat(beat: Heartbeat, timeoutMilliseconds: number): Promise<void>;
  /** The last heartbeat that this replica has followed; undefined when there is none. */
  readHeartbeat(timeoutMilliseconds: number): Promise<Heartbeat | undefined>;
  /** Writes a replica's marker, behind a flush: who sees it has followed that flush. */
  writeMarker(marker: string, timeoutMilliseconds: number): Promise<void>;
  hasMarker(marker: string, timeoutMilliseconds: number): Promise<boolean>;
  /** Whether the server answers at all. @throws when it does not */
  ping(timeoutMilliseconds: number): Promise<void>;
  /** The newest WAL generation that was uploaded after its flush. */
  lastUploadedGeneration(): Promise<number>;
  /** The highest sequence that this node has read, from a WAL or a table's file, or written; up to a second old. To be compared only among nodes that have followed. */
  sequence(): Promise<number>;
  /** Lets all commits wait for so long. None fails. */
  holdCommits(milliseconds: number): Promise<void>;
  /** The folders of all tables that are defined, as if all were the engine's. */
  tables(timeoutMilliseconds: number): Promise<string[]>;
  /** The TidesDB tables that can be compacted on demand. */
  compactableTables(timeoutMilliseconds: number): Promise<CompactableTable[]>;
  /** Merges all SSTables of a table. Its data does not change. */
  compact(table: CompactableTable, timeoutMilliseconds: number): Promise<void>;
  /** Flushes the memtable of all tables. */
  flush(timeoutMilliseconds: number): Promise<void>;
  /** Generation of the active WAL. */
  walGeneration(): Promise<number>;
}

/** A file of the engine on the volume, named as its object in the bucket. */
export interface LocalFile {
  name: string;
  size: number;
  /** Hex MD5, for files whose content changes under the same name and size. */
  md5?: string;
}

/** A WAL on the volume. */
export interface WalFile {
  generation: number;
  /** Up to the end of its last whole block. */
  bytes: number;
  /** Commits that ran side by side stand in another order than that of their sequences: until they are flushed, followers do not have all of them. */
  isDisordered: boolean;
}

export interface Volume {
  /** What the volume says of itself; of an empty one: nothing. @throws when it cannot be read */
  read(): Promise<VolumeRecord>;
  /** Durable when it resolves. */
  write(record: VolumeRecord): Promise<void>;
  /** Deletes all data, prepares an empty server on it, and answers its new record. */
  wipe(): Promise<VolumeRecord>;
  /** The engine's files that belong in the bucket. */
  list(): Promise<LocalFile[]>;
  /** The files of SSTables: of their keys, and of their values. */
  sstableFiles(): Promise<{ name: string; size: number }[]>;
  /** The WAL's files. */
  walFiles(): Promise<WalFile[]>;
  /** Calls back with the name of each file of the engine's own table of definitions that is written from now on. @returns what ends that; undefined: there is no such table yet */
  watchDefinitions(written: (name: string) => void): (() => void) | undefined;
  /** Content of one of the engine's files; undefined when it has gone. */
  readFile(name: string): Promise<Uint8Array | undefined>;
  /**
   * Puts back what the engine has deleted or replaced since the last call, and keeps what is there: when it opens it deletes all WALs but the newest, with their rows in memory only, and all tables'
   * files that the bucket's manifests do not name.
   */
  keep(): Promise<void>;
  /** The kept files of SSTables that the engine has deleted since, for a manifest that is not the kept one. */
  lostSinceKept(): Promise<string[]>;
  /** What was kept is in the tables' files by now; put back, it would bring old versions of rows. */
  forgetKept(): Promise<void>;
  /** Deletes all files of the WAL but the newest, whose rows are in the tables' files: of an engine that has ended, and had flushed everything that was written before that file. */
  dropFlushedWals(): Promise<void>;
}

/** What a manager tells another. */
export interface PeerStatus {
  pod: string;
  /** Is the primary, open, and not about to leave. */
  serves: boolean;
  /** Its empty engine is opening the bucket, and may put older manifests there. */
  opens: boolean;
  following: string;
  resumable: boolean;
  /** It knows that its volume is not the last primary's. */
  lacksVolume: boolean;
  /** That it has followed, or serves in. */
  epoch: number;
  beat: number;
  /** The highest that it has followed. */
  sequence: number;
  /** Generation of the WAL that the node has followed. */
  generation: number;
  /** It keeps tables that were dropped, or rows that an earlier primary has sent too late. */
  mustBeginAnew: boolean;
  /** The version of the Lease of which it has heard no renewal for so long that it is free; empty: none, or it has promised not to take it. */
  freeLease: string;
  /** Where it is in the log, where the database's store is that; absent until it has read it. */
  log?: PeerPlace;
}

/** A node's place in the log. */
export interface PeerPlace {
  epoch: number;
  /** Of the last entry that it has applied. */
  position: number;
  /** How far it knows the log, with what was pushed to it; between two positions, with drafts. */
  pushed: number;
  /** Since the bucket has answered it last. Milliseconds. */
  bucketAge: number;
}

/** A Lease as its holder last knew it. */
export interface HeldLease {
  identity: string;
  epoch: number;
  /** Its `resourceVersion`. */
  version: string;
}

export interface Peers {
  /** Asks every other pod; those that do not answer in time are left out. */
  askAll(timeoutMilliseconds: number): Promise<PeerStatus[]>;
  /** Asks the primary for a flush and a marker behind it. */
  join(primary: string, marker: string, timeoutMilliseconds: number): Promise<void>;
  /**
   * Asks every given pod to confirm that this node is the primary of this epoch: each promises not to take the Lease for one duration and margin. True when all have, and there is one.
   */
  confirm(pods: string[], identity: string, epoch: number, timeoutMilliseconds: number): Promise<boolean>;
  /** What the primary has, to compare with. */
  inventory(primary: string, timeoutMilliseconds: number): Promise<Inventory>;
  /** Whether a follower has all that the primary has: it compares itself with that one now. */
  isSound(pod: string, timeoutMilliseconds: number): Promise<boolean>;
  /**
   * Has another pod give the Lease back for this node, which has lost its hold already: the API server does not answer this one.
   * @param preferredSuccessor is asked first
   * @throws when none could
   */
  release(held: HeldLease, preferredSuccessor: string, timeoutMilliseconds: number): Promise<void>;
  /** The bucket by way of another pod. */
  detour(pod: string): Detour;
  /** Tells the others that the Lease has just changed. Best effort: resolves when all have answered or the time is over, and never throws. */
  leaseChanged(timeoutMilliseconds: number): Promise<void>;
}

export interface Watchdog {
  /** From this moment on no writer may run here. 0: none may run now. */
  setDeadline(deadline: Monotonic): void;
  /** The process to kill when the deadline passes; 0: none. */
  guard(pid: number): void;
}

export type LogLevel = "info" | "warning" | "error";

export type Log = (level: LogLevel, message: string, fields?: Record<string, unknown>) => void;
