import { ManagerConfiguration } from "../../core/managerConfiguration";
import { Monotonic, PeerStatus } from "../base/ports";

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

/** Refusals that no retry heals. The node stays up, not ready, and says why. */
export interface Refusal {
  reason: "ForeignData" | "SharedPrefix" | "UnknownData" | "UnsupportedEngine" | "NoConditionalWrites" | "NotInHistory";
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
  /** Failed starts and takeovers since the last success. */
  failures: number;
  /** Of the TideSQL plugin, as it said at its last start. */
  version?: string;
  /** SIGKILL was sent then, and the process is there still. */
  killedAt?: Monotonic;
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

/** How a follower's engine does. Counted and not timed: a manager that stood still has not looked. */
export interface FollowerHealth {
  /** Looks in a row since it has asked its store for anything. */
  silent: number;
  /** Looks in a row in which it did not answer a query. */
  unanswered: number;
}

/** What only a person can end, or should know of. */
export interface Alarm {
  /** Reason of the Kubernetes Event. */
  reason: string;
  message: string;
}

/** Another deployment, with the same prefix and databaseId, that was the last to be elected. */
export interface Rival {
  /** Its pod. */
  author: string;
  cluster: string;
  /** This node has seen the log grow since it knows of it. */
  grows: boolean;
  /** When it has seen that last; before: since when it knows of it. */
  quietSince: Monotonic;
}

/** Where this node is in the log. */
export interface LogPlace {
  /** That the next entry belongs to. */
  epoch: number;
  /** Of the last entry that was applied. */
  position: number;
  /** How far this node knows the log without a gap, with what was pushed to it and is not known to be durable; between two positions, with drafts. */
  pushed: number;
  /** This volume is the last writer's: it holds what that has acknowledged, all of it. */
  isLastWriters: boolean;
  /** Absent: the last seal is of this deployment, or of nobody that is known. */
  rival?: Rival;
  /** There is something to follow. A server that starts on an empty database would not find the first tables. */
  hasTables: boolean;
}

/** A takeover or a handover that is under way. */
export interface Transition {
  kind: "takeOver" | "handOver";
  /** The step that it is at. */
  step: string;
  /** When it came on last: a step, an entry, a file, a piece of one. */
  progressedAt: Monotonic;
}

/** Everything that `decide` looks at. */
export interface View {
  configuration: ManagerConfiguration;
  pod: string;
  /** Unique to this pod's life: `<pod>_<uid>`. */
  identity: string;
  lease?: LeaseObservation;
  hold?: Hold;
  /** 0: nobody has ever written. Undefined until the log was read. */
  owner?: { epoch: number };
  /** Undefined until the log was read. */
  log?: LogPlace;
  engine: EngineView;
  following: "joining" | "following";
  peers: PeerStatus[];
  peersAskedAt: Monotonic;
  /** When this node first found the Lease free to take; undefined while it is held. */
  leaseFreeSince?: Monotonic;
  transition?: Transition;
  refusal?: Refusal;
  /** Since when mariadbd has not run; undefined while it does. */
  stoppedSince?: Monotonic;
  /** SIGTERM was received. */
  stopping: boolean;
  replicaGoesFirst: boolean;
  /** When this pod is killed, as far as is known; undefined: it was not told to go. */
  leavesBy?: Monotonic;
  /** In a rolling update: a follower that has been replaced already. A handover to another would be followed by a second one. */
  updatedFollower?: string;
  backoffUntil: Monotonic;
  startBackoffUntil: Monotonic;
  promisedUntil: Monotonic;
  /** When the bucket answered this node last. */
  bucketAnsweredAt: Monotonic;
  /** Since when it has been asked in vain; undefined: it has answered since it was asked. */
  bucketUnansweredSince?: Monotonic;
  /** Since when it has answered a peer and not this node; undefined: it does not. */
  peerReachesSince?: Monotonic;
  /** Of a primary: for how long the oldest write has waited for the log. Milliseconds. */
  waiting: number;
  canary?: CanaryView;
  /** Of an engine that follows. */
  follower?: FollowerHealth;
  /** Looks in a row at a write to the volume that has not ended. Counted and not timed: a manager that stood still has not looked. */
  volumeSilentLooks: number;
  writesStopped: boolean;
  /** Why this node's engine should be restarted; empty: it need not. */
  restartDue: string;
  /** A follower may restart now: enough others serve meanwhile. */
  isItsTurn: boolean;
  switchover?: SwitchoverRequest;
  ownLabel?: "primary" | "replica" | "none";
  otherPrimaries: string[];
}
