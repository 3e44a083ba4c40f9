import { anyOf, type Field } from "./field";
import { podSpec, podTemplate, selects } from "./kubernetes";

/** The label of nodes with their availability zone. */
export const zoneKey = "topology.kubernetes.io/zone";
/** The label of nodes with their name. */
export const hostKey = "kubernetes.io/hostname";

/** Labels of nodes with their zone, the former one included. */
const zoneLabels = [zoneKey, "failure-domain.beta.kubernetes.io/zone"];

/** Where a workload demands one place for all of its pods, and which. */
export function pinnedToOnePlace(workload: Field): { field: Field; place: string } | undefined {
  const spec = podSpec(workload);
  const required = spec.at("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
  const terms = required.at("nodeSelectorTerms").items;
  for (const [labels, place] of [
    [zoneLabels, "in one availability zone"],
    [[hostKey], "on one node"],
  ] as const) {
    const values = terms.map(term => valueDemanded(term, labels));
    const isOne = terms.length > 0 && !values.includes(undefined) && new Set(values).size === 1;
    const selected = labels.map(label => spec.at("nodeSelector", label)).find(field => field.isPresent);
    const beside = besideItself(workload, labels);
    const field = isOne ? required : (selected ?? beside);
    if (field) return { field, place };
  }
  const node = spec.at("nodeName");
  return node.isPresent ? { field: node, place: "on one node" } : undefined;
}

/** The one value that a term of a node affinity demands of any of these labels. */
function valueDemanded(term: Field, labels: readonly string[]): string | undefined {
  const expressions = term.at("matchExpressions").items.filter(one => labels.includes(one.at("key").text ?? ""));
  const lists = expressions.filter(one => one.at("operator").text === "In").map(one => one.at("values").textList);
  return lists.find(list => list.length === 1)?.[0];
}

/** A required affinity of the pods to each other, which keeps all of them where the first one is. */
function besideItself(workload: Field, topologyKeys: readonly string[]): Field | undefined {
  const own = podTemplate(workload).at("metadata", "labels");
  const terms = podSpec(workload).at("affinity", "podAffinity", "requiredDuringSchedulingIgnoredDuringExecution").items;
  return terms.find(
    term => topologyKeys.includes(term.at("topologyKey").text ?? "") && selects(term.at("labelSelector"), own, false),
  );
}

/** Whether the pods are spread over the values of a node label: by a spread constraint, or by anti-affinity, that selects the pods themselves. */
export function isSpreadOver(workload: Field, topologyKey: string, pods: number): boolean {
  const labels = podTemplate(workload).at("metadata", "labels");
  const spec = podSpec(workload);
  const antiAffinity = spec.at("affinity", "podAntiAffinity");
  const preferred = antiAffinity.at("preferredDuringSchedulingIgnoredDuringExecution").items;
  const terms = [
    // A skew as large as the number of pods allows all of them in one place.
    ...spec.at("topologySpreadConstraints").items.filter(term => (term.at("maxSkew").number ?? 1) < Math.max(pods, 2)),
    ...antiAffinity.at("requiredDuringSchedulingIgnoredDuringExecution").items,
    ...preferred.map(term => term.at("podAffinityTerm")),
  ];
  return anyOf(
    terms,
    term => term.at("topologyKey").text === topologyKey && selects(term.at("labelSelector"), labels, false),
  );
}
