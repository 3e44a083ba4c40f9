import { TideSql } from "pulumi-tidesql";

const orders = new TideSql("orders", {
  region: "us-east-1",
  // From where `pulumi up` reaches the cluster: your office or VPN.
  cluster: { publicAccessCidrs: ["203.0.113.0/24"] },
  databases: ["orders"],
  users: [{ name: "app", grants: [{ database: "orders", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] }] }],
});

export const endpoint = orders.primaryEndpoint;
export const caCertificate = orders.caCertificate;
export const passwords = orders.passwords;
