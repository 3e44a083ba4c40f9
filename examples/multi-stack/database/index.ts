import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Database } from "pulumi-tidesql";

const infrastructure = new pulumi.StackReference(new pulumi.Config().require("infrastructure"));
const text = (output: string) => infrastructure.requireOutput(output) as pulumi.Output<string>;

const provider = new k8s.Provider("platform", {
  kubeconfig: text("kubeconfig"),
  // By itself the provider deletes a ConfigMap or a Secret whose content changes, and recreates it.
  enableConfigMapMutable: true,
  enableSecretMutable: true,
});

const orders = new Database(
  "orders",
  {
    image: text("image"),
    objectStore: {
      endpoint: text("bucketEndpoint"),
      bucket: text("bucket"),
      region: text("bucketRegion"),
      accessKeyId: text("accessKeyId"),
      secretAccessKey: text("secretAccessKey"),
    },
    // The labels and the taint of the nodes that `Cluster` makes for databases.
    nodeSelector: { "tidesql.io/pool": "database" },
    tolerations: [{ key: "tidesql.io/dedicated", value: "database", effect: "NoSchedule" }],
    sizing: { instanceType: "m5.large" },
    databases: ["orders"],
    users: [{ name: "app", grants: [{ database: "orders", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] }] }],
  },
  { provider },
);

export const endpoint = orders.primaryEndpoint;
export const passwords = orders.passwords;
