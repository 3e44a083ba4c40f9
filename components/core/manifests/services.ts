import { DatabaseNames } from "../names";
import { labels, podLayout } from "../podLayout";
import { objectMetadata, selectorLabels } from "./metadata";

/** How the two client Services are offered. */
export interface ServiceExposure {
  /** `ClusterIP` or `LoadBalancer`. */
  type: string;
  loadBalancerClass?: string;
  annotations?: Record<string, string>;
}

const mysqlPort = { name: "mysql", port: podLayout.mysqlPort, targetPort: "mysql", protocol: "TCP" };
/** Pulumi waits for a Service's endpoints. With no replicas there will never be any. */
const skipAwait = { "pulumi.com/skipAwait": "true" };

/**
 * Where clients write: the one pod that the managers label `primary`. The label is set when the pod takes writes and taken off when it does not: the kubelet's next probe, up to a second later, would only
 * make the outage longer.
 */
export function primaryServiceManifest(names: DatabaseNames, exposure: ServiceExposure) {
  const { spec, ...service } = roleService(names, names.primaryService, "primary", exposure, {});
  return { ...service, spec: { ...spec, publishNotReadyAddresses: true } };
}

/** Where clients read: every pod that the managers label `replica`. */
export function replicaServiceManifest(names: DatabaseNames, exposure: ServiceExposure) {
  return roleService(names, names.replicaService, "replica", exposure, skipAwait);
}

/** The pods' stable addresses, also while they are not ready: a manager has to reach one that is just starting. */
export function headlessServiceManifest(names: DatabaseNames) {
  return {
    apiVersion: "v1" as const,
    kind: "Service" as const,
    metadata: { ...objectMetadata(names.headlessService, names), annotations: skipAwait },
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: selectorLabels(names.database),
      ports: [mysqlPort, { name: "peers", port: podLayout.peerPort, targetPort: "peers", protocol: "TCP" }],
    },
  };
}

function roleService(
  names: DatabaseNames,
  serviceName: string,
  role: string,
  { type, loadBalancerClass, annotations }: ServiceExposure,
  ownAnnotations: Record<string, string>,
) {
  return {
    apiVersion: "v1" as const,
    kind: "Service" as const,
    metadata: { ...objectMetadata(serviceName, names), annotations: { ...ownAnnotations, ...annotations } },
    spec: {
      type,
      ...(loadBalancerClass !== undefined && { loadBalancerClass }),
      selector: { ...selectorLabels(names.database), [labels.role]: role },
      ports: [mysqlPort],
    },
  };
}
