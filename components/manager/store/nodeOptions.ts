import { Bucket, StoreClock } from "./bucket/bucket";
import { Sealed } from "./log/append";

/** What a node's store works with, and whom it tells. */
export interface StoreNodeOptions {
  bucket: Bucket;
  clock: StoreClock;
  /** The engine's data directory. */
  directory: string;
  /** MariaDB's own data directory: the definitions of tables are files there. */
  server: string;
  /** A directory on the same volume, for the book and for scratch files. */
  own: string;
  /** Of this node, for people. */
  name: string;
  /** Of its deployment. Absent: not known. */
  cluster?: string;
  /** The engine acknowledges a commit when it is in the log (`commit`), or when it is on its disk (`interval`). */
  durability: "commit" | "interval";
  warn: (message: string, fields?: Record<string, unknown>) => void;
  /** This node's epoch was ended by another: its engine must die before anything is answered. */
  sealed: (error: Sealed) => void;
  /**
   * A commit has waited for longer than `boundMilliseconds`: the engine must die before it takes that for a failure, which it would acknowledge. The bucket does not answer, or a writer has left a place in the
   * WAL that nobody will fill.
   */
  overdue(milliseconds: number): void;
  /** At most 20,000: the engine gives a request up after 60 s without a byte, and one that is given up is sent again at once. */
  boundMilliseconds: number;
  /** An entry is built and not durable yet: for the other nodes. `brief` is it without what drafts have told them. */
  built?: (epoch: number, position: number, bytes: Buffer, brief?: Buffer) => void;
  /** In `interval`: a draft of what this node's writer has found and no entry holds yet, for the other nodes. */
  drafted?: (epoch: number, bytes: Buffer) => void;
  /** An entry of this node's is durable, and applied to its state. */
  durable?: (epoch: number, position: number) => void;
  /** Told of what comes on while the volume is read or aligned, and of each entry that is applied. */
  progressed?: () => void;
  /** Asked before an attempt of a takeover is made again; false ends it. Default: it never ends by itself. */
  mayTakeOver?: () => boolean;
}
