import { instanceType } from "../core/instanceTypes";
import { defaultClients } from "../core/manifests/networkPolicy";
import { DatabaseNames, databaseNames } from "../core/names";
import { gibibyte, mebibyte } from "../core/quantities";
import { deriveSizing, SizingRequest } from "../core/sizing";
import { defaultNodeImage } from "../nodeImage";
import {
  DatabaseArgs,
  Durability,
  ImagePullPolicy,
  FailoverPreference,
  OnNoCandidate,
  OnObjectStoreOutage,
  ServiceType,
  Spread,
  StorageKind,
} from "./arguments";

/** The engine looks for new data at most this often. */
const leastReplicaSyncIntervalMilliseconds = 100;
/** Two years; five times as long for the authority. */
const defaultValidityHours = 17_520;
/** Half a year: nobody who deploys twice a year sees a certificate end. */
const defaultEarlyRenewalHours = 4_380;

/** A database's plain arguments with every default filled in. */
export type DatabaseSettings = ReturnType<typeof settleDatabase>;

/** Fills in defaults. The arguments have no problem by `validateDatabaseArgs`. */
export function settleDatabase(name: string, args: DatabaseArgs) {
  const { tls = {}, storage = {}, spread = {}, services = {} } = args;
  const nodes = (args.replicas ?? 2) + 1;
  const durability = args.durability ?? Durability.Interval;
  return {
    names: settledNames(name, args, nodes),
    nodes,
    createNamespace: args.createNamespace ?? true,
    durability,
    walSyncThresholdBytes: durability === Durability.Threshold ? (args.walSyncThresholdBytes ?? mebibyte) : undefined,
    replicaSyncIntervalMicroseconds:
      1000 * (args.replicaSyncIntervalMilliseconds ?? leastReplicaSyncIntervalMilliseconds),
    onNoCandidate: args.onNoCandidate ?? OnNoCandidate.Wait,
    failoverPreference: args.failoverPreference ?? FailoverPreference.Availability,
    resumeWithinSeconds: args.resumeWithinSeconds ?? 60,
    maxDataLossSeconds: args.maxDataLossSeconds ?? 5,
    compactAtSstables: args.compaction?.onDemandAtSstables ?? 64,
    automaticCompaction: args.compaction?.automatic ?? true,
    onObjectStoreOutage:
      args.onObjectStoreOutage ??
      (durability === Durability.Threshold ? OnObjectStoreOutage.Continue : OnObjectStoreOutage.StopWrites),
    databases: args.databases ?? [],
    users: args.users ?? [],
    requireTls: tls.required ?? true,
    certificate: {
      existingSecretName: tls.existingSecretName,
      additionalDnsNames: tls.additionalDnsNames ?? [],
      validityHours: tls.validityHours ?? defaultValidityHours,
      earlyRenewalHours: tls.earlyRenewalHours ?? defaultEarlyRenewalHours,
    },
    sizing: deriveSizing(sizingRequest(args)),
    storage: {
      onInstanceStore: storage.kind === StorageKind.Nvme,
      storageClassName: storage.storageClassName,
    },
    spread: { hosts: spread.hosts ?? Spread.Required, zones: spread.zones ?? Spread.Preferred },
    nodeSelector: args.nodeSelector ?? {},
    tolerations: args.tolerations ?? [],
    priorityClassName: args.priorityClassName,
    clients: args.clients ?? defaultClients,
    monitoring: args.monitoring ?? [],
    services: { ...services, type: services.type ?? ServiceType.ClusterIP },
    engineSettings: args.engineSettings ?? {},
    nodeImage: args.nodeImage ?? defaultNodeImage,
    imagePullPolicy: args.imagePullPolicy ?? ImagePullPolicy.IfNotPresent,
    imagePullSecrets: args.imagePullSecrets ?? [],
    leaseDurationSeconds: args.leaseDurationSeconds ?? 4,
    leaseMarginSeconds: args.leaseMarginSeconds ?? 0.5,
    terminationGracePeriodSeconds: args.terminationGracePeriodSeconds ?? 120,
    mariadbPrefix: args.mariadbPrefix ?? "/usr/local/mariadb",
    clusterDomain: args.clusterDomain ?? "cluster.local",
  };
}

/** What the pods are to get, in the core's terms. */
export function sizingRequest({ sizing = {}, storage = {}, durability }: DatabaseArgs): SizingRequest {
  const { instanceType: type, ...values } = sizing;
  return {
    ...values,
    durability: durability ?? Durability.Interval,
    onInstanceStore: storage.kind === StorageKind.Nvme,
    node: type === undefined ? undefined : instanceType(type),
    dataVolumeBytes: storage.sizeGiB === undefined ? undefined : storage.sizeGiB * gibibyte,
  };
}

function settledNames(name: string, args: DatabaseArgs, nodes: number): DatabaseNames {
  const names = databaseNames(name, args.namespace ?? name, nodes);
  const existingTlsSecret = args.tls?.existingSecretName;
  return existingTlsSecret === undefined ? names : { ...names, tlsSecret: existingTlsSecret };
}
