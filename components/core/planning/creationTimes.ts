import { type DescribedResource, textAt } from "./describedResource";

/** Where the figures come from, for anyone who reads a plan. */
export const creationTimesSource = "public logs of Terraform runs on AWS, the middle of what they show";

/**
 * Minutes from the request for a resource until it can be used, in the middle of what public logs of Terraform runs on AWS show: a VPC 25 s; a NAT gateway 1:24 to
 * 2:05; an EKS control plane 8:14 to 12:45, typically 9.5 min; a node group about 2 min.
 */
const minutesByType: Record<string, number> = {
  "aws:ec2/vpc:Vpc": 25 / 60,
  "aws:ec2/natGateway:NatGateway": 1.75,
  "aws:eks/cluster:Cluster": 9.5,
  "aws:eks/nodeGroup:NodeGroup": 2,
};

/** What builds an image. The engine is compiled from its source: 20 to 40 minutes. */
const imageTypes: ReadonlySet<string> = new Set([
  "docker:index/image:Image",
  "docker:index/registryImage:RegistryImage",
  "docker-build:index:Image",
]);
const imageMinutes = 30;

/** The same for add-ons of EKS by name: vpc-cni 35 s, CoreDNS 14 to 56 s, the EBS CSI driver 45 to 65 s. */
const minutesByAddon: Record<string, number> = {
  "vpc-cni": 35 / 60,
  coredns: 35 / 60,
  "aws-ebs-csi-driver": 55 / 60,
};

/** The expected minutes until a resource can be used; undefined for everything that takes seconds. */
export function creationMinutes(resource: DescribedResource): number | undefined {
  if (resource.type === "aws:eks/addon:Addon") return minutesByAddon[textAt(resource, "addonName") ?? ""];
  return isImageBuild(resource) ? imageMinutes : minutesByType[resource.type];
}

/** Whether a resource builds an image, which an image by digest saves. */
export function isImageBuild({ type }: DescribedResource): boolean {
  return imageTypes.has(type);
}

/** The chain on EKS that no arrangement avoids: control plane, pod network, nodes, EBS driver. Minutes. */
export const unavoidableMinutes =
  minutesByType["aws:eks/cluster:Cluster"]! +
  minutesByAddon["vpc-cni"]! +
  minutesByType["aws:eks/nodeGroup:NodeGroup"]! +
  minutesByAddon["aws-ebs-csi-driver"]!;
