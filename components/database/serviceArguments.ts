import * as pulumi from "@pulumi/pulumi";

/** How a client Service is offered. */
export const ServiceType = {
  /** Inside the cluster only. */
  ClusterIP: "ClusterIP",
  /** On a port of every node. */
  NodePort: "NodePort",
  /** Through a load balancer, as the cluster makes them. */
  LoadBalancer: "LoadBalancer",
} as const;
export type ServiceType = (typeof ServiceType)[keyof typeof ServiceType];

/** Which nodes pass on what comes from outside the cluster. */
export const ExternalTrafficPolicy = {
  /** Every node, which forwards to the pod. Pods see the node's address. */
  Cluster: "Cluster",
  /** Nodes with a pod of the Service only. Pods see the client's address; after a failover the load balancer must first notice the move. */
  Local: "Local",
} as const;
export type ExternalTrafficPolicy = (typeof ExternalTrafficPolicy)[keyof typeof ExternalTrafficPolicy];

/**
 * AWS network load balancers that survive a failover: their targets are the nodes, which stay the same, and kube-proxy forwards to the primary. With pods as targets, a new primary is reachable only after AWS has
 * registered it, which takes minutes.
 */
export const LoadBalancerPreset = {
  /** Reachable from the VPC, and from networks that are connected to it. */
  NlbInternal: "nlbInternal",
  /** Reachable from the internet: restrict it with `loadBalancerSourceRanges`. */
  NlbInternetFacing: "nlbInternetFacing",
} as const;
export type LoadBalancerPreset = (typeof LoadBalancerPreset)[keyof typeof LoadBalancerPreset];

/** How a client Service is reached. */
export interface ServiceExposureArgs {
  /** Default `ClusterIP`, and `LoadBalancer` with a preset. */
  type?: ServiceType;
  /**
   * A load balancer with settings that suit a database. Needs the AWS Load Balancer Controller in the cluster, and `clients` with the nodes' addresses (the VPC's), from which its connections come.
   * Default: none.
   */
  preset?: LoadBalancerPreset;
  /** Like `eks.amazonaws.com/nlb` (EKS Auto Mode). Default: with a preset `service.k8s.aws/nlb`, else the cluster's own. */
  loadBalancerClass?: string;
  /** Addresses that the load balancer lets in, in CIDR notation. Default: all. */
  loadBalancerSourceRanges?: string[];
  /** Not with type `ClusterIP`. Default `Cluster`. */
  externalTrafficPolicy?: ExternalTrafficPolicy;
  /** Annotations for controllers of Services. Default: none, or the preset's. */
  annotations?: Record<string, pulumi.Input<string>>;
}

/** One of the two Services: what is said here comes before what is said for both. */
export interface DatabaseServiceArgs extends ServiceExposureArgs {
  /** Port that clients connect to. 1 to 65,535. Default 3306. */
  port?: number;
  /** Port of every node, with type `NodePort` or `LoadBalancer`. 30,000 to 32,767. Default: one that Kubernetes chooses. */
  nodePort?: number;
  /** Host name by which clients reach it: external-dns gets an annotation for it, and the generated certificate includes it. Default: none. */
  dnsName?: string;
}

/** The Services `<name>-primary` and `<name>-replica`. What is said beside `primary` and `replica` is for both. */
export interface DatabaseServicesArgs extends ServiceExposureArgs {
  /** For writes. */
  primary?: DatabaseServiceArgs;
  /** For reads. */
  replica?: DatabaseServiceArgs;
}
