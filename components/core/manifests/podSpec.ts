import { DatabaseNames } from "../names";
import { podLayout } from "../podLayout";
import { byteQuantity } from "../quantities";
import { nodeVolumeBytes, runVolumeBytes, Sizing } from "../sizing";
import { databaseContainer, nodeContainer } from "./containers";
import { selectorLabels } from "./metadata";

/** A rule of placement that is kept, or only aimed at. */
export type SpreadRule = "required" | "preferred";

/** A taint that the pods put up with. */
export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

/** What a pod depends on. @typeParam Text a string, or what becomes one when the plan is carried out */
export interface PodInputs<Text> {
  image: Text;
  /** Holds the Node binary at /usr/local/bin/node. */
  nodeImage: string;
  imagePullPolicy: string;
  imagePullSecrets: string[];
  sizing: Sizing;
  storage: { onInstanceStore: boolean; storageClassName?: string };
  spread: { hosts: SpreadRule; zones: SpreadRule };
  nodeSelector: Record<string, string>;
  tolerations: Toleration[];
  priorityClassName: string;
  terminationGracePeriodSeconds: number;
}

/** Readable by the pod's group alone, in octal. */
const secretMode = 0o440;
const configurationMode = 0o444;

/** A pod that the Pod Security level "restricted" admits. */
export function podSpec<Text>(names: DatabaseNames, inputs: PodInputs<Text>) {
  const { imagePullSecrets, nodeSelector, tolerations } = inputs;
  return {
    serviceAccountName: names.serviceAccount,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    priorityClassName: inputs.priorityClassName,
    terminationGracePeriodSeconds: inputs.terminationGracePeriodSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: podLayout.userId,
      runAsGroup: podLayout.groupId,
      fsGroup: podLayout.groupId,
      // Changing the owner of every file of a large volume would take minutes at each start.
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...(imagePullSecrets.length > 0 && { imagePullSecrets: imagePullSecrets.map(name => ({ name })) }),
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
    ...(tolerations.length > 0 && { tolerations }),
    affinity: { podAntiAffinity: antiAffinity(names, inputs.spread.hosts) },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "topology.kubernetes.io/zone",
        whenUnsatisfiable: inputs.spread.zones === "required" ? "DoNotSchedule" : "ScheduleAnyway",
        labelSelector: { matchLabels: selectorLabels(names.database) },
      },
    ],
    initContainers: [nodeContainer(inputs.nodeImage, inputs.imagePullPolicy)],
    containers: [databaseContainer(inputs)],
    volumes: volumes(names, inputs),
  };
}

/** Two pods of one database on one machine would be lost together. */
function antiAffinity(names: DatabaseNames, rule: SpreadRule) {
  const term = {
    topologyKey: "kubernetes.io/hostname",
    labelSelector: { matchLabels: selectorLabels(names.database) },
  };
  return rule === "required"
    ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
    : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] };
}

/** The claim template makes the volume `data`, unless the data is on the node's own drives. */
function volumes<Text>(names: DatabaseNames, { sizing, storage }: PodInputs<Text>) {
  const scratch = (name: string, bytes: number) => ({ name, emptyDir: { sizeLimit: byteQuantity(bytes) } });
  const secret = (name: string, secretName: string) => ({ name, secret: { secretName, defaultMode: secretMode } });
  const configuration = (name: string, configMap: string) => ({
    name,
    configMap: { name: configMap, defaultMode: configurationMode },
  });
  return [
    { name: "run", emptyDir: { medium: "Memory", sizeLimit: byteQuantity(runVolumeBytes) } },
    scratch("tmp", sizing.temporaryVolumeBytes),
    scratch("node", nodeVolumeBytes),
    ...(storage.onInstanceStore ? [scratch("data", sizing.dataVolumeBytes)] : []),
    configuration("config", names.configuration),
    configuration("manager", names.manager),
    secret("object-store", names.objectStoreSecret),
    secret("users", names.usersSecret),
    secret("tls", names.tlsSecret),
  ];
}
