import * as pulumi from "@pulumi/pulumi";

/** What the pods carry and need beyond the database itself. */
export interface DatabasePodsArgs {
  /** Additional labels of the pods. Labels that the Services and the managers use are refused. Default: none. */
  labels?: Record<string, pulumi.Input<string>>;
  /** Additional annotations of the pods, for service meshes, log collectors and so on. Default: none. */
  annotations?: Record<string, pulumi.Input<string>>;
  /** Annotations of the pods' service account, like `eks.amazonaws.com/role-arn`. Default: none. */
  serviceAccountAnnotations?: Record<string, pulumi.Input<string>>;
  /** Additional environment variables of the database's container. Default: none. */
  environment?: EnvironmentVariableArgs[];
  /** Additional volumes of the database's container. Default: none. */
  volumes?: ExtraVolumeArgs[];
  /** Affinity of the pods, as in Kubernetes, in addition to `spread`. Default: none. */
  affinity?: DatabaseAffinityArgs;
  /** Topology spread constraints. One for `topology.kubernetes.io/zone` replaces `spread.zones`. Default: none. */
  topologySpreadConstraints?: TopologySpreadConstraintArgs[];
  /** User that everything runs as. 1 to 2,147,483,647. Default 10001. */
  userId?: number;
  /** Group of everything, and of the volumes. 1 to 2,147,483,647. Default 10001. */
  groupId?: number;
  /** For OpenShift: leaves both ids to the cluster, which assigns them from the namespace's range. Default false. */
  assignedIds?: boolean;
}

/** An environment variable: its value, or where it is. */
export interface EnvironmentVariableArgs {
  /** Letters, digits and _. Not one that the manager has itself. */
  name: string;
  /** The value; not for secrets. */
  value?: pulumi.Input<string>;
  /** Instead of the value: a Secret of the namespace that holds it. */
  secretName?: pulumi.Input<string>;
  /** Instead of the value: a ConfigMap of the namespace that holds it. */
  configMapName?: pulumi.Input<string>;
  /** Key in the Secret or the ConfigMap. Default: the variable's name. */
  key?: string;
}

/** A volume of one source, and where it is mounted. */
export interface ExtraVolumeArgs {
  /** Lower-case letters, digits and "-"; at most 63. Not one that the pods have already. */
  name: string;
  /** An absolute path that is not among the database's own. */
  mountPath: string;
  /** Default true; false is for `scratchGiB` and for claims. */
  readOnly?: boolean;
  /** A Secret of the namespace. */
  secretName?: pulumi.Input<string>;
  /** A ConfigMap of the namespace. */
  configMapName?: pulumi.Input<string>;
  /** A PersistentVolumeClaim of the namespace, that all pods share. */
  claimName?: pulumi.Input<string>;
  /** An empty directory of that size, gone with the pod. GiB, 1 to 65,536. */
  scratchGiB?: number;
  /** A CSI driver that makes the volume with the pod, like `secrets-store.csi.k8s.io`. */
  csiDriver?: string;
  /** With `csiDriver`: attributes for the driver. */
  csiAttributes?: Record<string, pulumi.Input<string>>;
}

/** One condition on labels. */
export interface LabelRequirementArgs {
  /** The label's name. */
  key: string;
  /** `In`, `NotIn`, `Exists`, `DoesNotExist`, and for nodes `Gt` and `Lt`. */
  operator: string;
  /** None with `Exists` and `DoesNotExist`, one with `Gt` and `Lt`. */
  values?: string[];
}

/** Nodes for which every condition holds. */
export interface NodeTermArgs {
  /** All of them must hold. */
  matchExpressions: LabelRequirementArgs[];
}

/** Nodes that are better than others. */
export interface PreferredNodeTermArgs extends NodeTermArgs {
  /** Weight of the preference. 1 to 100. */
  weight: number;
}

/** Pods near which, or far from which, to run. */
export interface PodTermArgs {
  /** Labels of those pods. */
  podLabels: Record<string, string>;
  /** Label of the nodes that defines "near", like `topology.kubernetes.io/zone`. */
  topologyKey: string;
  /** Labels of the pods' namespaces; `{}` is every namespace. Default: the database's own. */
  namespaceLabels?: Record<string, string>;
}

/** Pods near which, or far from which, it is better to run. */
export interface PreferredPodTermArgs extends PodTermArgs {
  /** Weight of the preference. 1 to 100. */
  weight: number;
}

/** Node and pod affinity, as in Kubernetes. */
export interface DatabaseAffinityArgs {
  /** Nodes that the pods may run on: one of the terms must hold. */
  requiredNodes?: NodeTermArgs[];
  /** Nodes that the pods prefer. */
  preferredNodes?: PreferredNodeTermArgs[];
  /** Pods near which each pod must run. */
  requiredPods?: PodTermArgs[];
  /** Pods near which each pod prefers to run. */
  preferredPods?: PreferredPodTermArgs[];
  /** Pods from which each pod must keep away. */
  avoidedPods?: PodTermArgs[];
  /** Pods from which each pod prefers to keep away. */
  dislikedPods?: PreferredPodTermArgs[];
}

/** What becomes of a pod that cannot be placed as a spread constraint wants. */
export const WhenUnsatisfiable = {
  /** It waits. */
  DoNotSchedule: "DoNotSchedule",
  /** It starts where the constraint is violated least. */
  ScheduleAnyway: "ScheduleAnyway",
} as const;
export type WhenUnsatisfiable = (typeof WhenUnsatisfiable)[keyof typeof WhenUnsatisfiable];

/** How evenly the database's pods are spread over the values of a label of the nodes. */
export interface TopologySpreadConstraintArgs {
  /** The nodes' label, like `topology.kubernetes.io/zone`. */
  topologyKey: string;
  /** Largest difference in pods between two values of the label. 1 to 100. Default 1. */
  maxSkew?: number;
  /** Default `ScheduleAnyway`. */
  whenUnsatisfiable?: WhenUnsatisfiable;
  /** With `DoNotSchedule`: least number of values. 1 to 100. Default 1. */
  minDomains?: number;
}

/** Where the pods may connect to, by NetworkPolicy, beside one another and the object store. */
export interface DatabaseEgressArgs {
  /**
   * TCP ports of the API server: that of its Service, and the one behind it, which some network plugins check. Default 443, 6443 (most clusters), 8443 (minikube) and 16443 (MicroK8s); 443 on the cluster that
   * TideSql makes.
   */
  apiServerPorts?: number[];
  /** Ports of DNS, UDP and TCP: that of its Service, and the one behind it. Default 53 and 5353 (OpenShift); 53 on the cluster that TideSql makes. */
  dnsPorts?: number[];
  /** More TCP ports, to any address: such as those of sidecars. Default: none. */
  otherPorts?: number[];
}

/** A value in a Secret that is there already. */
export interface SecretKeyArgs {
  /** A Secret of the database's namespace. */
  secretName: pulumi.Input<string>;
  /** Key in it. Default `password`. */
  key?: pulumi.Input<string>;
}
