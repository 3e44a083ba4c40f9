import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { defaultZones } from "./core/awsRegion";
import { layOutSubnets } from "./core/subnets";
import { defaultInterfaceEndpoints } from "./core/vpcEndpoints";
import {
  defaultVpcCidr,
  ExistingNetworkArgs,
  NatGateways,
  NetworkArgs,
  NetworkOptions,
  validateNetworkArgs,
} from "./network/arguments";
import { makeInterfaceEndpoints, makeS3Endpoint } from "./network/endpoints";
import { makeFlowLog } from "./network/flowLog";
import { makeNatGateways, makeWayOut } from "./network/routes";
import { makeSubnets } from "./network/subnets";
import { Surroundings } from "./network/surroundings";
import { checkedOptions } from "./options";
import { refuseInvalid } from "./refuse";
import { transformed } from "./transform";

export {
  ExistingNetworkArgs,
  NatGateways,
  NetworkArgs,
  NetworkOptions,
  NetworkTransforms,
  validateNetworkArgs,
} from "./network/arguments";

/** What a cluster needs of a VPC. */
interface Outputs {
  vpcId: pulumi.Output<string>;
  privateSubnetIds: pulumi.Output<string>[];
  nodeSubnetIds: pulumi.Output<string>[];
  publicSubnetIds: pulumi.Output<string>[];
  s3EndpointId?: pulumi.Output<string>;
}

/**
 * A VPC over three zones: private subnets for nodes and pods, public ones for NAT gateways and load balancers, a gateway endpoint for S3 (free, and what the object store's key is bound
 * to), flow logs, and a default security group that lets nothing through. No machine gets a public address.
 *
 * With `existing` nothing is made.
 *
 * Cost per month (us-east-1): `single` NAT $37 with its address, `perZone` $110, and $0.045 per GB; `none` needs 6 interface endpoints in 3 zones, $131, with $0.01 per GB. S3 traffic passes none
 * of them. Flow logs: $0.50 per GB recorded.
 *
 * @example
 * const network = new Network("orders", { region: "us-east-1" });
 */
export class Network extends pulumi.ComponentResource {
  /** The VPC, made or existing. */
  public readonly vpcId: pulumi.Output<string>;
  /** One per zone. */
  public readonly privateSubnetIds: pulumi.Output<string>[];
  /** The same, but known only once nodes in them can reach what they need: give them to what starts nodes, so that nothing else waits for a NAT gateway. */
  public readonly nodeSubnetIds: pulumi.Output<string>[];
  /** One per zone. */
  public readonly publicSubnetIds: pulumi.Output<string>[];
  /** The gateway endpoint for S3. None where an existing VPC did not name its own. */
  public readonly s3EndpointId?: pulumi.Output<string>;

  /** @throws pulumi.InputPropertiesError before anything is registered */
  constructor(name: string, args: NetworkArgs, opts: NetworkOptions = {}) {
    refuseInvalid(`Network "${name}"`, validateNetworkArgs(args));
    const { transform = {}, ...componentOptions } = checkedOptions(`Network "${name}"`, opts);
    super("tidesql:index:Network", name, args, componentOptions);

    const outputs = args.existing
      ? existingNetwork(args.existing)
      : makeNetwork({ parent: this, name, region: args.region!, tags: args.tags ?? {}, transform }, args);

    this.vpcId = outputs.vpcId;
    this.privateSubnetIds = outputs.privateSubnetIds;
    this.nodeSubnetIds = outputs.nodeSubnetIds;
    this.publicSubnetIds = outputs.publicSubnetIds;
    this.s3EndpointId = outputs.s3EndpointId;
    this.registerOutputs({
      vpcId: this.vpcId,
      privateSubnetIds: this.privateSubnetIds,
      nodeSubnetIds: this.nodeSubnetIds,
      publicSubnetIds: this.publicSubnetIds,
      s3EndpointId: this.s3EndpointId,
    });
  }
}

function existingNetwork({
  vpcId,
  privateSubnetIds,
  publicSubnetIds = [],
  s3EndpointId,
}: ExistingNetworkArgs): Outputs {
  const subnetIds = privateSubnetIds.map(id => pulumi.output(id));
  return {
    vpcId: pulumi.output(vpcId),
    privateSubnetIds: subnetIds,
    nodeSubnetIds: subnetIds,
    publicSubnetIds: publicSubnetIds.map(id => pulumi.output(id)),
    s3EndpointId: s3EndpointId === undefined ? undefined : pulumi.output(s3EndpointId),
  };
}

function makeNetwork(around: Surroundings, args: NetworkArgs): Outputs {
  const { cidr = defaultVpcCidr, natGateways = NatGateways.Single } = args;
  const { region } = around;
  const zones = args.zones ?? defaultZones(region)!;
  const services =
    args.interfaceEndpoints ?? (natGateways === NatGateways.None ? defaultInterfaceEndpoints(region)! : []);

  const vpc = makeVpc(around, cidr);
  const subnets = makeSubnets(around, vpc, zones, layOutSubnets(cidr, zones.length));
  const internetGateway = makeInternetGateway(around, vpc);
  const gateways = makeNatGateways(around, natGateways, zones, subnets.public, internetGateway);
  const wayOut = makeWayOut(around, vpc, zones, subnets, internetGateway, gateways);
  const s3Endpoint = makeS3Endpoint(around, vpc, wayOut.privateRouteTables);
  const endpoints = makeInterfaceEndpoints(around, vpc, cidr, subnets.private, services);
  if (args.flowLogs ?? true) makeFlowLog(around, vpc, args.flowLogRetentionDays);

  const neededByNodes = pulumi.all([...wayOut.resources, s3Endpoint, ...endpoints].map(({ id }) => id));
  return {
    vpcId: vpc.id,
    privateSubnetIds: subnets.private.map(({ id }) => id),
    nodeSubnetIds: subnets.private.map(({ id }) => pulumi.all([id, neededByNodes]).apply(([subnetId]) => subnetId)),
    publicSubnetIds: subnets.public.map(({ id }) => id),
    s3EndpointId: s3Endpoint.id,
  };
}

function makeVpc({ parent, name, region, tags, transform }: Surroundings, cidr: string): aws.ec2.Vpc {
  const vpc = new aws.ec2.Vpc(
    ...transformed(
      transform.vpc,
      `${name}-vpc`,
      { region, cidrBlock: cidr, enableDnsSupport: true, enableDnsHostnames: true, tags: { ...tags, Name: name } },
      { parent },
    ),
  );
  // Every VPC has one that lets its members talk to each other and to the world; without rules it is of no use to anybody.
  new aws.ec2.DefaultSecurityGroup(
    ...transformed(
      transform.defaultSecurityGroup,
      `${name}-default`,
      { region, vpcId: vpc.id, ingress: [], egress: [], tags: { ...tags, Name: `${name}-unused` } },
      { parent },
    ),
  );
  return vpc;
}

function makeInternetGateway(
  { parent, name, region, tags, transform }: Surroundings,
  vpc: aws.ec2.Vpc,
): aws.ec2.InternetGateway {
  return new aws.ec2.InternetGateway(
    ...transformed(
      transform.internetGateway,
      `${name}-internet`,
      { region, vpcId: vpc.id, tags: { ...tags, Name: name } },
      { parent },
    ),
  );
}
