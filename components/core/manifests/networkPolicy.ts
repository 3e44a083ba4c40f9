import { DatabaseNames } from "../names";
import { podLayout } from "../podLayout";
import { identityAgent } from "./identity";
import { objectMetadata, selectorLabels } from "./metadata";

/** Who may connect: pods by their labels, of namespaces by theirs, or addresses. */
export interface NetworkPeer {
  /** Labels of the namespaces; `{}` is every namespace. Left out: the database's own. */
  namespaceLabels?: Record<string, string>;
  /** Labels of the pods. Left out: every pod of those namespaces. */
  podLabels?: Record<string, string>;
  /** Instead of the other two: addresses in CIDR notation, for clients outside the cluster. */
  cidr?: string;
}

/** What the policy depends on. @typeParam Port a number, or what becomes one when the plan is carried out */
export interface NetworkPolicyInputs<Port> {
  /** Who reaches the database's port. */
  clients: NetworkPeer[];
  /** Clients of `/metrics`. The kubelet's probes are let through in any case. */
  monitoring: NetworkPeer[];
  objectStorePort: Port;
  /** Whether the pods get their role from EKS Pod Identity's agent. Default false. */
  identityAgent?: boolean;
  /** Ports of everything else that the pods connect to. */
  egress: { apiServerPorts: number[]; dnsPorts: number[]; otherPorts: number[] };
}

/** By default: pods of the same namespace, and of namespaces that their administrators have given this label. */
export const defaultClients: NetworkPeer[] = [{ podLabels: {} }, { namespaceLabels: { "tidesql.io/client": "true" } }];

/**
 * Neither the API server nor, on every cluster, the DNS is a pod whose labels are known here. Network plugins look at a Service's port, or at the port behind it: 6443 mostly, 8443 in minikube, 16443 in MicroK8s; 5353
 * for the DNS of OpenShift.
 */
export const defaultEgress = {
  apiServerPorts: [443, 6443, 8443, 16_443],
  dnsPorts: [53, 5353],
  otherPorts: [] as number[],
};

/** Isolates the database's pods in both directions and lets through what they need, port by port. */
export function networkPolicyManifest<Text, Port>(names: DatabaseNames<Text>, inputs: NetworkPolicyInputs<Port>) {
  const { clients, monitoring, objectStorePort } = inputs;
  const { apiServerPorts, dnsPorts, otherPorts } = inputs.egress;
  const ownPods = { podSelector: { matchLabels: selectorLabels(names.database) } };
  const peersPort = { port: podLayout.peerPort, protocol: "TCP" };
  return {
    apiVersion: "networking.k8s.io/v1" as const,
    kind: "NetworkPolicy" as const,
    metadata: objectMetadata(names.networkPolicy, names),
    spec: {
      podSelector: { matchLabels: selectorLabels(names.database) },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        ...rule(clients, podLayout.mysqlPort),
        ...rule(monitoring, podLayout.managerPort),
        { from: [ownPods], ports: [peersPort] },
      ],
      egress: [
        { to: [ownPods], ports: [peersPort] },
        { ports: dnsPorts.flatMap(port => ["UDP", "TCP"].map(protocol => ({ port, protocol }))) },
        { ports: apiServerPorts.map(port => ({ port, protocol: "TCP" })) },
        { ports: [{ port: objectStorePort, protocol: "TCP" }] },
        ...(inputs.identityAgent
          ? [
              {
                to: [{ ipBlock: { cidr: `${identityAgent.address}/32` } }],
                ports: [{ port: identityAgent.port, protocol: "TCP" }],
              },
            ]
          : []),
        ...(otherPorts.length > 0 ? [{ ports: otherPorts.map(port => ({ port, protocol: "TCP" })) }] : []),
      ],
    },
  };
}

/** No rule where nobody is named: a rule without `from` would let everybody in. */
function rule(peers: NetworkPeer[], port: number) {
  if (peers.length === 0) return [];
  return [{ from: peers.map(peerManifest), ports: [{ port, protocol: "TCP" }] }];
}

function peerManifest({ namespaceLabels, podLabels, cidr }: NetworkPeer) {
  if (cidr !== undefined) return { ipBlock: { cidr } };
  return {
    ...(namespaceLabels !== undefined && { namespaceSelector: { matchLabels: namespaceLabels } }),
    ...(podLabels !== undefined && { podSelector: { matchLabels: podLabels } }),
  };
}
