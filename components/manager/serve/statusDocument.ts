import { X509Certificate } from "node:crypto";
import { Counters } from "../base/counters";
import { remaining } from "./metrics";
import type { EngineRole, EngineState, Hold, LeaseObservation, View } from "../decide/view";
import type { Monotonic } from "../base/ports";

/** What `GET /status` answers: all that a person wants to know of one node, as JSON. It holds no secret. */
export interface StatusDocument {
  /** The database's name. */
  database: string;
  pod: string;
  durability: string;
  /** True when clients are sent here. */
  ready: boolean;
  engine: {
    state: EngineState;
    role: EngineRole;
    /** Of the TideSQL plugin. Absent until the engine was started once. */
    version?: string;
    /** Failed starts and promotions since the last success, on a volume that was kept. */
    failures: number;
    /** A primary takes no writes while the bucket lacks more than the database may lose. */
    writesStopped: boolean;
  };
  /** Absent while this node is no replica that runs. */
  following?: "joining" | "following";
  /** How far this node has followed: the last heartbeat that it read. One is written a second. */
  followed: { epoch: number; beat: number };
  /** Primary: since its last heartbeat was written. Replica: since it read a new one, which is the live lag. Seconds; absent before the first. */
  heartbeatAgeSeconds?: number;
  /** Absent until this node has read it. */
  lease?: {
    /** Pod and its UID, empty while nobody holds it. */
    holder: string;
    epoch: number;
    /** How long a writer may still run on this node without a renewal. Seconds, 0 on a node that does not hold the Lease. */
    remainingSeconds: number;
  };
  /** What the bucket says about its owner. Absent until this node has read it. */
  owner?: {
    epoch: number;
    holder: string;
    /** Everything acknowledged in this epoch is in the bucket. */
    clean: boolean;
  };
  volume: {
    /** The last epoch in which this node was primary on this volume. Absent when it never was. */
    epoch?: number;
    /** It is the last primary's, and stopped: nothing acknowledged is missing on it. */
    resumable: boolean;
    /** A small write has not ended for so long. Absent while the volume answers. */
    silentSeconds?: number;
  };
  /** Why this node touches nothing. */
  refusal?: { reason: string; message: string };
  /** Why nobody can become primary without help. */
  alarm?: string;
  /** What only this node has so far. Absent where that is not known. */
  notInBucket?: NotInBucket;
  /** Where the database's store is the log: this node's place in it. Absent otherwise. */
  log?: LogStatus;
  /** End of the server certificate's validity, ISO 8601. Absent when its file cannot be read. */
  certificateExpires?: string;
  counters: Counters;
  /** Memory of the manager itself. */
  managerResidentBytes: number;
}

/** A node's place in the log. */
export interface LogStatus {
  epoch: number;
  /** Of the last entry that it has applied. */
  position: number;
  /** Position that its engine shows to readers; absent while it shows none. */
  shown?: number;
  /** Time of the last entry, ISO 8601. */
  time: string;
  /** What it does to become or to stop being the primary. Absent: nothing. */
  transition?: string;
}

/** What a node has on its volume and the bucket does not hold yet. */
export interface NotInBucket {
  bytes: number;
  objects: number;
  /** Since when the oldest of it waits. Seconds. */
  oldestSeconds: number;
}

/** What a status says of mariadbd. */
export function engineStatus({
  engine,
  writesStopped,
}: Pick<View, "engine" | "writesStopped">): StatusDocument["engine"] {
  const { state, role, version, failures } = engine;
  return { state, role, version, failures, writesStopped };
}

/** What a status says of the Lease. */
export function leaseStatus(
  { holder, epoch }: LeaseObservation,
  hold: Hold | undefined,
  now: Monotonic,
): NonNullable<StatusDocument["lease"]> {
  return { holder, epoch, remainingSeconds: remaining(hold?.deadline, now) };
}

/** A certificate that cannot be read is for the server to complain about: the rest of the status is still wanted. */
export function expiryOf(certificate: string): string | undefined {
  try {
    return new Date(new X509Certificate(certificate).validTo).toISOString();
  } catch {
    return undefined;
  }
}
