import { type CostReport, monthlyCost, monthlyDollars } from "../../components/core/planning/cost";
import type { DescribedResource } from "../../components/core/planning/describedResource";
import { hoursPerMonth, s3Request } from "../../components/core/planning/prices";

function resource(type: string, inputs: Record<string, unknown>): DescribedResource {
  return { urn: type, type, name: type, inputs, dependencies: [] };
}

/**
 * The deployment by hand that this package replaces, as far as it costs: what `eksctl create cluster --node-type m5.large --nodes 3` makes (one NAT gateway with its
 * address, 80 GiB root volumes), a volume of 100 GiB for the primary, a bucket, and two replicas that look for new data every second. Its WAL is
 * sent by volume.
 */
const guideDeployment: DescribedResource[] = [
  resource("aws:eks/cluster:Cluster", {}),
  resource("aws:eks/nodeGroup:NodeGroup", {
    instanceTypes: ["m5.large"],
    scalingConfig: { desiredSize: 3 },
    diskSize: 80,
  }),
  resource("aws:ec2/natGateway:NatGateway", {}),
  resource("aws:ec2/eip:Eip", {}),
  resource("aws:s3/bucket:Bucket", {}),
  resource("kubernetes:storage.k8s.io/v1:StorageClass", {
    metadata: { name: "gp3" },
    provisioner: "ebs.csi.aws.com",
    parameters: { type: "gp3" },
  }),
  resource("kubernetes:apps/v1:StatefulSet", {
    spec: {
      replicas: 1,
      volumeClaimTemplates: [{ spec: { storageClassName: "gp3", resources: { requests: { storage: "100Gi" } } } }],
    },
  }),
];

/** What a replica's engine asks of the bucket itself at each poll: a listing, two small objects, and each WAL object, of which some 12 are there under writes, as measured. */
const readsPerPoll = 2 + 12;
const replicas = 2;
const pollsPerSecond = 1;

/** The guide's bill for a month. */
export function guideCost(): CostReport {
  const { lines, ...bill } = monthlyCost(guideDeployment);
  const polls = (replicas * pollsPerSecond * hoursPerMonth * 3600) / 1e6;
  const requests = [
    { what: "S3 listings by replicas", quantity: polls, dollarsEach: s3Request.write * 1e6 },
    { what: "S3 reads by replicas", quantity: polls * readsPerPoll, dollarsEach: s3Request.read * 1e6 },
  ].map(line => ({ ...line, unit: "million", isEstimate: true }));
  const dollars = requests.reduce((sum, line) => sum + monthlyDollars(line), 0);
  return { ...bill, lines: [...lines, ...requests], estimatedDollars: bill.estimatedDollars + dollars };
}
