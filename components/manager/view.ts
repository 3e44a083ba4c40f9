import { ManagerConfiguration } from "../core/managerConfiguration";

/** Milliseconds on this process's monotonic clock. Never compared with another machine's. */
export type Monotonic = number;

/** The Lease as it was last read. `undefined` in a View means: not read yet. */
export interface LeaseObservation {
  /** False when the API server answered that there is no such Lease. */
  exists: boolean;
  /** Another at each change; empty when there is none. */
  version: string;
  holder: string;
  /** `leaseTransitions`: the epoch of the holder, or of the last one. */
  epoch: number;
  /** The pod that the last holder named when it released the Lease in order; empty otherwise. */
  preferredSuccessor: string;
  /** True when the holder gave the Lease back itself: an empty holder that somebody edited by hand is not a release. */
  released: boolean;
  /** When the Lease was last read or written with success. */
  seenAt: Monotonic;
  /** When this node first received this very state of the Lease. A renewal is a change of state. */
  unchangedSince: Monotonic;
}

/** This node's hold on the Lease. */
export interface Hold {
  epoch: number;
  /** Sent-time of the last successful renewal + leaseDuration - margin: from then on no writer may run here. */
  deadline: Monotonic;
  lastRenewalSent: Monotonic;
  /** The last attempt to renew, successful or not. */
  lastAttempt: Monotonic;
}

/** `owner.json`: what the bucket itself says about who may write (rule 10). */
export interface OwnerRecord {
  databaseId: string;
  /** Epoch of the last promotion that was begun. 0: nobody has ever been promoted. */
  epoch: number;
  holder: string;
  /** Volume of the node that was promoted in this epoch. */
  volumeId: string;
  /** Version of the TideSQL that was promoted last; an earlier one may not be able to read what it writes. */
  engineVersion?: string;
  /** Everything that was ever acknowledged was found in the bucket after its last writer had stopped, and no other has taken a write since. */
  clean: boolean;
  /** The last heartbeat of a writer that has left, after everything that it had acknowledged. Who has followed it, and all that was sent with it, lacks nothing. */
  lastBeat?: { epoch: number; beat: number };
}

/** What the epoch file on this node's volume says. */
export interface VolumeRecord {
  /** Replaced at each wipe. */
  volumeId: string;
  /** The last epoch in which this node was primary on this volume. */
  epoch?: number;
  /** The epoch that this volume was about to be promoted for, on top of `epoch`. */
  raising?: number;
  /** What it had of others at that promotion, and need not be in the bucket: manifests that were not the bucket's, by name, with their MD5, and folders of tables that were dropped. */
  inherited?: Record<string, string>;
}

/** Refusals that no retry heals. The node stays up, not ready, and says why. */
export interface Refusal {
  reason: "ForeignData" | "UnknownData" | "UnsupportedEngine" | "NoConditionalWrites" | "NotInHistory";
  message: string;
}

export type EngineState =
  /** No process. */
  | "stopped"
  /** The process runs, and has not answered yet. */
  | "starting"
  | "running"
  /** Killed, and not gone yet. */
  | "stopping";

export type EngineRole =
  /** Follows the bucket. */
  | "replica"
  /** Told to promote, not yet open for writes. From here on it may write to the bucket. */
  | "promoting"
  /** Open for writes. */
  | "primary";

export interface EngineView {
  state: EngineState;
  role: EngineRole;
  /** Started on the volume of the last primary, as opposed to a wiped one. */
  onKeptVolume: boolean;
  /** Failed starts and promotions on this kept volume since the last success. */
  failures: number;
  /** Of the TideSQL plugin, as it said at its last start. */
  version?: string;
  /** SIGKILL was sent then, and the process is there still. */
  killedAt?: Monotonic;
  /** A kept volume is read since then, before its engine is started. */
  readingSince?: Monotonic;
}

/** How far a node has followed: comparable only among nodes that were following. */
export interface Position {
  epoch: number;
  beat: number;
  /** The engine's. One of two with the same heartbeat may have more of what was written after it. */
  sequence: number;
}

/** How well this replica follows (facts in docs/engine.md, "Who may be promoted"). */
export type Following =
  /** Started, has not yet followed a flush that the primary made for it. */
  | "joining"
  /** A candidate; serves reads. */
  | "following"
  /** May have missed a generation of the WAL: its data cannot be trusted any more. */
  | "missed";

/** A peer as it answered last; absent when it did not answer. */
export interface PeerView {
  pod: string;
  /** Is the primary, open, and not about to leave. */
  serves: boolean;
  following: Following | "none";
  /** Holds the last primary's volume. */
  resumable: boolean;
  /** It knows that its volume is not the last primary's. */
  lacksVolume: boolean;
  mustBeginAnew: boolean;
  /** The version of the Lease of which it has heard no renewal for so long that it is free; empty: none. */
  freeLease: string;
  /** How far it has followed: comparable only among nodes that were following. */
  epoch: number;
  beat: number;
  sequence: number;
}

/** Progress of a promotion. One at a time; it exists from its first step until it failed or succeeded. */
export interface PromotionProgress {
  epoch: number;
  completed: number;
  failed?: string;
}

/** Progress of leaving in order. */
export interface HandoverProgress {
  completed: number;
  /** The pod through which this node reaches the bucket, where it does not itself. */
  detour?: string;
  /** Cut short, since the pod is about to be killed. */
  hurries?: true;
  /** The engine is dead, and what it had not sent is sent by the manager. */
  salvages?: true;
  failed?: string;
}

/** What a primary knows of its way to the bucket. */
export interface BucketView {
  /** Age of the oldest write that is not known to be in the bucket; 0 when all are. Milliseconds. */
  unconfirmed: number;
  /** Since when the bucket does not answer this node; undefined while it does. */
  failingSince: Monotonic | undefined;
}

/** What a primary knows of its own engine: alive is not healthy. */
export interface CanaryView {
  /** Since the WAL was last seen to grow. Milliseconds. */
  walIdle: number;
  /** Since its last heartbeat was written. Milliseconds. */
  silent: number;
  /** How often in a row the server did not answer at all since then. */
  unanswered: number;
}

/** A person's wish that this primary hands over. */
export interface SwitchoverRequest {
  /** The wanted successor's pod, or `any`. */
  to: string;
  since: Monotonic;
}

/** Everything that `decide` looks at. */
export interface View {
  configuration: ManagerConfiguration;
  pod: string;
  /** Unique to this pod's life: `<pod>_<uid>`. */
  identity: string;
  lease?: LeaseObservation;
  hold?: Hold;
  owner?: OwnerRecord;
  /** When `owner` was last read or written. */
  ownerReadAt: Monotonic;
  volume: VolumeRecord;
  engine: EngineView;
  following: Following;
  /** Own position, for the comparison with peers. */
  position: Position;
  /** This follower keeps tables that were dropped, or rows that an earlier primary has sent too late. */
  mustBeginAnew: boolean;
  peers: PeerView[];
  /** When the peers were last asked about a free Lease. */
  peersAskedAt: Monotonic;
  /** When this node first found the Lease free to take; undefined while it is held. */
  leaseFreeSince?: Monotonic;
  /** Whether the pod of the Lease's last holder is being replaced, or its container restarted; undefined until the API server was asked about this vacancy. */
  holderReturns?: boolean;
  promotion?: PromotionProgress;
  handover?: HandoverProgress;
  refusal?: Refusal;
  /** In a row, starts of this replica after which it did not follow. */
  wipes: number;
  /** Since when mariadbd has not run; undefined while it does. */
  stoppedSince?: Monotonic;
  /** SIGTERM was received. */
  stopping: boolean;
  /** This pod was told to go and is gone for the API server already: it is killed within two seconds. */
  hurries: boolean;
  /** A primary that was told to go has a replica replaced first. */
  replicaGoesFirst: boolean;
  /** No attempt to take the Lease before this. */
  backoffUntil: Monotonic;
  /** No start of the engine before this. */
  startBackoffUntil: Monotonic;
  /** This node has confirmed another as primary (rule 6), and will not take the Lease before this. */
  promisedUntil: Monotonic;
  /** Of a primary. */
  bucket?: BucketView;
  canary?: CanaryView;
  /** This node is primary and takes no writes, because they could not be kept. */
  writesStopped: boolean;
  /** A follower that reaches the bucket while this primary does not, since when it does, and when it did last. */
  detour?: { pod: string; since: Monotonic; until: Monotonic };
  switchover?: SwitchoverRequest;
  /** A person has accepted that what never reached the bucket is given up. */
  lossAccepted: boolean;
  /** The role label of this pod as it was last seen or written; undefined: not known. */
  ownLabel?: "primary" | "replica" | "none";
  /** Other pods that carry the label `primary`. */
  otherPrimaries: string[];
}
