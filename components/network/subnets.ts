import * as aws from "@pulumi/aws";
import { SubnetLayout } from "../core/subnets";
import { transformed } from "../transform";
import { Surroundings } from "./surroundings";

/** One of each per zone, in the order of the zones. */
export interface Subnets {
  private: aws.ec2.Subnet[];
  public: aws.ec2.Subnet[];
}

/** Tags by which controllers in the cluster find subnets for load balancers ("Subnet discovery" of the AWS Load Balancer Controller). */
const loadBalancerTags = {
  private: { "kubernetes.io/role/internal-elb": "1" },
  public: { "kubernetes.io/role/elb": "1" },
} as const;

/** The subnets of a VPC. Machines in them get no public address, in the public ones neither. */
export function makeSubnets(around: Surroundings, vpc: aws.ec2.Vpc, zones: string[], layout: SubnetLayout): Subnets {
  return {
    private: zones.map((zone, index) => makeSubnet(around, vpc, "private", zone, layout.privateCidrs[index]!)),
    public: zones.map((zone, index) => makeSubnet(around, vpc, "public", zone, layout.publicCidrs[index]!)),
  };
}

function makeSubnet(
  { parent, name, region, tags, transform }: Surroundings,
  vpc: aws.ec2.Vpc,
  kind: keyof Subnets,
  zone: string,
  cidrBlock: string,
): aws.ec2.Subnet {
  const subnetName = `${name}-${kind}-${zone}`;
  return new aws.ec2.Subnet(
    ...transformed(
      kind === "private" ? transform.privateSubnet : transform.publicSubnet,
      subnetName,
      {
        region,
        vpcId: vpc.id,
        availabilityZone: zone,
        cidrBlock,
        mapPublicIpOnLaunch: false,
        tags: { ...tags, ...loadBalancerTags[kind], Name: subnetName },
      },
      { parent },
    ),
  );
}
