import * as assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as pulumi from "@pulumi/pulumi";
import { NatGateways, Network, NetworkArgs } from "../../components/network";
import { at, record, Recording, refusals, text, valueOf } from "./mocks";

const region = "us-east-1";
const type = {
  eip: "aws:ec2/eip:Eip",
  endpoint: "aws:ec2/vpcEndpoint:VpcEndpoint",
  internetGateway: "aws:ec2/internetGateway:InternetGateway",
  nat: "aws:ec2/natGateway:NatGateway",
  route: "aws:ec2/route:Route",
  association: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  subnet: "aws:ec2/subnet:Subnet",
  vpc: "aws:ec2/vpc:Vpc",
};

/** The network with its defaults, made once: a recording does not change. */
let standard: Promise<Recording<Network>> | undefined;

function recordNetwork(args?: Partial<NetworkArgs>): Promise<Recording<Network>> {
  if (args === undefined) return (standard ??= record(() => new Network("orders", { region })));
  return record(() => new Network("orders", { region, ...args }));
}

/** Stands for whatever is put into a subnet. */
class Node extends pulumi.CustomResource {}

/** The types of what a resource waits for that takes one of the network's outputs. */
async function upstreamOf(
  args: Partial<NetworkArgs>,
  pick: (network: Network) => pulumi.Output<string>,
): Promise<string[]> {
  const made = await record(() => {
    const subnetId = pick(new Network("orders", { region, ...args }));
    new Node("test:index:Node", "node", { subnetId });
  });
  const { dependencies } = made.one("test:index:Node");
  return dependencies.map(urn => made.byUrn(urn)!.type);
}

describe("a network that is made", () => {
  it("has a private and a public subnet in each of three zones, none of which gives out public addresses", async () => {
    const made = await recordNetwork();
    const subnets = made.all(type.subnet).map(({ inputs }) => [inputs.availabilityZone, inputs.cidrBlock]);
    assert.deepEqual(subnets.sort(), [
      ["us-east-1a", "10.0.0.0/18"],
      ["us-east-1a", "10.0.192.0/20"],
      ["us-east-1b", "10.0.208.0/20"],
      ["us-east-1b", "10.0.64.0/18"],
      ["us-east-1c", "10.0.128.0/18"],
      ["us-east-1c", "10.0.224.0/20"],
    ]);
    for (const { inputs } of made.all(type.subnet)) assert.equal(inputs.mapPublicIpOnLaunch, false);
    assert.equal(made.one(type.vpc).inputs.enableDnsHostnames, true);
    assert.equal(made.one(type.vpc).inputs.enableDnsSupport, true);
  });

  it("marks its subnets for load balancers", async () => {
    const made = await recordNetwork();
    for (const { name, inputs } of made.all(type.subnet)) {
      const role = name.includes("private") ? "internal-elb" : "elb";
      assert.equal((inputs.tags as Record<string, string>)[`kubernetes.io/role/${role}`], "1", name);
    }
  });

  it("empties the default security group", async () => {
    const group = (await recordNetwork()).one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup");
    assert.deepEqual([group.inputs.ingress, group.inputs.egress], [[], []]);
  });

  it("lets nobody in from anywhere", async () => {
    const made = await recordNetwork({ natGateways: NatGateways.None });
    const open = made.resources
      .filter(({ type: kind }) => kind !== type.route)
      .filter(({ inputs }) => /0\.0\.0\.0\/0|::\/0/.test(JSON.stringify(inputs)));
    assert.deepEqual(open, []);
  });

  it("reaches S3 through a gateway endpoint of its private subnets", async () => {
    const made = await recordNetwork();
    const endpoint = made.one(type.endpoint);
    assert.equal(endpoint.inputs.vpcEndpointType, "Gateway");
    assert.equal(endpoint.inputs.serviceName, "com.amazonaws.us-east-1.s3");
    assert.deepEqual(
      endpoint.inputs.routeTableIds,
      ["a", "b", "c"].map(zone => `orders-private-us-east-1${zone}-id`),
    );
    assert.equal(await valueOf(made.result.s3EndpointId!), "orders-s3-id");
  });

  it("has as many NAT gateways as asked for, and routes each zone to its own, or to the only one", async () => {
    const natOf = async (natGateways: NatGateways): Promise<unknown[]> => {
      const made = await recordNetwork({ natGateways });
      assert.equal(made.all(type.eip).length, made.all(type.nat).length);
      return made
        .all(type.route)
        .filter(({ name }) => name.includes("private"))
        .map(({ inputs }) => inputs.natGatewayId);
    };
    const [a, b, c] = ["a", "b", "c"].map(zone => `orders-nat-us-east-1${zone}-id`);
    assert.deepEqual(await natOf(NatGateways.PerZone), [a, b, c]);
    assert.deepEqual(await natOf(NatGateways.Single), [a, a, a]);
    assert.deepEqual(await natOf(NatGateways.None), []);
    assert.equal((await recordNetwork()).all(type.nat).length, 1);
  });

  it("without NAT has the endpoints that a cluster needs, reached from the VPC alone", async () => {
    const made = await recordNetwork({ natGateways: NatGateways.None, cidr: "10.8.0.0/16" });
    const services = made
      .all(type.endpoint)
      .filter(({ inputs }) => inputs.vpcEndpointType === "Interface")
      .map(({ inputs }) => text(inputs, "serviceName").replace("com.amazonaws.us-east-1.", ""));
    assert.deepEqual(services.sort(), ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts"]);
    const rule = made.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule");
    assert.deepEqual([rule.inputs.cidrIpv4, rule.inputs.fromPort, rule.inputs.toPort], ["10.8.0.0/16", 443, 443]);
    assert.equal(made.all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule").length, 0);
  });

  it("with NAT has interface endpoints only where they are asked for", async () => {
    const made = await recordNetwork({ interfaceEndpoints: ["logs"] });
    const names = made.all(type.endpoint).map(({ inputs }) => inputs.serviceName);
    assert.deepEqual(names.sort(), ["com.amazonaws.us-east-1.logs", "com.amazonaws.us-east-1.s3"]);
  });

  it("keeps flow logs for a while, written by a role that can write nothing else", async () => {
    const made = await recordNetwork({ flowLogRetentionDays: 365 });
    assert.equal(made.one("aws:cloudwatch/logGroup:LogGroup").inputs.retentionInDays, 365);
    const flowLog = made.one("aws:ec2/flowLog:FlowLog");
    assert.equal(flowLog.inputs.trafficType, "ALL");
    assert.ok(made.waitsFor(flowLog, "aws:iam/rolePolicy:RolePolicy"));
    const policy = JSON.parse(text(made.one("aws:iam/rolePolicy:RolePolicy").inputs, "policy")) as unknown;
    assert.deepEqual(at(policy, "Statement[0].Action"), [
      "logs:CreateLogStream",
      "logs:DescribeLogStreams",
      "logs:PutLogEvents",
    ]);
    assert.match(text(policy, "Statement[0].Resource[0]"), /loggroup\/orders-flow$/);
    assert.deepEqual((await recordNetwork({ flowLogs: false })).all("aws:ec2/flowLog:FlowLog"), []);
  });

  it("tells the subnets at once, and those for nodes only with their way out", async () => {
    assert.deepEqual(await upstreamOf({}, network => network.privateSubnetIds[0]!), [type.subnet]);
    const late = await upstreamOf({}, network => network.nodeSubnetIds[0]!);
    for (const kind of [type.route, type.association, type.endpoint]) assert.ok(late.includes(kind), kind);
  });

  it("for nodes waits for interface endpoints where they are the way out", async () => {
    const late = await upstreamOf({ natGateways: NatGateways.None }, network => network.nodeSubnetIds[0]!);
    assert.equal(late.filter(kind => kind === type.endpoint).length, 7);
    assert.ok(late.includes("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"));
  });

  it("gives a NAT gateway an address only once the internet gateway is there", async () => {
    const made = await recordNetwork();
    assert.ok(made.waitsFor(made.one(type.nat), type.internetGateway));
  });

  it("puts everything into its region, tagged, below itself", async () => {
    const made = await recordNetwork({ region: "eu-west-1", tags: { team: "orders" } });
    const component = made.one("tidesql:index:Network");
    for (const { name, type: kind, parent, custom, inputs } of made.resources) {
      if (!custom) continue;
      assert.equal(parent, component.urn, name);
      if (!kind.startsWith("aws:iam/")) assert.equal(inputs.region, "eu-west-1", name);
      if ("tags" in inputs) assert.equal(at(inputs, "tags.team"), "orders", name);
    }
  });

  it("plans without a look-up", async () => {
    const plan = await record(() => new Network("orders", { region, natGateways: NatGateways.PerZone }), {
      preview: true,
    });
    assert.deepEqual(plan.invokes, []);
    assert.equal(plan.all(type.nat).length, 3);
  });
});

describe("a network that exists", () => {
  const existing = { vpcId: "vpc-1", privateSubnetIds: ["subnet-1", "subnet-2"], s3EndpointId: "vpce-1" };

  it("makes nothing and hands on what it was given", async () => {
    const used = await recordNetwork({ existing });
    assert.deepEqual(
      used.resources.map(({ type: kind }) => kind),
      ["tidesql:index:Network"],
    );
    assert.equal(await valueOf(used.result.vpcId), "vpc-1");
    assert.deepEqual(await Promise.all(used.result.nodeSubnetIds.map(valueOf)), ["subnet-1", "subnet-2"]);
    assert.equal(await valueOf(used.result.s3EndpointId!), "vpce-1");
  });

  it("is refused together with what only a new one can have", async () => {
    const problems = await refusals(() => new Network("orders", { region, existing, cidr: "10.0.0.0/16", zones: [] }));
    assert.deepEqual(
      problems.map(({ propertyPath }) => propertyPath),
      ["cidr", "zones"],
    );
    assert.match(problems[0]!.reason, /leave one of them out/);
  });

  it("is refused with ids that are none, too few subnets, or one twice", async () => {
    const paths = async (change: object): Promise<string[]> => {
      const problems = await refusals(() => new Network("orders", { region, existing: { ...existing, ...change } }));
      return problems.map(({ propertyPath }) => propertyPath);
    };
    assert.deepEqual(await paths({ vpcId: "orders" }), ["existing.vpcId"]);
    assert.deepEqual(await paths({ privateSubnetIds: ["subnet-1"] }), ["existing.privateSubnetIds"]);
    assert.deepEqual(await paths({ privateSubnetIds: ["subnet-1", "subnet-1"] }), ["existing.privateSubnetIds[1]"]);
    assert.deepEqual(await paths({ publicSubnetIds: ["vpc-1"] }), ["existing.publicSubnetIds[0]"]);
    assert.deepEqual(await paths({ s3EndpointId: "s3" }), ["existing.s3EndpointId"]);
  });
});

describe("bad input to a network", () => {
  it("is refused before anything is registered, by the property's path", async () => {
    const paths = async (args: Partial<NetworkArgs>): Promise<string[]> => {
      const problems = await refusals(() => new Network("orders", { region, ...args }));
      return problems.map(({ propertyPath }) => propertyPath);
    };
    assert.deepEqual(await paths({ region: "mars" }), ["region"]);
    assert.deepEqual(await paths({ region: "us-west-1" }), ["zones"]);
    assert.deepEqual(await paths({ cidr: "10.0.0.0/8" }), ["cidr"]);
    assert.deepEqual(await paths({ zones: ["us-east-1a", "eu-west-1a"] }), ["zones[1]"]);
    assert.deepEqual(await paths({ natGateways: "two" as NatGateways }), ["natGateways"]);
    assert.deepEqual(await paths({ interfaceEndpoints: ["s3"] }), ["interfaceEndpoints[0]"]);
    assert.deepEqual(await paths({ flowLogRetentionDays: 31 }), ["flowLogRetentionDays"]);
    assert.deepEqual(await paths({ flowLogs: false, flowLogRetentionDays: 30 }), ["flowLogRetentionDays"]);
  });
});
