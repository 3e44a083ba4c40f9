import { DatabaseNames } from "../names";
import { selectorLabels } from "./metadata";

/** A rule of placement that is kept, or only aimed at. */
export type SpreadRule = "required" | "preferred";

/** A condition on labels, as Kubernetes writes it. */
export interface LabelRequirement {
  key: string;
  operator: string;
  values?: string[];
}

/** Nodes for which every condition holds. */
export interface NodeTerm {
  matchExpressions: LabelRequirement[];
}

/** Pods, by their labels, and the nodes' label that says what near them is. */
export interface PodTerm {
  podLabels: Record<string, string>;
  topologyKey: string;
  namespaceLabels?: Record<string, string>;
}

/** How much better than others. 1 to 100. */
interface Weighted {
  weight: number;
}

/** What a user adds to where the pods run. */
export interface Affinity {
  requiredNodes?: NodeTerm[];
  preferredNodes?: (NodeTerm & Weighted)[];
  requiredPods?: PodTerm[];
  preferredPods?: (PodTerm & Weighted)[];
  avoidedPods?: PodTerm[];
  dislikedPods?: (PodTerm & Weighted)[];
}

/** How evenly the database's pods are spread over the values of a nodes' label. */
export interface TopologySpread {
  topologyKey: string;
  maxSkew?: number;
  whenUnsatisfiable?: string;
  minDomains?: number;
}

const hostKey = "kubernetes.io/hostname";
const zoneKey = "topology.kubernetes.io/zone";

/** Two pods of one database on one machine would be lost together; the rest is the user's. */
export function affinityManifest<Text>(names: DatabaseNames<Text>, hosts: SpreadRule, affinity: Affinity) {
  const own = { topologyKey: hostKey, labelSelector: { matchLabels: selectorLabels(names.database) } };
  const { requiredNodes = [], preferredNodes = [], requiredPods = [], preferredPods = [] } = affinity;
  const avoided = [...(hosts === "required" ? [own] : []), ...(affinity.avoidedPods ?? []).map(podTerm)];
  const disliked = [
    ...(hosts === "preferred" ? [{ weight: 100, podAffinityTerm: own }] : []),
    ...(affinity.dislikedPods ?? []).map(weightedPodTerm),
  ];
  const nodeAffinity = {
    ...(requiredNodes.length > 0 && {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: requiredNodes },
    }),
    ...(preferredNodes.length > 0 && {
      preferredDuringSchedulingIgnoredDuringExecution: preferredNodes.map(({ weight, matchExpressions }) => ({
        weight,
        preference: { matchExpressions },
      })),
    }),
  };
  const podAffinity = rules(requiredPods.map(podTerm), preferredPods.map(weightedPodTerm));
  return {
    ...(Object.keys(nodeAffinity).length > 0 && { nodeAffinity }),
    ...(Object.keys(podAffinity).length > 0 && { podAffinity }),
    podAntiAffinity: rules(avoided, disliked),
  };
}

/** Zones in balance, unless the user says how; and what the user adds. */
export function topologySpreadManifest<Text>(names: DatabaseNames<Text>, zones: SpreadRule, more: TopologySpread[]) {
  const own: TopologySpread = {
    topologyKey: zoneKey,
    whenUnsatisfiable: zones === "required" ? "DoNotSchedule" : "ScheduleAnyway",
  };
  const all = more.some(({ topologyKey }) => topologyKey === zoneKey) ? more : [own, ...more];
  return all.map(({ topologyKey, maxSkew = 1, whenUnsatisfiable = "ScheduleAnyway", minDomains }) => ({
    maxSkew,
    topologyKey,
    whenUnsatisfiable,
    ...(minDomains !== undefined && { minDomains }),
    labelSelector: { matchLabels: selectorLabels(names.database) },
  }));
}

function rules<Required, Preferred>(required: Required[], preferred: Preferred[]) {
  return {
    ...(required.length > 0 && { requiredDuringSchedulingIgnoredDuringExecution: required }),
    ...(preferred.length > 0 && { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
  };
}

function podTerm({ podLabels, topologyKey, namespaceLabels }: PodTerm) {
  return {
    topologyKey,
    labelSelector: { matchLabels: podLabels },
    ...(namespaceLabels !== undefined && { namespaceSelector: { matchLabels: namespaceLabels } }),
  };
}

function weightedPodTerm({ weight, ...term }: PodTerm & Weighted) {
  return { weight, podAffinityTerm: podTerm(term) };
}
