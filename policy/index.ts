import { PolicyPack } from "@pulumi/policy";
import { policies } from "./pack";

/** What `pulumi up --policy-pack policy` starts: the server that Pulumi asks about each resource. Nothing else may import this file. */
new PolicyPack("tidesql", {
  policies: policies(),
  description:
    "Rules for TideSQL on Kubernetes and AWS: replica counts, TLS, secrets, correctness, bucket, cluster, workloads, cost.",
  displayName: "TideSQL",
});
