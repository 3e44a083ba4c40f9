import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { endpointServiceName } from "../core/vpcEndpoints";
import { transformed } from "../transform";
import { Surroundings } from "./surroundings";

/** The way to S3 from the private subnets: free, and what the object store's key can be bound to. */
export function makeS3Endpoint(
  { parent, name, region, tags, transform }: Surroundings,
  vpc: aws.ec2.Vpc,
  routeTables: aws.ec2.RouteTable[],
): aws.ec2.VpcEndpoint {
  return new aws.ec2.VpcEndpoint(
    ...transformed(
      transform.s3Endpoint,
      `${name}-s3`,
      {
        region,
        vpcId: vpc.id,
        vpcEndpointType: "Gateway",
        serviceName: endpointServiceName(region, "s3"),
        routeTableIds: routeTables.map(({ id }) => id),
        tags: { ...tags, Name: `${name}-s3` },
      },
      { parent },
    ),
  );
}

/** Addresses of AWS's services inside the private subnets, reached over TLS from the VPC alone. Answers with all that has to be there before they are of use. */
export function makeInterfaceEndpoints(
  around: Surroundings,
  vpc: aws.ec2.Vpc,
  vpcCidr: string,
  privateSubnets: aws.ec2.Subnet[],
  services: string[],
): pulumi.CustomResource[] {
  if (services.length === 0) return [];
  const { parent, name, region, tags, transform } = around;
  const { securityGroup, rule } = makeSecurityGroup(around, vpc, vpcCidr);
  const endpoints = services.map(service => {
    const endpointName = `${name}-${service.replaceAll(".", "-")}`;
    return new aws.ec2.VpcEndpoint(
      ...transformed(
        transform.interfaceEndpoint,
        endpointName,
        {
          region,
          vpcId: vpc.id,
          vpcEndpointType: "Interface",
          serviceName: endpointServiceName(region, service),
          subnetIds: privateSubnets.map(({ id }) => id),
          securityGroupIds: [securityGroup.id],
          privateDnsEnabled: true,
          tags: { ...tags, Name: endpointName },
        },
        { parent },
      ),
    );
  });
  return [...endpoints, rule];
}

function makeSecurityGroup({ parent, name, region, tags, transform }: Surroundings, vpc: aws.ec2.Vpc, vpcCidr: string) {
  const groupName = `${name}-endpoints`;
  const securityGroup = new aws.ec2.SecurityGroup(
    ...transformed(
      transform.interfaceEndpointSecurityGroup,
      groupName,
      {
        region,
        vpcId: vpc.id,
        description: "Interface endpoints: reached from the VPC, reach nothing",
        tags: { ...tags, Name: groupName },
      },
      { parent },
    ),
  );
  const rule = new aws.vpc.SecurityGroupIngressRule(
    `${groupName}-https`,
    {
      region,
      securityGroupId: securityGroup.id,
      description: "HTTPS from the VPC",
      ipProtocol: "tcp",
      fromPort: 443,
      toPort: 443,
      cidrIpv4: vpcCidr,
      tags,
    },
    { parent },
  );
  return { securityGroup, rule };
}
