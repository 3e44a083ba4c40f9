import { DatabaseNames } from "../names";
import { byteQuantity } from "../quantities";
import { nodeVolumeBytes, runVolumeBytes, Sizing } from "../sizing";
import { databaseContainer, nodeContainer } from "./containers";
import { extraVolumesManifest, PodExtras } from "./extras";
import { identityVolumes, PodIdentityInputs } from "./identity";
import { Affinity, affinityManifest, SpreadRule, TopologySpread, topologySpreadManifest } from "./placement";

/** A taint that the pods tolerate. */
export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

/** What a pod depends on. @typeParam Text a string, or what becomes one when the plan is carried out */
export interface PodInputs<Text> extends PodExtras<Text> {
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
  affinity: Affinity;
  topologySpreadConstraints: TopologySpread[];
  priorityClassName: Text;
  terminationGracePeriodSeconds: number;
  /** Whom everything runs as. Undefined where the cluster assigns ids. */
  ids?: { userId: number; groupId: number };
  /** The pods' role at AWS. Absent: they have a key in a Secret. */
  identity?: PodIdentityInputs<Text>;
  /** Passwords that are in Secrets of others, by user. */
  existingPasswords: ExistingPassword<Text>[];
}

/** Where the password of a user is. */
export interface ExistingPassword<Text> {
  user: string;
  secretName: Text;
  key: Text;
}

/** Readable by the pod's group alone, in octal. */
const secretMode = 0o440;
const configurationMode = 0o444;

/** A pod that the Pod Security level "restricted" admits. */
export function podSpec<Text>(names: DatabaseNames<Text>, inputs: PodInputs<Text>) {
  const { imagePullSecrets, nodeSelector, tolerations } = inputs;
  return {
    serviceAccountName: names.serviceAccount,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    priorityClassName: inputs.priorityClassName,
    terminationGracePeriodSeconds: inputs.terminationGracePeriodSeconds,
    securityContext: {
      runAsNonRoot: true,
      ...(inputs.ids && {
        runAsUser: inputs.ids.userId,
        runAsGroup: inputs.ids.groupId,
        fsGroup: inputs.ids.groupId,
      }),
      // Changing the owner of every file of a large volume would take minutes at each start.
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...(imagePullSecrets.length > 0 && { imagePullSecrets: imagePullSecrets.map(name => ({ name })) }),
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
    ...(tolerations.length > 0 && { tolerations }),
    affinity: affinityManifest(names, inputs.spread.hosts, inputs.affinity),
    topologySpreadConstraints: topologySpreadManifest(names, inputs.spread.zones, inputs.topologySpreadConstraints),
    initContainers: [nodeContainer(inputs.nodeImage, inputs.imagePullPolicy)],
    containers: [databaseContainer(inputs)],
    volumes: volumes(names, inputs),
  };
}

/** The claim template makes the volume `data`, unless the data is on the node's own drives. */
function volumes<Text>(names: DatabaseNames<Text>, inputs: PodInputs<Text>) {
  const { sizing, storage } = inputs;
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
    ...(inputs.identity ? identityVolumes(inputs.identity) : [secret("object-store", names.objectStoreSecret)]),
    usersVolume(names, inputs.existingPasswords),
    secret("tls", names.tlsSecret),
    ...extraVolumesManifest(inputs.volumes),
  ];
}

/** A file for each user, named by the user, wherever its password is. */
function usersVolume<Text>(names: DatabaseNames<Text>, existing: ExistingPassword<Text>[]) {
  const name = "users";
  if (existing.length === 0) return { name, secret: { secretName: names.usersSecret, defaultMode: secretMode } };
  const others = existing.map(({ user, secretName, key }) => ({
    secret: { name: secretName, items: [{ key, path: user }] },
  }));
  return {
    name,
    projected: { defaultMode: secretMode, sources: [{ secret: { name: names.usersSecret } }, ...others] },
  };
}
