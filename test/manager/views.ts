import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { PeerPlace, PeerStatus, PodRecord } from "../../components/manager/base/ports";
import { Hold, LeaseObservation, LogPlace, View } from "../../components/manager/decide/view";

/** A configuration as the Database component writes it. */
export const configuration: ManagerConfiguration = {
  name: "orders",
  namespace: "shop",
  databaseId: "d1",
  headlessService: "orders",
  nodes: 3,
  terminationGracePeriodSeconds: 120,
  leaseDurationSeconds: 4,
  leaseMarginSeconds: 0.5,
  durability: "interval",
  history: { everyPositionHours: 24, dailyCheckpointDays: 7 },
  failoverPreference: "availability",
  resumeWithinSeconds: 60,
  maxDataLossSeconds: 5,
  onObjectStoreOutage: "stopWrites",
  objectStore: {
    endpoint: "s3.us-east-1.amazonaws.com",
    bucket: "bucket",
    region: "us-east-1",
    prefix: "orders/",
    useTls: true,
    pathStyle: false,
  },
  mariadbPrefix: "/usr/local/mariadb",
  databases: ["shop"],
  users: [{ name: "app", host: "%", grants: [{ database: "shop", privileges: ["SELECT"] }] }],
  requireTls: true,
};

/** The moment at which every view below is looked at. Milliseconds. */
export const now = 100_000;

export const lease = (changes: Partial<LeaseObservation> = {}): LeaseObservation => ({
  exists: true,
  version: "70",
  holder: "orders-0_a",
  epoch: 7,
  preferredSuccessor: "",
  released: false,
  seenAt: now - 200,
  unchangedSince: now - 1000,
  ...changes,
});

export const hold = (changes: Partial<Hold> = {}): Hold => ({
  epoch: 8,
  deadline: now + 3000,
  lastRenewalSent: now - 500,
  lastAttempt: now - 500,
  ...changes,
});

/** A pod as the API server tells of it: `uid` a. */
export const podRecord = (name: string, changes: Partial<PodRecord> = {}): PodRecord => ({
  name,
  uid: "a",
  runs: true,
  role: "replica",
  reads: true,
  revision: "one",
  ready: true,
  leaving: false,
  switchover: "",
  ...changes,
});

/** A node's place in the log, at its end. */
export const place = (changes: Partial<LogPlace> = {}): LogPlace => ({
  epoch: 7,
  position: 100,
  pushed: 100,
  isLastWriters: false,
  hasTables: true,
  ...changes,
});

/** A follower as it tells a peer of itself. */
export const followerStatus = (
  pod: string,
  log: Partial<PeerPlace> = {},
  changes: Partial<PeerStatus> = {},
): PeerStatus => ({
  pod,
  serves: false,
  following: "following",
  resumable: false,
  mustBeginAnew: false,
  prepared: true,
  freeLease: "",
  log: { epoch: 7, position: 100, pushed: 100, bucketAge: 100, ...log },
  ...changes,
});

/** A follower while another pod is the primary. */
export const replica = (changes: Partial<View> = {}): View => ({
  configuration,
  pod: "orders-1",
  identity: "orders-1_b",
  lease: lease(),
  owner: { epoch: 6 },
  log: place(),
  engine: { state: "running", role: "replica", failures: 0 },
  following: "following",
  peers: [],
  peersAskedAt: -Infinity,
  stopping: false,
  replicaGoesFirst: false,
  backoffUntil: -Infinity,
  startBackoffUntil: -Infinity,
  promisedUntil: -Infinity,
  bucketAnsweredAt: now - 100,
  waiting: 0,
  volumeSilentLooks: 0,
  writesStopped: false,
  restartDue: "",
  isItsTurn: false,
  ownLabel: "replica",
  otherPrimaries: [],
  ...changes,
});

/** The holder, open for writes. */
export const primary = (changes: Partial<View> = {}): View =>
  replica({
    lease: lease({ holder: "orders-1_b" }),
    hold: hold(),
    engine: { state: "running", role: "primary", failures: 0 },
    ownLabel: "primary",
    log: place({ isLastWriters: true }),
    ...changes,
  });
