import { ManagerConfiguration } from "../../core/managerConfiguration";
import { PeerStatus } from "../ports";
import { CanaryView, EngineView, Hold, LeaseObservation, Monotonic, Refusal, SwitchoverRequest, View } from "../view";
import { FollowerHealth } from "./followerWatch";

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
  /** There is something to follow. A server that starts on an empty database would not find the first tables. */
  hasTables: boolean;
}

/** A takeover or a handover that is under way. */
export interface Transition {
  kind: "takeOver" | "handOver";
  /** The step that it is at, for people. */
  step: string;
}

/** Everything that `decideOnLog` looks at. */
export interface LogView {
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
  /** In a rolling update: a follower that has been replaced already. A handover to another would be followed by a second one. */
  updatedFollower?: string;
  backoffUntil: Monotonic;
  startBackoffUntil: Monotonic;
  promisedUntil: Monotonic;
  /** When the bucket answered this node last. */
  bucketAnsweredAt: Monotonic;
  /** Since when it has answered a peer and not this node; undefined: it does not. */
  peerReachesSince?: Monotonic;
  /** Of a primary: for how long the oldest write has waited for the log. Milliseconds. */
  waiting: number;
  canary?: CanaryView;
  /** Of an engine that follows. */
  follower?: FollowerHealth;
  writesStopped: boolean;
  /** Why this node's engine should be restarted; empty: it need not. */
  restartDue: string;
  /** A follower may restart now: enough others serve meanwhile. */
  isItsTurn: boolean;
  switchover?: SwitchoverRequest;
  ownLabel?: View["ownLabel"];
  otherPrimaries: string[];
}
