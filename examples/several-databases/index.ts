import { Cluster, Database, Image, Network, ObjectStore } from "pulumi-tidesql";

const region = "us-east-1";

const network = new Network("platform", { region });
const image = new Image("platform-tidesql", { region });
const cluster = new Cluster("platform", {
  region,
  vpcId: network.vpcId,
  subnetIds: network.privateSubnetIds,
  nodeSubnetIds: network.nodeSubnetIds,
  nodesPerZone: 2,
  publicAccessCidrs: ["203.0.113.0/24"],
});

/** A database with a bucket, a key and a namespace of its own: one team's key opens no other team's data. */
function databaseOf(team: string): Database {
  const store = new ObjectStore(`${team}-store`, { region, vpcEndpointId: network.s3EndpointId });
  return new Database(
    team,
    {
      image: image.reference,
      objectStore: {
        endpoint: store.endpoint,
        bucket: store.bucket,
        region,
        accessKeyId: store.accessKeyId,
        secretAccessKey: store.secretAccessKey,
      },
      sizing: { instanceType: "m5.large" },
      nodeSelector: cluster.databasePool.nodeSelector,
      tolerations: cluster.databasePool.tolerations,
      databases: [team],
      users: [{ name: team, grants: [{ database: team, privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] }] }],
    },
    { provider: cluster.provider },
  );
}

const databases = ["orders", "billing"].map(databaseOf);

export const endpoints = databases.map(database => database.primaryEndpoint);
