import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { validateAwsTags } from "../core/awsTags";
import { validateAwsRegion, validateZones } from "../core/awsRegion";
import { InputProblem, under } from "../core/inputProblem";
import { validateLogRetention } from "../core/logRetention";
import { printable } from "../core/printable";
import { validateVpcCidr } from "../core/subnets";
import { validateInterfaceEndpoints } from "../core/vpcEndpoints";
import { judgeArguments } from "../schema/malformed";
import { Transform } from "../transform";

/** The way out of the private subnets. S3 has a way of its own in any case. */
export const NatGateways = {
  /** None. Only AWS services are reachable, through interface endpoints: images must be in ECR. */
  None: "none",
  /** One for all zones. When its zone is lost, the nodes of other zones cannot pull images or reach AWS until it is back; the database continues, since S3 has its own endpoint. */
  Single: "single",
  /** One in each zone. */
  PerZone: "perZone",
} as const;
export type NatGateways = (typeof NatGateways)[keyof typeof NatGateways];

/** Arguments of {@link Network}. */
export interface NetworkArgs {
  /** AWS region, like `us-east-1`. Required unless there is an `existing` VPC. */
  region?: string;
  /** Address range of the VPC: private, /16 to /22. Default `10.0.0.0/16`. A change replaces everything in the VPC. */
  cidr?: string;
  /** Two to four zones of the region; 3 are usual. Default: its zones a, b and c (or what they are called there). */
  zones?: string[];
  /** Default `single`. */
  natGateways?: NatGateways;
  /**
   * Services that get an interface endpoint in each zone, by the name that follows the region: `ecr.api`. Default: what a cluster needs where `natGateways` is `none`; otherwise none. Add
   * `logs`, `monitoring` or others that your own pods call.
   */
  interfaceEndpoints?: string[];
  /** VPC flow logs, in CloudWatch Logs. Default true. */
  flowLogs?: boolean;
  /** How long flow logs are kept. Days, one of CloudWatch's steps. Default 90. */
  flowLogRetentionDays?: number;
  /** Tags of every AWS resource. At most 40; no name begins with `aws:`. Default: none but `Name`. */
  tags?: Record<string, string>;
  /** An existing VPC. Nothing is created, and no other argument is allowed. */
  existing?: ExistingNetworkArgs;
}

/** A VPC with DNS names and support switched on. */
export interface ExistingNetworkArgs {
  /** Like `vpc-0123456789abcdef0`. */
  vpcId: pulumi.Input<string>;
  /** One for each zone that gets nodes, at least two; with a route to the internet and with addresses for pods. */
  privateSubnetIds: pulumi.Input<string>[];
  /** Default: none. */
  publicSubnetIds?: pulumi.Input<string>[];
  /** The gateway endpoint for S3, `vpce-...`. Default: none; the object store's key then works from anywhere, and traffic to S3 is charged by the NAT gateway. */
  s3EndpointId?: pulumi.Input<string>;
}

/** One optional transform for each child of a Network. */
export interface NetworkTransforms {
  /** The network itself. */
  vpc?: Transform<aws.ec2.VpcArgs>;
  /** Emptied, so that it lets nothing through. */
  defaultSecurityGroup?: Transform<aws.ec2.DefaultSecurityGroupArgs>;
  /** Each zone's, for nodes and pods. */
  privateSubnet?: Transform<aws.ec2.SubnetArgs>;
  /** Each zone's, for NAT gateways and load balancers. */
  publicSubnet?: Transform<aws.ec2.SubnetArgs>;
  /** The public subnets' way out. */
  internetGateway?: Transform<aws.ec2.InternetGatewayArgs>;
  /** Of the public subnets, and of each private one. */
  routeTable?: Transform<aws.ec2.RouteTableArgs>;
  /** Each way out of a route table. */
  route?: Transform<aws.ec2.RouteArgs>;
  /** Each NAT gateway's address. */
  elasticIp?: Transform<aws.ec2.EipArgs>;
  /** Each of them. */
  natGateway?: Transform<aws.ec2.NatGatewayArgs>;
  /** The gateway endpoint through which nodes reach the bucket. */
  s3Endpoint?: Transform<aws.ec2.VpcEndpointArgs>;
  /** Of each service. */
  interfaceEndpoint?: Transform<aws.ec2.VpcEndpointArgs>;
  /** Lets the VPC in to those. */
  interfaceEndpointSecurityGroup?: Transform<aws.ec2.SecurityGroupArgs>;
  /** Keeps the flow logs. */
  flowLogGroup?: Transform<aws.cloudwatch.LogGroupArgs>;
  /** Records the VPC's traffic. */
  flowLog?: Transform<aws.ec2.FlowLogArgs>;
}

/** Options of {@link Network}. */
export interface NetworkOptions extends pulumi.ComponentResourceOptions {
  /** Changes a child before it is registered. */
  transform?: NetworkTransforms;
}

/** 65,536 addresses, apart from the ranges that home networks and Docker like. */
export const defaultVpcCidr = "10.0.0.0/16";

/** EKS places its control plane in at least so many zones. */
const fewestSubnets = 2;

/** Everything that is wrong with a Network's arguments, as far as it is known before anything is made. */
export function validateNetworkArgs(args: NetworkArgs): InputProblem[] {
  return judgeArguments("Network", args, () => [...validateAwsTags(args.tags), ...meaningProblems(args)]);
}

function meaningProblems(args: NetworkArgs): InputProblem[] {
  const { region, existing } = args;
  const problems = region === undefined ? [] : validateAwsRegion(region);
  if (problems.length > 0) return problems;
  if (existing !== undefined) return existingProblems(args, existing);
  if (region !== undefined) return madeProblems(region, args);
  const reason = 'is missing: write the region of the VPC, like "us-east-1", or describe an existing VPC in "existing"';
  return [{ propertyPath: "region", reason }];
}

function madeProblems(region: string, args: NetworkArgs): InputProblem[] {
  const { cidr = defaultVpcCidr, zones, natGateways } = args;
  const problems = [...validateVpcCidr("cidr", cidr), ...validateZones(region, zones)];
  if (args.flowLogs === false && args.flowLogRetentionDays !== undefined) {
    problems.push({ propertyPath: "flowLogRetentionDays", reason: "is given, but flowLogs is false: leave it out" });
  }
  return [
    ...problems,
    ...validateInterfaceEndpoints(region, args.interfaceEndpoints, natGateways !== NatGateways.None),
    ...validateLogRetention("flowLogRetentionDays", args.flowLogRetentionDays),
  ];
}

/** Arguments that say how to make a VPC. */
const onlyForMade = ["cidr", "zones", "natGateways", "interfaceEndpoints", "flowLogs", "flowLogRetentionDays"] as const;

function existingProblems(args: NetworkArgs, existing: ExistingNetworkArgs): InputProblem[] {
  const conflicts = onlyForMade
    .filter(key => args[key] !== undefined)
    .map(key => ({
      propertyPath: key,
      reason: 'is for a VPC that is made, but "existing" names one: leave one of them out',
    }));
  const { vpcId, privateSubnetIds, publicSubnetIds = [], s3EndpointId } = existing;
  const problems = [
    ...idProblems("vpcId", "vpc", vpcId),
    ...subnetProblems("privateSubnetIds", privateSubnetIds),
    ...subnetProblems("publicSubnetIds", publicSubnetIds),
    ...(s3EndpointId === undefined ? [] : idProblems("s3EndpointId", "vpce", s3EndpointId)),
  ];
  if (privateSubnetIds.length < fewestSubnets) {
    problems.push({
      propertyPath: "privateSubnetIds",
      reason: `has ${privateSubnetIds.length}: EKS needs subnets in at least ${fewestSubnets} zones`,
    });
  }
  return [...conflicts, ...under("existing", problems)];
}

function subnetProblems(propertyPath: string, ids: pulumi.Input<string>[]): InputProblem[] {
  return ids.flatMap((id, index) => {
    const path = `${propertyPath}[${index}]`;
    if (ids.indexOf(id) < index) return [{ propertyPath: path, reason: "is there already: name each subnet once" }];
    return idProblems(path, "subnet", id);
  });
}

/** What is wrong with an id that is known already. */
function idProblems(propertyPath: string, kind: string, id: pulumi.Input<string>): InputProblem[] {
  if (typeof id !== "string" || new RegExp(`^${kind}-[0-9a-f]+$`).test(id)) return [];
  return [{ propertyPath, reason: `"${printable(id)}" is not an id: write one like "${kind}-0123456789abcdef0"` }];
}
