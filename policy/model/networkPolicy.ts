import { isEveryone } from "./aws";
import { allOf, anyOf, type Field } from "./field";
import { ofKind, podTemplate, sameNamespace, selects } from "./kubernetes";
import { type Stack } from "./stack";

/** MariaDB's port. */
export const mysqlPort = 3306;

/** The NetworkPolicies for incoming connections that select a workload's pods. */
export function guardsOf(workload: Field, stack: Stack): Field[] {
  const labels = podTemplate(workload).at("metadata", "labels");
  return stack.where(ofKind("NetworkPolicy")).filter(policy => {
    const types = policy.at("spec", "policyTypes");
    const isForIngress = !types.isPresent || types.textList.includes("Ingress");
    return isForIngress && sameNamespace(policy, workload) && selects(policy.at("spec", "podSelector"), labels, true);
  });
}

/** The rule of a NetworkPolicy that lets everyone connect to MySQL's port, if one does. `portNames` are the names that the container has for it. */
export function openRule(policy: Field, portNames: readonly string[]): Field | undefined {
  return policy.at("spec", "ingress").items.find(rule => isForDatabase(rule, portNames) && admitsEveryone(rule));
}

/** Rules without ports are for every port. */
function isForDatabase(rule: Field, portNames: readonly string[]): boolean {
  const ports = rule.at("ports").items;
  if (ports.length === 0) return true;
  return anyOf(ports, port => {
    const first = port.at("port");
    if (!first.isPresent) return true;
    const last = port.at("endPort").number ?? first.number;
    if (first.number === undefined || last === undefined) return portNames.includes(first.text ?? "");
    return first.number <= mysqlPort && mysqlPort <= last;
  });
}

/** Rules without peers are for everyone. */
function admitsEveryone(rule: Field): boolean {
  const peers = rule.at("from").items;
  if (peers.length === 0) return true;
  return anyOf(peers, peer => {
    if (peer.at("ipBlock").isPresent) return isEveryone(peer.at("ipBlock", "cidr").text);
    const namespaces = peer.at("namespaceSelector");
    return namespaces.isPresent && selectsAll(namespaces) && selectsAll(peer.at("podSelector"));
  });
}

/** Whether a selector takes everything, or everything but a few: no condition, or none but one that all namespaces satisfy or that only leaves some out. */
function selectsAll(selector: Field): boolean {
  if (selector.at("matchLabels").entries.length > 0) return false;
  return allOf(
    selector.at("matchExpressions").items,
    expression =>
      /^(?:NotIn|DoesNotExist)$/.test(expression.at("operator").text ?? "") ||
      (expression.at("operator").text === "Exists" && expression.at("key").text === "kubernetes.io/metadata.name"),
  );
}
