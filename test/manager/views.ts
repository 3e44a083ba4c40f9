import { ManagerConfiguration } from "../../components/core/managerConfiguration";
import { PodRecord } from "../../components/manager/ports";
import { Hold, LeaseObservation, OwnerRecord, PeerView, View } from "../../components/manager/view";

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
  store: "engine",
  history: { everyPositionHours: 24, dailyCheckpointDays: 7 },
  onNoCandidate: "wait",
  failoverPreference: "availability",
  resumeWithinSeconds: 60,
  maxDataLossSeconds: 5,
  compactAtSstables: 64,
  onObjectStoreOutage: "stopWrites",
  replicaSyncIntervalMicroseconds: 100_000,
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

export const owner = (changes: Partial<OwnerRecord> = {}): OwnerRecord => ({
  databaseId: "d1",
  epoch: 7,
  holder: "orders-0_a",
  volumeId: "v0",
  clean: false,
  ...changes,
});

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
  promote: "",
  ...changes,
});

/** A follower as it tells a peer of itself. */
export const followerStatus = (pod: string, changes: Partial<PeerView & { opens: boolean }> = {}) => ({
  pod,
  serves: false,
  opens: false,
  following: "following" as const,
  resumable: false,
  lacksVolume: true,
  freeLease: "",
  mustBeginAnew: false,
  epoch: 7,
  beat: 40,
  sequence: 500,
  generation: 1,
  ...changes,
});

/** A replica of another node's primary that follows it. */
export function replica(changes: Partial<View> = {}): View {
  return {
    configuration,
    pod: "orders-1",
    identity: "orders-1_b",
    lease: lease(),
    owner: owner(),
    ownerReadAt: now - 500,
    volume: { volumeId: "v1" },
    engine: { state: "running", role: "replica", onKeptVolume: false, failures: 0 },
    following: "following",
    position: { epoch: 7, beat: 40, sequence: 500 },
    mustBeginAnew: false,
    peers: [],
    peersAskedAt: -Infinity,
    stopping: false,
    wipes: 0,
    hurries: false,
    replicaGoesFirst: false,
    promisedUntil: -Infinity,
    writesStopped: false,
    lossAccepted: false,
    backoffUntil: -Infinity,
    startBackoffUntil: -Infinity,
    ownLabel: "replica",
    otherPrimaries: [],
    ...changes,
  };
}

/** The holder, open for writes. */
export function primary(changes: Partial<View> = {}): View {
  return replica({
    lease: lease({ holder: "orders-1_b", epoch: 8 }),
    hold: hold(),
    owner: owner({ epoch: 8, volumeId: "v1" }),
    volume: { volumeId: "v1", epoch: 8 },
    engine: { state: "running", role: "primary", onKeptVolume: false, failures: 0 },
    ownLabel: "primary",
    ...changes,
  });
}

/** A replica that sees a Lease nobody has renewed for long enough, and has asked its peers about it. */
export function candidate(changes: Partial<View> = {}): View {
  return replica({
    lease: lease({ unchangedSince: now - 4600 }),
    leaseFreeSince: now - 100,
    holderReturns: false,
    peersAskedAt: now - 50,
    ...changes,
  });
}

/** The manager came up beside the volume of the last primary. */
export function lastPrimary(changes: Partial<View> = {}): View {
  return candidate({
    engine: { state: "stopped", role: "replica", onKeptVolume: false, failures: 0 },
    following: "joining",
    volume: { volumeId: "v0", epoch: 7 },
    ownLabel: "none",
    ...changes,
  });
}
