import { DatabaseNames } from "../names";
import { labels, podLayout } from "../podLayout";
import { objectMetadata, selectorLabels } from "./metadata";

/** How a client Service is offered. @typeParam Text a string, or what becomes one when the plan is carried out */
export interface ServiceExposure<Text> {
  /** `ClusterIP`, `NodePort` or `LoadBalancer`. */
  type: string;
  loadBalancerClass?: string;
  loadBalancerSourceRanges?: string[];
  externalTrafficPolicy?: string;
  annotations: Record<string, Text>;
  /** Port that clients connect to. */
  port: number;
  nodePort?: number;
}

const mysqlPort = { name: "mysql", port: podLayout.mysqlPort, targetPort: "mysql", protocol: "TCP" };
/** Pulumi waits for a Service's endpoints. With no replicas there will never be any. */
const skipAwait = { "pulumi.com/skipAwait": "true" };

/**
 * Where clients write: the one pod that the managers label `primary`. The label is set when the pod takes writes and taken off when it does not: the kubelet's next probe, up to a second later, would only
 * make the outage longer.
 */
export function primaryServiceManifest<Text>(names: DatabaseNames<Text>, exposure: ServiceExposure<Text>) {
  const { spec, ...service } = clientService(names, names.primaryService, { [labels.role]: "primary" }, exposure, {});
  return { ...service, spec: { ...spec, publishNotReadyAddresses: true } };
}

/**
 * Where clients read: every replica that follows. It has a label of its own: a pod that left this Service in the moment in which it joins the other would change both, and kube-proxy, which looks once a
 * second, would let writers wait for its second look.
 */
export function replicaServiceManifest<Text>(names: DatabaseNames<Text>, exposure: ServiceExposure<Text>) {
  return clientService(names, names.replicaService, { [labels.reads]: "true" }, exposure, skipAwait);
}

/** The pods' stable addresses, also while they are not ready: a manager has to reach one that is just starting. */
export function headlessServiceManifest<Text>(names: DatabaseNames<Text>) {
  return {
    apiVersion: "v1" as const,
    kind: "Service" as const,
    metadata: { ...objectMetadata(names.headlessService, names), annotations: skipAwait },
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: selectorLabels(names.database),
      ports: [
        mysqlPort,
        { name: "peers", port: podLayout.peerPort, targetPort: "peers", protocol: "TCP" },
        { name: "metrics", port: podLayout.managerPort, targetPort: "http", protocol: "TCP" },
      ],
    },
  };
}

function clientService<Text>(
  names: DatabaseNames<Text>,
  serviceName: string,
  selected: Record<string, string>,
  { annotations, port, nodePort, ...exposure }: ServiceExposure<Text>,
  ownAnnotations: Record<string, string>,
) {
  const { type, loadBalancerClass, loadBalancerSourceRanges, externalTrafficPolicy } = exposure;
  return {
    apiVersion: "v1" as const,
    kind: "Service" as const,
    metadata: {
      ...objectMetadata(serviceName, names),
      annotations: { ...ownAnnotations, ...annotations } as Record<string, Text | string>,
    },
    spec: {
      type,
      ...(loadBalancerClass !== undefined && { loadBalancerClass }),
      ...(loadBalancerSourceRanges !== undefined && { loadBalancerSourceRanges }),
      ...(externalTrafficPolicy !== undefined && { externalTrafficPolicy }),
      selector: { ...selectorLabels(names.database), ...selected },
      ports: [{ ...mysqlPort, port, ...(nodePort !== undefined && { nodePort }) }],
    },
  };
}
