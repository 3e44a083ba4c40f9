import { Cluster, Image, Network, ObjectStore } from "pulumi-tidesql";

const region = "us-east-1";

const network = new Network("platform", { region });
const cluster = new Cluster("platform", {
  region,
  vpcId: network.vpcId,
  subnetIds: network.privateSubnetIds,
  nodeSubnetIds: network.nodeSubnetIds,
  publicAccessCidrs: ["203.0.113.0/24"],
});
const store = new ObjectStore("orders", { region, vpcEndpointId: network.s3EndpointId });
const tideSqlImage = new Image("tidesql", { region });

export const kubeconfig = cluster.kubeconfig;
export const image = tideSqlImage.reference;
export const bucket = store.bucket;
export const bucketEndpoint = store.endpoint;
export const bucketRegion = store.region;
export const accessKeyId = store.accessKeyId;
export const secretAccessKey = store.secretAccessKey;
