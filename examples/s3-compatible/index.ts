import * as pulumi from "@pulumi/pulumi";
import { Database } from "pulumi-tidesql";

const config = new pulumi.Config();

const orders = new Database("orders", {
  image: config.require("image"),
  objectStore: {
    endpoint: config.require("endpoint"),
    bucket: config.require("bucket"),
    region: "us-east-1",
    pathStyle: true,
    accessKeyId: config.requireSecret("accessKeyId"),
    secretAccessKey: config.requireSecret("secretAccessKey"),
    // Leave it out where a public authority signed the store's certificate.
    caCertificate: config.require("caCertificate"),
  },
  databases: ["orders"],
  users: [{ name: "app", grants: [{ database: "orders", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] }] }],
});

export const endpoint = orders.primaryEndpoint;
/** Secrets for applications to mount, by user. */
export const connectionSecretNames = orders.connectionSecretNames;
