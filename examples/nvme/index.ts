import { TideSql } from "pulumi-tidesql";

const events = new TideSql("events", {
  region: "us-east-1",
  // 937 GB of NVMe a node: the drives become the pods' storage because the type has them.
  instanceType: "i4i.xlarge",
  cluster: { publicAccessCidrs: ["203.0.113.0/24"] },
  databases: ["events"],
  users: [{ name: "ingest", grants: [{ database: "events", privileges: ["SELECT", "INSERT"] }] }],
});

export const endpoint = events.primaryEndpoint;
export const passwords = events.passwords;
