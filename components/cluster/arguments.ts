import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Transform } from "../transform";

/** What a node's pods keep their scratch data on, and a database whose data is on its node its data. */
export const NodeStorage = {
  /** The node's EBS volume. Drives of the instance, if any, stay unused. */
  Ebs: "ebs",
  /** The instance's NVMe drives, joined into one (RAID 0): faster, and gone with the node. */
  Nvme: "nvme",
} as const;
export type NodeStorage = (typeof NodeStorage)[keyof typeof NodeStorage];

/** Arguments of {@link Cluster}. */
export interface ClusterArgs {
  /** AWS region, like `us-east-1`. Required unless there is an `existing` cluster, like the next two. */
  region?: string;
  /** The VPC that the subnets are in. */
  vpcId?: pulumi.Input<string>;
  /** Private subnets in two zones or more, for the control plane's network interfaces. */
  subnetIds?: pulumi.Input<string>[];
  /** Subnets of the database's pool, one node group in each: an EBS volume cannot leave its zone. Give Network's `nodeSubnetIds`. Default: `subnetIds`. */
  nodeSubnetIds?: pulumi.Input<string>[];
  /** Default: the component's name. */
  clusterName?: string;
  /** A version in standard support. Default 1.36. */
  kubernetesVersion?: string;
  /** Type of the database's nodes. Default `m5.large`. */
  instanceType?: string;
  /** Database nodes in each zone. Default 1: enough for a primary and a replica in every other zone. */
  nodesPerZone?: number;
  /** Default `nvme` where the instance type has drives, `ebs` where it has none. */
  storage?: NodeStorage;
  /** Type of the nodes for everything else: DNS, drivers, your own pods. Default `t4g.medium` or `t3.medium`, of the same architecture as the database's. */
  systemInstanceType?: string;
  /** Number of those nodes, over all zones. Default 2, so that DNS survives the loss of one. */
  systemNodes?: number;
  /** Each node's EBS volume, for the system, images, logs and scratch data. GiB, 20 to 16,384. Default 30. */
  rootVolumeGiB?: number;
  /**
   * Addresses that reach the Kubernetes API from the internet, in CIDR notation; the machine that runs `pulumi up` must be among them, unless it is inside the VPC. The whole internet is refused. Default:
   * none, and the API is reached from the VPC (or through a VPN into it) alone.
   */
  publicAccessCidrs?: string[];
  /** ARNs of IAM roles and users that administer the cluster, besides the one that creates it (which must not be listed). Default: none. */
  administrators?: string[];
  /** TCP ports on which nodes and pods may connect to the internet. Between nodes all ports are open, and NetworkPolicies decide. Default 443. Add the port of an object store outside AWS. */
  egressPorts?: number[];
  /** Protects the control plane from deletion, in Pulumi and in AWS. Default true; set it to false, run `pulumi up`, and only then `pulumi destroy` (docs/takedown.md). */
  deletionProtection?: boolean;
  /** How long the control plane's logs are kept. Days, one of CloudWatch's steps. Default 90. */
  logRetentionDays?: number;
  /** The default StorageClass that is made: gp3, encrypted, XFS, growable. Default `gp3`. */
  storageClassName?: string;
  /**
   * Kubeconfig for this program, where it reaches the cluster through a proxy or logs in without the AWS command line. Default: the endpoint itself, with tokens from `aws eks get-token`, so
   * that `aws` has to be installed where Pulumi runs.
   */
  kubeconfig?: pulumi.Input<string>;
  /** Tags of every AWS resource. At most 40; no name begins with `aws:`. Default: none. */
  tags?: Record<string, string>;
  /** An existing cluster. Nothing is created. */
  existing?: ExistingClusterArgs;
}

/** Any Kubernetes cluster. */
export interface ExistingClusterArgs {
  /** Name of an EKS cluster that has the add-on `eks-pod-identity-agent`: the database's pods get a role by Pod Identity. Default: none, and they do not. */
  clusterName?: pulumi.Input<string>;
  /** ARN of the cluster's OIDC provider in IAM, on EKS or elsewhere: the database's pods get a role by it (IRSA), unless `clusterName` is given. Default: none. */
  oidcProviderArn?: pulumi.Input<string>;
  /** Default: the provider in the component's options, or else the cluster that `kubectl` reaches. */
  kubeconfig?: pulumi.Input<string>;
  /** Default: the cluster's default class. */
  storageClassName?: string;
  /** Labels of the nodes that databases may run on. Default: any node. */
  nodeSelector?: Record<string, string>;
  /** Taints of those nodes. Default: none. */
  tolerations?: PoolToleration[];
}

/** A taint that a pod tolerates, as Kubernetes writes it. */
export interface PoolToleration {
  /** The taint's key. Default: every taint, with operator `Exists`. */
  key?: string;
  /** `Equal` or `Exists`. */
  operator?: string;
  /** The taint's value, with operator `Equal`. */
  value?: string;
  /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. */
  effect?: string;
}

/** What a pod says that belongs on the database's nodes. */
export interface DatabasePool {
  /** Labels that its nodes have. */
  nodeSelector: Record<string, string>;
  /** Taints that its nodes have. */
  tolerations: PoolToleration[];
}

/** One optional transform for each child of a Cluster. */
export interface ClusterTransforms {
  /** Encrypts the cluster's Secrets. */
  key?: Transform<aws.kms.KeyArgs>;
  /** Of the control plane's logs. */
  logGroup?: Transform<aws.cloudwatch.LogGroupArgs>;
  /** Of the control plane. */
  clusterRole?: Transform<aws.iam.RoleArgs>;
  /** Of both pools' nodes. */
  nodeRole?: Transform<aws.iam.RoleArgs>;
  /** Of each add-on that calls AWS. */
  addonRole?: Transform<aws.iam.RoleArgs>;
  /** Of the control plane's network interfaces. */
  controlPlaneSecurityGroup?: Transform<aws.ec2.SecurityGroupArgs>;
  /** Of nodes and pods. */
  nodeSecurityGroup?: Transform<aws.ec2.SecurityGroupArgs>;
  /** The control plane. */
  cluster?: Transform<aws.eks.ClusterArgs>;
  /** Of each administrator. */
  accessEntry?: Transform<aws.eks.AccessEntryArgs>;
  /** Of each pool. */
  launchTemplate?: Transform<aws.ec2.LaunchTemplateArgs>;
  /** Each zone's part of the database's pool. */
  databaseNodeGroup?: Transform<aws.eks.NodeGroupArgs>;
  /** The pool for everything else. */
  systemNodeGroup?: Transform<aws.eks.NodeGroupArgs>;
  /** Each of EKS's add-ons. */
  addon?: Transform<aws.eks.AddonArgs>;
  /** The default class of volumes. */
  storageClass?: Transform<k8s.storage.v1.StorageClassArgs>;
}

/** Options of {@link Cluster}. */
export interface ClusterOptions extends pulumi.ComponentResourceOptions {
  /** Changes a child before it is registered. */
  transform?: ClusterTransforms;
}
