import * as pulumi from "@pulumi/pulumi";
import { TideSql } from "pulumi-tidesql";

const config = new pulumi.Config();

const orders = new TideSql("orders", {
  region: "eu-central-1",
  // With its name, the pods get a role by EKS Pod Identity: no key is made, and none is in a Secret or in the state.
  cluster: { existing: { clusterName: "platform", storageClassName: "gp3" } },
  // Through the S3 gateway endpoint of the cluster's VPC: the role opens the bucket from nowhere else.
  objectStore: { vpcEndpointId: config.require("s3EndpointId") },
  image: { existing: config.require("image") },
  // The nodes are not known here, so say what a pod gets.
  sizing: { memoryBytes: 6 * 1024 ** 3, cpuCores: 1.5 },
  databases: ["orders"],
  users: [{ name: "app", grants: [{ database: "orders", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] }] }],
});

export const endpoint = orders.primaryEndpoint;
/** Secrets for applications to mount, by user. */
export const connectionSecretNames = orders.connectionSecretNames;
