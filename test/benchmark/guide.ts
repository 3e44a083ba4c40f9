import type { DescribedResource } from "../../components/core/planning/describedResource";

function resource(type: string, inputs: Record<string, unknown>): DescribedResource {
  return { urn: type, type, name: type, inputs, dependencies: [] };
}

/**
 * The deployment by hand that this package replaces, as far as it costs: what `eksctl create cluster --node-type m5.large --nodes 3` makes (one NAT gateway with its
 * address, 80 GiB root volumes), a volume of 100 GiB for the primary, a bucket, and two replicas that look for new data every second. Its WAL is
 * sent by volume.
 */
export const guideDeployment: DescribedResource[] = [
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
  // As far as its replicas' requests go.
  resource("tidesql:index:Database", {
    replicas: 2,
    replicaSyncIntervalMilliseconds: 1000,
    durability: "threshold",
  }),
];
