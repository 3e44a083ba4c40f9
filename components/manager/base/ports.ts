/** Milliseconds on this process's monotonic clock. Never compared with another machine's. */
export type Monotonic = number;

/**
 * What the manager needs of the world. The real adapters are in this folder; a simulation passes its own. No other way leads out of the manager:
 * no clock, no timer, no random number and no socket is used past these.
 */
export interface Ports {
  clock: Clock;
  kubernetes: Kubernetes;
  engine: Engine;
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

/** The row that a primary writes when nobody else does. */
export interface Heartbeat {
  epoch: number;
  beat: number;
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
  /** Whether the server answers at all. @throws when it does not */
  ping(timeoutMilliseconds: number): Promise<void>;
  /** Lets all commits wait for so long. None fails. */
  holdCommits(milliseconds: number): Promise<void>;
  /** Flushes the memtable of all tables. */
  flush(timeoutMilliseconds: number): Promise<void>;
  /**
   * Has the server read tables' definitions anew: their files have changed.
   * @param tables `database/table`, as MariaDB names the folder and the file
   * @throws when a statement or a transaction uses one of them all the time
   */
  reopenTables(tables: string[], timeoutMilliseconds: number): Promise<void>;
}

/** What a manager tells another. */
export interface PeerStatus {
  pod: string;
  /** Is the primary, open, and not about to leave. */
  serves: boolean;
  following: string;
  resumable: boolean;
  /** It is due for a restart on an aligned volume. */
  mustBeginAnew: boolean;
  /** It could take over without making an empty server first. */
  prepared: boolean;
  /** The version of the Lease of which it has heard no renewal for so long that it is free; empty: none, or it has promised not to take it. */
  freeLease: string;
  /** Where it is in the log; absent until it has read it. */
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
  /**
   * Asks every given pod to confirm that this node is the primary of this epoch: each promises not to take the Lease for one duration and margin. True when all have, and there is one.
   */
  confirm(pods: string[], identity: string, epoch: number, timeoutMilliseconds: number): Promise<boolean>;
  /**
   * Has another pod give the Lease back for this node, which has lost its hold already: the API server does not answer this one.
   * @param preferredSuccessor is asked first
   * @throws when none could
   */
  release(held: HeldLease, preferredSuccessor: string, timeoutMilliseconds: number): Promise<void>;
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
