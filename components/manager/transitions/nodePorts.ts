import { CredentialKeeper } from "../credentials/keeper";
import { Engine, Ports } from "../base/ports";
import { StoreClock } from "../store/bucket/bucket";
import { RestoreOptions } from "../store/log/restore";
import { EngineHandler } from "../store/gateway/gateway";
import { CountingBucket } from "./countingBucket";
import { SendEntry } from "../peers/entryPusher";

/** What a node needs of the world. */
export type NodePorts = Pick<Ports, "kubernetes" | "peers" | "watchdog" | "log" | "exit"> & {
  clock: Ports["clock"] & StoreClock;
  engine: NodeEngine;
  bucket: CountingBucket;
  files: NodeFiles;
  door: EngineDoor;
  /** What tells this deployment from another one with the same prefix. Absent: not known. */
  cluster?: string;
  pushEntry: SendEntry;
  /** How a role's credentials are kept, for the metrics. Absent: the bucket's key is in a Secret. */
  credentials?: Pick<CredentialKeeper, "secondsLeft" | "failures">;
  /** Absent: an empty prefix becomes an empty database. */
  restore?: RestorePorts;
};

/** Another database, and how this one begins as a copy of it. */
export type RestorePorts = Pick<RestoreOptions, "target" | "source" | "copy" | "place" | "at">;

/** What is asked of mariadbd. */
export type NodeEngine = Pick<
  Engine,
  | "start"
  | "onExit"
  | "kill"
  | "end"
  | "pid"
  | "checkAccounts"
  | "version"
  | "setReadOnly"
  | "endSessions"
  | "promote"
  | "writeHeartbeat"
  | "ping"
  | "holdCommits"
  | "flush"
  | "reopenTables"
>;

/** This node's volume. */
export interface NodeFiles {
  /** The engine's data directory. */
  directory: string;
  /** MariaDB's own data directory. */
  server: string;
  /** The store's own folder beside it. */
  own: string;
  /** Bytes that a follower's rows may take in the engine's memory before it is restarted. */
  followerMemoryBytes: number;
  /** Puts an empty server in place, whose tables are those of the engine alone. */
  freshServer(): Promise<void>;
  /** Whether the next `freshServer` has nothing to copy. */
  isPrepared(): boolean;
  /** Tells that something in the engine's data directory was written, or may have been; perhaps more than once. @returns ends it */
  onWrite(changed: () => void): () => void;
  /** Whether there is a server's folder. */
  hasServer(): Promise<boolean>;
}

/** The port on loopback that mariadbd is told. */
export interface EngineDoor {
  /** Who answers from now on: an engine's requests never fail for want of somebody. */
  open(handler: EngineHandler): void;
  /** No engine runs: what is on its way of an earlier one's says nothing any more. */
  shut(): void;
  /** Makes a new key: an engine that was started before is refused. */
  renewKey(): void;
}
