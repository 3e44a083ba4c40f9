import { isEveryone } from "./aws";
import { databaseOf } from "./database";
import { anyOf, type Field } from "./field";
import { isLongRunning, maySelect, podTemplate, sameNamespace } from "./kubernetes";
import { mysqlPort } from "./networkPolicy";
import { type Stack } from "./stack";

/** Annotations that keep a load balancer inside the network, with the values that do. */
const internalAnnotations: readonly (readonly [name: string, value: RegExp])[] = [
  ["service.beta.kubernetes.io/aws-load-balancer-scheme", /^internal$/],
  // The controller inside Kubernetes takes any value but `false`, once `0.0.0.0/0`.
  ["service.beta.kubernetes.io/aws-load-balancer-internal", /^(?!false$)./],
  ["networking.gke.io/load-balancer-type", /^internal$/i],
  ["cloud.google.com/load-balancer-type", /^internal$/i],
  ["service.beta.kubernetes.io/azure-load-balancer-internal", /^true$/],
];

/**
 * Whether a load balancer is reachable from inside its network only.
 * @param annotations those of its Service, or those that a Gateway has for its own
 */
export function isInternal(annotations: Field): boolean {
  return anyOf(internalAnnotations, ([name, value]) => value.test(annotations.at(name).text ?? ""));
}

/** Whether a load balancer lets in some networks only. */
export function isLimited(service: Field): boolean {
  const annotation = service.at("metadata", "annotations", "service.beta.kubernetes.io/load-balancer-source-ranges");
  const ranges = [
    ...service.at("spec", "loadBalancerSourceRanges").textList,
    ...(annotation.text ?? "").split(",").filter(range => range.trim() !== ""),
  ];
  return ranges.length > 0 && !ranges.some(isEveryone);
}

/** The names that a container has for MySQL's port. */
export function portNamesOf(container: Field): string[] {
  const ports = container.at("ports").items.filter(port => port.at("containerPort").number === mysqlPort);
  return ports.flatMap(port => port.at("name").text ?? []);
}

/** Whether one of a Service's ports leads to MySQL's port of the pods: by number, or by the name that a database in this program has for it. */
export function offersDatabase(service: Field, stack: Stack): boolean {
  const ports = service.at("spec", "ports").items;
  const isNumbered = anyOf(ports, port => [port.at("port").number, port.at("targetPort").number].includes(mysqlPort));
  if (isNumbered) return true;
  const targets = ports.flatMap(port => port.at("targetPort").text ?? []).filter(target => !/^\d+$/.test(target));
  if (targets.length === 0) return false;
  const selector = service.at("spec", "selector");
  return anyOf(stack.where(isLongRunning), workload => {
    if (!sameNamespace(workload, service)) return false;
    if (!maySelect(selector, podTemplate(workload).at("metadata", "labels"))) return false;
    const names = databaseOf(workload, stack)?.container;
    return names !== undefined && portNamesOf(names).some(name => targets.includes(name));
  });
}
