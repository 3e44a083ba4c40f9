import { ServiceExposure } from "./manifests/services";
import { podLayout } from "./podLayout";

/** What is said of one Service, or of both. @typeParam Text a string, or what becomes one when the plan is carried out */
export interface ExposureRequest<Text> {
  type?: string;
  /** `nlbInternal` or `nlbInternetFacing`. */
  preset?: string;
  loadBalancerClass?: string;
  loadBalancerSourceRanges?: string[];
  externalTrafficPolicy?: string;
  annotations?: Record<string, Text>;
  port?: number;
  nodePort?: number;
  dnsName?: string;
}

/** The class that the AWS Load Balancer Controller looks after. */
const nlbClass = "service.k8s.aws/nlb";
const nlbAnnotation = "service.beta.kubernetes.io/aws-load-balancer";
const schemes: Record<string, string> = { nlbInternal: "internal", nlbInternetFacing: "internet-facing" };

/**
 * The load balancer of a preset. Its targets are the nodes, so that a failover changes none; a connection to a node that goes away is ended, so that its client reconnects; and it
 * connects from its own addresses, since with the clients' a pod could not reach a database on its own node through it.
 */
function presetAnnotations(preset: string): Record<string, string> {
  return {
    [`${nlbAnnotation}-scheme`]: schemes[preset] ?? "internal",
    [`${nlbAnnotation}-nlb-target-type`]: "instance",
    [`${nlbAnnotation}-attributes`]: "load_balancing.cross_zone.enabled=true",
    [`${nlbAnnotation}-target-group-attributes`]:
      "deregistration_delay.connection_termination.enabled=true,deregistration_delay.timeout_seconds=30,preserve_client_ip.enabled=false",
    [`${nlbAnnotation}-healthcheck-protocol`]: "TCP",
    [`${nlbAnnotation}-healthcheck-interval`]: "10",
  };
}

/** How one Service is offered: what is said of it alone comes before what is said of both, and that before a preset. */
export function settleExposure<Text>(
  both: ExposureRequest<Text>,
  own: ExposureRequest<Text>,
): ServiceExposure<Text | string> {
  const isGiven = ([, value]: [string, unknown]) => value !== undefined;
  const given: ExposureRequest<Text> = { ...both, ...Object.fromEntries(Object.entries(own).filter(isGiven)) };
  const { preset, dnsName, nodePort, port = podLayout.mysqlPort } = given;
  const type = given.type ?? (preset === undefined ? "ClusterIP" : "LoadBalancer");
  const isBalanced = type === "LoadBalancer";
  const loadBalancerClass = given.loadBalancerClass ?? (preset === undefined ? undefined : nlbClass);
  return {
    type,
    ...(isBalanced && loadBalancerClass !== undefined && { loadBalancerClass }),
    ...(isBalanced &&
      given.loadBalancerSourceRanges !== undefined && { loadBalancerSourceRanges: given.loadBalancerSourceRanges }),
    ...(type !== "ClusterIP" &&
      given.externalTrafficPolicy !== undefined && { externalTrafficPolicy: given.externalTrafficPolicy }),
    annotations: {
      ...(isBalanced && preset !== undefined && presetAnnotations(preset)),
      ...(dnsName !== undefined && { "external-dns.alpha.kubernetes.io/hostname": dnsName }),
      ...both.annotations,
      ...own.annotations,
    },
    port,
    ...(nodePort !== undefined && { nodePort }),
  };
}
