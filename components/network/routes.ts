import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { transformed } from "../transform";
import { NatGateways } from "./arguments";
import { Subnets } from "./subnets";
import { Surroundings } from "./surroundings";

/** Where traffic goes that no other route takes. */
const everywhere = "0.0.0.0/0";

/** Routes out of the subnets. */
export interface WayOut {
  /** One per zone, so that a change of NAT gateways moves no subnet to another table. */
  privateRouteTables: aws.ec2.RouteTable[];
  /** Everything that has to be there before a machine in a private subnet gets out. */
  resources: pulumi.CustomResource[];
}

/** One NAT gateway per zone, one in the first zone, or none. */
export function makeNatGateways(
  { parent, name, region, tags, transform }: Surroundings,
  natGateways: NatGateways,
  zones: string[],
  publicSubnets: aws.ec2.Subnet[],
  internetGateway: aws.ec2.InternetGateway,
): aws.ec2.NatGateway[] {
  const count = { [NatGateways.None]: 0, [NatGateways.Single]: 1, [NatGateways.PerZone]: zones.length }[natGateways];
  return zones.slice(0, count).map((zone, index) => {
    const gatewayName = `${name}-nat-${zone}`;
    const address = new aws.ec2.Eip(
      ...transformed(
        transform.elasticIp,
        gatewayName,
        { region, domain: "vpc", tags: { ...tags, Name: gatewayName } },
        { parent },
      ),
    );
    return new aws.ec2.NatGateway(
      ...transformed(
        transform.natGateway,
        gatewayName,
        {
          region,
          subnetId: publicSubnets[index]!.id,
          allocationId: address.id,
          tags: { ...tags, Name: gatewayName },
        },
        { parent, dependsOn: [internetGateway] },
      ),
    );
  });
}

/** Route tables and routes: public subnets to the internet gateway, private ones to the NAT gateway of their zone, or to the only one, or nowhere. */
export function makeWayOut(
  around: Surroundings,
  vpc: aws.ec2.Vpc,
  zones: string[],
  subnets: Subnets,
  internetGateway: aws.ec2.InternetGateway,
  natGateways: aws.ec2.NatGateway[],
): WayOut {
  const publicTable = makeRouteTable(around, vpc, "public");
  const publicRoute = makeRoute(around, "public", publicTable, { gatewayId: internetGateway.id });
  const publicAssociations = subnets.public.map((subnet, index) =>
    associate(around, `public-${zones[index]!}`, publicTable, subnet),
  );
  const resources: pulumi.CustomResource[] = [publicRoute, ...publicAssociations];
  const privateRouteTables = zones.map((zone, index) => {
    const label = `private-${zone}`;
    const table = makeRouteTable(around, vpc, label);
    const gateway = natGateways[index] ?? natGateways[0];
    if (gateway) resources.push(makeRoute(around, label, table, { natGatewayId: gateway.id }));
    resources.push(associate(around, label, table, subnets.private[index]!));
    return table;
  });
  return { privateRouteTables, resources };
}

function makeRouteTable(
  { parent, name, region, tags, transform }: Surroundings,
  vpc: aws.ec2.Vpc,
  label: string,
): aws.ec2.RouteTable {
  const tableName = `${name}-${label}`;
  return new aws.ec2.RouteTable(
    ...transformed(
      transform.routeTable,
      tableName,
      { region, vpcId: vpc.id, tags: { ...tags, Name: tableName } },
      { parent },
    ),
  );
}

function makeRoute(
  { parent, name, region, transform }: Surroundings,
  label: string,
  table: aws.ec2.RouteTable,
  target: Pick<aws.ec2.RouteArgs, "gatewayId" | "natGatewayId">,
): aws.ec2.Route {
  return new aws.ec2.Route(
    ...transformed(
      transform.route,
      `${name}-${label}-out`,
      { region, routeTableId: table.id, destinationCidrBlock: everywhere, ...target },
      { parent },
    ),
  );
}

function associate(
  { parent, name, region }: Surroundings,
  label: string,
  table: aws.ec2.RouteTable,
  subnet: aws.ec2.Subnet,
): aws.ec2.RouteTableAssociation {
  return new aws.ec2.RouteTableAssociation(
    `${name}-${label}`,
    { region, routeTableId: table.id, subnetId: subnet.id },
    { parent },
  );
}
