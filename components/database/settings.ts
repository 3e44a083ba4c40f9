import * as pulumi from "@pulumi/pulumi";
import { instanceType } from "../core/instanceTypes";
import { defaultClients, defaultEgress } from "../core/manifests/networkPolicy";
import { DatabaseNames, databaseNames, validateNamespaceName } from "../core/names";
import { podLayout } from "../core/podLayout";
import { gibibyte } from "../core/quantities";
import { settleExposure } from "../core/serviceExposure";
import { deriveSizing, SizingRequest } from "../core/sizing";
import { defaultNodeImage } from "../nodeImage";
import { refuseInvalid } from "../refuse";
import { malformedValues } from "../schema/malformed";
import { StoreCredentials } from "../objectStore/credentials";
import {
  DatabaseArgs,
  DatabaseHistoryArgs,
  DatabaseServicesArgs,
  Durability,
  ImagePullPolicy,
  FailoverPreference,
  OnObjectStoreOutage,
  Spread,
  StorageKind,
} from "./arguments";

/** Key of a password in a Secret that names none. */
const defaultPasswordKey = "password";
/** Two years; five times as long for the authority. */
const defaultValidityHours = 17_520;
/** Half a year: nobody who deploys twice a year sees a certificate end. */
const defaultEarlyRenewalHours = 4_380;

/** Fills in what is kept of the past. */
export function settledHistory({ everyPositionHours = 24, dailyCheckpointDays = 7 }: DatabaseHistoryArgs = {}) {
  return { everyPositionHours, dailyCheckpointDays };
}

/** A database's plain arguments with every default filled in. */
export type DatabaseSettings = ReturnType<typeof settleDatabase>;

/** Fills in defaults. The arguments have no problem by `validateDatabaseArgs`. */
export function settleDatabase(name: string, args: DatabaseArgs) {
  const { tls = {}, storage = {}, spread = {}, services = {}, pods = {}, monitoring = {} } = args;
  const exposure = exposureOf(services);
  const nodes = (args.replicas ?? 2) + 1;
  const durability = args.durability ?? Durability.Interval;
  const { credentials = StoreCredentials.Key } = args.objectStore;
  return {
    names: settledNames(name, args, nodes),
    nodes,
    createNamespace: args.createNamespace ?? true,
    durability,
    history: settledHistory(args.history),
    failoverPreference: args.failoverPreference ?? FailoverPreference.Availability,
    resumeWithinSeconds: args.resumeWithinSeconds ?? 60,
    maxDataLossSeconds: args.maxDataLossSeconds ?? 5,
    automaticCompaction: args.compaction?.automatic ?? true,
    onObjectStoreOutage: args.onObjectStoreOutage ?? OnObjectStoreOutage.StopWrites,
    users: args.users ?? [],
    requireTls: tls.required ?? true,
    certificate: {
      existingSecretName: tls.existingSecretName,
      additionalDnsNames: [...(tls.additionalDnsNames ?? []), ...dnsNamesOf(services)],
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
    monitoring: {
      from: monitoring.allowFrom ?? [],
      podMonitor: monitoring.podMonitor ?? false,
      prometheusRules: monitoring.prometheusRules ?? false,
      grafanaDashboard: monitoring.grafanaDashboard ?? false,
      labels: monitoring.labels ?? {},
    },
    egress: { ...defaultEgress, ...args.egress },
    services: exposure,
    labels: pods.labels ?? {},
    annotations: pods.annotations ?? {},
    credentials: { kind: credentials, isRole: credentials !== StoreCredentials.Key },
    serviceAccountAnnotations: pods.serviceAccountAnnotations ?? {},
    environment: pods.environment ?? [],
    volumes: pods.volumes ?? [],
    affinity: pods.affinity ?? {},
    topologySpreadConstraints: pods.topologySpreadConstraints ?? [],
    ids: pods.assignedIds
      ? undefined
      : { userId: pods.userId ?? podLayout.userId, groupId: pods.groupId ?? podLayout.groupId },
    existingPasswords: (args.users ?? []).flatMap(({ name: user, passwordSecret }) =>
      passwordSecret === undefined
        ? []
        : [{ user, secretName: passwordSecret.secretName, key: passwordSecret.key ?? defaultPasswordKey }],
    ),
    engineSettings: args.engineSettings ?? {},
    nodeImage: args.nodeImage ?? defaultNodeImage,
    imagePullPolicy: args.imagePullPolicy ?? ImagePullPolicy.IfNotPresent,
    imagePullSecrets: args.imagePullSecrets ?? [],
    leaseDurationSeconds: args.leaseDurationSeconds ?? 4,
    leaseMarginSeconds: args.leaseMarginSeconds ?? 0.5,
    terminationGracePeriodSeconds: args.terminationGracePeriodSeconds ?? 120,
    deletionProtection: args.deletionProtection ?? true,
    mariadbPrefix: args.mariadbPrefix ?? "/usr/local/mariadb",
    clusterDomain: args.clusterDomain ?? "cluster.local",
  };
}

/** What the pods are to get, in the core's terms. */
export function sizingRequest({ sizing = {}, storage = {} }: DatabaseArgs): SizingRequest {
  const { instanceType: type, ...values } = sizing;
  return {
    ...values,
    onInstanceStore: storage.kind === StorageKind.Nvme,
    node: type === undefined ? undefined : instanceType(type),
    dataVolumeBytes: storage.sizeGiB === undefined ? undefined : storage.sizeGiB * gibibyte,
  };
}

/** Both Services with everything filled in. */
export function exposureOf({ primary = {}, replica = {}, ...both }: DatabaseServicesArgs) {
  return {
    primary: settleExposure<pulumi.Input<string>>(both, primary),
    replica: settleExposure<pulumi.Input<string>>(both, replica),
  };
}

function dnsNamesOf({ primary, replica }: DatabaseServicesArgs): string[] {
  return [primary, replica].flatMap(service => service?.dnsName ?? []);
}

function settledNames(name: string, args: DatabaseArgs, nodes: number): DatabaseNames<pulumi.Input<string>> {
  const names = namesIn(name, args.namespace ?? name, args.createNamespace ?? true, nodes);
  const existingTlsSecret = args.tls?.existingSecretName;
  return existingTlsSecret === undefined ? names : { ...names, tlsSecret: existingTlsSecret };
}

/** A namespace that comes later is judged when it does. */
function namesIn(
  name: string,
  namespace: pulumi.Input<string>,
  created: boolean,
  nodes: number,
): DatabaseNames<pulumi.Input<string>> {
  if (typeof namespace === "string") return databaseNames(name, namespace, nodes);
  const known = pulumi.output(namespace).apply(namespaceName => {
    refuseInvalid(`Database "${name}"`, [
      ...malformedValues("Database", { namespace: namespaceName }),
      ...validateNamespaceName(namespaceName, created),
    ]);
    return namespaceName;
  });
  return {
    ...databaseNames(name, name, nodes),
    namespace: known,
    priorityClass: known.apply(namespaceName => databaseNames(name, namespaceName, nodes).priorityClass),
  };
}
