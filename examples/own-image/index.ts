import { TideSql } from "pulumi-tidesql";

const ledger = new TideSql("ledger", {
  region: "us-east-1",
  image: {
    existing:
      "123456789012.dkr.ecr.us-east-1.amazonaws.com/tidesql@sha256:5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e",
  },
  // A commit is acknowledged once the bucket has it.
  durability: "commit",
  cluster: { publicAccessCidrs: ["203.0.113.0/24"] },
  databases: ["ledger"],
  users: [{ name: "app", grants: [{ database: "ledger", privileges: ["SELECT", "INSERT", "UPDATE"] }] }],
});

export const endpoint = ledger.primaryEndpoint;
export const image = ledger.image;
