import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Transform, transformed } from "../transform";
import { Surroundings } from "./surroundings";

/** Who talks to whom, by security group. */
export interface SecurityGroups {
  controlPlane: aws.ec2.SecurityGroup;
  nodes: aws.ec2.SecurityGroup;
  /** Nodes cannot join before these are there. */
  rules: pulumi.Resource[];
}

/** Kubelets (10250), metrics and webhooks, whose ports their authors choose: all that an unprivileged process can listen on. */
const unprivilegedPorts = [1025, 65_535] as const;
const https = [443, 443] as const;

/** A range of TCP ports; left out, every protocol and port. */
type Ports = readonly [from: number, to: number] | undefined;

/**
 * Security groups for the control plane's network interfaces and for the nodes. The group that EKS makes by itself lets its members do anything: no node is in it.
 */
export function makeSecurityGroups(around: Surroundings): SecurityGroups {
  const { egressPorts } = around.plan;
  const { controlPlaneSecurityGroup, nodeSecurityGroup } = around.transform;
  const controlPlane = makeGroup(around, controlPlaneSecurityGroup, "control-plane", "Control plane of the cluster");
  const nodes = makeGroup(around, nodeSecurityGroup, "nodes", "Nodes of the cluster and their pods");

  const rules = [
    ...between(around, "api", "Nodes and pods to the API", nodes, controlPlane, https),
    ...between(around, "webhooks", "API to webhooks", controlPlane, nodes, https),
    ...between(around, "kubelets", "API to kubelets and pods", controlPlane, nodes, unprivilegedPorts),
    ...between(around, "pods", "Nodes and pods among themselves", nodes, nodes, undefined),
    ...egressPorts.map(port => toTheWorld(around, nodes, port)),
  ];
  return { controlPlane, nodes, rules };
}

function makeGroup(
  { parent, name, plan: { region, vpcId, tags } }: Surroundings,
  transform: Transform<aws.ec2.SecurityGroupArgs> | undefined,
  label: string,
  description: string,
): aws.ec2.SecurityGroup {
  const groupName = `${name}-${label}`;
  return new aws.ec2.SecurityGroup(
    ...transformed(
      transform,
      groupName,
      { region, vpcId, description, tags: { ...tags, Name: groupName } },
      { parent },
    ),
  );
}

/** Lets one group open connections to another: out of the one, into the other. */
function between(
  { parent, name, plan: { region, tags } }: Surroundings,
  label: string,
  description: string,
  from: aws.ec2.SecurityGroup,
  to: aws.ec2.SecurityGroup,
  ports: Ports,
): pulumi.Resource[] {
  const traffic = { region, description, tags, ...protocolOf(ports) };
  return [
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-${label}-out`,
      { ...traffic, securityGroupId: from.id, referencedSecurityGroupId: to.id },
      { parent },
    ),
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-${label}-in`,
      { ...traffic, securityGroupId: to.id, referencedSecurityGroupId: from.id },
      { parent },
    ),
  ];
}

/** Registries and AWS have no addresses that could be listed. DNS and time of the VPC pass no security group. */
function toTheWorld(
  { parent, name, plan: { region, tags } }: Surroundings,
  nodes: aws.ec2.SecurityGroup,
  port: number,
): pulumi.Resource {
  return new aws.vpc.SecurityGroupEgressRule(
    `${name}-world-${port}-out`,
    {
      region,
      tags,
      description: "Nodes and pods to registries, AWS and object stores",
      securityGroupId: nodes.id,
      cidrIpv4: "0.0.0.0/0",
      ...protocolOf([port, port]),
    },
    { parent },
  );
}

function protocolOf(ports: Ports) {
  return ports === undefined ? { ipProtocol: "-1" } : { ipProtocol: "tcp", fromPort: ports[0], toPort: ports[1] };
}
